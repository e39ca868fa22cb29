// What an alert rule makes of the answers of the database: for each series whether it fires, and what whoever is told reads.
import { reduceField } from "@grafana/data";
import { frames } from "./frames.js";

const FIRES = { gt: (value, [limit]) => value > limit, lt: (value, [limit]) => value < limit };

function summary(text, labels, values) {
  return text.replace(/\{\{\s*\.(Labels|Values)\.(\w+)\s*\}\}/g, (_, kind, name) => {
    const found = kind === "Labels" ? labels[name] : values[name];
    return found === undefined ? "[no value]" : String(found);
  });
}

export function readRule(rule, answers) {
  const [query, reduce, threshold] = rule.data.map(({ model }) => model);
  const [{ evaluator }] = threshold.conditions;
  return frames(query, answers).map(({ fields }) => {
    const [, field] = fields;
    const value = reduceField({ field, reducers: [reduce.reducer] })[reduce.reducer];
    const labels = field.labels ?? {};
    const text = summary(rule.annotations.summary, labels, { [reduce.refId]: value });
    return { labels, value, fires: FIRES[evaluator.type](value, evaluator.params), text };
  });
}
