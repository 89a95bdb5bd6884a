"""What may stand in a line of the request log."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.crypto.format import mint
from keyrack.model.request_logs import (
    RECORD_BYTES_MAX,
    Filter,
    Mask,
    RequestLog,
    decode,
    encode,
    head_of,
    status_range,
    terms_for,
    terms_of,
    time_of,
)
from keyrack.store.ids import RequestIds, new_id, new_workspace_id
from tests.spool.lines import NOW, a_line

mask = Mask(["atrium", "atrium_test", "pivra_sk"])
PLAIN = st.text(string.ascii_letters + string.digits + "/-.", max_size=40)


@given(PLAIN, st.sampled_from(["atrium", "atrium_test", "pivra_sk", "somebody_elses", "sk"]), PLAIN)
def test_whole_secrets_are_masked_wherever_they_stand(before: str, prefix: str, after: str) -> None:
    secret = mint(prefix).text
    masked = mask(f"{before}/{secret}/{after}", 2048)
    assert secret[:-32] in masked
    assert secret[-31:] not in masked
    assert secret[-32:] not in masked


@given(st.integers(16, 35))
def test_a_secret_with_our_prefix_is_masked_though_it_was_cut_short(length: int) -> None:
    secret = mint("atrium").text[: len("atrium_") + length]
    assert mask(f"/api/{secret}", 2048) == f"/api/{secret[: len('atrium_') + 4]}***"


@pytest.mark.parametrize("text", ["/api/v1/customer_notes/12", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "curl/8.5.0", ""])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert mask(text, 2048) == text


def test_ids_of_ours_stay_readable() -> None:
    path = f"/api/v1/logs/{RequestIds().new(NOW)}/{new_workspace_id()}/{new_id()}"
    assert mask(path, 2048) == path


def test_doubly_encoded_secrets_are_masked() -> None:
    secret = mint("atrium").text
    assert secret[-32:] not in mask(f"/api/{secret.replace('_', '%5F')}", 2048)


@given(st.text(max_size=3000), st.integers(1, 2048))
def test_stored_text_is_short_and_printable(text: str, length_max: int) -> None:
    stored = mask(text, length_max)
    assert len(stored) <= length_max
    assert stored.isprintable()


@given(st.text(max_size=5000), st.text(max_size=5000), st.text(max_size=5000))
def test_every_line_fits_its_place_in_the_spool_and_keeps_its_id(path: str, user_agent: str, reason: str) -> None:
    line = a_line(path=path, user_agent=user_agent, reason=reason, credential_name=path)
    record = encode(line)
    assert 0 < len(record) <= RECORD_BYTES_MAX
    read = decode(record)
    assert (read.request_id, read.created_at, read.credential_id) == (line.request_id, line.created_at, line.credential_id)
    assert record.startswith(head_of(line.request_id))


@given(st.text(max_size=4).map(lambda text: text * 1000))
def test_lone_surrogates_and_long_characters_are_no_way_out_of_the_log(text: str) -> None:
    line = a_line(path=text + "\udc80" * 3000, user_agent="\U0001f511" * 5000, method=text, code="\ud800", reason=text)
    assert len(encode(line)) <= RECORD_BYTES_MAX


def test_a_line_is_read_as_it_was_written() -> None:
    line = a_line(reason="needs customers:write")
    assert decode(encode(line)) == line
    with pytest.raises(ValueError, match="no line"):
        decode(b"\x93\x01\x02\x03")


def test_the_time_of_a_line_is_in_its_id() -> None:
    assert time_of(RequestIds().new(NOW)) == NOW
    assert time_of("req_nothing") is None


def test_a_status_is_exact_or_a_class() -> None:
    assert status_range("404") == (404, 404)
    assert status_range("4xx") == (400, 499)
    for wrong in ("", "4", "40x", "abc", "600", "4040"):
        with pytest.raises(ValueError, match="404"):
            status_range(wrong)


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (Filter(path="/customers/c1"), a_line(path="/API/v1/customers/C1")),
        (Filter(path="/customers/{id}"), a_line(path="/api/customers/c1", route="/api/customers/{id}")),
        (Filter(route="/api/customers/{id}"), a_line(route="/api/customers/{id}")),
        (Filter(credential_id="key_9", integration_id="i_9"), a_line(credential_id="key_9", integration_id="i_9")),
        (Filter(member_id="member_9"), a_line(member_id="member_9")),
        (Filter(status=(404, 404)), a_line(status=404)),
        (Filter(status=(500, 599)), a_line(status=503)),
        (Filter(status=(450, 503)), a_line(status=503)),
    ],
)
def test_what_is_looked_for_is_among_what_a_line_is_found_by(wanted: Filter, line: RequestLog) -> None:
    terms = {term for term, _ in terms_of([line])}
    assert terms.issuperset(terms_for(line.workspace_id, wanted, whole=True))
    assert terms.isdisjoint(terms_for("org_other", wanted, whole=True))
