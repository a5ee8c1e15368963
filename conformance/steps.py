"""The steps: each runs one tool and answers with rows."""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import venv
import xml.etree.ElementTree

import fixture
from provider import LOGIN
from report import Result, Row
from served import JS_PASSWORD, JS_USER, PASSWORD, USER

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 1500

# What no server can pass, by the tools' own doing, and what is by intention.
SUITE_KNOWN = {
    "test_GET_processes": "the API document's process_json_schema has a oneOf of which more than one always fits",
    "test_GET_file_formats": "the same oneOf",
    "test_GET_service_types": "the same oneOf",
    "test_GET_me": "the suite validates as OpenAPI 3.1, where the document's nullable is lost",
    "test_POST_result": "wants 201, where the document says 200; then reads a netCDF file as text",
    "APIs don't support": "the suite's own HTTP runner does not send NaN and infinities",
    "Failed to load external": "the suite looks for assets beside the process, not beside the case",
    "but got None of type": "JSON has no infinities: the encoding of the official cases is for who asks for it",
    "Got None instead of NaN": "JSON has no NaN: the same",
    "Expected a dict but got": "labelled arrays are returned as plain arrays",
    "rename_labels": "the new labels are 'red' and two numbers; here those of a dimension are all text or all numbers",
    "test_process[": "the case contradicts the specification or itself: defective.json names each; or [] is written as "
                     "null, or the runner names parameters and types that it does not translate",
    "test_load_save_netcdf_batch_job_metadata": "asserts the value of a function that returns none",
    "test_apply_dimension_quantiles_1": "writes three labels into a dimension of two: DimensionExists by the spec",
}
R_KNOWN = {"estimate": "the client prints costs, of which there are none without a tariff"}


JS_KNOWN = {
    "list OIDC Providers": "wants the provider 'oidc.sample'",
    "Discovery Capabilities": "wants openEO test-api's own list of features",
    "Discovery Collections in detail": "wants test-api's own description of AAFC/ACI",
    "Discovery Collections": "wants more than 50 collections",
    "Discovery Processes": "wants test-api's own description of min",
    "Discovery Single Process": "the same",
    "Discovery File types": "wants no input formats",
    "Discovery Service types": "wants the name in small letters; the API leaves the case open",
    "UDF Runtimes": "there are none",
    "Sync. compute a process graph result / Failure": "gives 'jpeg' as billing plan, which is refused first",
    "Get Job with processing parameters": "wants test-api's own parameters",
    "Request three pages of items": "its dates become the interval ../.., which STAC forbids",
    "Simple calculation": "gives 'JSON' as billing plan, which is refused",
    "Sync. compute a process graph result / Success": "gives a billing plan that is refused",
    "Job management": "wants test-api's own jobs, of which the one with a scene of the Earth fails",
    "Secondary Services": "wants the service type by the name xyz",
}


def output_rows(command, cwd=None, env=None):
    """Rows of a tool that prints them; one more where it broke off."""
    try:
        done = subprocess.run([str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        text, status = done.stdout, done.returncode
        trouble = done.stderr.strip()[-300:]
    except subprocess.TimeoutExpired as late:
        text, status, trouble = (late.stdout or b"").decode(), None, f"not finished after {SECONDS} s"
    rows = []
    for line in text.splitlines():
        found = re.match(r"\s*(ok|FAIL|skip)\s+(.*?)(?: -> (.*))?$", line)
        if found:
            rows.append(Row(found[1], found[2].strip(), (found[3] or "").strip()))
        elif rows and rows[-1].state == "FAIL" and not rows[-1].detail:
            rows[-1].detail = line.strip()
    if status not in (0, 1) or not rows:
        rows.append(Row("FAIL", f"{pathlib.Path(str(command[0])).name} broke off", trouble))
    return rows


def junit_rows(path):
    rows = []
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        state = "FAIL" if bad is not None else "skip" if case.find("skipped") is not None else "ok"
        rows.append(Row(state, case.get("name"), "" if bad is None else (bad.get("message") or "")[:300]))
    return rows


def skipped(requirement, evidence, why):
    return Result(requirement, evidence, [Row("skip", "not run", why)])


def environment(folder, *packages):
    """The Python of a virtual environment with the packages in it, made once."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        (folder / "ready").write_text("")
    return python


# ---- the official test suite ----

def suite_python(options):
    return environment(options.work / "suite-venv", "-e", options.suite, "pystac[validation]", "jsonschema")


def suite_module(options, served, module, patches, extra):
    python = suite_python(options)
    tests = options.suite / "src" / "openeo_test_suite" / "tests"
    out = options.work / "suite.xml"
    out.unlink(missing_ok=True)
    environment = {**os.environ, **LOGIN, "SUITE_PATCHES": ",".join(patches),
                   "SUITE_MEDIA_TYPE": "application/json; encoding=official",
                   "STAC_SCHEMAS": str(options.schemas or ""),
                   "PYTHONPATH": os.pathsep.join([str(HERE / "suite"), str(HERE / "documents")])}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={out}", tests / module,
               "-U", served.api() + "/", *extra]
    if patches:
        command[3:3] = ["-p", "suite_patches"]
    done = subprocess.run([str(word) for word in command], cwd=options.suite, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    if not out.exists():
        return [Row("FAIL", f"{module} broke off", done.stdout.strip()[-300:])]
    return junit_rows(out)


def suite_step(module, requirement, patches=(), extra=()):
    how = f"openeo-test-suite, {module}" + (f", patched: {', '.join(patches)}" if patches else ", unmodified")

    def run(options, served):
        if not options.suite:
            return skipped(requirement, how, "--suite")
        if "schemas" in patches and not options.schemas:
            return skipped(requirement, how, "--schemas")
        if not served.provider.settings:
            return skipped(requirement, how, served.provider.missing)
        return Result(requirement, how, suite_module(options, served, module, patches, extra), SUITE_KNOWN)

    return run


# ---- documents ----

def openapi(options, served):
    requirement, how = "Replies, errors included, are what the OpenAPI document says", "documents/openapi_replies.py"
    if not options.openapi or not options.suite:
        return skipped(requirement, how, "--openapi and --suite (for openapi-core)")
    command = [suite_python(options), HERE / "documents" / "openapi_replies.py", served.api(), USER, PASSWORD,
               "SENTINEL2_L2A", options.openapi, "mend"]
    return Result(requirement, how, output_rows(command))


def stac(options, served):
    requirement = "Every STAC document is valid, and opens in pystac and pystac-client"
    how = "documents/stac_documents.py"
    if not options.schemas or not options.suite:
        return skipped(requirement, how, "--schemas and --suite (for pystac)")
    command = [suite_python(options), HERE / "documents" / "stac_documents.py", served.api(), USER, PASSWORD]
    return Result(requirement, how, output_rows(command, env={"STAC_SCHEMAS": str(options.schemas)}))


def schemathesis(options, served):
    requirement, how = "No request that can be made from the OpenAPI document gets a 5xx", "schemathesis"
    if not options.schemathesis:
        return skipped(requirement, how, "--schemathesis")
    python = environment(options.work / "schemathesis-venv", "schemathesis")
    rows = []
    for version in ("1.2", "1.3"):
        command = [python.parent / "schemathesis", "run", served.api(version) + "/api", "--url", served.api(version),
                   "--checks", "not_a_server_error", "-n", "40", "--header", f"Authorization: {token(served)}",
                   "--no-color"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, cwd=options.work, check=False)
        (options.work / f"schemathesis-{version}.txt").write_text(done.stdout + done.stderr)
        last = [line for line in done.stdout.splitlines() if line.strip()][-3:]
        rows.append(Row("FAIL" if done.returncode else "ok", f"openEO {version}", " ".join(last)))
    return Result(requirement, how, rows)


def token(served):
    import requests

    reply = requests.get(served.api() + "/credentials/basic", auth=(USER, PASSWORD), timeout=60)
    return "Bearer basic//" + reply.json()["access_token"]


# ---- clients ----

def python_client(options, served):
    requirement = "What a user of the Python client does in the first hour works"
    how = "clients/python_first_hour.py"
    if importlib.util.find_spec("openeo") is None:
        return skipped(requirement, how, "the package openeo, in the Python that runs this")
    out = options.work / "python-first-hour"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, HERE / "clients" / "python_first_hour.py", served.host, USER, PASSWORD, out]
    return Result(requirement, how, output_rows(command, env=LOGIN if served.provider.settings else None))


def js_copy(options):
    """The client's folder with a configuration that names our server: copied, for theirs stays as it is."""
    folder = options.work / "js-client"
    if not folder.exists():
        shutil.copytree(options.js_client, folder, symlinks=True)
        name = folder / "node_modules" / "@openeo" / "js-client"
        if not name.exists():
            name.symlink_to(folder)
    return folder


def js_live(options, served):
    requirement = "The JavaScript client's own live tests pass"
    how = "js-client, tests/test-api.test.js with our address and path in tests/config.js"
    if not options.js_client:
        return skipped(requirement, how, "--js-client")
    for collection, scenes in fixture.OF_JAVASCRIPT.items():
        served.add(collection, scenes)  # not before: the suite cannot match paths with the slashes of their names
    folder = js_copy(options)
    configuration = {"TESTBACKEND": served.host, "TESTPATH": "/openeo/1.3", "TESTUSERNAME": JS_USER,
                     "TESTPASSWORD": JS_PASSWORD, "STAC_MIGRATE_VERSION": "1.0.0"}
    (folder / "tests" / "config.js").write_text(f"module.exports = {json.dumps(configuration)};\n")
    out = options.work / "js-live.json"
    out.unlink(missing_ok=True)
    subprocess.run(["npx", "jest", "--env=node", "--runInBand", "tests/test-api.test.js", "--json",
                    f"--outputFile={out}"], cwd=folder, capture_output=True, text=True, timeout=SECONDS,
                   stdin=subprocess.DEVNULL, check=False)
    if not out.exists():
        return Result(requirement, how, [Row("FAIL", "jest broke off")])
    rows = []
    for case in json.loads(out.read_text())["testResults"][0]["assertionResults"]:
        state = {"passed": "ok", "failed": "FAIL"}.get(case["status"], "skip")
        said = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(case["failureMessages"])).split("\n    at ")[0]
        rows.append(Row(state, case["fullName"], " ".join(said.split())[:300]))
    return Result(requirement, how, rows, JS_KNOWN)


def js_client(options, served):
    requirement = "What a user of the JavaScript client does first works"
    how = "clients/js_first_hour.mjs"
    if not options.js_client:
        return skipped(requirement, how, "--js-client")
    folder = js_copy(options)
    command = ["node", HERE / "clients" / "js_first_hour.mjs", served.host, USER, PASSWORD]
    return Result(requirement, how, output_rows(command, cwd=folder))


def r_client(options, served):
    requirement, how = "What a user of the R client does first works", "clients/r_first_hour.R"
    if not options.r or not shutil.which("Rscript"):
        return skipped(requirement, how, "--r, and Rscript with the package openeo")
    command = ["Rscript", HERE / "clients" / "r_first_hour.R", served.host, USER, PASSWORD, options.work / "r"]
    return Result(requirement, how, output_rows(command), R_KNOWN)


def web_editor(options, served):
    requirement = "The Web Editor connects, logs in, builds, runs and shows what came out"
    how = "clients/web_editor.mjs in headless Chromium"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not options.web_editor or not chromium:
        return skipped(requirement, how, "--web-editor, and Chromium")
    folder = options.work / "playwright"
    if not (folder / "node_modules").exists():
        folder.mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-fund", "playwright-core"], cwd=folder, check=True)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(options.web_editor), "0"]
    page = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        port = re.search(r"port (\d+)", page.stdout.readline())[1]
        command = ["node", HERE / "clients" / "web_editor.mjs", f"http://127.0.0.1:{port}/", served.host, USER,
                   PASSWORD, options.work / "web-editor-shots", chromium]
        return Result(requirement, how, output_rows(command, cwd=folder))
    finally:
        page.terminate()
        page.wait(timeout=20)


S2, HTTP = ("--s2-collection=SENTINEL2_L2A",), ("--runner=http", "--experimental")
GENERAL, WORKFLOWS = "The API behaves as its document says", "Workflows give what users expect"
PROCESSING = "Processes compute what the official cases say, over HTTP"
STEPS = {
    "collections": suite_step("collections", "Collections are valid STAC", ("schemas",)),
    "metadata": suite_step("processes/metadata", "Process metadata is the official one", extra=("--experimental",)),
    "general": suite_step("general", GENERAL),
    "general-patched": suite_step("general", GENERAL, ("v30", "created", "oneof", "result")),
    "workflows": suite_step("workflows", WORKFLOWS, ("schemas",), S2),
    "workflows-patched": suite_step("workflows", WORKFLOWS, ("schemas", "assert", "quantiles"), S2),
    "processing": suite_step("processes/processing", PROCESSING, extra=HTTP),
    "processing-patched": suite_step("processes/processing", PROCESSING, ("ref", "http-all", "cases"), HTTP),
    "openapi": openapi,
    "stac": stac,
    "python": python_client,
    "js": js_client,
    "js-live": js_live,
    "r": r_client,
    "web-editor": web_editor,
    "schemathesis": schemathesis,
}
