'use strict';

const { walk } = require('../api');
const { ONBOARDING } = require('../samples');

const LOOK_BACK_MS = 24 * 3600 * 1000;
const PAGES_MAX = 10;

// Zapier asks every few minutes and leaves out what it has seen, by id. So each state of an onboarding has an id of its own: a second
// change triggers again, and a day's overlap triggers nothing twice. What changes meanwhile comes first the next time.
const perform = async (z, bundle) => {
  const params = { sort: '-updated_at', limit: 100 };
  if (!bundle.meta.isLoadingSample) {
    params.updated_after = new Date(Date.now() - LOOK_BACK_MS).toISOString();
  }
  const found = await walk(z, '/onboardings', params, bundle.meta.isLoadingSample ? 1 : PAGES_MAX);
  return found.map((one) => ({ ...one, id: `${one.id} ${one.updated_at}`, onboarding_id: one.id }));
};

module.exports = {
  key: 'onboarding_changed',
  noun: 'Onboarding',
  display: { label: 'New or Changed Onboarding', description: 'Triggers when an onboarding is opened, or changes.' },
  operation: {
    type: 'polling',
    perform,
    sample: { ...ONBOARDING, id: `${ONBOARDING.id} ${ONBOARDING.updated_at}`, onboarding_id: ONBOARDING.id },
  },
};
