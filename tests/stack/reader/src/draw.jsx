// Draws boards in a browser from the same frames that are read, with the parts of @grafana/ui where it has them.
import { createTheme, formattedValueToString, getFieldDisplayName, getFieldDisplayValues, getFieldSeriesColor, renderMarkdown } from "@grafana/data";
import { BigValue, GlobalStyles, ThemeContext, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import "uplot/dist/uPlot.min.css";
import { createRoot } from "react-dom/client";
import { every, isCut, ticks } from "./axis.js";
import { key, processed } from "./read.js";

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
function Bars({ panel, made, theme, width, height: room }) {
  const frame = made.series[0];
  const name = (field) => getFieldDisplayName(field, frame, made.series);
  const x = frame.fields.find((field) => name(field) === panel.options.xField);
  const shown = frame.fields.filter((field) => field.type === "number" && field !== x && !hidden(field));
  // What the lines of the legend take, beyond the first.
  const height = room - 18 * Math.floor(shown.reduce((sum, field) => sum + name(field).length * 6.3 + 34, 60) / width);
  const color = (field) => getFieldSeriesColor(field, theme).color;
  const numbers = shown.flatMap((field) => field.values.filter(Number.isFinite));
  const low = Math.min(...numbers, 0), top = Math.max(...numbers, 0) || 1;
  const whole = shown[0].config.decimals === 0 ? 1 : 0;
  const step = Math.max(whole, 10 ** Math.floor(Math.log10(top / 4)) * ([1, 2, 5, 10].find((one) => top / (10 ** Math.floor(Math.log10(top / 4)) * one) <= 5) ?? 10));
  const below = Math.ceil(-low / step);
  const ticks = Array.from({ length: Math.floor(top / step) + 1 + below }, (_, at) => (at - below) * step);
  const decimals = step < 1 ? -Math.floor(Math.log10(step)) : undefined;
  const tickText = (tick) => formattedValueToString(shown[0].display(tick, decimals));
  const left = 14 + 7 * Math.max(...ticks.map((tick) => tickText(tick).length)), bottom = 22, plot = { width: width - left - 8, height: height - bottom - 34 };
  const group = plot.width / x.values.length;
  const base = 6 + plot.height;
  const isOne = panel.options.stacking === "normal"; // of the numbers over a word only one is there
  const bar = (group * 0.8) / (isOne ? 1 : shown.length);
  const words = x.values.map((value) => formattedValueToString(x.display(value)));
  const letters = Math.max(...words.map((word) => word.length));
  const each = every(words.length, plot.width, letters);
  // Thresholds colour each bar by its value.
  const fill = (field, value, one) => (field.config.color?.mode === "thresholds" ? field.display(value).color : color(field, one));
  const y = (value) => 6 + (plot.height * (top * 1.05 - value)) / (top * 1.05 + below * step);
  const text = theme.colors.text.secondary;
  return (
    <>
      <svg width={width} height={height - 28}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={left} x2={width - 8} y1={y(tick)} y2={y(tick)} stroke={theme.colors.border.weak} />
            <text x={left - 6} y={y(tick) + 4} textAnchor="end" fontSize="12" fill={text}>{tickText(tick)}</text>
          </g>
        ))}
        {x.values.map((value, at) => (
          <g key={at}>
            {shown.map((field, one) =>
              !Number.isFinite(field.values[at]) ? null : (
                <rect key={one} x={left + group * (at + 0.1) + (isOne ? 0 : bar * one)} width={Math.max(bar * 0.95, 0.6)} y={y(Math.max(field.values[at], 0))} height={Math.abs(y(0) - y(field.values[at]))} fill={fill(field, field.values[at], one)} fillOpacity="0.8" />
              ),
            )}
            {at % each || isCut(left + group * (at + 0.5), width, words[at].length) ? null : <text x={left + group * (at + 0.5)} y={height - 34} textAnchor="middle" fontSize="12" fill={text}>{words[at]}</text>}
          </g>
        ))}
      </svg>
      <Legend fields={shown.map((field, at) => ({ name: name(field), color: color(field, at) }))} />
    </>
  );
}

// From when to when a value stays; what is not known is no value, unless it has words.
function merged(times, field, end) {
  const spans = [], hasWords = field.config.mappings?.some(({ type, options }) => type === "special" && options.match === "null");
  times.forEach((begin, at) => {
    const value = field.values[at], last = spans.at(-1);
    if (last?.open && last.value === value) return;
    if (last?.open) Object.assign(last, { end: begin, open: false });
    if (hasWords || (value !== null && value !== undefined)) spans.push({ begin, end, value, open: true });
  });
  return spans.map((span) => [span.begin, span.end, field.display(span.value)]);
}

// Words in a span of so many pixels: Grafana leaves out what has no room there.
const hasRoom = (words, width) => width > words.length * 7 + 8;

// The state timeline, which @grafana/ui lacks as well.
function Timeline({ panel, made, theme, width, height: room, range }) {
  const colors = key(panel, made), height = colors.length ? room - 24 : room;
  const names = made.series.map((frame) => getFieldDisplayName(frame.fields[1], frame, made.series));
  const left = 16 + 7 * Math.max(...names.map((name) => name.length)), [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const row = (height - 24) / made.series.length;
  const at = (time) => left + ((width - left - 8) * (time - from)) / (to - from);
  return (
    <>
    <svg width={width} height={height}>
      {made.series.map((frame, number) => {
        const [time, value] = frame.fields;
        return (
          <g key={number}>
            <text x={left - 8} y={row * (number + 0.55)} textAnchor="end" fontSize="12" fill={theme.colors.text.secondary}>{names[number]}</text>
            {merged(time.values, value, to).map(([begin, end, shown]) => (
              <g key={begin}>
                <rect x={at(Math.max(begin, from))} width={Math.max(1, at(end) - at(Math.max(begin, from)))} y={row * (number + 0.1)} height={row * 0.8} fill={shown.color} fillOpacity="0.75" />
                {panel.options.showValue === "never" || !hasRoom(formattedValueToString(shown), at(end) - at(Math.max(begin, from))) ? null : <text x={at(Math.max(begin, from)) + 6} y={row * (number + 0.55)} fontSize="13" fill={theme.colors.text.primary}>{formattedValueToString(shown)}</text>}
              </g>
            ))}
          </g>
        );
      })}
      {ticks(range, made.timeZone, left, width - 8).map(({ time, x, text }) => (
        <text key={time} x={x} y={height - 6} textAnchor="middle" fontSize="12" fill={theme.colors.text.secondary}>{text}</text>
      ))}
    </svg>
    {colors.length ? <Legend fields={colors} /> : null}
    </>
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
  // The font first: what is drawn on a canvas is measured once.
  globalThis.drawn.render(<ThemeContext.Provider value={theme}><GlobalStyles /></ThemeContext.Provider>);
  await new Promise((next) => setTimeout(next, 20));
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
  globalThis.drawn.render(<ThemeContext.Provider value={theme}><GlobalStyles /><Board {...{ panels, total, theme }} /></ThemeContext.Provider>);
};
