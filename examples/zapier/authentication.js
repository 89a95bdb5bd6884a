'use strict';

const { url } = require('./api');

const test = async (z) => {
  const { data } = await z.request(url('/me'));
  return data;
};

module.exports = {
  type: 'custom',
  fields: [
    {
      key: 'api_key',
      label: 'API key',
      type: 'password',
      required: true,
      helpText:
        'Make an integration named Zapier in Atrium, under Admin > API Keys, with Customers and Onboardings on Write, and paste its key here. It is shown once.',
    },
  ],
  test,
  connectionLabel: '{{org_slug}} ({{key_name}})',
};
