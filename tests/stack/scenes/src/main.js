// stdin: {url, database, boards, from, to, visits: [{board, search}]}; stdout: what each visit finds.
import "./browser.js";
import { readFileSync } from "node:fs";

const { setDataSourceSrv } = await import("@grafana/runtime");
const scenes = await import("@grafana/scenes");
const { DataSourceVariable, EmbeddedScene, QueryVariable, SceneDataNode, SceneFlexLayout } = scenes;
const { SceneTimeRange, SceneVariableSet, TextBoxVariable, UrlSyncManager, sceneGraph, sceneUtils } = scenes;

const { url, database, boards, now, visits } = JSON.parse(readFileSync(0, "utf8"));
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [now]));
  }
  static now = () => now;
};

async function asked(query) {
  const body = new URLSearchParams({ q: query.replaceAll("now()", `${now / 1000}s`), db: database });
  const reply = await fetch(`${url}/query`, { method: "POST", body });
  const { results } = await reply.json();
  if (results[0].error) throw new Error(`${query}: ${results[0].error}`);
  return results[0].series ?? [];
}

// The data source as it answers the query of a variable: the first column after the time.
const source = {
  uid: "enphase",
  name: "Enphase",
  type: "influxdb",
  meta: { id: "influxdb", name: "InfluxDB" },
  getRef: () => ({ uid: "enphase", type: "influxdb" }),
  async metricFindQuery(query, { scopedVars }) {
    const series = await asked(sceneGraph.interpolate(scopedVars.__sceneObject.value.valueOf(), query, scopedVars));
    return series.flatMap((one) => one.values.map((row) => ({ text: String(row[1]) })));
  },
};
const settings = { uid: "enphase", name: "Enphase", type: "influxdb", meta: source.meta, isDefault: true };
setDataSourceSrv({
  get: async () => source,
  getList: () => [settings],
  getInstanceSettings: () => settings,
  registerRuntimeDataSource() {},
  reload() {},
});

function variable(one) {
  const { name, label, hide, skipUrlSync } = one;
  const base = { name, label, hide, skipUrlSync };
  if (one.type === "datasource") return new DataSourceVariable({ ...base, pluginId: one.query, value: one.current.value, text: one.current.text });
  if (one.type === "textbox") return new TextBoxVariable({ ...base, value: one.query });
  return new QueryVariable({
    ...{ ...base, query: one.query, regex: one.regex, refresh: one.refresh, sort: one.sort, datasource: one.datasource },
    ...{ isMulti: one.multi, includeAll: one.includeAll },
  });
}

async function opened({ board, search }) {
  const document = boards[board];
  const scene = new EmbeddedScene({
    $timeRange: new SceneTimeRange({ ...document.time, timeZone: "utc" }),
    $variables: new SceneVariableSet({ variables: document.templating.list.map(variable) }),
    body: new SceneFlexLayout({ children: [] }),
  });
  sceneUtils.syncStateFromSearchParams(scene, new URLSearchParams(search));
  const stop = scene.activate();
  const set = scene.state.$variables;
  for (let tries = 0; tries < 400 && set.state.variables.some((one) => set.isVariableLoadingOrWaitingToUpdate(one)); tries++)
    await new Promise((done) => setTimeout(done, 5));
  const found = {};
  for (const one of set.state.variables)
    found[one.state.name] = { value: one.getValue(), text: one.getValueText?.() ?? String(one.getValue()), options: one.state.options?.map((option) => [option.label, option.value]) };
  const queries = document.panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ query }) => [panel.title, sceneGraph.interpolate(scene, query)]),
  );
  const notes = document.annotations.list.map(({ name, query }) => [name, sceneGraph.interpolate(scene, query)]);
  const links = document.links.map((link) => {
    const kept = [link.keepTime ? "${__url_time_range}" : "", link.includeVars ? "${__all_variables}" : ""];
    return sceneGraph.interpolate(scene, `${link.url}?${kept.filter(Boolean).join("&")}`);
  });
  const address = sceneUtils.getUrlState(scene);
  stop();
  return { board, variables: found, queries: [...queries, ...notes], links, address };
}

const found = [];
for (const visit of visits) found.push(await opened(visit));
process.stdout.write(JSON.stringify(found), () => process.exit(0));
