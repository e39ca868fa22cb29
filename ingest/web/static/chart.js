// Draws the two charts from the data of the page; tells values by mouse, touch and keyboard.
"use strict";
window.page = (() => {
  const $ = (id) => document.getElementById(id);
  const HOUR = 3600, DAY = 86400;
  const state = { data: null, charts: {} };

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const fade = (colour, share) => `color-mix(in srgb, ${colour} ${share}%, transparent)`;
  const group = new Intl.NumberFormat();
  const one = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const watts = (w) => (w == null ? "–" : Math.abs(w) >= 10000 ? one.format(w / 1000) + " kW" : group.format(Math.round(w)) + " W");
  const kwh = (wh) => (wh == null ? "–" : one.format(wh / 1000) + " kWh");
  const clock = (zone, options) => new Intl.DateTimeFormat(undefined, { timeZone: zone, ...options });
  const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
  const TIME = { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit" };
  const DATE = { day: "numeric", month: "short", year: "numeric" };

  // ── the words of a day, a month, a year or a moment, in the reader's own way ──
  const named = (key) => {
    const [year, month, day] = key.split("-");
    const at = new Date(Date.UTC(year, (month || 1) - 1, day || 1, 12));
    return clock("UTC", day ? DATE : month ? { month: "long", year: "numeric" } : { year: "numeric" }).format(at);
  };
  const moment = (text, zone) => clock(zone || "UTC", { ...DATE, ...TIME }).format(new Date(text));
  const localize = (root) => root.querySelectorAll("time[datetime]").forEach((at) => {
    const text = at.getAttribute("datetime");
    at.textContent = text.includes("T") ? moment(text, at.dataset.zone) : named(text);
  });

  // ── data ──
  const curveColumns = ({ start, step, end, produced_w: made, consumed_w: used }) => {
    const times = [];
    for (let at = start; at < end; at += step) times.push(at);
    const fill = (values) => times.map((_, index) => values[index] ?? null);
    return [times, fill(made), fill(used)];
  };
  // Bars stand at noon UTC of their own name, so that no zone can move them; what runs has series of its own.
  const barColumns = (rows) => {
    const pick = (index, running) => rows.map((row) => (row[3] === running ? row[index] : null));
    const times = rows.map(([key]) => Date.UTC(key.slice(0, 4), (key.slice(5, 7) || 7) - 1, key.slice(8, 10) || 1, 12) / 1000);
    return [times, pick(1, 0), pick(2, 0), pick(1, 1), pick(2, 1)];
  };

  // ── drawing ──
  const axes = (format, dates) => {
    const shared = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const width = (plot, ticks) => Math.max(40, ...(ticks || []).map((tick) => 12 + 7 * tick.length));
    return [{ ...shared, grid: { show: false }, space: 60, size: 24, gap: 6, ...dates }, { ...shared, size: width, space: 40, values: (_, ticks) => ticks.map(format) }];
  };
  const values = { curve: (index, columns) => [watts(columns[1][index]), watts(columns[2][index])], daily: (index, columns) => [kwh(columns[1][index] ?? columns[3][index]), kwh(columns[2][index] ?? columns[4][index])] };
  const tell = (kind) => (plot) => {
    const at = plot.cursor.idx;
    const known = at != null && plot.data[0][at] != null;
    if (!known && matchMedia("(pointer: coarse)").matches) return; // what a finger pointed at stays: it has to leave to tap
    const [made, used] = known ? values[kind](at, plot.data) : ["", ""];
    $(kind + "-made").textContent = made;
    if ($(kind + "-used")) $(kind + "-used").textContent = used;
    $(kind + "-time").textContent = !known ? "" : kind === "curve" ? moment(plot.data[0][at] * 1000, state.data.zone) : barWords(state.data.bars[at]);
    if (kind === "daily") {
      const open = $("daily-open");
      open.hidden = !known;
      if (known) open.href = state.data.bars[at][5];
    }
  };
  const barWords = ([key, , , running, note]) => named(key) + (note ? `, ${note}` : "") + (running ? ", so far" : "");
  const size = (box) => ({ width: Math.max(box.clientWidth, 200), height: box.clientHeight });
  const draw = (kind, columns, reason, options) => {
    const box = $(kind), old = state.charts[kind];
    if (old) old.destroy();
    delete state.charts[kind];
    box.replaceChildren();
    if (columns.slice(1).every((column) => column.every((value) => value == null))) {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = reason;
      box.append(none);
      return;
    }
    state.charts[kind] = new uPlot({ ...size(box), legend: { show: false }, padding: [8, 16, 0, 0], ...options }, columns, box);
    touch(state.charts[kind]);
  };

  const drawCurve = () => {
    const { zone, curve, days, reason } = state.data;
    const hour = clock(zone, TIME), day = clock(zone, { day: "numeric", month: "short" });
    const is = (at, format) => format.format(new Date(at * 1000));
    const midnight = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const label = (_, ticks) => ticks.map((at) => (is(at, midnight) === "00:00" || days > 3 ? is(at, day) : is(at, hour)));
    draw("curve", curveColumns(curve), reason, {
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      scales: { y: { range: (_, low, high) => [Math.min(0, low || 0), Math.max((high || 0) * 1.05, 100)] } },
      axes: axes((w) => (Math.abs(w) >= 1000 ? +(w / 1000).toFixed(1) + " kW" : w + " W"), { values: label, space: days > 3 ? 90 : 60, incrs: days > 3 ? [DAY, 2 * DAY, 5 * DAY, 10 * DAY] : [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY] }),
      series: [{}, { stroke: css("--made"), fill: fade(css("--made"), 22), width: 1.75, points: { show: false } }, { stroke: css("--used"), width: 1.5, points: { show: false } }],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      hooks: { setCursor: [tell("curve")] },
    });
  };
  const drawBars = () => {
    const { bars, range, reason } = state.data;
    const columns = barColumns(bars);
    const shape = { year: { month: "short" }, all: { year: "numeric" } }[range] || { day: "numeric", month: "short" };
    const name = clock("UTC", shape);
    const bar = (align, colour, share) => ({ stroke: css(colour), fill: share === 100 ? css(colour) : fade(css(colour), share), width: share === 100 ? 0 : 1, paths: uPlot.paths.bars({ size: [0.38, 26], align, radius: 0.15 }), points: { show: false } });
    const edge = { year: 16 * DAY, all: 190 * DAY }[range] || DAY * 0.6;
    draw("daily", columns, reason, {
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      scales: { x: { range: (_, low, high) => [low - edge, high + edge] }, y: { range: (_, low, high) => [0, Math.max((high || 0) * 1.05, 1000)] } },
      axes: axes((wh) => group.format(wh / 1000) + " kWh", { splits: (plot) => spread(plot.data[0], plot.width), values: (_, ticks) => ticks.map((at) => name.format(new Date(at * 1000))) }),
      series: [{}, bar(-1, "--made", 100), bar(1, "--used", 100), bar(-1, "--made", 35), bar(1, "--used", 35)],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      hooks: { setCursor: [tell("daily")] },
    });
  };
  const spread = (times, width) => {
    const step = Math.max(1, Math.ceil((times.length * 70) / Math.max(width - 70, 70)));
    return times.filter((_, index) => (times.length - 1 - index) % step === 0);
  };

  // ── fingers and keys ──
  const point = (plot, index) => {
    const at = Math.min(Math.max(index, 0), plot.data[0].length - 1);
    const left = plot.valToPos(plot.data[0][at], "x");
    plot.setCursor({ left: Math.min(Math.max(left, 0.1), plot.over.clientWidth - 0.1), top: 10 });
  };
  const touch = (plot) => {
    const follow = (event) => { const box = plot.over.getBoundingClientRect(), finger = event.touches[0]; plot.setCursor({ left: finger.clientX - box.left, top: finger.clientY - box.top }); };
    plot.over.addEventListener("touchstart", follow, { passive: true });
    plot.over.addEventListener("touchmove", follow, { passive: true });
  };
  const keys = (kind) => (event) => {
    const plot = state.charts[kind];
    if (!plot) return;
    const last = plot.data[0].length - 1, now = plot.cursor.idx;
    const next = { ArrowLeft: now == null ? last : now - 1, ArrowRight: now == null ? 0 : now + 1, Home: 0, End: last }[event.key];
    if (next != null) { event.preventDefault(); point(plot, next); }
    if (event.key === "Enter" && kind === "daily" && now != null) $("daily-open").click();
    if (event.key === "Escape") plot.setCursor({ left: -10, top: -10 });
  };

  const drawAll = () => { drawCurve(); drawBars(); };
  const resize = () => { for (const [kind, chart] of Object.entries(state.charts)) chart.setSize(size($(kind))); };
  return Object.assign(state, { drawAll, resize, keys, localize, named });
})();
