"""What strangers wrote is shown so that all of it can be seen and none of it does anything; and samples of code do what they say."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import WebhookVerificationError

from keyrack.console.delivery_words import outcome_in_words, why_in_words
from keyrack.console.exchanges import readable_body, tried
from keyrack.console.verifying import samples
from keyrack.crypto import webhooks
from keyrack.model.deliveries import Attempt, Trigger, Why
from keyrack.model.endpoints import Signature
from keyrack.model.outgoing_calls import NotSentCode
from keyrack.model.principals import Mode
from tests.npm import NODE

BODY = b'{"type":"customer.created"}'


def an_attempt(**fields: object) -> Attempt:
    given = {"status": 200, "response_headers": {}, "response_body": b""} | fields
    return Attempt("a", "w", "d", "e", 1, Trigger.SCHEDULE, 0, 12, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"plain\r\ntext\twith tab", "plain\ntext\twith tab"),
        (b"\x00\x1b[31m", "\\x00\\x1b[31m"),
        ("a\u202eb\u2066c\ufeff".encode(), "a\\u202eb\\u2066c\\ufeff"),
        (b"caf\xe9 \xc3\xa9", "caf\\xe9 é"),
        ("\U000e0001".encode(), "\\U000e0001"),
    ],
)
def test_what_nobody_can_see_stands_as_its_number(body: bytes, shown: str) -> None:
    assert shown == readable_body(body)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_every_body_can_be_shown(body: bytes) -> None:
    shown = readable_body(body)
    assert all(char in "\n\t" or char.isprintable() or char.isspace() for char in shown)
    shown.encode()


def test_a_header_cannot_begin_another_line() -> None:
    head = tried(an_attempt(response_headers={"x-note": "one\r\ntwo\nthree"}), "https://a.example").response_head
    assert ["200 OK", "x-note: one\\x0atwo\\x0athree"] == head.splitlines()


def test_each_error_reason_and_failed_status_is_told_in_a_sentence() -> None:
    said = [outcome_in_words(None, code.value) for code in NotSentCode]
    assert len(set(said)) == len(said)
    said += [outcome_in_words(status, None) for status in range(300, 600)]
    said += [why_in_words(why, Mode.LIVE) for why in Why]
    assert all(one.endswith(".") for one in said)
    assert "" == outcome_in_words(204, None)


@pytest.mark.parametrize("signature", Signature)
def test_python_sample_takes_what_is_genuine_and_nothing_else(signature: Signature, monkeypatch: pytest.MonkeyPatch) -> None:
    minted = webhooks.mint(signature)
    monkeypatch.setenv("WEBHOOK_SECRET", minted.secret.text)
    monkeypatch.setenv("WEBHOOK_PUBLIC_KEY", minted.public or "")
    names: dict[str, object] = {}
    exec(samples(signature)[0].code, names)
    check = names.get("verify") or names["receive"]
    now = int(time.time())
    for sent_at, body, fine in ((now, BODY, True), (now, BODY + b" ", False), (now - 900, BODY, False)):
        signed = webhooks.sign(minted.secret.text, "msg_1", sent_at, BODY)
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(sent_at), "webhook-signature": signed}
        if fine:
            check(body, headers)  # type: ignore[operator]
        else:
            with pytest.raises((ValueError, WebhookVerificationError)):
                check(body, headers)  # type: ignore[operator]


def test_typescript_sample_with_a_public_key_takes_what_is_genuine_and_nothing_else(tmp_path: Path) -> None:
    minted = webhooks.mint(Signature.ED25519)
    now = int(time.time())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": webhooks.sign(minted.secret.text, "msg_1", now, BODY),
    }
    asked = [f"isGenuine({body!r}, {headers!r})" for body in (BODY.decode(), BODY.decode() + " ")]
    (tmp_path / "sample.ts").write_text(f"{samples(Signature.ED25519)[1].code}\nconsole.log({', '.join(asked)});\n")
    environment = os.environ | {"WEBHOOK_PUBLIC_KEY": minted.public or ""}
    ran = subprocess.run(
        [NODE, "--experimental-strip-types", "--no-warnings", "sample.ts"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "true false" == ran.stdout.strip(), ran.stderr
