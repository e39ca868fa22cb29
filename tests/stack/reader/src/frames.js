// Answers of InfluxDB as the frames that Grafana's InfluxQL source makes of them (format `table` or `time_series`).
import { FieldType } from "@grafana/data";

const TYPES = { string: FieldType.string, boolean: FieldType.boolean };

function field(name, values, config, labels) {
  const type = TYPES[typeof values.find((value) => value !== null)] ?? FieldType.number;
  return { name, type, values, config, labels };
}

const time = (values) => ({ name: "Time", type: FieldType.time, values, config: {} });

// The source walks a map of tags, whose order differs from run to run: `reversed` is another one of these orders.
function table(series, reversed) {
  if (series.length === 0) return [];
  const tags = Object.keys(series[0].tags ?? {}).sort();
  const cells = (pick) => series.flatMap((one) => one.values.map((row) => pick(one, row)));
  const fields = [
    time(cells((_, row) => row[0])),
    ...(reversed ? tags.reverse() : tags).map((tag) =>
      field(tag, cells((one) => one.tags[tag] ?? ""), { displayNameFromDS: tag }),
    ),
    ...series[0].columns.slice(1).map((column, at) =>
      field(column, cells((_, row) => row[at + 1]), { displayNameFromDS: column }),
    ),
  ];
  return [{ name: series[0].name, fields, length: fields[0].values.length }];
}

function named(alias, one, column) {
  if (!alias) {
    const tags = Object.entries(one.tags ?? {}).map(([key, value]) => `${key}: ${value}`);
    return `${one.name}.${column}` + (tags.length ? ` { ${tags.join(", ")} }` : "");
  }
  return alias.replace(/\$(\w+)|\[\[([\s\S]+?)\]\]/g, (whole, plain, bracketed) => {
    const name = plain ?? bracketed;
    if (name === "m" || name === "measurement") return one.name;
    if (name === "col") return column;
    return name.startsWith("tag_") ? (one.tags?.[name.slice(4)] ?? whole) : whole;
  });
}

function timeSeries(series, alias) {
  return series.flatMap((one) =>
    one.columns.slice(1).map((column, at) => {
      const name = named(alias, one, column);
      const values = one.values.map((row) => row[at + 1]);
      const value = field("Value", values, { displayNameFromDS: name }, one.tags);
      return { name, fields: [time(one.values.map((row) => row[0])), value], length: values.length };
    }),
  );
}

export function frames(target, series, reversed = false) {
  const made = target.resultFormat === "table" ? table(series, reversed) : timeSeries(series, target.alias);
  return made.map((frame) => ({ ...frame, refId: target.refId }));
}
