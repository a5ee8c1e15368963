/* The console: who is logged in, the list of jobs, and beside it what the address after # names. */
import { read, setToken, local, token } from "./api.js";
import { el, show, time } from "./dom.js";
import { showJob, statusElement } from "./job.js";
import { comeBack, showLogin } from "./login.js";
import { removeOldMaps } from "./result.js";
import { forget, showGraph, showStart } from "./start.js";

const at = (id) => document.getElementById(id);
const PAGE = 30,
  LOOK_MS = 3000;
let visit = null; /* of what is shown: aborted when something else is */
let jobs = [],
  next = null;

function problem(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401 || (error.status === 403 && /^(Token|Auth)/.test(error.code)))
    logOut("Please log in again.");
  else show(at("content"), el("p", { class: "message bad", role: "alert" }, error.message));
}

/* ---- the list of jobs ---- */

function jobLink(job) {
  const isOpen = location.hash === `#/jobs/${job.id}`;
  const progress = job.status === "running" && job.progress !== undefined ? `${Math.floor(job.progress)} %` : null;
  return el(
    "li",
    null,
    el(
      "a",
      { href: `#/jobs/${job.id}`, "aria-current": isOpen ? "page" : null },
      el("span", { class: "name" }, job.title || job.id),
      el("span", { class: "below" }, statusElement(job.status), progress, time(job.created)),
    ),
  );
}

function showJobs() {
  show(at("jobs"), jobs.length > 0 ? jobs.map(jobLink) : el("li", { class: "facts" }, "No jobs yet."));
  at("jobs-more").hidden = !next;
}

async function pathOf(links) {
  const href = links.find(({ rel }) => rel === "next")?.href;
  return href ? `/jobs${new URL(await local(href)).search}` : null;
}

async function loadJobs() {
  if (token() === null) return;
  const part = await read(`/jobs?limit=${Math.max(PAGE, jobs.length)}`);
  jobs = part.jobs;
  next = await pathOf(part.links);
  showJobs();
}

async function moreJobs() {
  const part = await read(next);
  jobs = jobs.concat(part.jobs);
  next = await pathOf(part.links);
  showJobs();
}

/* While something runs the list is looked at again and again; a page in the background rests. */
function watchJobs() {
  setTimeout(async () => {
    const live = jobs.some(({ status }) => status === "queued" || status === "running");
    if (live && !document.hidden) await loadJobs().catch(() => {});
    watchJobs();
  }, LOOK_MS);
}

/* ---- who is here ---- */

function logOut(reason) {
  setToken(null);
  [jobs, next] = [[], null];
  forget();
  visit?.abort();
  at("desk").hidden = true;
  show(at("user"));
  showLogin(at("gate"), enter, reason).catch((error) =>
    show(at("gate"), el("p", { class: "message bad" }, error.message)),
  );
}

async function enter() {
  try {
    const me = await read("/me");
    show(at("gate"));
    show(
      at("user"),
      el("span", null, me.name ?? me.user_id),
      el("button", { type: "button", class: "quiet", onclick: () => logOut() }, "Log out"),
    );
    at("desk").hidden = false;
    await loadJobs();
    route();
    removeOldMaps().catch(() => {});
  } catch (error) {
    problem(error);
  }
}

/* ---- addresses ---- */

function welcome(place) {
  show(
    place,
    el("h1", null, "Console"),
    el("p", { class: "lead" }, "Choose a job, or start a process."),
    el(
      "p",
      { class: "actions" },
      el("a", { class: "button", href: "#/new" }, "Start a process"),
      el("a", { class: "button quiet", href: "#/graph" }, "Paste a process graph"),
    ),
  );
}

/* #/jobs/ID, #/new, #/new/PROCESS?parameter=text, #/graph */
async function open(place, signal) {
  const [path, query] = location.hash.slice(1).split("?");
  const [, kind, name] = path.split("/").map(decodeURIComponent);
  if (kind === "jobs" && name) await showJob(place, name, signal, () => loadJobs().catch(() => {}));
  else if (kind === "new") await showStart(place, name, Object.fromEntries(new URLSearchParams(query ?? "")));
  else if (kind === "graph") showGraph(place);
  else welcome(place);
}

/* Each visit has a place of its own: what comes late for an earlier one is not seen. */
function route() {
  if (token() === null) return;
  visit?.abort();
  visit = new AbortController();
  const { signal } = visit,
    place = el("div");
  at("desk").classList.toggle("inner", location.hash.length > 2);
  show(at("content"), place);
  showJobs();
  at("content").focus({ preventScroll: true });
  window.scrollTo({ top: 0, behavior: "instant" });
  open(place, signal)
    .then(() => {
      if (!signal.aborted) document.title = `${place.querySelector("h1")?.textContent ?? "Console"} – twincube`;
    })
    .catch((error) => signal.aborted || problem(error));
}

window.addEventListener("hashchange", route);
at("jobs-more").addEventListener("click", () => moreJobs().catch(problem));
watchJobs();
try {
  await comeBack();
  if (token() === null) logOut();
  else await enter();
} catch (error) {
  logOut(`You are not logged in: ${error.message}.`);
}
