// Validates pages: a JSON string on each line of stdin, a JSON list of what is wrong on each line of stdout.
import { createInterface } from "node:readline";
import { HtmlValidate } from "html-validate";

const rules = {
  // How HTML is written is the template's business; what browsers and readers make of it is looked at here.
  "attribute-boolean-style": "off",
  "doctype-style": "off",
  "long-title": "off",
  "no-implicit-button-type": "off",
  "no-trailing-whitespace": "off",
  "require-sri": "off",
  "void-style": "off",
};
const validator = new HtmlValidate({ extends: ["html-validate:recommended"], rules });

for await (const line of createInterface({ input: process.stdin })) {
  const report = await validator.validateString(JSON.parse(line));
  const found = report.results.flatMap((one) => one.messages).map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`);
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
