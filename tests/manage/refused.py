"""Refusals, as tests expect them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keyrack.model.refusals import Refusal, Refused


@contextmanager
def refused(refusal: Refusal, words: str = "") -> Iterator[pytest.ExceptionInfo[Refused]]:
    """Expect this refusal, in these words."""
    with pytest.raises(Refused) as raised:
        yield raised
    assert refusal is raised.value.refusal, raised.value
    assert words in raised.value.detail
