/* How to connect, with each client: texts that work when they are pasted. */

const python = (url) => `# pip install openeo
import openeo

connection = openeo.connect("${url}")
connection.authenticate_basic("USER", "PASSWORD")   # or connection.authenticate_oidc()
print(connection.list_collection_ids())
`;

const r = (url) => `# install.packages("openeo")
library(openeo)

connection <- connect(host = "${url}")
login(user = "USER", password = "PASSWORD")         # or login() for OpenID Connect
list_collections()
`;

const javascript = (url) => `// npm install @openeo/js-client
import { OpenEO } from "@openeo/js-client";

const connection = await OpenEO.connect("${url}");
await connection.authenticateBasic("USER", "PASSWORD");
console.log((await connection.listCollections()).collections.map((one) => one.id));
`;

const curl = (
  api,
) => `token=$(curl -s -u USER:PASSWORD ${api}/credentials/basic | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')
curl -s ${api}/collections
curl -s -H "Authorization: Bearer basic//$token" -H 'Content-Type: application/json' ${api}/result \\
  -d '{"process":{"process_graph":{"add":{"process_id":"add","arguments":{"x":1,"y":2},"result":true}}}}'
`;

/* [{name, hint, text, link}] */
export function snippets(url, api, editor) {
  return [
    { name: "Python", hint: "With the openEO Python client.", text: python(url) },
    { name: "R", hint: "With the openEO R client.", text: r(url) },
    { name: "JavaScript", hint: "With the openEO JavaScript client, in Node.js or a browser.", text: javascript(url) },
    { name: "Web Editor", hint: "Build process graphs in the browser and look at their results:", link: editor },
    { name: "curl", hint: "Plain HTTP: a token, the collections, one and two.", text: curl(api.replace(/\/$/, "")) },
  ];
}
