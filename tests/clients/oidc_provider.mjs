/* node oidc_provider.mjs AUDIENCE REDIRECT_URL: a real OpenID Connect provider on a free port of loopback; its first line
 * of output is its issuer. Clients: `service` (secret `a secret of the tests`) for client credentials, `cli` for people
 * (device code, authorization code with PKCE, refresh); both get JSON Web Tokens for AUDIENCE. `opaque` is as `cli` but
 * gets tokens that only the user info endpoint understands. Whoever logs in has the login as subject. */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [audience, redirect] = process.argv.slice(2);
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const people = {
  token_endpoint_auth_method: "none",
  grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: [redirect],
  application_type: "native",
  scope: "openid profile offline_access",
};

const configuration = {
  clients: [
    { client_id: "service", client_secret: "a secret of the tests", grant_types: ["client_credentials"],
      response_types: [], redirect_uris: [] },
    { client_id: "cli", ...people },
    { client_id: "opaque", ...people },
  ],
  jwks: { keys: [{ ...key, kid: "made-at-start", use: "sig", alg: "RS256" }] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  claims: { openid: ["sub"], profile: ["name"] },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, name: `The user ${id}` }) }),
  extraTokenClaims: (context, token) => (token.accountId ? { name: `The user ${token.accountId}` } : {}),
  issueRefreshToken: async () => true,
  rotateRefreshToken: false,
  pkce: { required: () => false },
  clientBasedCORS: () => true, // pages ask for tokens, too
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (context, client) => (client.clientId === "opaque" ? undefined : audience),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "openid profile offline_access", audience, accessTokenFormat: "jwt", accessTokenTTL: 300,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  ttl: { AccessToken: 300, ClientCredentials: 300, DeviceCode: 300, Grant: 300, Interaction: 300, RefreshToken: 300, Session: 300 },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on("request", new Provider(issuer, configuration).callback());
  console.log(issuer);
});
