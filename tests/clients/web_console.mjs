/* node web_console.mjs URL USER PASSWORD SHOTS CHROMIUM: a person at the pages of a server, in headless Chromium. Each
 * step prints "ok" or "FAILED"; a picture of the latter, or of all where $TWINCUBE_SHOTS is set, is left in SHOTS. The
 * last line is "N passed, N failed". Lies beside node_modules with playwright-core. */

import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, user, password, shots, executablePath] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(15000);

const complaints = [],
  foreign = [];
const own = new URL(url).origin;
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("dialog", (dialog) =>
  dialog.type() === "confirm" ? dialog.accept() : complaints.push(`a dialog: ${dialog.message()}`),
);
page.on(
  "request",
  (request) => /^https?:/.test(request.url()) && !request.url().startsWith(own) && foreign.push(request.url()),
);

let passed = 0,
  failed = 0;
async function step(name, work) {
  const begun = Date.now(),
    before = failed;
  try {
    await work();
    passed++;
    console.log(`ok      ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${String(error.stack ?? error).slice(0, 1500)}`);
  }
  if (!process.env.TWINCUBE_SHOTS && failed === before) return;
  await page
    .screenshot({ path: `${shots}/${String(passed + failed).padStart(2, "0")}.png`, fullPage: true })
    .catch(() => {});
}
function expect(truth, what) {
  if (!truth) throw new Error(what);
}
async function count(selector, least) {
  await page.waitForFunction(([s, n]) => document.querySelectorAll(s).length >= n, [selector, least]);
  return page.locator(selector).count();
}
/* Names of what can be reached and has none, ids that are there twice, pictures without words. */
async function faults() {
  return page.evaluate(() => {
    const found = [];
    const seen = (one) => one.getClientRects().length > 0;
    const name = (one) =>
      one.getAttribute("aria-label") ||
      (one.getAttribute("aria-labelledby") &&
        document.getElementById(one.getAttribute("aria-labelledby"))?.textContent) ||
      [...(one.labels ?? [])].map((label) => label.textContent).join("") ||
      one.textContent.trim() ||
      one.querySelector?.("img[alt]:not([alt=''])")?.alt;
    for (const one of document.querySelectorAll("a, button, input, select, textarea, [role=img], [role=tab], progress"))
      if (seen(one) && !name(one)) found.push(`no name: ${one.outerHTML.slice(0, 120)}`);
    for (const one of document.querySelectorAll("img:not([alt])")) found.push(`no alt: ${one.outerHTML.slice(0, 120)}`);
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) found.push(`twice: ${id}`);
    if (document.documentElement.scrollWidth > innerWidth + 1) found.push("the page is wider than the window");
    if (document.querySelectorAll("h1").length > 1) found.push("more than one h1");
    return found;
  });
}
async function isSound() {
  const found = await faults();
  expect(found.length === 0, found.join("\n"));
}

/* Pixels of the open map that are neither background nor outline: how many colours there are. */
async function colours() {
  return page.evaluate(() => {
    const canvas = document.querySelector("#result .map canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let i = 0; i < data.length; i += 4) found.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return found.size;
  });
}

/* ---- the landing page ---- */

await step("the landing page shows collections, processes, formats and ways to connect", async () => {
  const picture = `${url}/openeo/1.3/collections/DEMO_WEB/thumbnail`; /* a busy machine may want more than one try */
  for (let i = 0; i < 3 && !(await page.request.get(picture)).ok(); i++);
  await page.goto(url);
  expect((await count("#collection-list .card", 1)) >= 1, "no collection");
  expect((await count("#process-list > li", 100)) >= 100, "too few processes");
  expect((await count("#format-list li", 10)) >= 10, "too few formats");
  expect((await count("#world .place", 1)) >= 1, "no place on the map");
  await page.waitForSelector('#collection-DEMO_WEB .facts:has-text("5 bands: B02")');
  await page.waitForFunction(() => document.querySelector("#collection-DEMO_WEB img")?.naturalWidth > 0);
  expect((await page.textContent("#connect-tabs")).includes(`openeo.connect("${own}")`), "no address to paste");
  const editor = await page.getAttribute("#editor", "href");
  expect(editor.includes(`?server=${encodeURIComponent(own)}`), `the editor is opened on ${editor}`);
  await isSound();
});

await step("what users call things is text", async () => {
  expect((await page.textContent("#collection-DEMO_WEB h3")).includes("<script>"), "the title is not shown as it is");
  expect((await page.locator("#collection-list script, #collection-list h3 *").count()) === 0, "markup came to life");
});

await step("processes are found by words and categories, and told about", async () => {
  await page.fill("#process-search", "ndvi");
  await page.waitForFunction(() => document.querySelectorAll("#process-list > li").length < 20);
  expect((await page.textContent("#process-list > li summary code")) === "ndvi", "ndvi is not the first");
  await page.click("#process-list > li summary");
  await page.waitForSelector("#process-list dl dt");
  await page.fill("#process-search", "");
  await page.click('#categories button:has-text("masks")');
  expect((await page.locator("#process-list > li").count()) < 20, "the category hides nothing");
});

await step("tabs go by arrow keys", async () => {
  await page.focus('[role="tab"]');
  await page.keyboard.press("ArrowRight");
  expect((await page.textContent('[role="tab"][aria-selected="true"]')) === "R", "R is not chosen");
  expect(await page.isVisible('[role="tabpanel"]:has-text("library(openeo)")'), "its panel is hidden");
});

/* ---- the console ---- */

await step("a wrong password is refused in words", async () => {
  await page.goto(`${url}/console`);
  await page.fill("#name", user);
  await page.fill("#password", "not this one");
  await page.click("#login");
  await page.waitForSelector(".login .message.bad");
  await isSound();
  complaints.length = 0; /* the browser tells of the status 403 */
});

await step("the right one opens the desk", async () => {
  await page.fill("#password", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#desk:not([hidden])");
  expect((await page.textContent("#user")).includes(user), "the user is not named");
});

await step("the form of a process says what is wrong", async () => {
  await page.click('a:has-text("New job")');
  await page.fill("#process", "ndvi");
  await page.keyboard.press("Enter");
  await page.waitForSelector("form .nested");
  await page.click("#start");
  await page.waitForSelector('.wrong:has-text("id wants a value")');
  expect((await page.locator('[aria-invalid="true"]').count()) === 1, "not one field is marked");
  expect(await page.evaluate(() => document.activeElement.matches("select[data-collection]")), "focus is elsewhere");
  await isSound();
});

await step("every process has a form, whose fields have names", async () => {
  const found = await page.evaluate(async (api) => {
    const { group } = await import("/web/fields.js");
    const { processes } = await (await fetch(`${api}/openeo/1.3/processes`)).json();
    const context = { processes, stored: [], collections: [], formats: [], collection: async () => null };
    const wrong = [];
    for (const { id, parameters } of processes) {
      const { element } = group(parameters, context);
      document.body.append(element);
      const fields = element.querySelectorAll(":scope > .field").length;
      if (fields !== parameters.length) wrong.push(`${id}: ${fields} fields`);
      for (const one of element.querySelectorAll("input, select, textarea"))
        if (one.labels.length === 0) wrong.push(`${id}: ${one.outerHTML.slice(0, 100)}`);
      element.remove();
    }
    return { many: processes.length, wrong };
  }, url);
  expect(found.many > 100 && found.wrong.length === 0, found.wrong.slice(0, 20).join("\n"));
});

await step("it starts a job, whose progress, result and plan are seen", async () => {
  await page.selectOption("select[data-collection]", "DEMO_WEB");
  const bands = page.locator('.field:has(> legend:has-text("bands")) input[type="text"]').first();
  await page.waitForSelector('input[placeholder^="B02, B03"]');
  await bands.fill("B04, B08");
  await page.locator('.field:has(> legend label:text-is("nir")) input').last().fill("B08");
  await page.locator('.field:has(> legend label:text-is("red")) input').last().fill("B04");
  await page.fill("#job-title", "<img src=x onerror=alert(1)> NDVI");
  await page.selectOption("#job-format", "GTiff");
  await page.click("#start");
  await page.waitForSelector(".head .status.finished");
  await page.waitForSelector("#result a[download]");
  await page.waitForSelector("#plan .stages li");
  expect((await page.textContent("#plan .explain")).includes("kernel"), "no kernel in the plan");
  await page.waitForSelector('.log .text:has-text("the job is finished")');
  expect((await page.textContent(".head h1")) === "<img src=x onerror=alert(1)> NDVI", "the title is not text");
});

await step("its raster is on a map of tiles of this server", async () => {
  await page.waitForSelector("#result .map canvas");
  await page.waitForFunction(() => document.querySelector("#result .legend")?.naturalWidth > 0);
  for (let i = 0; i < 40 && (await colours()) < 50; i++) await page.waitForTimeout(250);
  expect((await colours()) >= 50, `only ${await colours()} colours on the map`);
  await page.selectOption('#result label:has-text("Colours") select', "RdYlGn");
  await page.click('#result button:has-text("Apply")');
  await page.waitForTimeout(1000);
  await page.focus("#result .map canvas");
  await page.keyboard.press("+");
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(700);
  await isSound();
});

/* A graph is pasted and run to its end. */
async function run(graph, title) {
  await page.goto(`${url}/console#/graph`);
  await page.fill("#graph-text", JSON.stringify(graph));
  await page.fill("#job-title", title);
  await page.click("#start");
  await page.waitForSelector(`.head h1:has-text("${title}")`);
  await page.waitForSelector(".head .status.finished");
}

const means = (format, box) => ({
  load: {
    process_id: "load_collection",
    arguments: { id: "DEMO_WEB", spatial_extent: null, temporal_extent: null, bands: ["B04", "B08"] },
  },
  mean: {
    process_id: "aggregate_spatial",
    arguments: {
      data: { from_node: "load" },
      geometries: box,
      reducer: {
        process_graph: { m: { process_id: "mean", arguments: { data: { from_parameter: "data" } }, result: true } },
      },
    },
  },
  save: { process_id: "save_result", arguments: { data: { from_node: "mean" }, format }, result: true },
});
const [west, south, east, north] = await page.evaluate(
  async (api) => (await (await fetch(`${api}/openeo/1.3/collections/DEMO_WEB`)).json()).extent.spatial.bbox[0],
  url,
);
const at = (x, y) => [west + x * (east - west), south + y * (north - south)];
const square = (name, x, y) => ({
  type: "Feature",
  properties: { name },
  geometry: {
    type: "Polygon",
    coordinates: [[at(x, y), at(x + 0.2, y), at(x + 0.2, y + 0.2), at(x, y + 0.2), at(x, y)]],
  },
});
const fields = {
  type: "FeatureCollection",
  features: [square("<script>alert(2)</script>", 0.2, 0.2), square("two", 0.5, 0.5)],
};

await step("a time series is a plot and a table", async () => {
  await run(means("CSV", fields), "series");
  expect((await count("#result .chart .series", 4)) >= 4, "not two fields with two bands");
  expect((await page.textContent("#result table")).includes("<script>alert(2)</script>"), "the name is not text");
});

await step("features are on a map, with a plot and a table", async () => {
  await run(means("GeoJSON", fields), "features");
  await page.waitForSelector("#result .map canvas");
  await page.waitForSelector("#result .chart .series");
  await page.waitForTimeout(300);
  expect((await colours()) >= 3, "the map is empty");
});

await step("a cube as JSON is a plot and a table", async () => {
  await run(means("JSON", fields), "cube");
  await page.waitForSelector("#result .chart .series");
  await isSound();
});

await step("a number is a number, whose plan is that it is known", async () => {
  await run({ add: { process_id: "add", arguments: { x: 1, y: 2 }, result: true } }, "one and two");
  await page.waitForSelector('#result .figure:text-is("3")');
  await page.waitForSelector('#plan:has-text("known without reading")');
});

await step("a prepared job shows its plan, starts, and is cancelled", async () => {
  await page.goto(`${url}/console#/graph`);
  const sizes = { shape: [64, 64], m2: -4, lambda: 8, seed: 1, configurations: 200000 };
  await page.fill(
    "#graph-text",
    JSON.stringify({
      field: { process_id: "lft_scalar_field", arguments: sizes },
      one: {
        process_id: "reduce_dimension",
        arguments: {
          data: { from_node: "field" },
          dimension: "x0",
          reducer: {
            process_graph: { m: { process_id: "mean", arguments: { data: { from_parameter: "data" } }, result: true } },
          },
        },
        result: true,
      },
    }),
  );
  await page.fill("#job-title", "long");
  await page.click('button:has-text("Prepare")');
  await page.waitForSelector(".head .status:text-is('created')");
  await page.waitForSelector("#plan .stages li");
  await page.click('.actions button:text-is("Start")');
  await page.waitForSelector(".head .status.running");
  await page.waitForFunction(() => document.querySelector("progress").value > 0);
  await page.click('.actions button:text-is("Cancel")');
  await page.waitForSelector(".head .status:text-is('canceled')");
  await isSound();
});

await step("a stored graph has a form of its own parameters", async () => {
  await page.evaluate(async (api) => {
    const graph = { m: { process_id: "multiply", arguments: { x: { from_parameter: "size" }, y: 2 }, result: true } };
    const parameters = [
      { name: "size", description: "How large <b>it</b> is.", schema: { type: "number", minimum: 0 } },
      {
        name: "unit",
        description: "A unit.",
        schema: { type: "string", enum: ["m", "km"] },
        optional: true,
        default: "m",
      },
    ];
    await fetch(`${api}/openeo/1.3/process_graphs/twice`, {
      method: "PUT",
      body: JSON.stringify({ process_graph: graph, parameters, returns: { schema: { type: "number" } } }),
      headers: {
        "Content-Type": "application/json",
        Authorization: `Bearer ${sessionStorage.getItem("twincube.token")}`,
      },
    });
  }, url);
  await page.goto(`${url}/console`);
  await page.reload();
  await page.goto(`${url}/console#/new/twice`);
  const size = page.locator('.field:has(> legend label:text-is("size")) input');
  await size.fill("-1");
  await page.click("#start");
  await page.waitForSelector('.wrong:has-text("at least 0")');
  await size.fill("21");
  await page.click("#start");
  await page.waitForSelector('#result .figure:text-is("42")');
});

await step("a job is deleted, and the phone's view is as wide as the phone", async () => {
  const jobs = await page.locator("#jobs li").count();
  await page.click('.actions button:text-is("Delete")');
  await page.waitForFunction((many) => document.querySelectorAll("#jobs li").length === many - 1, jobs);
  await page.setViewportSize({ width: 390, height: 844 });
  await isSound();
  await page.click('#jobs a:has-text("series")');
  await page.waitForSelector("#result .chart");
  await isSound();
});

await step("maps leave no service behind, logging out leaves nothing", async () => {
  const count = () =>
    page.evaluate(
      async (api) =>
        (
          await (
            await fetch(`${api}/openeo/1.3/services`, {
              headers: { Authorization: `Bearer ${sessionStorage.getItem("twincube.token")}` },
            })
          ).json()
        ).services.length,
      url,
    );
  let left = await count();
  for (let tries = 0; left > 0 && tries < 50; tries++) {
    await page.waitForTimeout(200); // removing them goes on behind the page
    left = await count();
  }
  expect(left === 0, `${left} services are left`);
  await page.click('button:has-text("Log out")');
  await page.waitForSelector("#login");
  expect(await page.evaluate(() => sessionStorage.length === 0 && localStorage.length === 0), "something is kept");
  expect((await page.locator("#desk").isVisible()) === false, "the desk is still there");
});

await step("nothing was asked of others, nothing complained", async () => {
  expect(foreign.length === 0, foreign.join("\n"));
  expect(complaints.length === 0, complaints.join("\n"));
});

await browser.close();
console.log(`\n${passed} passed, ${failed} failed`);
