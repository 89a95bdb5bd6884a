/** Sends calls with the platform's own fetch. */

import { Answer } from "./answers.ts";
import { attempts, type Rules } from "./attempts.ts";
import { KeyrackError, NoAnswerError, TimedOutError, UnreadableAnswerError } from "./errors.ts";
import type { Call } from "./requests.ts";

export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** Sends calls until they have succeeded. The credential is in a private field, which nothing prints. */
export class Sender {
  readonly #authorization: string;
  readonly #rules: Rules;
  readonly #fetch: Fetch;

  constructor(apiKey: string, rules: Rules, fetch: Fetch) {
    this.#authorization = `Bearer ${apiKey}`;
    this.#rules = rules;
    this.#fetch = fetch;
  }

  /** Send a call, and return its answer. Throws KeyrackError, or the reason of the call's own signal. */
  async send(call: Call): Promise<Answer> {
    return attempts(this.#rules, {
      attempt: (seconds) => this.#attempt(call, seconds),
      pause: (seconds) => pause(seconds, call.signal),
      clock: () => performance.now() / 1000,
      chance: Math.random,
    });
  }

  async #attempt(call: Call, seconds: number): Promise<Answer | KeyrackError> {
    call.signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(Math.ceil(seconds * 1000));
    const headers = new Headers(call.headers);
    headers.set("authorization", this.#authorization);
    try {
      const response = await this.#fetch(call.url, {
        method: call.method,
        headers,
        body: call.body ?? null,
        redirect: "manual",
        credentials: "omit",
        signal: call.signal ? AbortSignal.any([timeout, call.signal]) : timeout,
      });
      return new Answer(response.status, response.headers, await text(response));
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof KeyrackError) return error;
      if (timeout.aborted) return new TimedOutError(`No answer within ${seconds} s.`);
      return new NoAnswerError(`No answer: ${reason(error)}`, { cause: error });
    }
  }
}

/** The whole text of an answer, up to a size. */
async function text(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let size = 0;
  let found = "";
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) throw new UnreadableAnswerError(`The answer has more than ${ANSWER_BYTES_MAX} bytes.`);
    found += decoder.decode(chunk, { stream: true });
  }
  return found + decoder.decode();
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : "the connection failed";
}

function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", give);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", give, { once: true });
    if (signal?.aborted) give();
  });
}
