"""Signatures are those of the standard: two libraries of others accept them, and nothing else."""

import base64
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from keyrack.crypto import webhooks
from keyrack.manage import endpoints
from keyrack.model.deliveries import State
from keyrack.model.endpoints import Signature
from tests.backends import Backend, copy_files
from tests.deliveries.conftest import opened
from tests.deliveries.receivers import Received, Receiver
from tests.npm import NODE, install

HERE = Path(__file__).parent
SOME_SECOND = 1795219200
texts = st.text(max_size=200)
ids = st.text(st.characters(min_codepoint=48, max_codepoint=122, exclude_characters="."), min_size=1, max_size=30)


def headers(message_id: str, at: int, signature: str) -> dict[str, str]:
    """The headers of a delivery; `at` in seconds since the epoch."""
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def accepted_by_npm(deliveries: Sequence[dict[str, Any]]) -> list[bool]:
    """Say which deliveries the library from npm accepts."""
    install(HERE)
    given = json.dumps(deliveries)
    ran = subprocess.run([str(NODE), "verify.js"], cwd=HERE, input=given, capture_output=True, text=True, timeout=60, check=True)
    found: list[bool] = json.loads(ran.stdout)
    return found


@given(texts, ids)
def test_shared_secret_signs_as_the_library_verifies(text: str, message_id: str) -> None:
    # The library compares with its own clock: the suite may have begun long before this.
    now = int(time.time())
    secret = webhooks.mint(Signature.HMAC).secret.text
    body = json.dumps({"text": text}).encode()
    signature = webhooks.sign(secret, message_id, now, body)
    assert {"text": text} == standardwebhooks.Webhook(secret).verify(body, headers(message_id, now, signature))
    for changed in ((message_id + "x", body), (message_id, body + b" ")):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(changed[1], headers(changed[0], now, signature))


@given(st.binary(max_size=200), ids)
def test_public_key_proves_what_its_private_one_signed(body: bytes, message_id: str) -> None:
    minted = webhooks.mint(Signature.ED25519)
    assert minted.public is not None
    version, _, signature = webhooks.sign(minted.secret.text, message_id, SOME_SECOND, body).partition(",")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(minted.public.removeprefix("whpk_")))
    public.verify(base64.b64decode(signature), f"{message_id}.{SOME_SECOND}.".encode() + body)
    assert "v1a" == version
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), f"{message_id}.{SOME_SECOND}.".encode() + body + b"x")


def test_secrets_have_the_standards_form_and_are_hidden() -> None:
    shared, pair = webhooks.mint(Signature.HMAC), webhooks.mint(Signature.ED25519)
    assert shared.secret.text.startswith("whsec_")
    assert 24 <= len(base64.b64decode(shared.secret.text.removeprefix("whsec_"))) <= 64
    assert (pair.secret.text.startswith("whsk_"), (pair.public or "").startswith("whpk_")) == (True, True)
    assert shared.secret.text not in repr(shared)
    assert webhooks.mint(Signature.HMAC).secret.text != shared.secret.text


async def test_real_deliveries_are_accepted_by_the_library_from_npm_also_during_a_rotation(
    migrated_files: Path, tmp_path: Path, receiver: Receiver
) -> None:
    copy_files(migrated_files, tmp_path)
    async with opened(Backend.in_folder(tmp_path), tmp_path, receiver) as shop:
        endpoint, old = await shop.endpoint(events=["customer.*"])
        rotated = await endpoints.rotate(shop.desk, shop.host.owner, endpoint.id, overlap_seconds=60)
        assert rotated.secret is not None
        public, _ = await shop.endpoint("/public", events=["customer.*"], signature=Signature.ED25519)
        await shop.happen(*(shop.event({"name": name}) for name in ("plain", "Søn 🎉", '"quoted"')))
        for one in (endpoint, public):
            await shop.until_all(one, State.SUCCEEDED, 3)
    given = receiver.of("/hooks")
    sent = [_given(one, secret.text) for one in given for secret in (old, rotated.secret)]
    changed = [{**one, "body": one["body"] + " "} for one in sent]
    assert [True] * 6 + [False] * 6 == accepted_by_npm([*sent, *changed])
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode((public.keys[0].public or "").removeprefix("whpk_")))
    for received in receiver.of("/public"):
        signed = f"{received.event_id}.{received.headers['webhook-timestamp']}.".encode() + received.body
        key.verify(base64.b64decode(received.headers["webhook-signature"].removeprefix("v1a,")), signed)


def _given(received: Received, secret: str) -> dict[str, Any]:
    return {"secret": secret, "headers": received.headers, "body": received.body.decode()}
