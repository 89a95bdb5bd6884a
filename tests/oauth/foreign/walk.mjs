// Walks the whole grant as oauth4webapi wants it, which refuses whatever a standard forbids. The member's answers come by standard input.
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, METHOD, REGISTER, RESOURCE } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = {};

// What the member's browser is led to, once it has been where the app leads it.
async function led(url) {
  console.log(JSON.stringify({ url: url.href }));
  return new URL((await lines.next()).value);
}

function proof(secret) {
  if (METHOD === "none") return oauth.None();
  return METHOD === "client_secret_basic" ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
}

async function call(token) {
  try {
    return (await oauth.protectedResourceRequest(token, "GET", new URL(RESOURCE), undefined, undefined, insecure)).status;
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    told.challenge = error.cause[0].scheme;
    return error.status;
  }
}

const issuer = new URL(ISSUER);
const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const as = await oauth.processDiscoveryResponse(issuer, discovered);
const found = await oauth.resourceDiscoveryRequest(issuer, insecure);
const resource = await oauth.processResourceDiscoveryResponse(issuer, found);
told.resource = [resource.resource, resource.authorization_servers, resource.dpop_signing_alg_values_supported ?? null];
told.dpop = as.dpop_signing_alg_values_supported ?? null;

let client = { client_id: CLIENT_ID };
if (REGISTER) {
  const metadata = { client_name: "Stranger", redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: "none" };
  const answered = await oauth.dynamicClientRegistrationRequest(as, metadata, insecure);
  client = await oauth.processDynamicClientRegistrationResponse(answered);
}
const auth = proof(CLIENT_SECRET);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const asking = new URL(as.authorization_endpoint);
const parameters = {
  client_id: client.client_id,
  redirect_uri: REDIRECT_URI,
  response_type: "code",
  scope: "customers:read",
  resource: ISSUER,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
};
for (const [name, value] of Object.entries(parameters)) asking.searchParams.set(name, value);

// Compares state and iss (RFC 9207).
const answer = oauth.validateAuthResponse(as, client, await led(asking), state);
const options = { ...insecure, additionalParameters: { resource: ISSUER } };
const exchanged = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, REDIRECT_URI, verifier, options);
const first = await oauth.processAuthorizationCodeResponse(as, client, exchanged);
told.first = [first.token_type, first.scope, first.expires_in, await call(first.access_token)];

const again = await oauth.refreshTokenGrantRequest(as, client, auth, first.refresh_token, insecure);
const second = await oauth.processRefreshTokenResponse(as, client, again);
told.rotated = [second.refresh_token !== first.refresh_token, await call(second.access_token)];

if (METHOD !== "none") {
  const asked = await oauth.introspectionRequest(as, client, auth, second.access_token, insecure);
  const introspected = await oauth.processIntrospectionResponse(as, client, asked);
  told.introspected = [introspected.active, introspected.client_id, introspected.scope, introspected.iss];
  const own = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: "customers:read" }, insecure);
  const itself = await oauth.processClientCredentialsResponse(as, client, own);
  told.itself = [itself.refresh_token ?? null, await call(itself.access_token)];
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, itself.access_token, insecure));
  told.itself.push(await call(itself.access_token));
}

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, second.refresh_token, insecure));
told.revoked = await call(second.access_token);

// What the member declines comes as an error that names its issuer, too.
try {
  oauth.validateAuthResponse(as, client, await led(asking), state);
} catch (error) {
  told.declined = [error.error, error.cause.get("iss")];
}
console.log(JSON.stringify(told));
process.exit(0);
