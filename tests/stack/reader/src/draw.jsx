// Draws boards in a browser from the same frames that are read, with the parts of @grafana/ui where it has them.
import { createTheme, dateTime, formattedValueToString, getFieldDisplayName, getFieldDisplayValues, getFieldSeriesColor, renderMarkdown } from "@grafana/data";
import { BigValue, GlobalStyles, ThemeContext, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import "uplot/dist/uPlot.min.css";
import { createRoot } from "react-dom/client";
import { processed } from "./read.js";

const HEAD = 36;
const hidden = (field) => field.config.custom?.hideFrom?.viz;

function Stat({ panel, made, theme, width, height }) {
  const { replace, timeZone, fieldConfig, series } = made;
  const options = { fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: replace };
  const values = getFieldDisplayValues({ ...options, theme, timeZone, data: series });
  const { colorMode, graphMode, justifyMode, text, textMode, wideLayout } = panel.options;
  const one = ({ value, width, height, count }) => (
    <BigValue {...{ value: value.display, width, height, count, colorMode, graphMode, justifyMode, text, textMode, wideLayout, theme }} />
  );
  const shape = { getValues: () => values, renderValue: one, width, height, source: series, renderCounter: 1 };
  return <VizRepeater {...shape} orientation="auto" autoGrid itemSpacing={3} />;
}

function Legend({ fields }) {
  return (
    <div className="legend">
      {fields.map((field) => (
        <span key={field.name + field.color}>
          <i style={{ background: field.color }} />
          {field.name}
        </span>
      ))}
    </div>
  );
}

// The bar chart, which @grafana/ui lacks: the display values of the frame, as bars side by side from zero up.
function Bars({ panel, made, theme, width, height }) {
  const frame = made.series[0];
  const name = (field) => getFieldDisplayName(field, frame, made.series);
  const x = frame.fields.find((field) => name(field) === panel.options.xField);
  const shown = frame.fields.filter((field) => field.type === "number" && field !== x && !hidden(field));
  const color = (field) => getFieldSeriesColor(field, theme).color;
  const numbers = shown.flatMap((field) => field.values.filter((value) => value !== null));
  const top = Math.max(...numbers, 0) || 1;
  const whole = shown[0].config.decimals === 0 ? 1 : 0;
  const step = Math.max(whole, 10 ** Math.floor(Math.log10(top / 4)) * ([1, 2, 5, 10].find((one) => top / (10 ** Math.floor(Math.log10(top / 4)) * one) <= 5) ?? 10));
  const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, at) => at * step);
  const left = 62, bottom = 22, plot = { width: width - left - 8, height: height - bottom - 34 };
  const group = plot.width / x.values.length;
  const base = 6 + plot.height;
  const bar = (group * 0.8) / shown.length;
  const every = Math.max(1, Math.ceil(78 / group));
  const y = (value) => 6 + plot.height * (1 - value / (top * 1.05));
  const text = theme.colors.text.secondary;
  return (
    <>
      <svg width={width} height={height - 28}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={left} x2={width - 8} y1={y(tick)} y2={y(tick)} stroke={theme.colors.border.weak} />
            <text x={left - 6} y={y(tick) + 4} textAnchor="end" fontSize="12" fill={text}>{formattedValueToString(shown[0].display(tick))}</text>
          </g>
        ))}
        {x.values.map((value, at) => (
          <g key={at}>
            {shown.map((field, one) =>
              field.values[at] === null || field.values[at] === undefined ? null : (
                <rect key={one} x={left + group * (at + 0.1) + bar * one} width={Math.max(bar * 0.95, 0.6)} y={y(field.values[at])} height={y(0) - y(field.values[at])} fill={color(field, one)} fillOpacity="0.8" />
              ),
            )}
            {at % every ? null : <text x={left + group * (at + 0.5)} y={height - 38} textAnchor="middle" fontSize="12" fill={text}>{formattedValueToString(x.display(value))}</text>}
          </g>
        ))}
      </svg>
      <Legend fields={shown.map((field, at) => ({ name: name(field), color: color(field, at) }))} />
    </>
  );
}

// The state timeline, which @grafana/ui lacks as well.
function Timeline({ made, theme, width, height, range }) {
  const left = 190, [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const row = (height - 24) / made.series.length;
  const at = (time) => left + ((width - left - 8) * (time - from)) / (to - from);
  return (
    <svg width={width} height={height}>
      {made.series.map((frame, number) => {
        const [time, value] = frame.fields;
        return (
          <g key={number}>
            <text x={left - 8} y={row * (number + 0.55)} textAnchor="end" fontSize="12" fill={theme.colors.text.secondary}>{getFieldDisplayName(value, frame, made.series)}</text>
            {time.values.map((begin, one) => (
              <rect key={one} x={at(begin)} width={Math.max(1, at(time.values[one + 1] ?? to) - at(begin))} y={row * (number + 0.1)} height={row * 0.8} fill={value.display(value.values[one]).color} fillOpacity="0.75" />
            ))}
          </g>
        );
      })}
      {[0, 1, 2, 3].map((part) => (
        <text key={part} x={left + ((width - left - 70) * part) / 3} y={height - 6} fontSize="12" fill={theme.colors.text.secondary}>{dateTime(from + ((to - from) * part) / 3).format("MM/DD HH:mm")}</text>
      ))}
    </svg>
  );
}

function Curves({ made, width, height, range, theme }) {
  const legend = { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] };
  return <TimeSeries {...{ frames: made.series, width, height, legend, timeRange: range, timeZone: made.timeZone, structureRev: 1 }} options={{ legend, tooltip: { mode: "none" } }} />;
}

function Body(props) {
  const { panel, made, width, height } = props;
  if (panel.type === "text") return <div className="text" dangerouslySetInnerHTML={{ __html: renderMarkdown(made.replace(panel.options.content)) }} />;
  const empty = !made.series.some((frame) => frame.length > 0 && frame.fields.some((field) => field.type !== "time"));
  if (empty && panel.type !== "stat") return <div className="nothing">{panel.fieldConfig.defaults.noValue}</div>;
  if (panel.type === "stat") return <Stat {...props} />;
  if (panel.type === "table") return <TableNG data={made.series[0]} width={width} height={height} cellHeight="sm" structureRev={1} fieldConfig={panel.fieldConfig} getActions={() => []} />;
  if (panel.type === "barchart") return <Bars {...props} />;
  if (panel.type === "state-timeline") return <Timeline {...props} />;
  return <Curves {...props} />;
}

function Board({ panels, total, theme }) {
  const phone = total < 769;
  const cell = (total - 8) / 24;
  return (
    <div className="board">
      {panels.map(({ panel, made, range }) => {
        const { x, y, w, h } = panel.gridPos;
        const width = phone ? total - 16 : cell * w - 8;
        const height = h * 38 - 8;
        const place = phone ? { position: "relative", marginBottom: 8 } : { position: "absolute", left: 8 + x * cell, top: y * 38 };
        const title = panel.title ? HEAD : 0;
        return (
          <section key={panel.id} className={panel.transparent ? "" : "panel"} style={{ ...place, width, height }}>
            {panel.title ? <h2>{made.replace(panel.title)}</h2> : null}
            <div style={{ padding: "0 8px" }}><Body {...{ panel, made, range, theme }} width={width - 18} height={height - title - 8} /></div>
          </section>
        );
      })}
    </div>
  );
}

globalThis.draw = async (questions, dark) => {
  Date.now = () => questions[0].situation.to;
  const theme = createTheme({ colors: { mode: dark ? "dark" : "light" } });
  const panels = [];
  for (const { panel, situation } of questions) {
    const made = await processed(panel, situation, dark);
    panels.push({ panel, made, range: made.range });
  }
  document.body.style.background = theme.colors.background.canvas;
  document.body.style.color = theme.colors.text.primary;
  const style = document.getElementById("boards") ?? document.createElement("style");
  style.id = "boards";
  style.textContent = `body{margin:0;font-family:Inter,Helvetica,Arial,sans-serif;font-size:14px} .board{position:relative;padding:8px}
    .panel{background:${theme.colors.background.primary};border:1px solid ${theme.colors.border.weak};border-radius:4px;overflow:hidden;box-sizing:border-box}
    section h2{font-size:14px;line-height:20px;font-weight:500;margin:0;padding:8px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis} .text{padding:4px} .text p{margin:0}
    .nothing{padding:24px;text-align:center;color:${theme.colors.text.secondary}} .legend{font-size:12px;padding-left:60px} .legend span{margin-right:12px} .legend i{display:inline-block;width:14px;height:4px;margin-right:6px;vertical-align:middle}`;
  document.head.append(style);
  const total = document.documentElement.clientWidth;
  const bottom = total < 769 ? undefined : Math.max(...panels.map(({ panel }) => (panel.gridPos.y + panel.gridPos.h) * 38)) + 8;
  const root = document.createElement("div");
  if (bottom) root.style.height = `${bottom}px`;
  globalThis.drawn?.unmount();
  document.body.replaceChildren(root);
  globalThis.drawn = createRoot(root);
  globalThis.drawn.render(<ThemeContext.Provider value={theme}><GlobalStyles /><Board {...{ panels, total, theme }} /></ThemeContext.Provider>);
};
