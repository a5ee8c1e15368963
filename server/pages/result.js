/* The results of a job: pictures, maps, plots and tables of its files. */
import { ask, local, read, readAll } from "./api.js";
import { bytes, el, show } from "./dom.js";
import { chart } from "./chart.js";
import { slippyMap } from "./map.js";
import { plotOf, readCsv, readFeatures, readJson, tableElement } from "./table.js";

const MOST_TEXT = 8e6; /* bytes of a file that is shown as a table */

function boundsOf(features) {
  const box = [180, 90, -180, -90];
  const walk = (part) => {
    if (typeof part?.[0] === "number") {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
    } else if (Array.isArray(part)) part.forEach(walk);
  };
  const geometry = (one) => (one?.geometries ? one.geometries.forEach(geometry) : walk(one?.coordinates));
  features.forEach((feature) => geometry(feature.geometry));
  return box[0] <= box[2] ? box : [-180, -60, 180, 75];
}

/* ---- tables and plots ---- */

function tabular(table, name) {
  const plot = plotOf(table);
  return [
    plot && chart(plot, `Plot of ${name}`),
    plot?.more > 0 && el("p", { class: "facts" }, `${plot.more} more series are in the table.`),
    tableElement(table, `Table of ${name}`),
  ];
}

function jsonParts(json, name) {
  if (json?.type === "FeatureCollection") {
    const map = slippyMap({
      label: `Features of ${name}`,
      bounds: boundsOf(json.features),
      features: json.features.map(({ geometry }) => geometry),
    });
    return [map.element, tabular(readFeatures(json), name)];
  }
  const table = readJson(json);
  if (table) return tabular(table, name);
  if (json === null || typeof json !== "object") return el("p", { class: "figure" }, String(json ?? "no data"));
  return el("pre", { tabindex: 0 }, JSON.stringify(json, null, 2).slice(0, 20000));
}

async function textParts(asset, name, signal) {
  if (asset["file:size"] > MOST_TEXT) return el("p", null, "The file is too long to be shown here.");
  const answer = await fetch(await local(asset.href), { signal });
  if (!answer.ok) throw new Error(`the file cannot be read (status ${answer.status})`);
  const text = await answer.text();
  return asset.type === "text/csv" ? tabular(readCsv(text), name) : jsonParts(JSON.parse(text), name);
}

/* ---- maps ---- */

const SHOWN = "Shown in the console: ",
  DAY = 86400e3;

/* Removes what is left of maps in browsers that ended without a word. */
export async function removeOldMaps() {
  const services = await readAll("/services", "services");
  const old = services.filter(
    ({ title, created }) => title?.startsWith(SHOWN) && Date.now() - Date.parse(created) > DAY,
  );
  await Promise.all(old.map(({ id }) => ask(`/services/${encodeURIComponent(id)}`, { method: "DELETE" })));
}

/* A service of the job's graph, for as long as it is looked at. */
class View {
  constructor(graph, title, signal) {
    Object.assign(this, { graph, title, id: null });
    signal.addEventListener("abort", () => this.close());
    window.addEventListener("pagehide", () => this.close(), { signal });
    this.signal = signal;
  }

  close() {
    if (this.id) ask(`/services/${this.id}`, { method: "DELETE", keepalive: true }).catch(() => {});
    this.id = null;
  }

  async open(configuration) {
    const made = await ask("/services", {
      method: "POST",
      json: {
        type: "XYZ",
        title: `${SHOWN}${this.title}`.slice(0, 200),
        configuration,
        process: { process_graph: this.graph },
      },
    });
    this.close();
    this.id = made.headers.get("OpenEO-Identifier");
    if (this.signal.aborted) this.close();
    return read(`/services/${this.id}`);
  }
}

function numberField(label, value) {
  return el(
    "label",
    null,
    label,
    el("input", { type: "number", step: "any", value: value === null ? "" : +value.toPrecision(6) }),
  );
}

/* One select for each dimension but x and y and what becomes colours; what they choose goes into the tiles' address. */
function dimensionFields(cube, change) {
  return cube.dimensions
    .filter(({ type, labels }) => type !== "bands" && labels?.length > 1)
    .map(({ name, type, labels }) => {
      const select = el(
        "select",
        { onchange: change, "data-name": type === "temporal" ? "datetime" : name },
        labels.map((label) =>
          el("option", { value: label }, type === "temporal" ? String(label).replace("T00:00:00Z", "") : label),
        ),
      );
      if (type === "temporal") select.selectedIndex = labels.length - 1;
      return el("label", null, name, select);
    });
}

async function mapParts(view, ramps) {
  let service = await view.open({});
  const { cube, range } = service.attributes;
  const single = range.length === 1;
  const map = slippyMap({ label: `Map of ${view.title}`, bounds: cube.lonlat });
  const problem = el("p", { role: "alert" });
  const legend = single && el("img", { class: "legend", alt: "Colours from the lowest to the highest value" });
  const tiles = async () => {
    const query = [...choices.querySelectorAll("select[data-name]")]
      .map((select) => `${encodeURIComponent(select.dataset.name)}=${encodeURIComponent(select.value)}`)
      .join("&");
    map.setTiles((await local(service.url)) + (query && `?${query}`));
    if (legend) legend.src = `${(await local(service.url)).split("/xyz/")[0]}/legend`;
  };
  const choices = el("div", { class: "pair" }, dimensionFields(cube, tiles));
  const ramp = el(
    "select",
    null,
    ramps.map((name) => el("option", null, name)),
  );
  ramp.value = "gray";
  const low = numberField("From", single ? range[0][0] : null),
    high = numberField("to", single ? range[0][1] : null);
  const apply = async (event) => {
    event.preventDefault();
    show(problem);
    const configuration = single ? { colormap: ramp.value } : {};
    for (const [name, field] of [
      ["min", low],
      ["max", high],
    ]) {
      const value = field.querySelector("input").value;
      if (value !== "") configuration[name] = Number(value);
    }
    try {
      service = await view.open(configuration);
      await tiles();
    } catch (error) {
      show(problem, el("span", { class: "message bad" }, error.message));
    }
  };
  const colours = el(
    "form",
    { class: "field", onsubmit: apply },
    el(
      "div",
      { class: "pair" },
      single && el("label", null, "Colours", ramp),
      low,
      high,
      el("button", { class: "quiet" }, "Apply"),
    ),
  );
  if (legend) map.element.append(legend);
  await tiles();
  return [map.element, el("div", { class: "field" }, choices), colours, problem];
}

/* Whether it lies somewhere on the earth, row by row. */
function isRaster(asset) {
  const isPlane = Object.values(asset["cube:dimensions"] ?? {}).some(({ axis }) => axis === "x");
  return asset.bbox !== undefined && (isPlane || asset["proj:shape"] !== undefined);
}

async function rampNames() {
  const types = await read("/service_types");
  return types.XYZ?.configuration?.colormap?.enum ?? ["gray"];
}

function mapPlace(job, signal) {
  const place = el("div", { class: "map-place" });
  const button = el(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: async () => {
        show(place, el("p", { class: "facts", role: "status" }, "The map is being made …"));
        try {
          const view = new View(job.process.process_graph, job.title || job.id, signal);
          show(place, await mapParts(view, await rampNames()));
        } catch (error) {
          show(place, el("p", { class: "message bad" }, `There is no map: ${error.message}`), button);
        }
      },
    },
    "Show on a map",
  );
  return { place: show(place, button), open: () => button.click() };
}

/* ---- files ---- */

function assetPart(name, asset, href, signal) {
  const body = el("div", { class: "facts" }, "");
  const type = asset.type ?? "";
  const fill = async () => {
    if (/^image\/(png|jpeg|webp)/.test(type))
      show(body, el("img", { class: "picture", src: href, alt: `Picture of ${name}` }));
    else if (/^(text\/csv|application\/(geo\+)?json)/.test(type)) show(body, await textParts(asset, name, signal));
  };
  fill().catch((error) => signal.aborted || show(body, el("p", { class: "message bad" }, error.message)));
  return el(
    "section",
    { class: "asset" },
    el(
      "p",
      null,
      el("a", { href, download: name }, name),
      " ",
      el("span", { class: "facts" }, `${type.split(";")[0]}, ${bytes(asset["file:size"] ?? 0)}`),
    ),
    body,
  );
}

/* Fills `place` with all files of a finished job. A map is opened by itself where there is nothing else to see. */
export async function showResult(place, job, signal) {
  const { assets } = await read(`/jobs/${encodeURIComponent(job.id)}/results`, { signal });
  const list = Object.entries(assets);
  const parts = await Promise.all(
    list.map(async ([name, asset]) => assetPart(name, asset, await local(asset.href), signal)),
  );
  const rasters = list.filter(([, asset]) => isRaster(asset));
  const map = rasters.length > 0 && mapPlace(job, signal);
  show(place, map && map.place, parts, list.length === 0 && el("p", null, "The job left no file."));
  if (map && !rasters.some(([, asset]) => asset.type.startsWith("image/png"))) map.open();
}
