/** How often a call is sent, and how long is waited in between. */

import { Answer } from "./answers.ts";
import { errorOf, type KeyrackError, member, NoAnswerError, TimedOutError } from "./errors.ts";

export const BACKOFF_SECONDS = 0.5;
export const BACKOFF_SECONDS_MAX = 8;
/** What is waited beyond `Retry-After`, at most, so that many clients do not come back at the same moment. */
export const SPREAD_SECONDS = 0.25;
const FROM_A_PROXY = new Set([429, 502, 503, 504]);

/** How much a call may take: `timeout` seconds for each attempt, `retriesMax` beside the first, `secondsMax` for all of it. */
export interface Rules {
  readonly timeout: number;
  readonly retriesMax: number;
  readonly secondsMax: number;
}

/** Sends a call and waits; tests of the rules alone pretend to. */
export interface World {
  /** Send the call once, and wait for its answer for so many seconds at most. */
  attempt(seconds: number): Promise<Answer | KeyrackError>;
  /** Wait for so many seconds. */
  pause(seconds: number): Promise<void>;
  /** The seconds that have passed since some moment. */
  clock(): number;
  /** A number from 0 to 1. */
  chance(): number;
}

/** Send a call until it has succeeded. Throws KeyrackError when it has failed for good. */
export async function attempts(rules: Rules, world: World): Promise<Answer> {
  const ends = world.clock() + rules.secondsMax;
  for (let number = 0; ; number += 1) {
    const left = ends - world.clock();
    if (left <= 0) throw new TimedOutError(`No answer within ${rules.secondsMax} s.`);
    const outcome = await world.attempt(Math.min(rules.timeout, left));
    if (outcome instanceof Answer && outcome.status >= 200 && outcome.status < 300) return outcome;
    const pause = pauseSeconds(outcome, number, world.chance());
    if (number >= rules.retriesMax || pause === undefined || world.clock() + pause >= ends) {
      throw outcome instanceof Answer ? errorOf(outcome) : outcome;
    }
    await world.pause(pause);
  }
}

/** How long to wait before the next attempt; undefined where the same call would fail again. */
export function pauseSeconds(outcome: Answer | KeyrackError, number: number, chance: number): number | undefined {
  const backoff = Math.min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS * 2 ** number) * (0.5 + chance / 2);
  if (!(outcome instanceof Answer)) return outcome instanceof NoAnswerError ? backoff : undefined;
  if (!mayPassLater(outcome)) return undefined;
  const asked = outcome.retryAfterSeconds;
  return asked === undefined ? backoff : asked + chance * SPREAD_SECONDS;
}

function mayPassLater(answer: Answer): boolean {
  const retryable = member(answer, "retryable");
  // Whoever stands in front of the API answers in its own form.
  return typeof retryable === "boolean" ? retryable : FROM_A_PROXY.has(answer.status);
}
