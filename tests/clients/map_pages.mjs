/* node map_pages.mjs ROOT LAYERS SHOTS CHROMIUM: maps of Leaflet and OpenLayers in headless Chromium, a page a layer.
 *
 * LAYERS is JSON: {"xyz", "wmts", "wms": URLs of services, "center": [lon, lat], "zoom", "probes": [[lon, lat], …]}. Of
 * each map a picture is left in SHOTS, and a line is printed: {"name", "file", "points": [[x, y], …], "complaints"},
 * where in the picture the probes are. ROOT holds node_modules with leaflet, ol and playwright-core. */

import { createServer } from "node:http";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [root, layersText, shots, executablePath] = process.argv.slice(2);
const layers = JSON.parse(layersText);
mkdirSync(shots, { recursive: true });

const libraries = { leaflet: "leaflet/dist/leaflet", ol: "ol/dist/ol" };
const page_of = (library) => `<!doctype html><title>${library}</title>
<link rel="stylesheet" href="/${library}.css"><script src="/${library}.js"></script>
<style>html, body, #map { margin: 0; width: 512px; height: 512px; background: #fff }</style><div id="map"></div>`;

const server = createServer((request, response) => {
  const [, library, ending] = /^\/(leaflet|ol)(?:\.(css|js))?$/.exec(request.url) ?? [];
  if (!library) return response.writeHead(204).end();
  const file = ending && (library === "ol" && ending === "css" ? "ol/ol.css" : `${libraries[library]}.${ending}`);
  response.setHeader("Content-Type", { css: "text/css", js: "text/javascript" }[ending] ?? "text/html");
  response.end(ending ? readFileSync(join(root, "node_modules", file)) : page_of(library));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

/* In the page: shows a layer, waits until it is drawn, tells where the probes are. */
const leaflet = async ({ kind, layers }) => {
  const map = L.map("map", { zoomControl: false, attributionControl: false, fadeAnimation: false, zoomAnimation: false });
  map.setView([layers.center[1], layers.center[0]], layers.zoom);
  const wmts = `${layers.wmts}?service=WMTS&request=GetTile&version=1.0.0&layer=result&style=default&format=image/png`;
  const layer = {
    xyz: () => L.tileLayer(layers.xyz),
    wmts: () => L.tileLayer(`${wmts}&tilematrixset=WebMercatorQuad&tilematrix={z}&tilerow={y}&tilecol={x}`),
    wms: () => L.tileLayer.wms(layers.wms, { layers: "result", format: "image/png", transparent: true, version: "1.3.0" }),
  }[kind]();
  await new Promise((done) => layer.on("load", done).addTo(map));
  return layers.probes.map(([lon, lat]) => map.latLngToContainerPoint([lat, lon])).map(({ x, y }) => [x, y]);
};

const openlayers = async ({ kind, layers }) => {
  const source = {
    xyz: async () => new ol.source.XYZ({ url: layers.xyz, interpolate: false, transition: 0 }),
    wmts: async () => {
      const text = await (await fetch(`${layers.wmts}?service=WMTS&request=GetCapabilities`)).text();
      const capabilities = new ol.format.WMTSCapabilities().read(text);
      const options = ol.source.WMTS.optionsFromCapabilities(capabilities, { layer: "result", projection: "EPSG:3857" });
      return new ol.source.WMTS({ ...options, interpolate: false, transition: 0 });
    },
    wms: async () =>
      new ol.source.TileWMS({ url: layers.wms, params: { LAYERS: "result" }, interpolate: false, transition: 0 }),
  }[kind];
  const view = new ol.View({ center: ol.proj.fromLonLat(layers.center), zoom: layers.zoom });
  const layer = new ol.layer.Tile({ source: await source() });
  const map = new ol.Map({ target: "map", layers: [layer], view, controls: [], pixelRatio: 1 });
  await new Promise((done) => map.once("rendercomplete", done));
  return layers.probes.map((lonlat) => map.getPixelFromCoordinate(ol.proj.fromLonLat(lonlat)));
};

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
const context = await browser.newContext({ viewport: { width: 512, height: 512 }, deviceScaleFactor: 1 });
for (const [library, show] of [["leaflet", leaflet], ["ol", openlayers]])
  for (const kind of ["xyz", "wmts", "wms"]) {
    const page = await context.newPage(),
      complaints = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.address().port}/${library}`);
    const points = await page.evaluate(show, { kind, layers });
    const file = join(shots, `${library}-${kind}.png`);
    await page.screenshot({ path: file });
    console.log(JSON.stringify({ name: `${library} ${kind}`, file, points, complaints }));
    await page.close();
  }
await browser.close();
server.close();
