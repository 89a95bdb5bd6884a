'use strict';

const { version: platformVersion } = require('zapier-platform-core');

const { explain, prove } = require('./api');
const authentication = require('./authentication');
const createCustomer = require('./creates/customer');
const { version } = require('./package.json');
const findCustomer = require('./searches/customer');
const customerCreated = require('./triggers/customer_created');
const customerDeleted = require('./triggers/customer_deleted');
const onboardingChanged = require('./triggers/onboarding_changed');

module.exports = {
  version,
  platformVersion,
  authentication,
  beforeRequest: [prove],
  afterResponse: [explain],
  triggers: {
    [customerCreated.key]: customerCreated,
    [customerDeleted.key]: customerDeleted,
    [onboardingChanged.key]: onboardingChanged,
  },
  creates: { [createCustomer.key]: createCustomer },
  searches: { [findCustomer.key]: findCustomer },
};
