// Goes from day to day without loading the page anew, tells why on a tap, and keeps the page fresh. Everything is a link
// or a table without it.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const page = window.page;
  const PARTS = ["live-state", "live-now", "live-curve-head", "live-bars-head", "live-coverage", "live-cards", "live-absent"];
  const read = () => JSON.parse($("data").textContent);

  // ── the calendar ──
  const say = (cell) => {
    const [, why] = cell.querySelector("title").textContent.split(/: (.*)/s);
    document.querySelectorAll(".calendar .picked").forEach((old) => old.classList.remove("picked"));
    cell.classList.add("picked");
    $("why").textContent = `${page.named(cell.dataset.day)}: ${why}`;
  };
  const why = (event) => { const cell = event.target.closest(".calendar rect"); if (cell) say(cell); };
  const dress = (root) => {
    page.localize(root);
    root.querySelectorAll(".calendar").forEach((calendar) => {
      const cells = calendar.querySelectorAll("rect");
      cells.forEach((cell) => cell.setAttribute("role", "img"));
      if (cells.length) cells[cells.length - 1].setAttribute("tabindex", "0");
      calendar.parentNode.scrollLeft = calendar.parentNode.scrollWidth; // the newest weeks are what is looked for
    });
  };
  const walk = (event) => {
    const cell = event.target.closest(".calendar rect");
    const step = { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!cell || !step) return false;
    event.preventDefault();
    const cells = [...cell.parentNode.querySelectorAll("rect")];
    const next = cells[cells.indexOf(cell) + step];
    if (!next) return true;
    cell.removeAttribute("tabindex");
    next.setAttribute("tabindex", "0");
    next.focus();
    return true;
  };

  // ── going elsewhere ──
  let asked = 0;
  const load = async (url, fresh) => {
    const mine = ++asked;
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || mine !== asked) return false;
    renew(new DOMParser().parseFromString(await answer.text(), "text/html"), fresh);
    return true;
  };
  const go = async (url) => {
    try {
      if (await load(url, true)) history.pushState(null, "", url);
    } catch { location.href = url; }
  };
  const renew = (fresh, moved) => {
    if (!fresh.getElementById("data") !== !$("data")) { location.reload(); return; }
    const told = $("why") && $("why").textContent, focus = document.activeElement;
    const label = focus && focus.closest("[data-go]") && (focus.getAttribute("aria-label") || focus.textContent);
    for (const id of PARTS) {
      const next = fresh.getElementById(id);
      if (next && $(id) && (next.innerHTML !== $(id).dataset.text)) {
        const text = next.innerHTML;
        $(id).replaceWith(document.adoptNode(next));
        $(id).dataset.text = text;
        dress($(id));
      }
    }
    for (const id of ["live-day", "live-table", "live-panels"]) {
      const next = fresh.getElementById(id);
      if (next && $(id)) { $(id).replaceChildren(...next.childNodes); dress($(id)); }
    }
    if (told && $("why")) $("why").textContent = told;
    if (label && !focus.isConnected) [...document.querySelectorAll("[data-go]")].find((link) => (link.getAttribute("aria-label") || link.textContent) === label)?.focus();
    document.title = fresh.title;
    if (!$("data")) return;
    const text = fresh.getElementById("data").textContent;
    if (moved || text !== $("data").textContent) { $("data").textContent = text; page.data = read(); page.drawAll(); }
  };

  // ── keeping fresh ──
  const refresh = async () => {
    if (!document.hidden) {
      try { await load(location.href, false); } catch { /* the program is being restarted; the next try will tell */ }
    }
    later();
  };
  const later = () => setTimeout(refresh, !page.data || page.data.filling || !page.charts.curve ? 4000 : 60000);

  document.addEventListener("click", (event) => {
    why(event);
    const link = event.target.closest("a[data-go]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) { event.preventDefault(); go(link.href); return; }
    const bars = page.charts.daily;
    if (bars && bars.over.contains(event.target) && !matchMedia("(pointer: coarse)").matches && bars.cursor.idx != null) $("daily-open").click();
  });
  document.addEventListener("mouseover", why);
  document.addEventListener("focusin", why);
  document.addEventListener("keydown", (event) => {
    if (walk(event) || event.altKey || event.metaKey || event.ctrlKey || document.activeElement !== document.body) return;
    const link = { ArrowLeft: $("earlier"), ArrowRight: $("later") }[event.key];
    if (link) { event.preventDefault(); link.click(); }
  });
  addEventListener("popstate", () => load(location.href, true));
  dress(document);
  if ($("data")) {
    page.data = read();
    for (const kind of ["curve", "daily"]) $(kind).addEventListener("keydown", page.keys(kind));
    page.drawAll();
    let wait;
    addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(page.resize, 100); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", page.drawAll);
  }
  later();
})();
