/* EXPLAIN: what a job does, stage by stage, as the server planned it. */
import { read } from "./api.js";
import { bytes, count, el, show } from "./dom.js";

const MEANING = {
  source: "gives data",
  kernel: "computes element by element",
  warp: "resamples",
  pass: "passes on",
  kept: "is kept for several readers",
  accumulate: "reduces in parts",
  zones: "statistics by geometry",
  gather: "gathers whole series",
  clip: "cuts by geometries",
  patches: "neighbourhoods",
  chunks: "parts along an axis",
  regroup: "reorders",
};

function numbers(plan) {
  const tiles = plan.phases.reduce((sum, phase) => sum + phase.tiles, 0);
  const list = [
    ["Reads", bytes(plan.read_bytes)],
    ["Computes", `${count(plan.computed_elements)} elements`],
    ["Tiles", count(tiles)],
    ["Memory at most", bytes(plan.peak_memory)],
    ["Threads", plan.threads],
  ];
  return el(
    "dl",
    { class: "numbers" },
    list.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))),
  );
}

function stages(plan) {
  return el(
    "ol",
    { class: "stages", start: 0 },
    plan.stages.map(({ kind, node, elements, reads }, i) =>
      el(
        "li",
        null,
        el("span", { class: "kind" }, `${i} ${kind}`),
        " ",
        el("code", null, node),
        el(
          "div",
          { class: "facts" },
          [
            MEANING[kind],
            `${count(elements)} elements`,
            reads.length > 0 && `from stage ${[...new Set(reads)].join(", ")}`,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
    ),
  );
}

/* Fills `place` with the plan of a job; an error of the graph is what its plan would be. */
export async function showPlan(place, job) {
  show(place, el("p", { class: "facts" }, "Planning …"));
  try {
    const { text, plan } = await read(`/jobs/${encodeURIComponent(job)}/explain`);
    if (plan.elsewhere !== undefined) show(place, el("pre", { tabindex: 0, class: "explain" }, text));
    else if (plan.stages === undefined)
      show(place, el("p", null, "The result is known without reading or computing any pixel."));
    else
      show(
        place,
        numbers(plan),
        stages(plan),
        el(
          "details",
          null,
          el("summary", null, "All of the plan, with its kernels"),
          el("pre", { tabindex: 0, class: "explain" }, text),
        ),
      );
  } catch (error) {
    show(place, el("p", { class: "message bad" }, `There is no plan: ${error.message}`));
  }
}
