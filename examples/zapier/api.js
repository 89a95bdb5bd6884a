'use strict';

// How the integration calls Atrium: where it is, how it proves itself, and what a refusal means to the person who reads it in Zapier.

const HOST = process.env.ATRIUM_URL || 'https://my.atrium.example';
// The version of the API that this code was written for: another one never changes what Zaps get.
const VERSION = '2026-10-01';

const url = (path) => `${HOST}/api/v1${path}`;

const prove = (request, z, bundle) => {
  request.headers = {
    Accept: 'application/json',
    'Api-Version': VERSION,
    ...request.headers,
    Authorization: `Bearer ${bundle.authData.api_key}`,
  };
  return request;
};

// A 429 has become a ThrottledError by now: Zapier waits for as long as Retry-After says. A 404 can be an answer, where the call says so.
const explain = (response, z) => {
  if (response.status < 400 || (response.status === 404 && response.skipThrowForStatus)) {
    return response;
  }
  const problem = response.data || {};
  const detail = [problem.detail, ...(problem.errors || []).map((error) => error.fix)].filter(Boolean).join(' ');
  const message = `${detail || `Atrium answered ${response.status}.`} (request ${problem.request_id || 'unknown'})`;
  if (response.status === 401) {
    throw new z.errors.ExpiredAuthError(message);
  }
  throw new z.errors.Error(message, problem.code, response.status);
};

// All rows of a list, the first pages of it.
const walk = async (z, path, params, pagesMax) => {
  const rows = [];
  let next = { url: url(path), params };
  for (let page = 0; next !== null && page < pagesMax; page += 1) {
    const { data } = await z.request(next);
    rows.push(...data.data);
    next = data.has_more ? { url: url(path), params: { ...params, cursor: data.next_cursor } } : null;
  }
  return rows;
};

module.exports = { VERSION, explain, prove, url, walk };
