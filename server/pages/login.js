/* Logging in: name and password, or a provider by OpenID Connect (authorization code with PKCE). */
import { page, read, setToken } from "./api.js";
import { el, prose, show } from "./dom.js";

const PENDING = "twincube.login";
const GRANT = "authorization_code+pkce";

/* ---- PKCE ---- */

const base64 = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));

async function discover(issuer) {
  const answer = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Error(`the provider does not answer (status ${answer.status})`);
  return answer.json();
}

/* Leaves the page; the provider sends the browser back with a code. */
async function leave(provider, client) {
  if (!crypto.subtle) throw new Error("browsers allow this on https pages only (or on the machine itself)");
  const { authorization_endpoint: there } = await discover(provider.issuer);
  const pending = {
    provider: provider.id,
    issuer: provider.issuer,
    client,
    state: random(),
    verifier: random(),
    redirect: page("console"),
  };
  const challenge = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier)));
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(there);
  const fields = {
    ...provider.authorization_parameters,
    response_type: "code",
    client_id: client,
    redirect_uri: pending.redirect,
    scope: (provider.scopes ?? ["openid"]).join(" "),
    state: pending.state,
    code_challenge: base64(challenge),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  location.assign(url);
}

/* Back from a provider: exchanges the code for a token. False where the page was opened otherwise. */
export async function comeBack() {
  const given = new URLSearchParams(location.search);
  if (!given.has("state")) return false;
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, "", page("console"));
  if (pending?.state !== given.get("state")) throw new Error("the provider's answer belongs to no login of this tab");
  if (!given.has("code"))
    throw new Error(given.get("error_description") ?? given.get("error") ?? "the provider gave no code");
  const { token_endpoint: there } = await discover(pending.issuer);
  const answer = await fetch(there, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: given.get("code"),
      redirect_uri: pending.redirect,
      client_id: pending.client,
      code_verifier: pending.verifier,
    }),
  });
  const token = await answer.json();
  if (!token.access_token) throw new Error(token.error_description ?? token.error ?? "the provider gave no token");
  setToken(`oidc/${pending.provider}/${token.access_token}`);
  return true;
}

function providerPart(provider, say) {
  const client = (provider.default_clients ?? []).find(({ grant_types: grants }) => (grants ?? []).includes(GRANT));
  const id = `client-${provider.id}`;
  const input = !client && el("input", { id, type: "text", autocomplete: "off" });
  return el(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        leave(provider, client?.id ?? input.value.trim()).catch(say);
      },
    },
    el("h2", null, provider.title ?? provider.id),
    prose(provider.description),
    input && el("label", { for: id }, "Client ID registered with the provider", input),
    el("button", null, `Log in with ${provider.title ?? provider.id}`),
  );
}

/* ---- name and password ---- */

function basicPart(done, say) {
  const name = el("input", { id: "name", type: "text", autocomplete: "username", required: true, autofocus: true });
  const password = el("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  return el(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          const pair = new TextEncoder().encode(`${name.value}:${password.value}`);
          const { access_token: token } = await read("/credentials/basic", {
            headers: { Authorization: `Basic ${btoa(String.fromCharCode(...pair))}` },
          });
          setToken(`basic//${token}`);
          done();
        } catch (error) {
          say(error);
          password.value = "";
          password.focus();
        }
      },
    },
    el("label", { for: "name" }, "Name", name),
    el("label", { for: "password" }, "Password", password),
    el("button", { id: "login" }, "Log in"),
  );
}

/* Shows the ways in that the server has; `done()` is called after a login. */
export async function showLogin(place, done, reason) {
  const problem = el("div", { role: "alert" }, reason && el("p", { class: "message bad" }, reason));
  const say = (error) => show(problem, el("p", { class: "message bad" }, `You are not logged in: ${error.message}`));
  const { endpoints } = await read("/");
  const has = (path) => endpoints.some((one) => one.path === path);
  const providers = has("/credentials/oidc") ? (await read("/credentials/oidc")).providers : [];
  show(
    place,
    el(
      "section",
      { class: "login card", "aria-labelledby": "login-title" },
      el("h1", { id: "login-title" }, "Log in"),
      problem,
      has("/credentials/basic") && basicPart(done, say),
      providers.map((provider) => providerPart(provider, say)),
    ),
  );
  place.querySelector("input")?.focus();
}
