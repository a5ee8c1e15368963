/* A form for any process or stored graph, made of its parameters; and one for a graph as JSON. */
import { ask, read, readAll } from "./api.js";
import { el, prose, show } from "./dom.js";
import { group } from "./fields.js";

let known; /* processes, stored graphs, collections, formats; read once for each visit of the page */

/* The whole document of a collection; null where it cannot be had, which costs no more than its hints. */
function collection(id) {
  return read(`/collections/${encodeURIComponent(id)}`).catch(() => null);
}

async function everything() {
  known ??= Promise.all([
    read("/processes"),
    readAll("/process_graphs", "processes"),
    readAll("/collections", "collections"),
    read("/file_formats"),
  ])
    .then(([{ processes }, stored, collections, { output }]) => ({
      processes,
      stored,
      collections,
      formats: Object.keys(output),
      collection,
    }))
    .catch((error) => {
      known = undefined;
      throw error;
    });
  return known;
}

/* Stored graphs may have changed, or be another user's. */
export function forget() {
  known = undefined;
}

/* Nodes of a graph in the making: add(name, node) gives the id that it got. */
class Nodes {
  constructor() {
    this.all = {};
  }

  add(name, node) {
    let id = name;
    for (let i = 2; id in this.all; i++) id = `${name}${i}`;
    this.all[id] = node;
    return id;
  }
}

function givesCube(process) {
  return [process.returns?.schema ?? {}].flat().some(({ subtype }) => /cube$/.test(subtype ?? ""));
}

/* ---- sending ---- */

async function validate(process_graph) {
  const { errors } = await read("/validation", { method: "POST", json: { process_graph } });
  return errors.map(({ code, message }) => `${code}: ${message}`);
}

/* A job that starts at once, or that waits until its plan was looked at. */
async function create(process_graph, title, starts) {
  const made = await ask("/jobs", { method: "POST", json: { title: title || undefined, process: { process_graph } } });
  const id = made.headers.get("OpenEO-Identifier");
  if (starts) await ask(`/jobs/${id}/results`, { method: "POST" });
  location.hash = `#/jobs/${id}`;
}

/* Buttons below a form; `graph()` gives the process graph or throws. */
function sending(form, graph, name) {
  const title = el("input", { id: "job-title", type: "text", value: name, autocomplete: "off" });
  const say = el("div", { role: "status" });
  const act = (work) => async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    try {
      const made = graph();
      buttons.forEach((button) => (button.disabled = true));
      await work(made);
    } catch (error) {
      show(say, el("p", { class: "message bad" }, error.message));
      error.field?.focus();
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  };
  const check = act(async (made) => {
    const errors = await validate(made);
    show(
      say,
      errors.length === 0
        ? el("p", { class: "message" }, "The graph is valid.")
        : errors.map((text) => el("p", { class: "message bad" }, text)),
    );
  });
  const written = el("pre", { tabindex: 0 });
  const look = el("details", null, el("summary", null, "The process graph that is sent"), written);
  look.addEventListener("toggle", () => {
    try {
      written.textContent = JSON.stringify(graph(), null, 2);
    } catch (error) {
      written.textContent = error.message;
    }
  });
  form.addEventListener(
    "submit",
    act((made) => create(made, title.value.trim(), true)),
  );
  form.append(
    el("div", { class: "field" }, el("label", { for: "job-title" }, "Title of the job"), title),
    el(
      "p",
      { class: "actions" },
      el("button", { id: "start" }, "Start job"),
      el(
        "button",
        { type: "button", class: "quiet", onclick: act((made) => create(made, title.value.trim(), false)) },
        "Prepare, and see the plan",
      ),
      el("button", { type: "button", class: "quiet", onclick: check }, "Check"),
    ),
    say,
    look,
  );
  return form;
}

function processForm(process, all, values) {
  const fields = group(process.parameters ?? [], all, values);
  const formats = el(
    "select",
    { id: "job-format" },
    el("option", { value: "" }, "as is usual for the data"),
    all.formats.map((name) => el("option", null, name)),
  );
  const graph = () => {
    const nodes = new Nodes();
    const last = nodes.add(process.id, { process_id: process.id, arguments: fields.read(nodes) });
    const node =
      formats.value === ""
        ? last
        : nodes.add("save", {
            process_id: "save_result",
            arguments: { data: { from_node: last }, format: formats.value },
          });
    nodes.all[node].result = true;
    return nodes.all;
  };
  const form = el(
    "form",
    { novalidate: true },
    fields.element,
    givesCube(process) &&
      el("div", { class: "field" }, el("label", { for: "job-format" }, "Format of the result"), formats),
  );
  return sending(form, graph, process.summary || process.id);
}

function graphForm() {
  const text = el("textarea", {
    id: "graph-text",
    class: "json",
    rows: 16,
    spellcheck: "false",
    value: '{\n  "add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": true}\n}',
  });
  const graph = () => {
    try {
      const json = JSON.parse(text.value);
      return json.process?.process_graph ?? json.process_graph ?? json;
    } catch (error) {
      throw Object.assign(new Error(`This is no valid JSON: ${error.message}`), { field: text });
    }
  };
  return sending(
    el(
      "form",
      { novalidate: true },
      el("div", { class: "field" }, el("label", { for: "graph-text" }, "Process graph (JSON)"), text),
    ),
    graph,
    "",
  );
}

/* ---- the page ---- */

function chooser(all, chosen) {
  const find = () => [...all.stored, ...all.processes].some(({ id }) => id === input.value.trim());
  const go = () => find() && (location.hash = `#/new/${encodeURIComponent(input.value.trim())}`);
  const input = el("input", {
    id: "process",
    type: "search",
    list: "process-names",
    value: chosen ?? "",
    autocomplete: "off",
    placeholder: "name of a process",
    onchange: go,
  });
  const option =
    (note) =>
    ({ id, summary }) =>
      el("option", { value: id }, `${note}${summary ?? ""}`);
  return el(
    "form",
    {
      class: "field",
      onsubmit: (event) => {
        event.preventDefault();
        go();
      },
    },
    el("label", { for: "process" }, "Process or stored graph"),
    input,
    el("datalist", { id: "process-names" }, all.stored.map(option("stored: ")), all.processes.map(option(""))),
    all.stored.length > 0 &&
      el(
        "p",
        { class: "facts" },
        "Your stored graphs: ",
        all.stored.map(({ id }, i) => [i > 0 && ", ", el("a", { href: `#/new/${encodeURIComponent(id)}` }, id)]),
      ),
    el("p", { class: "facts" }, "Or ", el("a", { href: "#/graph" }, "paste a process graph"), "."),
  );
}

/* `name` of the process, or undefined to choose one; `values` of parameters that are known already. */
export async function showStart(place, name, values) {
  const all = await everything();
  /* the list leaves out parameters of stored graphs where they are many: the document has all */
  const stored = all.stored.some(({ id }) => id === name);
  const process = stored
    ? await read(`/process_graphs/${encodeURIComponent(name)}`)
    : all.processes.find(({ id }) => id === name);
  show(
    place,
    el("h1", null, process ? "Start " : "Start a process", process && el("code", null, process.id)),
    chooser(all, name),
    name !== undefined && !process && el("p", { class: "message bad" }, `There is no process '${name}'.`),
    process && el("div", { class: "lead" }, prose(process.summary)),
    process && el("details", null, el("summary", null, "What it does"), prose(process.description)),
    process && processForm(process, all, values),
  );
}

export function showGraph(place) {
  show(place, el("h1", null, "Start a process graph"), graphForm());
}
