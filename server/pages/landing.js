/* What this server is and has, read from its own API. */
import { local, page, read, server } from "./api.js";
import { copyButton, el, prose, show, tabs, webAddress } from "./dom.js";
import { globe } from "./globe.js";
import { snippets } from "./snippets.js";

const at = (id) => document.getElementById(id);

function problem(error) {
  at("problem").append(el("p", { class: "message bad" }, `Something could not be read: ${error.message}`));
}

/* ---- the head ---- */

async function about() {
  const [{ url, api, versions }, capabilities] = await Promise.all([server(), read("/")]);
  at("title").textContent = capabilities.title === "twincube" ? "twincube, an openEO server" : capabilities.title;
  show(at("about"), prose(capabilities.description));
  show(
    at("facts"),
    versions.map(({ api_version: number }) => el("li", null, `openEO ${number}`)),
    el("li", null, `twincube ${capabilities.backend_version}`),
    el("li", null, `STAC ${capabilities.stac_version}`),
  );
  at("version").textContent = capabilities.backend_version;
  at("address").textContent = url;
  at("copy-address").append(copyButton(url));
  show(
    at("link-list"),
    capabilities.links
      .filter(({ rel }) => rel !== "child" && rel !== "root" && rel !== "self")
      .filter(({ href, rel }) => webAddress(href) && !rel.startsWith("http"))
      .map(({ href, title, rel }) => el("li", null, el("a", { href }, title ?? rel), el("span", null, href))),
  );
  return { url, api, capabilities };
}

/* The editor of this server where it has one, else the public one; both are told where this server is. */
async function editor({ url }) {
  const answer = await fetch(page(""), { headers: { Accept: "application/json" } });
  const own = (await answer.json()).links.some(({ href }) => href === `${url}/editor/`);
  const address = `${own ? page("editor/") : "https://editor.openeo.org/"}?server=${encodeURIComponent(url)}`;
  at("editor").href = address;
  return address;
}

async function connect(known) {
  const address = await editor(known);
  const panels = snippets(known.url, known.api, address).map(({ name, text, hint, link }) => ({
    name,
    panel: [
      el("p", null, hint, link && [" ", el("a", { href: link, rel: "noreferrer" }, link)]),
      text && el("div", { class: "snippet" }, el("pre", { tabindex: 0 }, el("code", null, text)), copyButton(text)),
    ].filter(Boolean),
  }));
  show(at("connect-tabs"), tabs("Ways to connect", panels));
}

/* ---- collections ---- */

let collections = [],
  next = "/collections?limit=200",
  world = null;

function interval(collection) {
  const [start, end] = collection.extent?.temporal?.interval?.[0] ?? [];
  const day = (text) => (text ? String(text).slice(0, 10) : null);
  if (!start && !end) return "no dates";
  return day(start) === day(end) ? day(start) : `${day(start) ?? "…"} to ${day(end) ?? "now"}`;
}

/* The picture of a collection, of this server or from where the operator has it; none that cannot be had. */
async function thumbnail(collection) {
  const picture = Object.values(collection.assets ?? {}).find(
    ({ href, roles }) => webAddress(href) && (roles ?? []).some((role) => role === "thumbnail" || role === "overview"),
  );
  if (!picture) return null;
  const image = el("img", { src: await local(webAddress(picture.href)), alt: "", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.remove());
  return image;
}

function bandsText(collection) {
  const bands = Object.values(collection["cube:dimensions"] ?? {}).find(({ type }) => type === "bands")?.values ?? [];
  return bands.length === 0
    ? ""
    : ` · ${bands.length} ${bands.length === 1 ? "band" : "bands"}: ` +
        bands.slice(0, 8).join(", ") +
        (bands.length > 8 ? " …" : "");
}

/* The list has no bands and pictures: the document of a collection is read when its card comes into sight. */
const arrivals = new IntersectionObserver((entries) =>
  entries
    .filter((one) => one.isIntersecting)
    .forEach(({ target }) => {
      arrivals.unobserve(target);
      read(`/collections/${encodeURIComponent(target.dataset.id)}`)
        .then(async (collection) => {
          const picture = await thumbnail(collection);
          if (picture) target.prepend(picture);
          target.querySelector(".facts").append(bandsText(collection));
        })
        .catch(() => {});
    }),
);

function card(collection) {
  const { id, title, description } = collection;
  const lit = (on) => () => world?.light(on ? id : null);
  const made = el(
    "li",
    {
      class: "card",
      id: `collection-${id}`,
      "data-id": id,
      tabindex: -1,
      onmouseenter: lit(true),
      onmouseleave: lit(false),
      onfocusin: lit(true),
      onfocusout: lit(false),
    },
    el("h3", null, title || id),
    el("p", { class: "id" }, el("code", null, id)),
    el("div", { class: "short" }, prose(description).slice(0, 1)),
    el("p", { class: "facts" }, interval(collection)),
    el(
      "p",
      null,
      el("a", { href: `console#/new/load_collection?id=${encodeURIComponent(id)}` }, "Load in the console"),
    ),
  );
  arrivals.observe(made);
  return made;
}

function showCollections() {
  const words = at("collection-search").value.toLowerCase();
  const chosen = collections.filter(({ id, title, description, keywords }) =>
    [id, title, description, ...(keywords ?? [])].join(" ").toLowerCase().includes(words),
  );
  show(at("collection-list"), chosen.map(card));
  at("collection-count").textContent = `${chosen.length}${next ? "+" : ""}`;
  if (collections.length === 0) show(at("collection-list"), el("li", null, "There are no collections yet."));
  const places = collections.map(({ id, title, extent }) => ({
    id,
    title: title || id,
    boxes: (extent?.spatial?.bbox ?? []).filter((box) => box.every(Number.isFinite)),
  }));
  world = globe(places, (id) => at(`collection-${id}`)?.focus());
  show(at("world"), world.element);
}

async function moreCollections() {
  const part = await read(next);
  collections = collections.concat(part.collections);
  const link = part.links.find(({ rel }) => rel === "next")?.href;
  next = link ? `/collections${new URL(link).search}` : null;
  at("collections-more").hidden = !next;
  showCollections();
}

/* ---- processes ---- */

let processes = [],
  category = "";

function typeName(schema) {
  const names = [schema].flat().map((one) => one?.subtype ?? [one?.type ?? "any"].flat().join(" or "));
  return [...new Set(names)].join(" or ");
}

function processRow(process) {
  const { id, summary, description, parameters, returns } = process;
  const row = el("details", null, el("summary", null, el("code", null, id), " ", el("span", null, summary)));
  row.addEventListener("toggle", () => {
    if (!row.open || row.childElementCount > 1) return;
    row.append(
      el(
        "div",
        { class: "inside" },
        prose(description),
        parameters.length > 0 &&
          el(
            "dl",
            null,
            parameters.map((parameter) => [
              el(
                "dt",
                null,
                el("code", null, parameter.name),
                ` ${typeName(parameter.schema)}`,
                parameter.optional && ", optional",
              ),
              el("dd", null, prose(parameter.description)),
            ]),
          ),
        el("p", null, el("strong", null, "Gives "), typeName(returns?.schema)),
        el("p", null, el("a", { href: `console#/new/${encodeURIComponent(id)}` }, "Start in the console")),
      ),
    );
  });
  return el("li", null, row);
}

function showProcesses() {
  const words = at("process-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ id, summary, description, categories }) => {
    const text = [id, summary, description, ...(categories ?? [])].join(" ").toLowerCase();
    return words.every((word) => text.includes(word)) && (category === "" || (categories ?? []).includes(category));
  };
  const named = ({ id }) => (words.length > 0 && id.includes(words[0]) ? 0 : 1); /* names before mere mentions */
  const chosen = processes.filter(fits).sort((a, b) => named(a) - named(b) || a.id.localeCompare(b.id));
  at("process-count").textContent =
    chosen.length === processes.length ? chosen.length : `${chosen.length} of ${processes.length}`;
  show(at("process-list"), chosen.map(processRow));
  for (const button of at("categories").children) button.setAttribute("aria-pressed", button.value === category);
}

async function allProcesses() {
  processes = (await read("/processes")).processes;
  const names = [...new Set(processes.flatMap(({ categories }) => categories ?? []))].sort();
  show(
    at("categories"),
    names.map((name) =>
      el(
        "button",
        {
          type: "button",
          value: name,
          onclick: () => {
            category = category === name ? "" : name;
            showProcesses();
          },
        },
        name,
      ),
    ),
  );
  showProcesses();
}

/* ---- formats ---- */

async function formats() {
  const { input, output } = await read("/file_formats");
  const list = (title, formatsOfOne) =>
    el(
      "div",
      null,
      el("h3", null, title),
      el(
        "ul",
        { class: "rows" },
        Object.entries(formatsOfOne).map(([name, { title: long, gis_data_types: types }]) =>
          el("li", null, el("code", null, name), el("span", null, `${long} (${types.join(", ")})`)),
        ),
      ),
    );
  show(at("format-list"), list("Results are written as", output), list("Uploaded files are read as", input));
}

at("collection-search").addEventListener("input", showCollections);
at("collections-more").addEventListener("click", () => moreCollections().catch(problem));
at("process-search").addEventListener("input", showProcesses);
show(at("world"), globe([], () => {}).element);
about().then(connect).catch(problem);
moreCollections().catch(problem);
allProcesses().catch(problem);
formats().catch(problem);
