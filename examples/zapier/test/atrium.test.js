'use strict';

// Run in Zapier's own harness, against an Atrium that runs: ATRIUM_URL, ATRIUM_KEY (customers and onboardings to write) and ATRIUM_WEAK_KEY
// (no permissions). Atrium must be allowed to deliver to this machine: KEYRACK_OUTGOING_NETWORKS='["127.0.0.0/8"]'.

const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { after, before, describe, it } = require('node:test');

const zapier = require('zapier-platform-core');

const App = require('..');

const appTester = zapier.createAppTester(App);
const authData = { api_key: process.env.ATRIUM_KEY };
const perform = (part, bundle) => appTester(part, { authData, meta: {}, ...bundle });

const call = async (method, path, body) => {
  const answer = await fetch(`${process.env.ATRIUM_URL}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${authData.api_key}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
};

// What Zapier does with a delivery: it keeps the request, with each header under the name that its servers give it.
const hooks = async () => {
  const waiting = [];
  const received = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          `Http-${name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())}`,
          value,
        ]),
      );
      const content = Buffer.concat(parts).toString();
      const raw = { method: 'POST', querystring: '', headers, content };
      (waiting.shift() || ((one) => received.push(one)))(raw);
      response.writeHead(200).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/hooks/standard/1/abc/`,
    next: () => (received.length ? Promise.resolve(received.shift()) : new Promise((resolve) => waiting.push(resolve))),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

describe('the integration', () => {
  it('is one that Zapier takes', async () => {
    const { results } = await zapier.createAppHandler(App)({ command: 'validate' });
    assert.deepEqual(results, []);
  });
});

describe('the connection', () => {
  it('is tested by asking whose the key is', async () => {
    const me = await perform(App.authentication.test);
    assert.equal(me.object, 'api_key_identity');
    assert.ok(me.org_slug && me.key_name);
  });

  it('says that a key is not accepted, so that Zapier asks for another', async () => {
    await assert.rejects(perform(App.authentication.test, { authData: { api_key: `${authData.api_key}x` } }), { name: 'ExpiredAuthError' });
  });

  it('tells people what a refusal tells', async () => {
    const weak = { authData: { api_key: process.env.ATRIUM_WEAK_KEY }, inputData: { name: 'Aurora' } };
    await assert.rejects(perform(App.creates.customer.operation.perform, weak), (error) => {
      const told = JSON.parse(error.message);
      assert.equal(told.code, 'insufficient_permission');
      assert.equal(told.status, 403);
      assert.match(told.message, /customers:write.*\(request req_/);
      return true;
    });
  });
});

describe('instant triggers', () => {
  const operation = App.triggers.customer_created.operation;
  const deleted = App.triggers.customer_deleted.operation;
  let receiver;
  let subscribeData;

  before(async () => {
    receiver = await hooks();
    subscribeData = await perform(operation.performSubscribe, { targetUrl: receiver.url });
  });
  after(() => receiver.close());

  it('are told at once, and know whom by', async () => {
    const customer = await call('POST', '/customers', { name: 'Aurora' });
    const rawRequest = await receiver.next();
    const [told] = await perform(operation.perform, { subscribeData, rawRequest, cleanedRequest: JSON.parse(rawRequest.content) });
    assert.equal(told.id, customer.id);
    assert.equal(told.name, 'Aurora');
    assert.equal(told.mode, 'live');
    assert.ok(told.changed_by && told.event_id && told.event_at);
    for (const field of Object.keys(operation.sample)) {
      assert.ok(field in told, field);
    }
  });

  it('believe nobody else', async () => {
    await call('POST', '/customers', { name: 'Forged' });
    const genuine = await receiver.next();
    const { 'Http-Webhook-Signature': signature, ...unsigned } = genuine.headers;
    const hour = 3600;
    for (const forged of [
      { ...genuine, content: genuine.content.replace('Forged', 'Changed') },
      { ...genuine, headers: unsigned },
      { ...genuine, headers: { ...genuine.headers, 'Http-Webhook-Timestamp': String(Math.floor(Date.now() / 1000) - hour) } },
      { ...genuine, headers: { ...genuine.headers, 'Http-Webhook-Signature': `v1a,${signature.slice(3)}` } },
    ]) {
      await assert.rejects(perform(operation.perform, { subscribeData, rawRequest: forged }), { name: 'HaltedError' });
    }
  });

  it('show the editor what was of late, else an example', async () => {
    const shown = await perform(operation.performList);
    assert.ok(shown.length >= 1 && shown.length <= 3);
    assert.ok(shown.every((one) => one.object === 'customer' && one.event_at));
    const examples = await perform(deleted.performList);
    assert.equal(examples[0].object, 'customer');
  });

  it('are told of deletions', async () => {
    const second = await hooks();
    const other = await perform(deleted.performSubscribe, { targetUrl: second.url });
    const customer = await call('POST', '/customers', { name: 'Goes' });
    await receiver.next();
    await call('DELETE', `/customers/${customer.id}`);
    const [told] = await perform(deleted.perform, { subscribeData: other, rawRequest: await second.next() });
    assert.equal(told.id, customer.id);
    await perform(deleted.performUnsubscribe, { subscribeData: other });
    await second.close();
  });

  it('are told nothing more when the Zap is off, and may be switched off twice', async () => {
    const described = await call('GET', `/endpoints/${subscribeData.id}`);
    assert.deepEqual(described.events, ['customer.created']);
    await perform(operation.performUnsubscribe, { subscribeData });
    await perform(operation.performUnsubscribe, { subscribeData });
    const { data } = await call('GET', '/endpoints');
    assert.ok(!data.some((one) => one.id === subscribeData.id));
  });
});

describe('polling triggers', () => {
  const operation = App.triggers.onboarding_changed.operation;

  it('meet each state once, by ids of their own', async () => {
    const customer = await call('POST', '/customers', { name: 'Polled' });
    const onboarding = await call('POST', '/onboardings', { customer_id: customer.id });
    const seen = new Set((await perform(operation.perform)).map((one) => one.id));
    const fresh = async () => (await perform(operation.perform)).filter((one) => !seen.has(one.id)).map((one) => one.onboarding_id);
    assert.deepEqual(await fresh(), []);
    await call('PATCH', `/onboardings/${onboarding.id}`, { phase: 'building' });
    assert.deepEqual(await fresh(), [onboarding.id]);
  });

  it('read on where a page ends', async () => {
    const customer = await call('POST', '/customers', { name: 'Many' });
    await Promise.all(Array.from({ length: 110 }, () => call('POST', '/onboardings', { customer_id: customer.id })));
    const found = (await perform(operation.perform)).filter((one) => one.customer_id === customer.id);
    assert.equal(new Set(found.map((one) => one.id)).size, 110);
    assert.ok((await perform(operation.perform, { meta: { isLoadingSample: true } })).length <= 100);
  });
});

describe('the action', () => {
  const { perform: create } = App.creates.customer.operation;

  it('creates a customer once, however often Zapier repeats the step', async () => {
    const inputData = { name: 'Made by a Zap', domain: '', status: 'active', record: 'row 17' };
    const [first, again] = [await perform(create, { inputData }), await perform(create, { inputData })];
    assert.equal(first.status, 'active');
    assert.equal(again.id, first.id);
    const other = await perform(create, { inputData: { ...inputData, record: 'row 18' } });
    assert.notEqual(other.id, first.id);
  });

  it('tells what is wrong with a field', async () => {
    const wrong = perform(create, { inputData: { name: 'Aurora', status: 'unknown' } });
    await assert.rejects(wrong, (error) => JSON.parse(error.message).status === 400);
  });
});

describe('the search', () => {
  const { perform: find } = App.searches.customer.operation;

  it('finds a customer by any of its names, and nobody where there is none', async () => {
    const customer = await call('POST', '/customers', { name: 'Found' });
    for (const name of [customer.id, customer.slug, String(customer.display_id)]) {
      assert.deepEqual((await perform(find, { inputData: { customer: name } })).map((one) => one.id), [customer.id]);
    }
    assert.deepEqual(await perform(find, { inputData: { customer: 'nobody/../here' } }), []);
  });
});
