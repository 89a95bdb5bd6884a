'use strict';

const { instant } = require('./instant');
const { CUSTOMER } = require('../samples');

module.exports = instant({
  key: 'customer_created',
  noun: 'Customer',
  type: 'customer.created',
  label: 'New Customer',
  description: 'Triggers at once when a customer is created.',
  sample: { ...CUSTOMER, event_id: 'cl9bn00of0001g7l8f9a0b1c2', event_at: CUSTOMER.created_at, changed_by: 'Ada Park', mode: 'live' },
});
