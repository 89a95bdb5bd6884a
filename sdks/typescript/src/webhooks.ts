/** Webhooks: is a delivery genuine, and of now? Standard Webhooks 1.0.0, symmetric signatures (`v1`). */

import { WebhookVerificationError } from "./errors.ts";

export const TOLERANCE_SECONDS = 300;
const PREFIX = "whsec_";
const SIGNATURES_MAX = 20;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** Headers as a server has them: the platform's own, or Node's `request.headers`. */
export type GivenHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  readonly toleranceSeconds?: number;
  /** Seconds since the epoch. */
  readonly now?: number;
}

/**
 * Return the JSON of a delivery that one of these secrets has signed, within the tolerance of now.
 *
 * `payload` is the body exactly as it came; `secret` are several while one is being rotated. Deliveries are repeated: keep the `webhook-id`
 * of those that you have worked in. Throws WebhookVerificationError, and TypeError for a secret that is none.
 */
export async function verify<T = unknown>(
  payload: string | Uint8Array,
  headers: GivenHeaders,
  secret: string | readonly string[],
  { toleranceSeconds = TOLERANCE_SECONDS, now = Date.now() / 1000 }: VerifyOptions = {},
): Promise<T> {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => header(headers, name));
  if (id === undefined || timestamp === undefined || signatures === undefined) {
    throw new WebhookVerificationError("A header of the three is missing: webhook-id, webhook-timestamp, webhook-signature.");
  }
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookVerificationError("webhook-timestamp is no number of seconds.");
  const body = bytes(payload);
  const secrets = typeof secret === "string" ? [secret] : secret;
  const keys = await Promise.all(secrets.map((one) => keyOf(one, "verify")));
  const signed = message(id, timestamp, body);
  const found = signatures.split(" ").slice(0, SIGNATURES_MAX).filter((one) => one.startsWith("v1,"));
  // Each is compared with each by the platform, in constant time.
  const matches = await Promise.all(
    keys.flatMap((key) => found.map((one) => crypto.subtle.verify(HMAC, key, decoded(one.slice(3)) ?? new Uint8Array(), signed))),
  );
  if (!matches.includes(true)) throw new WebhookVerificationError("None of the signatures is by one of the secrets.");
  if (Math.abs(now - Number(timestamp)) > toleranceSeconds) {
    throw new WebhookVerificationError("The delivery was signed too long ago, or in the future.");
  }
  try {
    return JSON.parse(new TextDecoder().decode(body)) as T;
  } catch {
    throw new WebhookVerificationError("The delivery is no JSON.");
  }
}

/** The value of `webhook-signature` for a delivery, as tests of a receiver need it. Throws TypeError for a secret that is none. */
export async function sign(payload: string | Uint8Array, id: string, timestamp: number, secret: string): Promise<string> {
  const signature = await crypto.subtle.sign(HMAC, await keyOf(secret, "sign"), message(id, String(timestamp), bytes(payload)));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`;
}

function header(headers: GivenHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : found?.[0];
}

function bytes(payload: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : new Uint8Array(payload);
}

function message(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

async function keyOf(secret: string, use: "sign" | "verify"): Promise<CryptoKey> {
  const key = decoded(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (key === undefined || key.length === 0) throw new TypeError(`a webhook secret is ${PREFIX}… with base64 behind it`);
  return crypto.subtle.importKey("raw", key, HMAC, false, [use]);
}

function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
