'use strict';

const { createHash } = require('node:crypto');

const { url } = require('../api');
const { CUSTOMER } = require('../samples');

const STATUSES = { lead: 'Lead', onboarding: 'Onboarding', active: 'Active', churned: 'Churned' };

// Zapier repeats a step whose answer it did not get, and people replay runs. The same step with the same input is one call to Atrium for
// a day, so it makes one customer.
const idempotencyKey = (bundle) => {
  const step = JSON.stringify([bundle.meta.zap ? bundle.meta.zap.id : null, Object.entries(bundle.inputData).sort()]);
  return `zapier-${createHash('sha256').update(step).digest('hex')}`;
};

const perform = async (z, bundle) => {
  const { record, ...fields } = bundle.inputData;
  const { data } = await z.request({
    method: 'POST',
    url: url('/customers'),
    headers: { 'Idempotency-Key': idempotencyKey(bundle) },
    body: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')),
  });
  return data;
};

module.exports = {
  key: 'customer',
  noun: 'Customer',
  display: { label: 'Create Customer', description: 'Creates a customer.' },
  operation: {
    inputFields: [
      { key: 'name', label: 'Name', type: 'string', required: true },
      { key: 'domain', label: 'Domain', type: 'string', helpText: 'Like aurora.example.' },
      { key: 'status', label: 'Status', type: 'string', choices: STATUSES, default: 'lead' },
      {
        key: 'record',
        label: 'Record',
        type: 'string',
        helpText: 'The id of what this customer is made from, such as a row or a form entry. Two records with the same name are then two customers.',
      },
    ],
    perform,
    sample: CUSTOMER,
  },
};
