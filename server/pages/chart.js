/* Lines over dates or numbers, as SVG. */
import { el, svg } from "./dom.js";

const WIDTH = 720,
  HEIGHT = 300,
  LEFT = 64,
  RIGHT = 12,
  TOP = 10,
  BOTTOM = 34,
  COLOURS = 6,
  TICKS = 5;

/* Round numbers that span [low, high]. */
function ticks(low, high) {
  const rough = (high - low || 1) / TICKS,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const list = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) list.push(i * step);
  return list;
}

function dateTicks(low, high) {
  return Array.from({ length: TICKS }, (_, i) => low + ((high - low) * i) / (TICKS - 1));
}

function numberText(number) {
  return Math.abs(number) >= 1e5 || (number !== 0 && Math.abs(number) < 1e-3)
    ? number.toExponential(1)
    : String(+number.toPrecision(6));
}

function dateText(ms, span) {
  const text = new Date(ms).toISOString();
  return span > 2 * 86400e3 ? text.slice(0, 10) : text.slice(5, 16).replace("T", " ");
}

/* Runs of neighbours that are known: what is missing is a gap. */
function runs(points) {
  const list = [[]];
  for (const point of points)
    if (Number.isFinite(point[1])) list.at(-1).push(point);
    else if (list.at(-1).length > 0) list.push([]);
  return list.filter((run) => run.length > 0);
}

function range(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/* `plot`: {x, isDates, series: [{name, points: [[x, y or null]]}]}; dates are in milliseconds. */
export function chart(plot, title) {
  const all = plot.series.flatMap(({ points }) => points).filter(([, y]) => Number.isFinite(y));
  if (all.length === 0) return el("p", null, "There is no number to plot.");
  const [x0, x1] = range(all.map(([x]) => x)),
    [y0, y1] = range(all.map(([, y]) => y));
  const px = (x) => LEFT + ((x - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const py = (y) => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const xTicks = (plot.isDates ? dateTicks : ticks)(x0, x1),
    last = xTicks.length - 1;
  const lines = plot.series.flatMap(({ name, points }, i) =>
    runs(points).flatMap((run) => [
      svg("path", {
        class: `series c${i % COLOURS}`,
        "stroke-dasharray": i >= COLOURS ? "5 3" : null,
        d: `M${run.map(([x, y]) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("L")}`,
      }),
      run.length <= 60 &&
        run.map(([x, y]) =>
          svg(
            "circle",
            { class: `c${i % COLOURS}`, cx: px(x).toFixed(1), cy: py(y).toFixed(1), r: 2.6 },
            svg("title", null, `${name}: ${numberText(y)} at ${plot.isDates ? dateText(x, x1 - x0) : numberText(x)}`),
          ),
        ),
    ]),
  );
  const picture = svg(
    "svg",
    {
      class: "chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `${title}; the numbers are in the table`,
    },
    ticks(y0, y1).map((y) => [
      svg("path", { class: "axis", d: `M${LEFT} ${py(y)}H${WIDTH - RIGHT}` }),
      svg("text", { x: LEFT - 6, y: py(y) + 4, "text-anchor": "end" }, numberText(y)),
    ]),
    xTicks.map((x, i) =>
      svg(
        "text",
        { x: px(x), y: HEIGHT - BOTTOM + 18, "text-anchor": i === 0 ? "start" : i === last ? "end" : "middle" },
        plot.isDates ? dateText(x, x1 - x0) : numberText(x),
      ),
    ),
    lines,
  );
  const legend = el(
    "ul",
    { class: "chart-legend" },
    plot.series.map(({ name }, i) =>
      el(
        "li",
        null,
        svg(
          "svg",
          { viewBox: "0 0 20 10", "aria-hidden": true },
          svg("path", {
            class: `series c${i % COLOURS}`,
            d: "M0 5H20",
            "stroke-dasharray": i >= COLOURS ? "5 3" : null,
          }),
        ),
        name,
      ),
    ),
  );
  return el("div", null, picture, plot.series.length > 1 && legend);
}
