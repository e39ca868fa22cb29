// What a person reads on a panel: from the answers of the database to the texts, colours and addresses on the screen.
import {
  FieldType,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  dateTime,
  formattedValueToString,
  getFieldDisplayName,
  getFieldDisplayValues,
  getDisplayProcessor,
  getValueFormat,
  sortDataFrame,
  transformDataFrame,
} from "@grafana/data";
import { firstValueFrom } from "rxjs";
import { ticks } from "./axis.js";
import { frames } from "./frames.js";
import { registry } from "./registry.js";
import { replacer } from "./variables.js";

const SINGLE = new Set(["stat", "gauge", "bargauge"]);

export function interpolated(value, replace) {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((each) => interpolated(each, replace));
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolated(each, replace)]));
}

// The order in which a table is shown, until the viewer clicks on a heading.
function sorted(panel, series) {
  const [by] = panel.type === "table" ? (panel.options.sortBy ?? []) : [];
  if (!by) return series;
  return series.map((frame) => {
    const at = frame.fields.findIndex((field) => getFieldDisplayName(field, frame, series) === by.displayName);
    return at < 0 ? frame : sortDataFrame(frame, at, by.desc);
  });
}

export async function processed(panel, situation, dark = true) {
  const theme = createTheme({ colors: { mode: dark ? "dark" : "light" } });
  const { timeZone, variables } = situation;
  const range = { from: dateTime(situation.from), to: dateTime(situation.to), raw: situation.raw };
  const scoped = panel.scopedVars ?? {};
  const replace = replacer({ ...variables, ...scoped }, range, timeZone);
  const answers = (panel.targets ?? []).flatMap((target) =>
    target.hide ? [] : frames(target, panel.answers[target.refId] ?? [], situation.reversed),
  );
  const steps = interpolated(panel.transformations ?? [], replace);
  const context = { interpolate: (text) => replace(text) };
  const data = await firstValueFrom(transformDataFrame(steps, answers, context));
  const fieldConfig = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const made = applyFieldOverrides({
    ...{ data: sorted(panel, data), fieldConfig, fieldConfigRegistry: registry, replaceVariables: replace, theme, timeZone },
  });
  for (const frame of made)
    for (const field of frame.fields) field.display ??= getDisplayProcessor({ field, theme, timeZone });
  cacheFieldDisplayNames(made);
  return { series: made, answers, data, replace, range, theme, timeZone, fieldConfig };
}

const text = (display) => formattedValueToString(display);

function column(field, frame, series) {
  const shown = field.values.map((value) => field.display(value));
  const links = field.config.links?.length
    ? field.values.map((_, row) => field.getLinks?.({ valueRowIndex: row }).map((link) => link.href) ?? [])
    : [];
  return {
    ...{ name: getFieldDisplayName(field, frame, series), type: field.type, raw: field.values },
    ...{ texts: shown.map(text), colors: shown.map((each) => each.color ?? null), links },
    ...{ unit: field.config.unit ?? null, min: field.config.min ?? null, labels: field.labels ?? null },
    isFixed: Boolean(field.config.custom?.width),
    width: field.config.custom?.width ?? field.config.custom?.minWidth ?? 150,
    hidden: Boolean(field.config.custom?.hideFrom?.viz || field.config.custom?.hidden),
  };
}

function numbers(panel, made) {
  const { replace, theme, timeZone, fieldConfig, series } = made;
  const reduceOptions = panel.options.reduceOptions ?? { calcs: ["lastNotNull"], values: false };
  const found = getFieldDisplayValues({
    ...{ fieldConfig, reduceOptions, replaceVariables: replace, theme, timeZone, data: series },
  });
  return found.map((each) => ({
    ...{ title: each.display.title ?? "", text: text(each.display), color: each.display.color ?? null },
    ...{ number: each.display.numeric, hasLinks: Boolean(each.hasLinks) },
    links: each.hasLinks ? each.getLinks({}).map((link) => link.href) : [],
  }));
}

// The key to the colours of a state timeline, as Grafana writes one from thresholds.
export function key(panel, { fieldConfig, theme }) {
  const { unit, thresholds } = fieldConfig.defaults;
  if (!panel.options.legend?.showLegend || !(thresholds?.steps.length > 1)) return [];
  const format = (value) => formattedValueToString(getValueFormat(unit)(value));
  return thresholds.steps.map(({ value, color }, at) => ({
    name: at ? `${format(value)}+` : `< ${format(thresholds.steps[1].value)}`,
    color: theme.visualization.getColorByName(color),
  }));
}

// An override, or the name that a transformation speaks of, that nothing matches.
function unmatched(panel, made) {
  const names = new Set();
  for (const frame of [...made.data, ...made.series])
    for (const field of frame.fields) names.add(field.name).add(getFieldDisplayName(field, frame, made.series));
  for (const frame of made.series) for (const field of frame.fields) names.add(field.type);
  return (panel.fieldConfig?.overrides ?? [])
    .filter(({ matcher }) => matcher.id === "byName" && !names.has(matcher.options))
    .map(({ matcher }) => matcher.options);
}

export async function read(panel, situation) {
  const made = await processed(panel, situation, !situation.light);
  const head = { id: panel.id, type: panel.type, title: made.replace(panel.title ?? "") };
  if (panel.type === "text") return { ...head, content: made.replace(panel.options.content) };
  const empty = !made.series.some((frame) => frame.length > 0 && frame.fields.some(({ type }) => type !== FieldType.time));
  const tables = made.series.map((frame) => frame.fields.map((field) => column(field, frame, made.series)));
  return {
    ...{ ...head, empty, noValue: panel.fieldConfig.defaults.noValue ?? null, tables, unmatched: unmatched(panel, made) },
    values: SINGLE.has(panel.type) ? numbers(panel, made) : [],
    legend: panel.type === "state-timeline" ? key(panel, made).map((one) => one.name) : [],
    axis: panel.type === "state-timeline" ? ticks(made.range, made.timeZone, 100, 1500).map((tick) => tick.text) : [],
    links: (panel.links ?? []).map((link) => made.replace(link.url)),
  };
}
