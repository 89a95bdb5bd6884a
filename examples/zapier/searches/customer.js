'use strict';

const { url } = require('../api');
const { CUSTOMER } = require('../samples');

const perform = async (z, bundle) => {
  const { status, data } = await z.request({
    url: url(`/customers/${encodeURIComponent(bundle.inputData.customer)}`),
    skipThrowForStatus: true,
  });
  return status === 404 ? [] : [data];
};

module.exports = {
  key: 'customer',
  noun: 'Customer',
  display: { label: 'Find Customer', description: 'Finds a customer by its number, its slug or its id.' },
  operation: {
    inputFields: [{ key: 'customer', label: 'Number, slug or id', type: 'string', required: true }],
    perform,
    sample: CUSTOMER,
  },
};
