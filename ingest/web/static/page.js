// Draws the charts, tells why on a tap, and keeps the page fresh. Everything else works without it.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const read = () => JSON.parse($("data").textContent);
  const HOUR = 3600, DAY = 86400;
  const state = { data: null, curveDays: 3, dailyDays: 30, long: null, charts: {} };
  window.page = state; // what is drawn can be read here

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const fade = (colour, share) => `color-mix(in srgb, ${colour} ${share}%, transparent)`;
  const group = new Intl.NumberFormat("en");
  const watts = (w) => (w == null ? "–" : Math.abs(w) >= 10000 ? (w / 1000).toFixed(1) + " kW" : group.format(Math.round(w)) + " W");
  const kwh = (wh) => (wh == null ? "–" : (wh / 1000).toFixed(1) + " kWh");
  const clock = (zone, options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });

  // ── data ──
  const column = (curve) => {
    const count = curve.produced_w.length, used = curve.consumed_w;
    const times = Array.from({ length: count }, (_, i) => curve.start + i * curve.step);
    return [times, curve.produced_w, used.length ? used : new Array(count).fill(null)];
  };
  const lastDays = (columns, days, zone, now) => {
    const [times] = columns;
    const day = clock(zone, { year: "numeric", month: "2-digit", day: "2-digit" });
    // the midnight that begins the first day shown, found on the quarters themselves: zones change their clocks
    const today = day.format(new Date(now * 1000));
    let from = times.length - 1;
    while (from > 0 && day.format(new Date(times[from - 1] * 1000)) === today) from--;
    const begin = times[from] - (days - 1) * DAY - HOUR;
    let index = times.findIndex((at) => at >= begin);
    const first = days > 1 ? day.format(new Date((begin + 2 * HOUR) * 1000)) : today;
    while (index < times.length - 1 && day.format(new Date(times[index] * 1000)) !== first) index++;
    return columns.map((values) => values.slice(index));
  };
  // Days stand at noon UTC of their own name, so that no zone can move them.
  const dailyColumns = (rows, days) => {
    const all = rows.map(([name, made, used]) => [Date.parse(name + "T12:00:00Z") / 1000, made, used]);
    let shown = days ? all.slice(-days) : all;
    if (shown.length > 130) shown = monthly(shown);
    return [0, 1, 2].map((index) => shown.map((row) => row[index]));
  };
  const monthly = (rows) => {
    const sums = new Map();
    for (const [at, made, used] of rows) {
      const key = new Date(at * 1000).toISOString().slice(0, 7);
      const sum = sums.get(key) || [Date.parse(key + "-15T12:00:00Z") / 1000, null, null];
      if (made != null) sum[1] = (sum[1] || 0) + made;
      if (used != null) sum[2] = (sum[2] || 0) + used;
      sums.set(key, sum);
    }
    return [...sums.values()];
  };

  // ── drawing ──
  const axes = (format, splits) => {
    const shared = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const dates = { ...shared, grid: { show: false }, space: 60, size: 24, gap: 6, ...splits };
    return [dates, { ...shared, size: 52, space: 40, values: (_, ticks) => ticks.map(format) }];
  };
  const tell = (kind, format, when) => (plot) => {
    const at = plot.cursor.idx;
    const known = at != null && plot.data[0][at] != null;
    $(kind + "-made").textContent = known ? format(plot.data[1][at]) : "";
    $(kind + "-used").textContent = known ? format(plot.data[2][at]) : "";
    $(kind + "-time").textContent = known ? when(plot.data[0][at]) : "";
  };
  const size = (box) => ({ width: Math.max(box.clientWidth, 200), height: box.clientHeight });
  const draw = (kind, columns, options) => {
    const box = $(kind), old = state.charts[kind];
    if (old) old.destroy();
    delete state.charts[kind];
    box.replaceChildren();
    if (!columns[0].length || columns.slice(1).every((values) => values.every((value) => value == null))) {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = $("live-absent").textContent || "The first values appear here by themselves.";
      box.append(none);
      return;
    }
    state.charts[kind] = new uPlot({ ...size(box), legend: { show: false }, padding: [8, 24, 0, 0], ...options }, columns, box);
  };

  const drawCurve = () => {
    const { zone, now } = state.data;
    const source = state.curveDays > state.data.curve_days && state.long ? state.long : state.data.curve;
    const columns = lastDays(column(source), state.curveDays, zone, now);
    if (state.curveDays === 1 && columns[0].length) { // the whole day, so that the sun has room to rise
      const end = columns[0][0] + DAY;
      for (let at = columns[0].at(-1) + source.step; at < end; at += source.step) { columns[0].push(at); columns[1].push(null); columns[2].push(null); }
    }
    const hour = clock(zone, { hour: "2-digit", minute: "2-digit" }), name = clock(zone, { weekday: "short", day: "numeric", month: "short" });
    const whole = clock(zone, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    const label = (_, ticks) => ticks.map((at) => { const time = hour.format(new Date(at * 1000)); return time === "00:00" || state.curveDays > 3 ? name.format(new Date(at * 1000)) : time; });
    draw("curve", columns, {
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      scales: { y: { range: (_, low, high) => [Math.min(0, low || 0), Math.max((high || 0) * 1.05, 100)] } },
      axes: axes((w) => (Math.abs(w) >= 1000 ? +(w / 1000).toFixed(1) + " kW" : w + " W"), { values: label, space: state.curveDays > 3 ? 90 : 60, incrs: state.curveDays > 3 ? [DAY, 2 * DAY, 5 * DAY, 10 * DAY] : [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY] }),
      series: [{}, { stroke: css("--made"), fill: fade(css("--made"), 22), width: 1.75, points: { show: false } }, { stroke: css("--used"), width: 1.5, points: { show: false } }],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      hooks: { setCursor: [tell("curve", watts, (at) => whole.format(new Date(at * 1000)))] },
    });
  };
  const drawDaily = () => {
    const columns = dailyColumns(state.data.daily, state.dailyDays);
    const months = columns[0].length > 1 && columns[0][1] - columns[0][0] > 20 * DAY;
    const name = clock("UTC", months ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" });
    const whole = clock("UTC", months ? { month: "long", year: "numeric" } : { weekday: "short", day: "numeric", month: "short", year: "numeric" });
    const bars = (align) => uPlot.paths.bars({ size: [0.38, 26], align, radius: 0.15 });
    const edge = months ? 16 * DAY : DAY * 0.6;
    draw("daily", columns, {
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      scales: {
        x: { range: (_, low, high) => [low - edge, high + edge] },
        y: { range: (_, low, high) => [0, Math.max((high || 0) * 1.05, 1000)] },
      },
      axes: axes((wh) => group.format(wh / 1000) + " kWh", { splits: (plot) => spread(plot.data[0], plot.width), values: (_, ticks) => ticks.map((at) => name.format(new Date(at * 1000))) }).map((axis, index) => (index ? { ...axis, size: 66 } : axis)),
      series: [{}, { stroke: css("--made"), fill: css("--made"), width: 0, paths: bars(-1), points: { show: false } }, { stroke: css("--used"), fill: css("--used"), width: 0, paths: bars(1), points: { show: false } }],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
      hooks: { setCursor: [tell("daily", kwh, (at) => whole.format(new Date(at * 1000)))] },
    });
  };
  const spread = (times, width) => {
    const step = Math.max(1, Math.ceil((times.length * 70) / Math.max(width - 70, 70)));
    return times.filter((_, index) => (times.length - 1 - index) % step === 0);
  };

  // ── what the reader does ──
  const press = (id, days) => $(id).querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.days) === days)));
  const ranges = (id, act) => {
    $(id).hidden = false;
    $(id).addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) { press(id, Number(button.dataset.days)); act(Number(button.dataset.days)); } });
  };
  const showCurve = async (days) => {
    state.curveDays = days;
    if (days > state.data.curve_days && !state.long) {
      const answer = await fetch(`/api/curve?system=${encodeURIComponent(state.data.system)}&days=${days}`);
      if (!answer.ok) return;
      state.long = await answer.json();
    }
    drawCurve();
  };
  const why = (event) => {
    const cell = event.target.closest(".calendar rect");
    if (!cell) return;
    document.querySelectorAll(".calendar .picked").forEach((old) => old.classList.remove("picked"));
    cell.classList.add("picked");
    $("why").textContent = cell.querySelector("title").textContent;
  };

  // ── keeping fresh ──
  const refresh = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.ok) renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* the program is being restarted; the next try will tell */ }
    }
    later();
  };
  const renew = (fresh) => {
    const told = $("why") && $("why").textContent;
    if (!fresh.getElementById("data") !== !$("data")) { location.reload(); return; }
    for (const id of ["live-state", "live-now", "live-coverage", "live-cards", "live-absent"]) {
      const next = fresh.getElementById(id);
      if (next && $(id)) $(id).replaceWith(document.adoptNode(next));
    }
    const table = fresh.querySelector("#live-table table");
    if (table) document.querySelector("#live-table table").replaceWith(document.adoptNode(table));
    if (told) $("why").textContent = told;
    document.title = fresh.title;
    if (!$("data")) return;
    const text = fresh.getElementById("data").textContent;
    if (text !== $("data").textContent) { $("data").textContent = text; state.data = read(); state.long = null; showCurve(state.curveDays); drawDaily(); }
  };
  const later = () => setTimeout(refresh, !state.data || state.data.filling || !state.charts.curve ? 4000 : 60000);

  document.addEventListener("click", why);
  document.addEventListener("mouseover", why);
  if ($("data")) {
    state.data = read();
    ranges("curve-ranges", showCurve);
    ranges("daily-ranges", (days) => { state.dailyDays = days; drawDaily(); });
    drawCurve();
    drawDaily();
    let wait;
    addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(() => { for (const [kind, chart] of Object.entries(state.charts)) chart.setSize(size($(kind))); }, 100); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawCurve(); drawDaily(); });
  }
  later();
})();
