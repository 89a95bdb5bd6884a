import assert from "node:assert/strict";
import { test } from "node:test";

import { Webhook } from "standardwebhooks";

import { WebhookVerificationError, webhooks } from "../src/index.ts";

const [SECRET, NEXT, OTHER] = [1, 2, 3].map((byte) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`) as [string, string, string];
const NOW = Math.floor(Date.now() / 1000);
const BODY = JSON.stringify({ type: "customer.created", data: { name: "Søn" } });

function reference(secret: string, body = BODY, timestamp = NOW): string {
  return new Webhook(secret).sign("msg_1", new Date(timestamp * 1000), body);
}

function headers(signature: string, timestamp: number | string = NOW, id = "msg_1"): Record<string, string> {
  return { "Webhook-Id": id, "Webhook-Timestamp": String(timestamp), "Webhook-Signature": signature };
}

test("what the reference signs is verified, and the other way round", async () => {
  assert.deepEqual(JSON.parse(BODY), await webhooks.verify(BODY, headers(reference(SECRET)), SECRET));
  assert.deepEqual(JSON.parse(BODY), await webhooks.verify(Buffer.from(BODY), new Headers(headers(reference(SECRET))), [OTHER, SECRET]));
  assert.deepEqual(JSON.parse(BODY), new Webhook(SECRET).verify(BODY, headers(await webhooks.sign(BODY, "msg_1", NOW, SECRET))));
});

test("a secret is rotated on either side first", async () => {
  const both = `${reference(NEXT)} ${reference(SECRET)}`;
  const passes: [string, string | string[]][] = [[both, SECRET], [both, NEXT], [reference(NEXT), [SECRET, NEXT]]];
  for (const [sent, held] of passes) assert.ok(await webhooks.verify(BODY, headers(sent), held));
  const fails: [string, string | string[]][] = [[reference(SECRET), NEXT], [both, OTHER], [both, []]];
  for (const [sent, held] of fails) await assert.rejects(webhooks.verify(BODY, headers(sent), held), WebhookVerificationError);
});

test("a delivery is of now", async () => {
  for (const [age, passes] of [[299, true], [300, true], [301, false], [-300, true], [-301, false]] as const) {
    const verified = webhooks.verify(BODY, headers(reference(SECRET, BODY, NOW - age), NOW - age), SECRET, { now: NOW });
    if (passes) assert.ok(await verified);
    else await assert.rejects(verified, /too long ago/);
  }
});

test("a delivery that was changed is refused", async () => {
  const good = reference(SECRET);
  const changed = [
    headers(good, NOW, "msg_2"),
    headers(good, NOW + 1),
    headers(good, "soon"),
    headers(good, `${NOW}.0`),
    headers(good, "9".repeat(400)),
    headers(""),
    headers("v1,"),
    headers("v1,%%%"),
    headers(good.replace("v1,", "v1a,")),
    headers("ünsigned"),
    {},
  ];
  for (const one of changed) await assert.rejects(webhooks.verify(BODY, one, SECRET), WebhookVerificationError);
  await assert.rejects(webhooks.verify(`${BODY} `, headers(good), SECRET), WebhookVerificationError);
  await assert.rejects(webhooks.verify("{", headers(reference(SECRET, "{")), SECRET), /no JSON/);
});

test("a secret that is none is said to be none, and not repeated", async () => {
  for (const secret of ["", "whsec_", "whsec_not base64!", "ß"]) {
    await assert.rejects(
      webhooks.verify(BODY, headers(reference(SECRET)), secret),
      (error: Error) => error instanceof TypeError && !error.message.includes("not base64"),
    );
  }
});
