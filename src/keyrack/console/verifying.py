"""How a receiver checks that a delivery is genuine, as code to copy."""

from typing import NamedTuple

from keyrack.model.endpoints import Signature


class Sample(NamedTuple):
    """Code in one language, and what it needs."""

    id: str
    title: str
    needs: str
    code: str


_WITH_SECRET = (
    Sample(
        "sample-python",
        "Python",
        "pip install standardwebhooks",
        """\
import os
from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])

def receive(body: bytes, headers: dict) -> None:
    # Raises WebhookVerificationError: answer 400.
    event = webhook.verify(body, headers)
    # The id is the same when it is sent again.
    print(headers["webhook-id"], event["type"])""",
    ),
    Sample(
        "sample-typescript",
        "TypeScript",
        "npm install standardwebhooks",
        """\
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET!);

type Headers = Record<string, string>;

export function receive(body: string, headers: Headers) {
  // Throws where it is not genuine: answer 400.
  const event = webhook.verify(body, headers) as { type: string };
  // The id is the same when it is sent again.
  console.log(headers["webhook-id"], event.type);
}""",
    ),
)
_WITH_PUBLIC_KEY = (
    Sample(
        "sample-python",
        "Python",
        "pip install cryptography",
        """\
import base64, json, os, time
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey,
)

raw = os.environ["WEBHOOK_PUBLIC_KEY"].removeprefix("whpk_")
key = Ed25519PublicKey.from_public_bytes(base64.b64decode(raw))

def verify(body: bytes, headers: dict) -> dict:
    sent_at = headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        raise ValueError("signed too long ago")
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    for one in headers["webhook-signature"].split():
        signature = base64.b64decode(one.removeprefix("v1a,"))
        try:
            key.verify(signature, signed)
            return json.loads(body)
        except InvalidSignature:
            continue
    raise ValueError("not signed with this key")""",
    ),
    Sample(
        "sample-typescript",
        "TypeScript",
        "Needs Node alone.",
        """\
import { createPublicKey, verify } from "node:crypto";

type Headers = Record<string, string>;

const bytes = (text: string) => Buffer.from(text, "base64");
const raw = bytes(process.env.WEBHOOK_PUBLIC_KEY!.replace("whpk_", ""));
const key = createPublicKey({
  key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
  format: "jwk",
});

export function isGenuine(body: string, headers: Headers) {
  const sentAt = headers["webhook-timestamp"];
  const age = Math.abs(Date.now() / 1000 - Number(sentAt));
  const signed = Buffer.from(`${headers["webhook-id"]}.${sentAt}.${body}`);
  const signatures = headers["webhook-signature"].split(" ");
  return age < 300 && signatures.some((one) =>
    verify(null, signed, key, bytes(one.replace("v1a,", ""))));
}""",
    ),
)


def samples(signature: Signature) -> tuple[Sample, ...]:
    """Return the code for a kind of signature, one for each language."""
    return _WITH_PUBLIC_KEY if signature is Signature.ED25519 else _WITH_SECRET
