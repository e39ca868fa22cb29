// A browser without a window: what @grafana/scenes touches when it is loaded.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><html><body></body></html>", { url: "http://grafana/", pretendToBeVisual: true });
globalThis.window = window;
for (const name of Object.getOwnPropertyNames(window)) if (!(name in globalThis)) globalThis[name] = window[name];
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
globalThis.location = window.location;
window.matchMedia = globalThis.matchMedia = () => ({ matches: false, addEventListener() {}, addListener() {}, removeListener() {} });
globalThis.ResizeObserver = window.ResizeObserver = globalThis.IntersectionObserver = window.IntersectionObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
window.grafanaBootData = globalThis.grafanaBootData = { settings: {}, user: { locale: "en-US" }, navTree: [] };
