// What the libraries expect of a browser when they are loaded: no more than this is touched under plain Node.
const storage = { getItem: () => null, setItem() {}, removeItem() {} };
const element = () => ({ style: {}, setAttribute() {}, appendChild() {}, getContext: () => null, classList: { add() {} } });
globalThis.window ??= globalThis;
globalThis.localStorage ??= storage;
globalThis.sessionStorage ??= storage;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.matchMedia ??= () => ({ matches: false, addEventListener() {}, addListener() {} });
globalThis.location ??= { origin: "http://grafana", href: "http://grafana/", pathname: "/", search: "", hash: "" };
globalThis.document ??= {
  createElement: element,
  createElementNS: element,
  querySelector: () => null,
  querySelectorAll: () => [],
  getElementById: () => null,
  getElementsByTagName: () => [],
  addEventListener() {},
  body: element(),
  head: element(),
  documentElement: element(),
  cookie: "",
};
// The same words on every machine.
Object.defineProperty(globalThis, "navigator", {
  value: { language: "en-US", languages: ["en-US"], userAgent: "", platform: "" },
});
globalThis.grafanaBootData ??= { settings: {}, user: {} };
