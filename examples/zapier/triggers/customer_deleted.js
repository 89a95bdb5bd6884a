'use strict';

const { instant } = require('./instant');
const { CUSTOMER } = require('../samples');

module.exports = instant({
  key: 'customer_deleted',
  noun: 'Customer',
  type: 'customer.deleted',
  label: 'Customer Deleted',
  description: 'Triggers at once when a customer is deleted, and tells what it was.',
  sample: { ...CUSTOMER, event_id: 'cl9bn00of0001g7l8f9a0b1c3', event_at: CUSTOMER.updated_at, changed_by: 'Ada Park', mode: 'live' },
});
