"""Here databases begin empty."""

import pytest

from tests.backends import Backend


@pytest.fixture
def backend(empty_backend: Backend) -> Backend:
    """A database in which nothing is."""
    return empty_backend
