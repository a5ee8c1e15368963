/* One job: its state as it changes, what may be done with it, its result beside its plan, its log. */
import { ask, listen, read } from "./api.js";
import { bytes, count, el, show, time } from "./dom.js";
import { showPlan } from "./plan.js";
import { showResult } from "./result.js";

const LIVE = new Set(["queued", "running"]);
const LOG_MOST = 2000,
  RETRY_MS = 2000;

export function statusElement(status) {
  return el("span", { class: `status ${/^[a-z]+$/.test(status) ? status : ""}` }, status);
}

function whereText(path) {
  return (path ?? []).map(({ node_id: node, parameter }) => [node, parameter].filter(Boolean).join(", ")).join(" / ");
}

function logEntry({ level, message, code, path, time: when }) {
  const where = [when && String(when).replace("T", " ").replace("Z", ""), code, whereText(path)].filter(Boolean);
  return el(
    "li",
    { class: level },
    el("span", { class: "level" }, level),
    el("span", { class: "text" }, message, " ", el("span", { class: "where" }, where.join(" · "))),
  );
}

function usageText({ value, unit }) {
  if (unit === "bytes" || unit === "b") return bytes(value);
  if (unit === "mb") return bytes(value * 2 ** 20);
  return `${value < 100 ? +value.toPrecision(2) : count(value)} ${/seconds$/.test(unit ?? "") ? "s" : (unit ?? "")}`;
}

function usageFacts(job) {
  const used = Object.entries(job.usage ?? {}).map(([name, amount]) => [name.replaceAll("_", " "), usageText(amount)]);
  if (job.costs !== undefined) used.push(["costs", job.costs]);
  return (
    used.length > 0 &&
    el(
      "dl",
      { class: "numbers" },
      used.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))),
    )
  );
}

class JobPage {
  constructor(place, id, signal, changed) {
    Object.assign(this, { id, path: `/jobs/${encodeURIComponent(id)}`, signal, changed, status: null });
    this.title = el("h1");
    this.state = el("span", { role: "status" });
    this.bar = el("progress", { max: 100, value: 0, "aria-label": "Progress of the job" });
    this.percent = el("span", { class: "facts" });
    this.progress = el("div", { class: "progress" }, this.bar, this.percent);
    this.actions = el("p", { class: "actions" });
    this.problem = el("div", { role: "alert" });
    this.facts = el("div");
    this.result = el("div", { id: "result" });
    this.plan = el("div", { id: "plan" });
    this.log = el("ol", { class: "log", tabindex: 0, role: "log", "aria-label": "Log of the job" });
    this.graph = el("pre", { tabindex: 0 });
    show(
      place,
      el("p", null, el("a", { href: "#/" }, "All jobs")),
      el("div", { class: "head" }, this.title, this.state),
      this.facts,
      this.progress,
      this.actions,
      this.problem,
      el(
        "div",
        { class: "side" },
        el("section", { "aria-labelledby": "result-title" }, el("h2", { id: "result-title" }, "Result"), this.result),
        el("section", { "aria-labelledby": "plan-title" }, el("h2", { id: "plan-title" }, "Plan (EXPLAIN)"), this.plan),
      ),
      el("section", { "aria-labelledby": "log-title" }, el("h2", { id: "log-title" }, "Log"), this.log),
      el("section", null, el("details", null, el("summary", null, "Process graph"), this.graph)),
    );
  }

  async open() {
    await this.load();
    showPlan(this.plan, this.id);
    await this.follow();
  }

  async load() {
    this.job = await read(this.path, { signal: this.signal });
    this.title.textContent = this.job.title || this.job.id;
    this.graph.textContent = JSON.stringify(this.job.process, null, 2);
    show(
      this.facts,
      el(
        "p",
        { class: "facts" },
        el("code", null, this.job.id),
        " · created ",
        time(this.job.created),
        " · updated ",
        time(this.job.updated),
      ),
      usageFacts(this.job),
    );
    this.setState(this.job.status, this.job.progress);
  }

  setState(status, progress) {
    this.progress.hidden = !LIVE.has(status);
    this.bar.value = progress ?? 0;
    this.percent.textContent = `${Math.floor(progress ?? 0)} %`;
    if (status === this.status) return;
    this.status = status;
    show(this.state, statusElement(status));
    this.showActions();
    this.showOutcome();
    this.changed();
  }

  /* What the state allows, in the order in which it is wanted. */
  showActions() {
    const button = (name, style, act) =>
      el("button", { type: "button", class: style, onclick: () => this.act(act) }, name);
    const live = LIVE.has(this.status);
    show(
      this.actions,
      !live &&
        button(this.status === "created" ? "Start" : "Start again", this.status === "created" ? "" : "quiet", () =>
          this.start(),
        ),
      live && button("Cancel", "danger", () => ask(`${this.path}/results`, { method: "DELETE" })),
      button("Delete", "danger", () => this.remove()),
    );
  }

  async act(work) {
    show(this.problem);
    try {
      await work();
    } catch (error) {
      show(this.problem, el("p", { class: "message bad" }, error.message));
    }
  }

  async start() {
    await ask(`${this.path}/results`, { method: "POST" });
    show(this.log);
    await this.load();
    this.follow();
  }

  async remove() {
    if (!confirm(`Delete "${this.job.title || this.id}" with its results?`)) return;
    await ask(this.path, { method: "DELETE" });
    location.hash = "#/";
    this.changed();
  }

  showOutcome() {
    const words = {
      created: "Not started yet.",
      queued: "Waiting for its turn.",
      running: "Being computed.",
      canceled: "The job was cancelled.",
      error: "The job has failed; its log says why.",
    };
    this.shown?.abort(); /* a map that was open */
    this.shown = new AbortController();
    this.signal.addEventListener("abort", () => this.shown.abort());
    show(
      this.result,
      el(
        "p",
        { class: this.status === "error" ? "message bad" : "facts" },
        words[this.status] ?? "Reading the result …",
      ),
    );
    if (this.status === "finished")
      showResult(this.result, this.job, this.shown.signal).catch(
        (error) =>
          this.signal.aborted ||
          show(this.result, el("p", { class: "message bad" }, `The result cannot be shown: ${error.message}`)),
      );
  }

  /* Hears of the job until it is over, again where the connection is lost. */
  async follow() {
    this.listening?.abort();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.signal.addEventListener("abort", () => this.listening.abort());
    let last = 0,
      ended = false;
    while (!ended && !signal.aborted)
      try {
        ended = await listen(`${this.path}/events?offset=${last}`, signal, (name, data) => {
          if (name === "status") this.setState(data.status, data.progress);
          else if (name === "log" && Number(data.id) > last) {
            last = Number(data.id);
            this.addLog(data);
          }
        });
        if (!ended) await new Promise((wake) => setTimeout(wake, RETRY_MS));
      } catch (error) {
        if (signal.aborted) return;
        if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
        await new Promise((wake) => setTimeout(wake, RETRY_MS));
      }
    if (!signal.aborted) await this.load();
  }

  addLog(entry) {
    const follows = this.log.scrollTop + this.log.clientHeight > this.log.scrollHeight - 30;
    this.log.append(logEntry(entry));
    while (this.log.childElementCount > LOG_MOST) this.log.firstChild.remove();
    if (follows) this.log.scrollTop = this.log.scrollHeight;
  }
}

/* Shows a job in `place` until `signal` is aborted; `changed()` is called when its state is another one. */
export async function showJob(place, id, signal, changed) {
  await new JobPage(place, id, signal, changed).open();
}
