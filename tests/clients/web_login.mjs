/* node web_login.mjs URL USER CHROMIUM: logs in at the console through its OpenID Connect provider, whose own pages it
 * goes through; and comes back from a login that was never begun. The last line is "N passed, N failed". Lies beside
 * node_modules with playwright-core. */

import { chromium } from "playwright-core";

const [url, user, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const page = await browser.newPage();
page.setDefaultTimeout(15000);
const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

let passed = 0,
  failed = 0;
async function step(name, work) {
  try {
    await work();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.stack}\n${page.url()}\n${complaints.join("\n")}`);
  }
}
function expect(truth, what) {
  if (!truth) throw new Error(what);
}

await step("where there are no passwords, none is asked for", async () => {
  await page.goto(`${url}/console`);
  await page.waitForSelector('.login button:has-text("Log in with")');
  expect((await page.locator("#password").count()) === 0, "a password is asked for");
});

await step("an answer that nobody asked for is refused", async () => {
  await page.goto(`${url}/console?code=stolen&state=made-up`);
  await page.waitForSelector('.message.bad:has-text("belongs to no login of this tab")');
  expect(page.url() === `${url}/console`, "the code stays in the address");
  expect(await page.evaluate(() => sessionStorage.length === 0), "something is kept");
});

await step("a refusal of the provider is told in its words", async () => {
  await page.evaluate(() => sessionStorage.setItem("twincube.login", JSON.stringify({ state: "s" })));
  await page.goto(`${url}/console?error=access_denied&error_description=%3Cb%3Eno%3C%2Fb%3E&state=s`);
  await page.waitForSelector('.message.bad:has-text("<b>no</b>")');
});

await step("who logs in at the provider is at the desk", async () => {
  await page.click('button:has-text("Log in with")');
  await page.fill("input[name=login]", user);
  await page.fill("input[name=password]", "anything");
  await page.click("button[type=submit]");
  await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" });
  await page.click("button[type=submit]");
  await page.waitForSelector("#desk:not([hidden])");
  expect((await page.textContent("#user")).includes(`The user ${user}`), "the user is not named");
  expect(page.url().startsWith(`${url}/console`) && !page.url().includes("code="), "the code stays in the address");
});

await step("and may start processes", async () => {
  await page.goto(`${url}/console#/new/add`);
  await page.locator('.field:has(> legend label:text-is("x")) input').fill("40");
  await page.locator('.field:has(> legend label:text-is("y")) input').fill("2");
  await page.click("#start");
  await page.waitForSelector('#result .figure:text-is("42")');
});

await browser.close();
console.log(`\n${passed} passed, ${failed} failed`);
