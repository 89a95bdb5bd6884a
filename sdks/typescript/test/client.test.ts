import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";

import {
  AlreadyDoneError,
  AuthenticationError,
  ConflictError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  type KeyrackError,
  NoAnswerError,
  NotFoundError,
  PermissionDeniedError,
  ServerError,
  StatusError,
  TimedOutError,
  UnreadableAnswerError,
} from "../src/index.ts";
import { VERSION } from "../src/version.ts";
import { ADMIN_KEY, all, connect, type Fate, LIVE_KEY, Relay, URL_OF_DEMO } from "./demo.ts";

const PROBLEM = { "content-type": "application/problem+json" };

/** The error that a call throws. */
async function refused<T extends KeyrackError>(call: Promise<unknown>, kind: abstract new (...given: never[]) => T): Promise<T> {
  const error = await call.then(
    () => assert.fail("no error"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof kind, inspect(error));
  return error;
}

test("the first call says who is calling", async () => {
  const { data, requestId } = await connect().me();
  assert.deepEqual(["live", "Demo live key"], [data.mode, data.key_name]);
  assert.match(requestId ?? "", /^req_/);
  assert.equal(data.id, (await connect({ baseUrl: `${URL_OF_DEMO}/api/v1/` }).get<{ id: string }>("/api/v1/me")).data.id);
});

test("the package says its version", () => {
  const described = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  assert.equal(described.version, VERSION);
});

test("objects of the host are made, read, changed and deleted", async () => {
  const client = connect();
  const customers = client.resource<{ id: string; name: string; status: string }>("customers");
  const made = await customers.create({ name: "Aurora & Søn" });
  assert.deepEqual([201, false], [made.status, made.replayed]);
  const contacts = client.resource<{ name: string }>("customers", made.data.id, "contacts");
  await contacts.create({ name: "Mira Chen" });
  assert.deepEqual(["Mira Chen"], (await all(contacts.list())).map((one) => one.name));
  assert.equal("active", (await customers.update(made.data.id, { status: "active" })).data.status);
  assert.deepEqual((await client.get(`/customers/${made.data.id}`)).data, (await customers.get(made.data.id)).data);
  assert.equal(204, (await customers.delete(made.data.id)).status);
  assert.equal("not_found", (await refused(customers.get(made.data.id), NotFoundError)).code);
});

test("operations of the document have the types of the document", async () => {
  const { api } = connect();
  const { data: page } = await api.GET("/api/v1/customers", { params: { query: { limit: 2, sort: "name" } } });
  assert.equal(2, page?.data.length);
  const made = await api.POST("/api/v1/customers", { body: { name: "Typed" } });
  const id = made.data?.id ?? "";
  const read = await api.GET("/api/v1/customers/{customer}", { params: { path: { customer: id } } });
  assert.equal("Typed", read.data?.name);
  assert.ok(made.response.headers.get("idempotency-key"));
  assert.equal(204, (await api.DELETE("/api/v1/customers/{customer}", { params: { path: { customer: id } } })).response.status);
  const gone = api.GET("/api/v1/customers/{customer}", { params: { path: { customer: id } } });
  await refused(gone, NotFoundError);
  // @ts-expect-error a field that the document does not have
  await refused(api.POST("/api/v1/customers", { body: { nam: "Typed" } }), InvalidRequestError);
  // @ts-expect-error a path that the document does not have
  await refused(api.GET("/api/v1/nothing"), NotFoundError);
  await assert.rejects(api.GET("/api/v1/me", { baseUrl: "http://127.0.0.1:9" }), TypeError);
});

test("a key is made, rotated and revoked, and then refused at once", async () => {
  await using relay = await Relay.start();
  const admin = connect({ apiKey: ADMIN_KEY });
  const key = await admin.keys.create({ name: "billing", permissions: { customers: "read" } });
  const successor = await admin.keys.rotate(key.data.id);
  assert.equal(successor.data.id, (await admin.keys.get(key.data.id)).data.successor_id);
  const user = connect({ apiKey: successor.data.secret, baseUrl: relay.url });
  await user.me();
  assert.equal("ended", (await admin.keys.revoke(successor.data.id)).data.state);
  assert.equal("key_revoked", (await refused(user.me(), AuthenticationError)).code);
  assert.equal(2, relay.passed.length);
});

test("rights are given and taken by their nouns", async () => {
  const admin = connect({ apiKey: ADMIN_KEY });
  const { data: space } = await admin.spaces.create({ name: "Launch" });
  const { data: held } = await admin.integrations.create({ name: "CRM" });
  await admin.integrations.setSpace(held.id, space.id, "viewer");
  assert.deepEqual([space.id], (await admin.integrations.spaces(held.id)).data.data.map((one) => one.space_id));
  assert.ok((await all(admin.spaces.members(space.id))).some((one) => one.id === held.id));
  await admin.spaces.removeRole(space.id, held.id);
  await admin.integrations.delete(held.id);
  await admin.spaces.delete(space.id);
  assert.equal(1, (await all(admin.members.list({ role: "owner" }))).length);
  const invited = await admin.invitations.create({ email: "ada@ts.example" });
  assert.notEqual(invited.data.url, (await admin.invitations.renew(invited.data.id)).data.url);
  await admin.invitations.revoke(invited.data.id);
  assert.equal("team", (await admin.usage()).data.plan.name);
  assert.equal("workspace", (await admin.rateLimit()).data.policies[0]?.name);
});

test("apps, what they were given, and accounts at vendors are managed by their nouns", async () => {
  const admin = connect({ apiKey: ADMIN_KEY });
  const partner = "Zed of TypeScript";
  const wanted = { name: "Zed", redirect_uris: ["https://zed.example/back"], scopes: ["customers:read"], partner };
  const { data: app } = await admin.apps.create(wanted);
  assert.notEqual(app.secret, (await admin.apps.rotate(app.id)).data.secret);
  assert.equal("https://zed.example", (await admin.apps.update(app.id, { homepage_url: "https://zed.example" })).data.homepage_url);
  assert.ok((await all(admin.apps.list({ search: "Zed" }))).some((one) => one.id === app.id));
  assert.deepEqual([], await all(admin.grants.list({ app_id: app.id })));
  await refused(admin.grants.get(app.id), NotFoundError);
  await refused(admin.grants.revoke(app.id), NotFoundError);
  assert.deepEqual([partner, 0], [(await admin.access.get({ partner })).data.partner, (await admin.access.revoke({ partner })).data.grants]);
  assert.equal(0, (await admin.apps.uninstall(app.id)).data.grants_ended);
  await admin.apps.delete(app.id);
  await refused(admin.apps.get(app.id), NotFoundError);

  const settings = { token: "xoxb-0000-0000-of-the-tests", channel: "C0123456789" };
  const { data: slack } = await admin.connectors.create({ vendor: "slack", settings, events: ["customer.created"] });
  assert.deepEqual(["active", { channel: settings.channel }], [slack.state, slack.settings]);
  assert.equal(false, (await admin.connectors.check(slack.id)).data.ok);
  assert.deepEqual([], await all(admin.connectors.calls(slack.id, { state: "succeeded" })));
  await refused(admin.connectors.call(slack.id, app.id), NotFoundError);
  assert.equal("disabled", (await admin.connectors.update(slack.id, { name: "Sales", enabled: false })).data.state);
  await refused(admin.connectors.retry(slack.id, app.id), ConflictError);
  assert.ok((await all(admin.connectors.list({ vendor: "slack" }))).some((one) => one.id === slack.id));
  await admin.connectors.delete(slack.id);
  await refused(admin.connectors.get(slack.id), NotFoundError);
});

test("errors have a type, and lead to their line in the log", async () => {
  const client = connect();
  const admin = connect({ apiKey: ADMIN_KEY });
  const expected: [() => Promise<unknown>, typeof StatusError, string][] = [
    [() => client.get("/customers/nobody"), NotFoundError, "not_found"],
    [() => client.get("/integrations"), PermissionDeniedError, "insufficient_permission"],
    [() => client.post("/customers", { nam: "Aurora" }), InvalidRequestError, "invalid_request"],
  ];
  for (const [call, kind, code] of expected) {
    const error = await refused(call(), kind);
    const { data: line } = await admin.logs.get(error.requestId ?? "");
    assert.deepEqual([code, error.status], [line.code, line.status]);
    assert.equal(code, error.code);
    assert.ok(error.docUrl?.endsWith(`/errors/${code}`));
    assert.ok(error.message.includes(error.requestId ?? "-"));
    if (kind === InvalidRequestError) {
      assert.deepEqual(new Set(["name", "nam"]), new Set(error.errors.map((one) => one.param)));
      assert.ok(error.fix);
    }
  }
});

test("what is left is told by the headers", async () => {
  const { rateLimits } = await connect().get("/customers", { query: { limit: 1 } });
  const budget = rateLimits.get("workspace");
  assert.deepEqual([1000, 1], [budget?.quota, budget?.windowSeconds]);
});

test("secrets are in nothing that is printed", async () => {
  const admin = connect({ apiKey: ADMIN_KEY });
  const key = await admin.keys.create({ name: "quiet" });
  const error = await refused(connect({ apiKey: "unknown_key_of_nobody" }).me(), AuthenticationError);
  const deep = { depth: 9, showHidden: true };
  const printed = [admin, admin.keys, key, key.data, error].map((one) => inspect(one, deep)).join() + JSON.stringify([admin, key, error]);
  assert.ok(printed.includes("quiet"));
  for (const secret of [ADMIN_KEY, "unknown_key_of_nobody"]) assert.ok(!printed.includes(secret));
  assert.ok(!inspect(key, { depth: 9 }).includes(key.data.secret));
  assert.ok(!inspect(key.data).includes(key.data.secret));
  assert.ok(!JSON.stringify(key).includes(key.data.secret));
});

test("the credential is sent to no other host", async () => {
  await using relay = await Relay.start();
  for (const path of ["//evil.example/me", "https://evil.example/api/v1/me", "me", "/\\evil.example", ""]) {
    await assert.rejects(connect().get(path), TypeError);
  }
  for (const status of [301, 302, 307, 308]) {
    relay.plan.push({ status, headers: { location: `${URL_OF_DEMO}/api/v1/me` } });
    await refused(connect({ baseUrl: relay.url }).me(), UnreadableAnswerError);
  }
  assert.equal(4, relay.passed.length);
});

test("what cannot be is refused before it is sent, and not repeated", async () => {
  for (const apiKey of ["", "two words", "line\nbreak", "naïve"]) {
    assert.throws(() => connect({ apiKey }), (error: Error) => error instanceof TypeError && (!apiKey || !error.message.includes(apiKey)));
  }
  for (const baseUrl of ["", "my.atrium.example", "ftp://a.example", "https://key@a.example", "https://a.example/?key=1"]) {
    assert.throws(() => connect({ baseUrl }), TypeError);
  }
  assert.throws(() => connect({ maxRetries: -1 }), TypeError);
  for (const id of ["", ".", ".."]) await assert.rejects(connect().keys.revoke(id), TypeError);
  await assert.rejects(connect().get("/me", { headers: { Authorization: "Bearer other" } }), TypeError);
  await assert.rejects(connect().get("/me", { idempotencyKey: "reading" }), TypeError);
});

test("a walk meets everything once while others add and delete", async () => {
  const client = connect();
  const customers = client.resource<{ id: string }>("customers");
  const theirs: string[] = [];
  for (let number = 0; number < 6; number += 1) theirs.push((await customers.create({ name: `Walked ${number}` })).data.id);
  const [gone = "", ...stay] = theirs;
  const met: string[] = [];
  for await (const { id } of customers.list({ sort: "created_at", limit: 2 })) {
    met.push(id);
    await customers.create({ name: "Added meanwhile" });
    if (id === stay[0]) await customers.delete(gone);
    if (id === stay.at(-1) || met.length > 500) break;
  }
  assert.equal(met.length, new Set(met).size);
  assert.deepEqual(stay, met.filter((id) => stay.includes(id)));
});

test("a walk goes on from a cursor that was kept, and over cut connections", async () => {
  await using relay = await Relay.start();
  const client = connect({ baseUrl: relay.url });
  const pages = await all(client.list<{ id: string }>("/onboardings", { limit: 1 }).pages());
  const [first, ...rest] = pages;
  assert.ok(rest.length > 0);
  relay.plan.push("cut", "pass", "cut within");
  const walked = await all(client.list<{ id: string }>("/onboardings", { limit: 1, cursor: first?.nextCursor }));
  assert.deepEqual(rest.flatMap((page) => page.data.map((one) => one.id)), walked.map((one) => one.id));
  relay.plan.push({ status: 200, headers: { "content-type": "application/json" }, body: '{"data": [], "has_more": true}' });
  await refused(client.list("/customers").page(), UnreadableAnswerError);
});

test("a post whose answer was cut makes one object", async () => {
  const plans: Fate[][] = [["cut"], ["cut within"], ["cut before"], ["cut", "cut within", "cut before"]];
  for (const plan of plans) {
    await using relay = await Relay.start();
    relay.plan.push(...plan);
    const client = connect({ baseUrl: relay.url });
    const name = `Cut ${plan.join()} ${relay.url}`;
    const made = await client.post<{ id: string }>("/customers", { name });
    assert.equal(plan.length + 1, relay.passed.length);
    assert.equal(1, new Set(relay.passed.map((one) => one.headers["idempotency-key"])).size);
    assert.equal(made.replayed, plan[0] !== "cut before");
    const found = await all(client.list<{ id: string; name: string }>("/customers", { limit: 100 }));
    assert.deepEqual([made.data.id], found.filter((one) => one.name === name).map((one) => one.id));
  }
});

test("a call that is repeated under its own name is replayed", async () => {
  const client = connect();
  const idempotencyKey = crypto.randomUUID();
  const first = await client.post<{ id: string }>("/customers", { name: "Chosen key" }, { idempotencyKey });
  const again = await client.post<{ id: string }>("/customers", { name: "Chosen key" }, { idempotencyKey });
  assert.deepEqual([first.data.id, true], [again.data.id, again.replayed]);
  await refused(client.post("/customers", { name: "Another" }, { idempotencyKey }), IdempotencyKeyReusedError);
});

test("a key whose answer was cut is named, so that it can be rotated", async () => {
  await using relay = await Relay.start();
  relay.plan.push("cut");
  const admin = connect({ apiKey: ADMIN_KEY, baseUrl: relay.url });
  const error = await refused(admin.keys.create({ name: "Lost secret" }), AlreadyDoneError);
  const id = error.made.find((one) => one.object === "key")?.id ?? "";
  const { data: key } = await admin.keys.rotate(id);
  assert.equal("Lost secret", (await connect({ apiKey: key.secret }).me()).data.key_name);
});

test("what may pass later is sent again, and nothing else", async () => {
  const passes: Fate[] = [
    { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" },
    { status: 503, headers: { "retry-after": "0" } },
    { status: 429, headers: { "retry-after": "0" } },
    { status: 500, headers: PROBLEM, body: '{"code": "internal_error", "retryable": true}' },
    { status: 409, headers: { ...PROBLEM, "retry-after": "0" }, body: '{"code": "idempotency_key_in_use", "retryable": true}' },
  ];
  const fails: Fate[] = [
    { status: 401 },
    { status: 500 },
    { status: 409, headers: PROBLEM, body: '{"code": "conflict", "retryable": false}' },
    { status: 503, headers: PROBLEM, body: '{"code": "store_unavailable", "retryable": false}' },
    { status: 429, headers: { ...PROBLEM, "retry-after": "86400" }, body: '{"code": "quota_exceeded", "retryable": true}' },
    { status: 429, headers: { "retry-after": "Fri, 31 Dec 2100 23:59:59 GMT" } },
  ];
  for (const fate of passes) {
    await using relay = await Relay.start();
    relay.plan.push(fate);
    assert.equal("live", (await connect({ baseUrl: relay.url }).me()).data.mode);
    assert.equal(2, relay.passed.length);
  }
  for (const fate of fails) {
    await using relay = await Relay.start();
    relay.plan.push(fate);
    await refused(connect({ baseUrl: relay.url }).me(), StatusError);
    assert.equal(1, relay.passed.length);
  }
});

test("retries end, and so does patience", async () => {
  await using relay = await Relay.start();
  relay.plan.push(...new Array<Fate>(3).fill({ status: 503, headers: { "retry-after": "0" } }));
  await refused(connect({ baseUrl: relay.url, maxRetries: 2 }).me(), ServerError);
  assert.equal(3, relay.passed.length);
  relay.plan.push("cut before", "cut before");
  await refused(connect({ baseUrl: relay.url, maxRetries: 1 }).me(), NoAnswerError);
  const silent = (_: string, { signal }: RequestInit): Promise<Response> =>
    new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
  await refused(connect({ fetch: silent, timeoutSeconds: 0.05, maxRetries: 1 }).me(), TimedOutError);
});

test("a call ends with its own signal", async () => {
  await using relay = await Relay.start();
  relay.plan.push({ status: 503, headers: { "retry-after": "60" } });
  const ending = new AbortController();
  const call = connect({ baseUrl: relay.url }).get("/me", { signal: ending.signal });
  while (relay.passed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  ending.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(1, relay.passed.length);
  assert.ok(LIVE_KEY);
});

test("events are followed as they come, and from a place that was kept", async () => {
  const client = connect();
  const customers = client.resource<{ id: string }>("customers");
  const [newest] = (await client.events.list({ limit: 1 }).page()).data;
  const made = [(await customers.create({ name: "One" })).data.id, (await customers.create({ name: "Two" })).data.id];
  const met: string[] = [];
  for await (const event of client.events.follow({ type: "customer.created" }, newest?.id)) {
    met.push(event.object_id);
    if (met.length === 2) made.push((await customers.create({ name: "While it waits" })).data.id);
    if (met.length === 3) break;
  }
  assert.deepEqual(made, met);
});
