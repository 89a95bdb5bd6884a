'use strict';

// Instant triggers: while a Zap is on, its address is a webhook endpoint of the key's integration.

const { createHmac, timingSafeEqual } = require('node:crypto');

const { VERSION, url } = require('../api');

const TOLERANCE_SECONDS = 300;

const subscribe = (type) => async (z, bundle) => {
  const { data } = await z.request({
    method: 'POST',
    url: url('/endpoints'),
    body: { url: bundle.targetUrl, events: [type], description: `Zapier: ${type}`, api_version: VERSION },
  });
  // Zapier keeps this beside the Zap, and hands it to perform and unsubscribe.
  return { id: data.id, secret: data.secret };
};

const unsubscribe = async (z, bundle) => {
  // Gone already, where the key's integration was deleted in between.
  await z.request({ method: 'DELETE', url: url(`/endpoints/${bundle.subscribeData.id}`), skipThrowForStatus: true });
  return {};
};

// Standard Webhooks: any of the signatures may be ours, for a secret that is being rotated has two.
const verify = (z, bundle) => {
  const headers = Object.fromEntries(
    Object.entries(bundle.rawRequest.headers).map(([name, value]) => [name.toLowerCase().replace(/^http-/, ''), value]),
  );
  const id = headers['webhook-id'];
  const sentAt = headers['webhook-timestamp'];
  const key = Buffer.from(bundle.subscribeData.secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${sentAt}.${bundle.rawRequest.content}`).digest();
  const signed = String(headers['webhook-signature'])
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  if (!signed || !(Math.abs(Date.now() / 1000 - Number(sentAt)) <= TOLERANCE_SECONDS)) {
    throw new z.errors.HaltedError('This call is not by Atrium, or too old. Turn the Zap off and on where its endpoint was rotated.');
  }
};

const shown = (data, event) => ({ ...data, event_id: event.id, event_at: event.at, changed_by: event.actor.name, mode: event.mode });

const perform = (z, bundle) => {
  verify(z, bundle);
  const event = z.JSON.parse(bundle.rawRequest.content);
  return [shown(event.data, { ...event, at: event.timestamp })];
};

// What the editor shows while a Zap is made: what really happened of late, else the example that Atrium gives of the type.
const performList = (type) => async (z) => {
  const { data: recent } = await z.request({ url: url('/events'), params: { type, limit: 3 } });
  if (recent.data.length > 0) {
    return recent.data.map((event) => shown(event.data, { ...event, at: event.created_at }));
  }
  const { data: described } = await z.request(url(`/event-types/${type}`));
  const now = new Date().toISOString();
  return [shown(described.example, { id: 'example', at: now, actor: { name: 'Zapier' }, mode: 'live' })];
};

const instant = ({ key, noun, type, label, description, sample }) => ({
  key,
  noun,
  display: { label, description },
  operation: {
    type: 'hook',
    performSubscribe: subscribe(type),
    performUnsubscribe: unsubscribe,
    perform,
    performList: performList(type),
    sample,
  },
});

module.exports = { instant };
