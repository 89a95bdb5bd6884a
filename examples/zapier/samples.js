'use strict';

const CUSTOMER = {
  object: 'customer',
  id: 'cl9bn00of0000g7l8gcq8c4xk',
  display_id: 245,
  name: 'Aurora Outfitters',
  slug: 'aurora',
  domain: 'aurora.example',
  status: 'onboarding',
  created_at: '2026-05-26T17:21:09.412Z',
  updated_at: '2026-05-26T17:21:09.412Z',
};

const ONBOARDING = {
  object: 'onboarding',
  id: 'cl9bn00of0008g7l8d4e5f6a7',
  customer_id: CUSTOMER.id,
  name: 'Onboarding',
  phase: 'before_getting_started',
  state: 'active',
  target_launch_date: '2026-07-15T00:00:00.000Z',
  created_at: '2026-05-26T17:24:41.003Z',
  updated_at: '2026-05-26T17:24:41.003Z',
};

module.exports = { CUSTOMER, ONBOARDING };
