// stdin: [{panel, situation} or {rule, answers}, …]; stdout: what is read of each.
import "./browser.js";
import { readFileSync } from "node:fs";

const { read } = await import("./read.js");
const { readRule } = await import("./rule.js");
const asked = JSON.parse(readFileSync(0, "utf8"));
const found = [];
for (const { panel, situation, rule, answers } of asked) {
  if (rule) {
    found.push(readRule(rule, answers));
    continue;
  }
  Date.now = () => situation.to; // "20 minutes ago" is said of the moment at which the board is looked at
  try {
    found.push(await read(panel, situation));
  } catch (error) {
    throw new Error(`${panel.title}: ${error.stack}`);
  }
}
process.stdout.write(JSON.stringify(found));
