import assert from "node:assert/strict";
import { test } from "node:test";

import { Answer } from "../src/answers.ts";
import { attempts, BACKOFF_SECONDS_MAX, pauseSeconds, SPREAD_SECONDS } from "../src/attempts.ts";
import { KeyrackError, NoAnswerError, UnreadableAnswerError } from "../src/errors.ts";

function answer(status: number, headers: Record<string, string> = {}, text = ""): Answer {
  return new Answer(status, new Headers(headers), text);
}

test("a call ends within its attempts and its time, whatever comes back", async () => {
  const outcomes = [
    new NoAnswerError("cut"),
    new UnreadableAnswerError("large"),
    answer(429, { "retry-after": "7" }),
    answer(503),
    answer(503, { "retry-after": "soon" }),
    answer(500, { "content-type": "application/problem+json" }, '{"retryable": true}'),
    answer(302),
    answer(200),
  ];
  for (let run = 0; run < 2000; run += 1) {
    const rules = { timeout: 1 + Math.random() * 30, retriesMax: Math.floor(Math.random() * 6), secondsMax: 1 + Math.random() * 60 };
    let [now, sent] = [0, 0];
    const world = {
      attempt: async (seconds: number) => {
        assert.ok(seconds > 0 && seconds <= rules.timeout && now + seconds <= rules.secondsMax + 1e-9);
        sent += 1;
        now += seconds * Math.random();
        return outcomes[Math.floor(Math.random() * outcomes.length)] ?? answer(200);
      },
      pause: async (seconds: number) => void (now += seconds),
      clock: () => now,
      chance: Math.random,
    };
    await attempts(rules, world).then(
      (met) => assert.equal(200, met.status),
      (error: unknown) => assert.ok(error instanceof KeyrackError),
    );
    assert.ok(sent >= 1 && sent <= rules.retriesMax + 1 && now <= rules.secondsMax + 1e-9);
  }
});

test("the server says how long to wait, else the wait grows to a bound", () => {
  for (const number of [0, 1, 5, 100]) {
    const told = pauseSeconds(answer(429, { "retry-after": "3" }), number, 1);
    assert.ok(told !== undefined && told >= 3 && told <= 3 + SPREAD_SECONDS);
    const own = pauseSeconds(answer(503), number, 1);
    assert.ok(own !== undefined && own > 0 && own <= BACKOFF_SECONDS_MAX);
  }
});

test("any headers can be read", () => {
  for (const text of ["", '"', '"a', '"a";r', '"a";r=;t', '"a\\"b";r=1;t=2, "c";r=3', ';;;,,,"";r=1', "r=1", '"a";pk=:YQ==:;r=9']) {
    const { rateLimits } = answer(200, { ratelimit: text, "ratelimit-policy": text, "retry-after": text });
    assert.ok(rateLimits instanceof Map);
  }
  const told = answer(200, { ratelimit: '"a\\"b";r=1;t=2, "c";r=3', "ratelimit-policy": '"c";q=5;w=60' }).rateLimits;
  assert.deepEqual({ name: 'a"b', remaining: 1, resetSeconds: 2 }, told.get('a"b'));
  assert.deepEqual({ name: "c", remaining: 3, resetSeconds: 0, quota: 5, windowSeconds: 60 }, told.get("c"));
});
