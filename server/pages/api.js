/* The openEO API of the server that this page comes from, by way of paths relative to it: behind a proxy, too. */

const root = new URL("../", import.meta.url).href;
const KEY = "twincube.token";

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? `the server answered with status ${status}`);
    this.status = status;
    this.code = body?.code ?? "";
    this.id = body?.id ?? "";
  }
}

/* ---- where the API is ---- */

let found;

/* {url: what clients use from anywhere, base: the same seen from this page, versions} */
export function server() {
  found ??= fetch(`${root}.well-known/openeo`)
    .then((answer) => answer.json())
    .then(({ versions }) => {
      const order = new Intl.Collator("en", { numeric: true });
      const newest = versions.reduce((a, b) => (order.compare(a.api_version, b.api_version) < 0 ? b : a));
      const end = newest.url.match(/\/openeo\/[^/]*\/?$/)?.[0] ?? "";
      const outside = newest.url.slice(0, newest.url.length - end.length);
      return { url: outside, api: newest.url, base: root.slice(0, -1) + end, versions };
    });
  return found;
}

/* An address that a document of the server gives, as this page reaches it. */
export async function local(href) {
  const { url } = await server();
  return href.startsWith(`${url}/`) ? root.slice(0, -1) + href.slice(url.length) : href;
}

export function page(path) {
  return root + path;
}

/* ---- who is logged in: for as long as this tab is open ---- */

export function token() {
  return sessionStorage.getItem(KEY);
}

export function setToken(text) {
  if (text === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, text);
}

/* ---- calls ---- */

async function failure(answer) {
  const text = await answer.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    /* no JSON, then */
  }
  return new ApiError(answer.status, body);
}

/* The answer of a path below the API's root; ApiError where it is one. */
export async function ask(path, { method = "GET", json, headers = {}, ...more } = {}) {
  const { base } = await server();
  const sent = { ...headers };
  if (token() !== null && sent.Authorization === undefined) sent.Authorization = `Bearer ${token()}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const answer = await fetch(base + path, {
    method,
    headers: sent,
    body: json === undefined ? undefined : JSON.stringify(json),
    ...more,
  });
  if (!answer.ok) throw await failure(answer);
  return answer;
}

export async function read(path, options) {
  return (await ask(path, options)).json();
}

/* All pages of a list, up to `most` members. */
export async function readAll(path, member, most = 1000) {
  const list = [];
  let next = path;
  while (next && list.length < most) {
    const part = await read(next);
    list.push(...part[member]);
    const link = part.links?.find(({ rel }) => rel === "next")?.href;
    next = link ? (await local(link)).slice((await server()).base.length) : null;
  }
  return list;
}

/* Server-sent events, read from a fetch that may carry a token. Calls `hear(name, data)` until the stream ends or is
 * aborted; true where the server said that this was the end. */
export async function listen(path, signal, hear) {
  const answer = await ask(path, { signal, headers: { Accept: "text/event-stream" } });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "",
    ended = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ended;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const event = {};
      for (const line of text.slice(0, end).split("\n")) {
        const at = line.indexOf(":");
        if (at > 0) event[line.slice(0, at)] = line.slice(at + 1).trimStart();
      }
      if (event.data === undefined) continue;
      ended ||= event.event === "end";
      hear(event.event, JSON.parse(event.data));
    }
  }
}
