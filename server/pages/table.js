/* What text formats hold, as a table {columns, rows}, and the lines that can be drawn of a table. */
import { el } from "./dom.js";

const DATE = /^-?\d{4,6}-\d\d(-\d\d)?(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const WKT = /^(POINT|LINESTRING|POLYGON|MULTI[A-Z]+|GEOMETRYCOLLECTION) /;
const MOST_SERIES = 12,
  MOST_ROWS = 500;

/* ---- reading ---- */

/* Comma-separated values, fields in quotes where they need it. */
export function readCsv(text) {
  const rows = [[]];
  const field = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/y;
  for (let value, end = ","; end === "," || field.lastIndex < text.length;) {
    [, value, end] = field.exec(text) ?? [];
    if (value === undefined) break;
    rows.at(-1).push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end !== ",") rows.push([]);
  }
  const [columns, ...rest] = rows.filter((row) => row.length > 1 || (row.length === 1 && row[0] !== ""));
  const number = (cell) => (NUMBER.test(cell) ? Number(cell) : cell);
  return { columns: columns ?? [], rows: rest.map((row) => row.map(number)) };
}

/* Our JSON form of a cube: a row for each position, a column for each band. */
function readCube({ dimensions, data }) {
  const bands = dimensions.findIndex(({ type }) => type === "bands");
  const others = dimensions.map((_, i) => i).filter((i) => i !== bands);
  const label = (i, k) => {
    const text = dimensions[i].labels?.[k] ?? k;
    return WKT.test(String(text)) ? `geometry ${k + 1}` : text;
  };
  const rows = new Map();
  const walk = (value, at) => {
    if (Array.isArray(value) && at.length < dimensions.length) {
      value.forEach((inner, k) => walk(inner, [...at, k]));
      return;
    }
    const key = others.map((i) => at[i]).join(" ");
    if (!rows.has(key))
      rows.set(
        key,
        others.map((i) => label(i, at[i])),
      );
    rows.get(key).push(value);
  };
  walk(data, []);
  const names = bands < 0 ? ["value"] : dimensions[bands].labels;
  return { columns: [...others.map((i) => dimensions[i].name), ...names.map(String)], rows: [...rows.values()] };
}

/* A table of a JSON document, or null: a cube, an array of numbers, of arrays or of objects. */
export function readJson(json) {
  if (json?.type === "datacube" && Array.isArray(json.dimensions) && json.data !== undefined) return readCube(json);
  if (!Array.isArray(json) || json.length === 0) return null;
  if (json.every((one) => one === null || typeof one !== "object"))
    return { columns: ["index", "value"], rows: json.map((one, i) => [i, one]) };
  if (json.every(Array.isArray))
    return { columns: ["index", ...json[0].map((_, i) => String(i))], rows: json.map((row, i) => [i, ...row]) };
  const columns = [...new Set(json.flatMap((one) => Object.keys(one ?? {})))];
  return { columns, rows: json.map((one) => columns.map((name) => one?.[name])) };
}

export function readFeatures({ features }) {
  const columns = [...new Set(features.flatMap(({ properties }) => Object.keys(properties ?? {})))];
  return { columns, rows: features.map(({ properties }) => columns.map((name) => properties?.[name])) };
}

/* ---- what can be drawn ---- */

const isNumber = (value) => typeof value === "number";
const isMissing = (value) => value === null || value === undefined || value === "" || value === "nan";

function seriesOf(points, name) {
  return { name, points: points.sort(([a], [b]) => a - b) };
}

/* Columns that are named by a date, such as 2018-01-06~B4: a line for each row and band. */
function plotWide({ columns, rows }) {
  const dated = columns
    .map((name, i) => ({ i, date: name.split("~")[0], rest: name.split("~").slice(1).join(" ") }))
    .filter(({ date }) => DATE.test(date));
  if (dated.length < 2) return null;
  const names = columns.findIndex((name, i) => !DATE.test(name.split("~")[0]) && rows.some((row) => row[i] != null));
  const kinds = [...new Set(dated.map(({ rest }) => rest))];
  const series = rows.flatMap((row, k) =>
    kinds.map((kind) =>
      seriesOf(
        dated.filter(({ rest }) => rest === kind).map(({ i, date }) => [Date.parse(date), row[i]]),
        [names < 0 ? `feature ${k + 1}` : row[names], kind].filter((part) => part !== "").join(" "),
      ),
    ),
  );
  return { isDates: true, series };
}

/* A column of dates, or the first one where it holds numbers that differ; a line for each column of numbers and each
 * combination of texts. */
function plotLong({ columns, rows }) {
  const whole = (i, test) => rows.length > 1 && rows.every((row) => test(row[i]));
  let x = columns.findIndex((_, i) => whole(i, (value) => typeof value === "string" && DATE.test(value)));
  const isDates = x >= 0;
  if (!isDates && whole(0, isNumber) && columns.length > 1) x = 0;
  if (x < 0) return null;
  const others = columns.map((_, i) => i).filter((i) => i !== x);
  const values = others.filter(
    (i) => rows.some((row) => isNumber(row[i])) && rows.every((row) => isNumber(row[i]) || isMissing(row[i])),
  );
  const texts = others.filter((i) => !values.includes(i) && !rows.every((row) => WKT.test(String(row[i]))));
  const groups = Map.groupBy
    ? Map.groupBy(rows, (row) => texts.map((i) => row[i]).join(" "))
    : rows.reduce((map, row) => {
        const key = texts.map((i) => row[i]).join(" ");
        return map.set(key, [...(map.get(key) ?? []), row]);
      }, new Map());
  const series = [...groups].flatMap(([group, list]) =>
    values.map((i) =>
      seriesOf(
        list.map((row) => [isDates ? Date.parse(row[x]) : row[x], row[i]]),
        [group, columns[i]].filter((part) => part !== "").join(" "),
      ),
    ),
  );
  return series.length > 0 ? { isDates, series } : null;
}

/* What chart() draws, or null; of many lines the first ones. */
export function plotOf(table) {
  const plot = plotWide(table) ?? plotLong(table);
  return plot && { ...plot, series: plot.series.slice(0, MOST_SERIES), more: plot.series.length - MOST_SERIES };
}

/* ---- showing ---- */

function cellText(value) {
  if (isMissing(value)) return "–";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return WKT.test(text) ? text.replace(/^(\w+ .{18}).+$/s, "$1 …") : text;
}

export function tableElement({ columns, rows }, caption) {
  return [
    el(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": caption },
      el(
        "table",
        null,
        el("caption", { class: "visually-hidden" }, caption),
        el(
          "thead",
          null,
          el(
            "tr",
            null,
            columns.map((name) => el("th", { scope: "col" }, name)),
          ),
        ),
        el(
          "tbody",
          null,
          rows.slice(0, MOST_ROWS).map((row) =>
            el(
              "tr",
              null,
              row.map((value) => el("td", { title: cellText(value).slice(0, 300) }, cellText(value).slice(0, 80))),
            ),
          ),
        ),
      ),
    ),
    rows.length > MOST_ROWS && el("p", { class: "facts" }, `The first ${MOST_ROWS} of ${rows.length} rows.`),
  ];
}
