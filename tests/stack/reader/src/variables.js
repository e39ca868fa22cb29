// `${name:format}` as Grafana writes it into titles, texts, options of transformations and addresses.
import { formattedValueToString, getFieldDisplayValuesProxy } from "@grafana/data";
import { property } from "lodash";

const PATTERN = /\$\{(\w+)(?:\.([^:}]+))?(?::(\w+))?\}|\$(\w+)/g;

const encode = encodeURIComponent;

function variable({ value, text }, name, format) {
  const values = [].concat(value);
  if (format === "text") return [].concat(text).join(" + ");
  if (format === "queryparam") return values.map((one) => `var-${name}=${encode(one)}`).join("&");
  if (format === "percentencode") return encode(values.join(","));
  return values.join(",");
}

function ofRow(name, path, scoped, timeZone) {
  const context = scoped?.__dataContext?.value;
  if (!context) return undefined;
  const rowIndex = context.rowIndex ?? 0;
  if (name === "__value") {
    const value = context.field.values[rowIndex];
    return { raw: value, text: formattedValueToString(context.field.display(value)) }[path];
  }
  return property(path)({ fields: getFieldDisplayValuesProxy({ frame: context.frame, rowIndex, timeZone }) }) ?? "";
}

export function replacer(variables, range, timeZone) {
  return (text, scoped, format) =>
    text?.replace(PATTERN, (whole, braced, path, own, plain) => {
      const name = braced ?? plain;
      const how = own ?? (typeof format === "string" ? format : undefined);
      if (name === "__url_time_range") return `from=${encode(range.raw.from)}&to=${encode(range.raw.to)}`;
      if (name === "__data" || name === "__value") {
        const found = ofRow(name, path, scoped, timeZone);
        return found === undefined ? whole : how === "percentencode" ? encode(found) : String(found);
      }
      const held = scoped?.[name] ?? variables[name];
      return held ? variable(held, name, how) : whole;
    });
}
