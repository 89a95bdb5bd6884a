"""Deliveries are verified as Standard Webhooks 1.0.0 says, beside the reference library."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from keyrack.client import WebhookVerificationError, webhooks

SECRET, NEXT, OTHER = ("whsec_" + base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2, 3))
NOW = int(datetime.now(UTC).timestamp())
BODY = json.dumps({"type": "customer.created", "data": {"name": "Søn"}}, ensure_ascii=False)


def headers(signature: str, timestamp: int = NOW, delivery_id: str = "msg_1") -> dict[str, str]:
    """The headers of a delivery."""
    return {"Webhook-Id": delivery_id, "Webhook-Timestamp": str(timestamp), "Webhook-Signature": signature}


def signed_by_the_reference(secret: str, body: str = BODY, timestamp: int = NOW) -> str:
    """The signature that the reference library makes."""
    signature: str = standardwebhooks.Webhook(secret).sign("msg_1", datetime.fromtimestamp(timestamp, UTC), body)
    return signature


def test_what_the_reference_signs_is_verified_and_the_other_way_round() -> None:
    # The reference asks the real clock, and the suite may have begun long ago.
    at = int(datetime.now(UTC).timestamp())
    assert json.loads(BODY) == webhooks.verify(BODY.encode(), headers(signed_by_the_reference(SECRET, timestamp=at), at), SECRET)
    ours = {name.lower(): value for name, value in headers(webhooks.sign(BODY, "msg_1", at, SECRET), at).items()}
    assert json.loads(BODY) == standardwebhooks.Webhook(SECRET).verify(BODY, ours)


@given(st.text(max_size=200), st.binary(min_size=24, max_size=64), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_both_sign_alike(body: str, key: bytes, delivery_id: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    theirs = standardwebhooks.Webhook(secret).sign(delivery_id, datetime.fromtimestamp(NOW, UTC), body)
    assert theirs == webhooks.sign(body, delivery_id, NOW, secret)
    assert theirs == webhooks.sign(body, delivery_id, NOW, secret.removeprefix("whsec_"))


def test_secret_is_rotated_on_either_side_first() -> None:
    both = f"{signed_by_the_reference(NEXT)} {signed_by_the_reference(SECRET)}"
    for sent, held in ((both, SECRET), (both, NEXT), (signed_by_the_reference(NEXT), [SECRET, NEXT]), (both, [OTHER, SECRET])):
        assert webhooks.verify(BODY, headers(sent), held, now=NOW)
    for sent, held in ((signed_by_the_reference(SECRET), NEXT), (both, OTHER), (both, [])):
        with pytest.raises(WebhookVerificationError, match="None of the signatures"):
            webhooks.verify(BODY, headers(sent), held, now=NOW)


@pytest.mark.parametrize(("age", "passes"), [(299, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_delivery_is_of_now(age: int, passes: bool) -> None:
    delivery = headers(signed_by_the_reference(SECRET, timestamp=NOW - age), NOW - age)
    if passes:
        assert webhooks.verify(BODY, delivery, SECRET, now=NOW)
    else:
        with pytest.raises(WebhookVerificationError, match="too long ago"):
            webhooks.verify(BODY, delivery, SECRET, now=NOW)
    assert webhooks.verify(BODY, delivery, SECRET, now=NOW, tolerance_seconds=400)


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "9" * 400},
        {"Webhook-Timestamp": f"{NOW}.0"},
        {"Webhook-Timestamp": "١٢٣"},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1a,AAAA"},
        {"Webhook-Signature": "ünsigned"},
        {"Webhook-Id": None},
        {"Webhook-Timestamp": None},
        {"Webhook-Signature": None},
    ],
)
def test_delivery_that_was_changed_is_refused(changed: dict[str, Any]) -> None:
    given_ = {**headers(signed_by_the_reference(SECRET)), **changed}
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY, {name: value for name, value in given_.items() if value is not None}, SECRET, now=NOW)
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY + " ", headers(signed_by_the_reference(SECRET)), SECRET, now=NOW)


def test_delivery_that_is_no_json_is_refused_after_its_signature() -> None:
    with pytest.raises(WebhookVerificationError, match="no JSON"):
        webhooks.verify("{", headers(signed_by_the_reference(SECRET, "{")), SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "ß"])
def test_secret_that_is_none_is_said_to_be_none_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret") as raised:
        webhooks.verify(BODY, headers(signed_by_the_reference(SECRET)), secret, now=NOW)
    assert "not base64" not in str(raised.value)
