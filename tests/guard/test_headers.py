"""Which headers people may add to the calls that are made for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.outgoing_calls import refused_header


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Authorization", "Bearer abc.def"), ("X-Tenant", "a b"), ("x-trace", "1\t2"), ("Cookie", "a=b; c=d"), ("Accept", "*/*")),
        ("X-Long", "v" * 2_000),
    ],
)
def test_header_of_ones_own_may_be_added(name: str, value: str) -> None:
    assert refused_header(name, value) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "host", "HOST", "Connection", "Content-Length", "content-type", "Content-Encoding", "Transfer-Encoding", "Expect"),
        *("Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Anything", "Accept-Encoding"),
        *("User-Agent", "HTTP2-Settings", "webhook-id", "Webhook-Signature", "WEBHOOK-TIMESTAMP", "webhook-anything"),
    ],
)
def test_header_that_the_call_sets_itself_is_refused(name: str) -> None:
    assert f"{name} is set by the call itself." == refused_header(name, "1")


@pytest.mark.parametrize(
    "name", ["", " ", "X A", "X:A", "X-A\r\nHost", "X-A\n", "X-Ä", "Host ", " Host", "Ｈost", "X" * 101, "X\x00", "(x)"]
)
def test_name_that_is_none_is_refused(name: str) -> None:
    assert refused_header(name, "1") is not None


@pytest.mark.parametrize(
    "value", ["", " ", " a", "a ", "a\r\nHost: b", "a\nb", "a\rb", "a\x00", "a\x0b", "ä", "a\u2028b", "\t", "v" * 2_001]
)
def test_value_that_cannot_be_sent_is_refused(value: str) -> None:
    refused = refused_header("X-One", value)
    assert refused is not None
    assert "X-One" in refused


def test_words_do_not_hold_the_value() -> None:
    assert "s3cret" not in str(refused_header("X-One", "s3cret\n"))


@given(name=st.text(max_size=20), value=st.text(max_size=20))
def test_no_header_that_passes_can_become_two(name: str, value: str) -> None:
    if refused_header(name, value) is None:
        assert 1 == len(f"{name}: {value}".splitlines())
        assert f"{name}: {value}".isascii()
