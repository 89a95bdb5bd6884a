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

def receive(body: bytes, headers: dict[str, str]) -> None:
    event = webhook.verify(body, headers)  # raises WebhookVerificationError: answer 400
    print(headers["webhook-id"], event["type"])  # the id is the same when it is sent again""",
    ),
    Sample(
        "sample-typescript",
        "TypeScript",
        "npm install standardwebhooks",
        """\
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET!);

export function receive(body: string, headers: Record<string, string>): void {
  const event = webhook.verify(body, headers) as { type: string }; // throws: answer 400
  console.log(headers["webhook-id"], event.type); // the id is the same when it is sent again
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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

key = Ed25519PublicKey.from_public_bytes(base64.b64decode(os.environ["WEBHOOK_PUBLIC_KEY"].removeprefix("whpk_")))

def verify(body: bytes, headers: dict[str, str]) -> dict:
    sent_at = headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        raise ValueError("signed too long ago")
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    for signature in headers["webhook-signature"].split():
        try:
            key.verify(base64.b64decode(signature.removeprefix("v1a,")), signed)
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

const raw = Buffer.from(process.env.WEBHOOK_PUBLIC_KEY!.replace("whpk_", ""), "base64");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });

export function isGenuine(body: string, headers: Record<string, string>): boolean {
  const sentAt = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(sentAt)) < 300)) return false;
  const signed = Buffer.from(`${headers["webhook-id"]}.${sentAt}.${body}`);
  const signatures = headers["webhook-signature"].split(" ").map((one) => Buffer.from(one.replace("v1a,", ""), "base64"));
  return signatures.some((signature) => verify(null, signed, key, signature));
}""",
    ),
)


def samples(signature: Signature) -> tuple[Sample, ...]:
    """Return the code for a kind of signature, one for each language."""
    return _WITH_PUBLIC_KEY if signature is Signature.ED25519 else _WITH_SECRET
