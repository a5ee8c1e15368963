/* Form fields of JSON schemas, as parameters of processes have them.
 *
 * A field is {element, read(nodes), hint(collection)}: `read` gives the value, undefined where nothing was entered, or
 * throws an Error that says what is wrong; what needs a node of its own (a cube) adds it to `nodes`. `hint` shows what
 * a collection that was chosen beside it has to offer. */
import { el, prose, show } from "./dom.js";

let numbered = 0;

const types = (schema) => [schema.type ?? []].flat();
const isSubtype =
  (...names) =>
  (schema) =>
    names.includes(schema.subtype);
const isType =
  (...names) =>
  (schema) =>
    types(schema).some((type) => names.includes(type));
const preset = (value) =>
  value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

/* ---- kinds --------------------------------------------------------------------------------------------------------
 * make(schema, {id, value, parameter, context}): {element, read, hint} */

function simple(input, convert, hint) {
  return { element: input, read: () => (input.value.trim() === "" ? undefined : convert(input.value.trim())), hint };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`is no valid JSON: ${error.message}`);
  }
}

function makeText(schema, { id, value }) {
  return simple(el("input", { id, type: "text", value: preset(value), autocomplete: "off" }), (text) => text);
}

function makeLongText(schema, { id, value }) {
  return simple(el("textarea", { id, rows: 4, value: preset(value), spellcheck: "false" }), (text) => text);
}

function makeNumber(schema, { id, value }) {
  const whole = types(schema).includes("integer") && !types(schema).includes("number");
  const input = el("input", { id, type: "text", inputmode: whole ? "numeric" : "decimal", value: preset(value) });
  return simple(input, (text) => {
    const number = Number(text);
    if (!Number.isFinite(number)) throw new Error("wants a number");
    if (whole && !Number.isInteger(number)) throw new Error("wants a whole number");
    if (number < schema.minimum) throw new Error(`wants at least ${schema.minimum}`);
    if (number > schema.maximum) throw new Error(`wants at most ${schema.maximum}`);
    return number;
  });
}

function select(id, options, value) {
  const choices = options.map((option) => ({ option, text: preset(option) || "null" }));
  const input = el(
    "select",
    { id },
    el("option", { value: "" }, "not set"),
    choices.map(({ text }, i) => el("option", { value: i }, text)),
  );
  const at = options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value));
  if (at >= 0) input.value = at;
  return simple(input, (number) => options[number]);
}

function makeChoice(schema, { id, value }) {
  return select(id, schema.const !== undefined ? [schema.const] : schema.enum, value);
}

function makeBoolean(schema, { id, value }) {
  return select(id, [true, false], value);
}

function makeCollection(schema, { id, value, context }) {
  const input = el(
    "select",
    { id, "data-collection": true },
    el("option", { value: "" }, "choose a collection"),
    context.collections.map((one) => el("option", { value: one.id }, one.title ? `${one.id}: ${one.title}` : one.id)),
  );
  input.value = preset(value);
  return simple(input, (text) => text);
}

function makeBox(schema, { id, value }) {
  const edges = ["west", "south", "east", "north"];
  const inputs = edges.map((edge, i) =>
    el("input", {
      id: i === 0 ? id : `${id}-${edge}`,
      type: "text",
      inputmode: "decimal",
      value: preset(value?.[edge]),
    }),
  );
  const crs = el("input", {
    id: `${id}-crs`,
    type: "text",
    inputmode: "numeric",
    placeholder: "4326",
    value: preset(value?.crs),
  });
  const read = () => {
    if (inputs.every((input) => input.value.trim() === "")) return undefined;
    const box = Object.fromEntries(edges.map((edge, i) => [edge, Number(inputs[i].value)]));
    if (inputs.some((input) => input.value.trim() === "") || !Object.values(box).every(Number.isFinite))
      throw new Error("wants four numbers, or none");
    if (box.south > box.north) throw new Error("has its south above its north");
    const code = crs.value.trim();
    return code === "" ? box : { ...box, crs: /^\d+$/.test(code) ? Number(code) : code };
  };
  const hint = (collection) => {
    const box = collection?.extent?.spatial?.bbox?.[0] ?? [];
    const four = box.length === 6 ? [box[0], box[1], box[3], box[4]] : box;
    inputs.forEach((input, i) => (input.placeholder = four[i] === undefined ? "" : +four[i].toFixed(4)));
  };
  const labelled = (text, input) => el("label", { for: input.id }, text, input);
  return {
    read,
    hint,
    element: el(
      "div",
      { class: "pair" },
      edges.map((edge, i) => labelled(edge, inputs[i])),
      labelled("CRS (EPSG code)", crs),
    ),
  };
}

function makeInterval(schema, { id, value }) {
  const input = (i, text) =>
    el("input", {
      id: i === 0 ? id : `${id}-end`,
      type: "text",
      placeholder: text,
      value: preset(value?.[i]),
      autocomplete: "off",
    });
  const start = input(0, "2024-01-01"),
    end = input(1, "2025-01-01");
  const read = () => {
    const [from, until] = [start.value.trim() || null, end.value.trim() || null];
    for (const date of [from, until])
      if (date !== null && Number.isNaN(Date.parse(date))) throw new Error(`'${date}' is no date such as 2024-01-31`);
    return from === null && until === null ? undefined : [from, until];
  };
  const hint = (collection) => {
    const [first, last] = collection?.extent?.temporal?.interval?.[0] ?? [];
    start.placeholder = first ? `from ${String(first).slice(0, 10)}` : "2024-01-01";
    end.placeholder = last ? `until ${String(last).slice(0, 10)}` : "2025-01-01";
  };
  return {
    read,
    hint,
    element: el(
      "div",
      { class: "pair" },
      el("label", { for: start.id }, "start (included)", start),
      el("label", { for: end.id }, "end (left out)", end),
    ),
  };
}

/* Words parted by commas, or JSON. */
function makeArray(schema, { id, value, parameter }) {
  const items = schema.items ?? {};
  const isPlain = isType("string", "number", "integer")(items) || types(items).length === 0;
  const input = el("input", {
    id,
    type: "text",
    value: preset(value),
    autocomplete: "off",
    placeholder: isPlain ? "a, b, c or JSON" : "JSON, such as [1, 2]",
  });
  const one = (text) => (isType("string")(items) || text === "" || Number.isNaN(Number(text)) ? text : Number(text));
  const convert = (text) => {
    const list = text.startsWith("[")
      ? parseJson(text)
      : isPlain
        ? text.split(",").map((part) => one(part.trim()))
        : parseJson(text);
    if (!Array.isArray(list)) throw new Error("wants a list");
    return list;
  };
  const hint = (collection) => {
    const bands = Object.values(collection?.["cube:dimensions"] ?? {}).find(({ type }) => type === "bands")?.values;
    if (bands && /band/.test(parameter.name)) input.placeholder = bands.join(", ");
  };
  return simple(input, convert, hint);
}

function makeJson(schema, { id, value }) {
  const input = el("textarea", {
    id,
    class: "json",
    rows: 4,
    spellcheck: "false",
    placeholder: "JSON",
    value: value === undefined || value === null ? "" : JSON.stringify(value, null, 2),
  });
  return simple(input, (text) => {
    const json = parseJson(text);
    if (schema.type === "object" && (json === null || typeof json !== "object" || Array.isArray(json)))
      throw new Error("wants a JSON object");
    return json;
  });
}

/* A process that takes what the callback is given, by name; what has other names, in order. */
function callback(process, given) {
  const left = given.filter((name) => !process.parameters.some((one) => one.name === name));
  const taken = {};
  for (const { name, optional } of process.parameters) {
    const from = given.includes(name) ? name : optional ? undefined : left.shift();
    if (from !== undefined) taken[name] = { from_parameter: from };
    else if (!optional) throw new Error(`'${process.id}' wants '${name}', which is not given here; please write JSON`);
  }
  return { process_graph: { one: { process_id: process.id, arguments: taken, result: true } } };
}

function makeProcess(schema, { id, value, context }) {
  const given = (schema.parameters ?? []).map(({ name }) => name);
  const names = context.processes.filter(({ parameters }) => parameters.length > 0).map((one) => one.id);
  const list = el(
    "datalist",
    { id: `${id}-list` },
    names.map((name) => el("option", { value: name })),
  );
  const input = el("textarea", {
    id,
    class: "json",
    rows: 2,
    spellcheck: "false",
    value: preset(value),
    placeholder: "a process graph as JSON",
  });
  const name = el("input", {
    id: `${id}-name`,
    type: "text",
    list: list.id,
    placeholder: "such as mean",
    autocomplete: "off",
  });
  const read = () => {
    if (name.value.trim() !== "") {
      const process = context.processes.find((one) => one.id === name.value.trim());
      if (!process) throw new Error(`there is no process '${name.value.trim()}'`);
      return callback(process, given);
    }
    if (input.value.trim() === "") return undefined;
    const json = parseJson(input.value);
    return json.process_graph ? json : { process_graph: json };
  };
  return {
    read,
    hint: () => {},
    element: el(
      "div",
      null,
      el(
        "label",
        { for: name.id, class: "help" },
        `A process${given.length ? `, which is given ${given.join(", ")}` : ""}`,
      ),
      name,
      list,
      el("label", { for: id, class: "help" }, "or a graph of several"),
      input,
    ),
  };
}

/* A cube is a collection that is loaded for it. */
function makeCube(schema, { context, value }) {
  const load = context.processes.find(({ id }) => id === "load_collection");
  const inner = group(
    load.parameters.filter(({ name }) => name !== "properties"),
    context,
    value ?? {},
  );
  const read = (nodes) => ({
    from_node: nodes.add("load", { process_id: "load_collection", arguments: inner.read(nodes) }),
  });
  return {
    read,
    hint: () => {},
    element: el("div", { class: "nested" }, el("p", { class: "help" }, "Data of a collection:"), inner.element),
  };
}

/* The first row that fits makes the field. */
const kinds = [
  ["one of", (schema) => Array.isArray(schema.enum) || schema.const !== undefined, makeChoice],
  ["collection", isSubtype("collection-id"), makeCollection],
  ["data of a collection", isSubtype("datacube", "raster-cube"), makeCube],
  ["process", isSubtype("process-graph"), makeProcess],
  ["box", isSubtype("bounding-box"), makeBox],
  ["interval", isSubtype("temporal-interval"), makeInterval],
  ["GeoJSON", isSubtype("geojson", "vector-cube"), makeJson],
  ["long text", isSubtype("udf-code", "wkt2-definition"), makeLongText],
  ["true or false", isType("boolean"), makeBoolean],
  ["number", isType("number", "integer"), makeNumber],
  ["text", isType("string"), makeText],
  ["list", isType("array"), makeArray],
  ["JSON", () => true, makeJson],
];

/* ---- fields and groups ---- */

/* The forms that a value may take, each once; whether null is one of them. */
function alternatives(schema) {
  const list = [schema].flat().flatMap((one) => one.anyOf ?? one.oneOf ?? [one]);
  const isNull = (one) => types(one).length === 1 && types(one)[0] === "null";
  const found = [];
  for (const one of list.filter((each) => !isNull(each))) {
    const [name, , make] = kinds.find(([, fits]) => fits(one));
    if (!found.some((other) => other.name === name)) found.push({ name, make, schema: one });
  }
  if (found.length === 0) found.push({ name: "JSON", make: makeJson, schema: {} });
  return { found, nullable: list.some((one) => types(one).includes("null")) };
}

/* What a value that is there already looks like. */
function fitting(found, value) {
  const type = Array.isArray(value) ? "array" : typeof value;
  const fits = (one) =>
    types(one.schema).includes(type) || (type === "number" && types(one.schema).includes("integer"));
  return value === undefined || value === null ? 0 : Math.max(0, found.findIndex(fits));
}

function field(parameter, context, value = parameter.default) {
  const id = `field-${++numbered}`;
  const { found, nullable } = alternatives(parameter.schema ?? {});
  const wrong = el("p", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  const place = el("div");
  let made;
  const choose = (at) => {
    made = found[at].make(found[at].schema, { id, value, parameter, context });
    show(place, made.element);
    for (const input of inputs()) input.setAttribute("aria-describedby", `${id}-help ${id}-wrong`);
  };
  const inputs = () =>
    [...place.querySelectorAll("input, select, textarea")].filter(
      (one) => !place.contains(one.closest(".nested")),
    ); /* those have fields of their own */
  choose(fitting(found, value));
  const as =
    found.length > 1 &&
    el(
      "div",
      { class: "as" },
      el("label", { for: `${id}-as` }, "as"),
      el(
        "select",
        { id: `${id}-as`, onchange: (event) => choose(event.target.selectedIndex) },
        found.map(({ name }, i) => el("option", { selected: i === fitting(found, value) }, name)),
      ),
    );
  const read = (nodes) => {
    show(wrong);
    inputs().forEach((input) => input.removeAttribute("aria-invalid"));
    try {
      const entered = made.read(nodes);
      if (entered === undefined && !parameter.optional && !nullable) throw new Error("wants a value");
      return entered === undefined && !parameter.optional ? null : entered;
    } catch (error) {
      if (error.field) throw error; /* of a field within this one */
      inputs().forEach((input) => input.setAttribute("aria-invalid", "true"));
      show(wrong, `${parameter.name} ${error.message}`);
      throw Object.assign(new Error(`${parameter.name} ${error.message}`), { field: inputs()[0] });
    }
  };
  return {
    name: parameter.name,
    read,
    hint: (collection) => made.hint?.(collection),
    element: el(
      "fieldset",
      { class: "field" },
      el(
        "legend",
        null,
        el("label", { for: id }, parameter.name),
        !parameter.optional && !nullable && el("span", { class: "required", title: "needed" }, " *"),
      ),
      el("div", { class: "help", id: `${id}-help` }, prose(parameter.description).slice(0, 1)),
      as,
      place,
      wrong,
    ),
  };
}

/* Fields of parameters, of which those of a collection's beside it hear; read() gives the arguments, and throws the
 * first thing that is wrong after all were looked at. */
export function group(parameters, context, values = {}) {
  const fields = parameters.map((parameter) => field(parameter, context, values[parameter.name]));
  const element = el(
    "div",
    null,
    fields.map((one) => one.element),
  );
  const hear = async (id) => {
    const collection = id && (await context.collection(id));
    fields.forEach((one) => one.hint(collection));
  };
  element.addEventListener("change", (event) => {
    if (!event.target.matches("[data-collection]")) return;
    event.stopPropagation();
    hear(event.target.value);
  });
  const chosen = element.querySelector("[data-collection]");
  if (chosen?.value) hear(chosen.value);
  const read = (nodes) => {
    const values = {};
    let first = null;
    for (const one of fields)
      try {
        const value = one.read(nodes);
        if (value !== undefined) values[one.name] = value;
      } catch (error) {
        first ??= error;
      }
    if (first) throw first;
    return values;
  };
  return { element, read };
}
