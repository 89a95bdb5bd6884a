// Verifies deliveries that come on standard input with the library from npm, and prints for each whether it was accepted.
const { readFileSync } = require("node:fs");
const { Webhook } = require("standardwebhooks");

const accepted = JSON.parse(readFileSync(0, "utf-8")).map(({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
});
console.log(JSON.stringify(accepted));
