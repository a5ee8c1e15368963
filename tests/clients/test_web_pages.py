"""The pages for people over plain HTTP: who gets a page and who JSON, what protects the pages, how they are kept, what
an editor's folder gives away and what it does not; and EXPLAIN of a job against the command line's."""

import csv
import io
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess

import numpy
import pytest
import requests
from test_server_api import ADD, BINARY, ROOT, Server, add_user, assert_error, run

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
WEB = ROOT / "server" / "pages"
FILES = sorted(path.name for path in WEB.iterdir() if path.suffix in (".html", ".css", ".js", ".svg"))


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """What a build of the editor looks like: a page, modules, and beside it a file that is nobody's business."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "secret.txt").write_text("a secret")
    dist = folder / "dist"
    for name, text in {"index.html": "<title>editor</title>", "js/app.1a2b.js": "run()", "css/app.css": "b{}",
                       "fonts/a b.woff2": "font"}.items():
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_text(text)
    (dist / "js" / "link.js").symlink_to(folder / "secret.txt")
    os.mkfifo(dist / "js" / "pipe.js")
    return dist


@pytest.fixture(scope="module")
def server(editor, tmp_path_factory):
    data = tmp_path_factory.mktemp("web")
    add_user(data, "ada")
    server = Server(data, "--web-editor", str(editor)).login("ada")
    yield server
    assert server.stop() == 0


def get(server, path, accept=None, method="GET", **headers):
    headers = {**headers, "Accept": accept}
    return requests.request(method, server.url + path, headers=headers, timeout=20, allow_redirects=False)


@pytest.mark.parametrize("accept, page", [
    (None, False), ("", False), ("*/*", False), ("application/json", False), ("text/*", True), (BROWSER, True),
    ("text/html", True), ("TEXT/HTML", True), ("text/html;level=1", True), ("application/json, text/html", False),
    ("text/html, */*", True), ("text/html;q=0.8, application/json", False), ("application/json;q=0.5, text/html", True),
    ("text/html;q=0", False), ("text/html; q=0.4 , */*;q=0.5", False), ("*/*, text/html;q=0.9", False),
    ("text/html;q=0, text/*, */*", False), ("application/*, text/html;q=0.99", False), ("text/htmlx", False),
    ("text/html;q=nonsense", False), ("text/html;q=2", False), (",;,,;q=", False), ("text/html," * 400, True)])
def test_whoever_would_rather_have_a_page_gets_it(server, accept, page):
    answer = get(server, "/", accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == ("text/html; charset=utf-8" if page else "application/json")
    if page:
        assert answer.headers["Vary"] == "Accept"
        assert "<title>" in answer.text
    else:
        assert answer.json()["versions"]


def test_clients_get_json_everywhere_else(server):
    for path in ("/openeo", "/.well-known/openeo", "/openeo/1.3", "/openeo/1.3/collections"):
        assert get(server, path, BROWSER).headers["Content-Type"] == "application/json"
    links = get(server, "/").json()["links"]
    assert {link["href"].removeprefix(server.url) for link in links if link.get("type") == "text/html"} == \
        {"/", "/console", "/editor/"}


@pytest.mark.parametrize("path", ["/", "/console", "/console/", "//console"])
def test_pages_run_no_foreign_script(server, path):
    answer = get(server, path, BROWSER)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'" and policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)


def test_the_console_may_reach_providers(tmp_path):
    providers = [{"id": "far", "title": "far", "issuer": "https://login.example.org/realm", "audience": ["x"]},
                 {"id": "near", "title": "near", "issuer": "http://127.0.0.1:9/realm", "audience": ["x"]}]
    (tmp_path / "oidc.json").write_text(json.dumps({"providers": providers}))
    server = Server(tmp_path, "--oidc", str(tmp_path / "oidc.json"))
    try:
        policy = get(server, "/console", BROWSER).headers["Content-Security-Policy"]
        assert "connect-src 'self' https: http://127.0.0.1:9;" in policy
        assert "connect-src 'self';" in get(server, "/", BROWSER).headers["Content-Security-Policy"]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("name", FILES)
def test_files_are_served_as_they_are(server, name):
    types = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
             ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
    answer = get(server, f"/web/{name}")
    assert answer.content == (WEB / name).read_bytes()
    assert answer.headers["Content-Type"] == types[pathlib.Path(name).suffix]
    head = get(server, f"/web/{name}", method="HEAD")
    assert head.content == b"" and head.headers["Content-Length"] == str(len(answer.content))
    tag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "no-cache"
    again = get(server, f"/web/{name}", **{"If-None-Match": f'"another", W/{tag}'})
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == tag
    assert get(server, f"/web/{name}", **{"If-None-Match": '"another"'}).status_code == 200


def test_pages_name_only_files_that_are_there(server):
    """Pages, modules and styles of ours refer to ours alone."""
    for name in FILES:
        text = get(server, f"/web/{name}").text
        named = re.findall(r'(?:src|href)="web/([^"]+)"|(?:from|import) "\./([^"]+)"', text)
        for page, module in named:
            assert (page or module) in FILES, name
        assert "innerHTML" not in text and "eval(" not in text


def test_what_is_not_there_is_not_found(server):
    for path in ("/web", "/web/", "/web/none.js", "/web/../server.db", "/web/%2e%2e/main.c", "/web/a/b.js", "/consol",
                 "/web/" + "x" * 3000, "/editor/none.js", "/js/none.js"):
        assert_error(get(server, path, BROWSER), 404, "NotFound")
    assert get(server, "/web/style.css", method="POST").status_code == 405
    assert get(server, "/console", method="OPTIONS").headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


# ---- what the console reads ----


def in_node(tmp_path, script, given):
    """The script's output as JSON; it may import modules of ours, and reads `given` from standard input."""
    if not shutil.which("node"):
        pytest.skip("node is not there")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name in ("table.js", "dom.js"):
        shutil.copy(WEB / name, tmp_path)
    head = 'import * as table from "./table.js";\nimport { readFileSync } from "node:fs";\n' \
           'const given = JSON.parse(readFileSync(0, "utf-8"));\n'
    (tmp_path / "script.js").write_text(head + script)
    done = subprocess.run(["node", "script.js"], cwd=tmp_path, input=json.dumps(given), capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tables_are_read_as_pythons_csv_reads_them(tmp_path):
    dice = random.Random(7)
    cells = ["a", "", 'say "so"', "x, y", "two\nlines", '"', '""', ",", "é ü", " ", "nan", "-", "2024-01-01", "0x10",
             "12", "-1.5e3", ".5"]
    numbers = {"12": 12, "-1.5e3": -1500, ".5": 0.5}
    texts = []
    for end in ("\n", "\r\n"):
        for _ in range(40):
            out = io.StringIO()
            width = dice.randint(2, 5)
            csv.writer(out, lineterminator=end).writerows(
                [[dice.choice(cells) for _ in range(width)] for _ in range(dice.randint(1, 6))])
            texts.append(out.getvalue().removesuffix(end) if dice.random() < 0.3 else out.getvalue())
    read = in_node(tmp_path, "console.log(JSON.stringify(given.map(table.readCsv)));", texts)
    for text, found in zip(texts, read):
        columns, *rows = csv.reader(io.StringIO(text, newline=""))
        assert found["columns"] == columns, text
        assert found["rows"] == [[numbers.get(cell, cell) for cell in row] for row in rows], text


def test_cubes_become_rows_and_lines(tmp_path):
    days, bands = ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"], ["B04", "B08"]
    dimensions = [{"name": "t", "type": "temporal", "labels": days}, {"name": "b", "type": "bands", "labels": bands},
                  {"name": "g", "type": "geometry", "labels": ["POINT (1 2)", "POINT (3 4)"]}]
    value = numpy.arange(8).reshape(2, 2, 2)
    orders = list(itertools.permutations(range(3)))  # bands may be any dimension
    cubes = [{"type": "datacube", "dimensions": [dimensions[i] for i in order], "data": value.transpose(order).tolist()}
             for order in orders]
    made = in_node(tmp_path, "const made = given.map(table.readJson);\n"
                             "console.log(JSON.stringify(made.map((one) => [one, table.plotOf(one)])));", cubes)
    assert len(made) == 6
    for found, plot in made:
        rows = [dict(zip(found["columns"], row)) for row in found["rows"]]
        assert len(rows) == 4
        for row in rows:
            day, place = days.index(row["t"]), int(row["g"].removeprefix("geometry ")) - 1
            assert [row[band] for band in bands] == value[day, :, place].tolist()
        lines = {line["name"]: [y for _, y in line["points"]] for line in plot["series"]}
        assert plot["isDates"] and len(lines) == 4
        assert lines["geometry 2 B08"] == value[:, 1, 1].tolist()


# ---- the Web Editor ----


def test_the_editor_is_served_from_its_folder(server, editor):
    page = get(server, "/editor/", BROWSER)
    assert page.text == "<title>editor</title>" and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for path, kind in {"js/app.1a2b.js": "text/javascript; charset=utf-8", "css/app.css": "text/css; charset=utf-8",
                       "fonts/a%20b.woff2": "font/woff2"}.items():
        for prefix in ("/editor/", "/"):  # builds for the root of a host ask for their parts there
            answer = get(server, prefix + path)
            assert answer.status_code == 200 and answer.headers["Content-Type"] == kind
            again = get(server, prefix + path, **{"If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304
    assert get(server, "/editor/js/app.1a2b.js", Range="bytes=0-2").text == "run"


def test_the_editors_address_gets_its_slash(server):
    answer = get(server, "/editor?server=http%3A%2F%2Fa%20b%22", BROWSER)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{server.url}/editor/?server=http%3A//a%20b%22"
    assert get(server, "/editor", BROWSER).headers["Location"] == f"{server.url}/editor/"


@pytest.mark.parametrize("path", [
    "../secret.txt", "..%2fsecret.txt", "js/../../secret.txt", "js/%2e%2e/%2e%2e/secret.txt", "js/link.js",
    "js/pipe.js", "js", "js/", "%00", "%ff", "..%5csecret.txt", "//etc/passwd"])
def test_the_editors_folder_is_all_there_is(server, path):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:  # clients tidy such paths up
        raw.sendall(f"GET /editor/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ") and b"secret" not in answer.split(b"\r\n\r\n", 1)[1]


def test_without_a_folder_there_is_no_editor(tmp_path):
    wrong = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), "--web-editor", str(tmp_path))
    assert wrong.returncode == 1 and "FileNotFound: --web-editor" in wrong.stderr
    server = Server(tmp_path)
    try:
        for path in ("/editor", "/editor/", "/editor/index.html", "/js/app.js"):
            assert_error(get(server, path, BROWSER), 404, "NotFound")
        assert "/editor" not in get(server, "/").text
    finally:
        assert server.stop() == 0


# ---- EXPLAIN ----


def explain(server, job, status=200):
    answer = server.call("GET", f"/jobs/{job}/explain")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_jobs_plan_is_the_command_lines(server, tmp_path):
    field = {"field": {"process_id": "lft_scalar_field", "result": True, "arguments": {
        "shape": [8, 8], "m2": -4, "lambda": 8, "seed": 1, "configurations": 20}}}
    job = server.create(field)
    told = explain(server, job)
    (tmp_path / "graph.json").write_text(json.dumps(field))
    written = subprocess.run([BINARY, "explain", "--json", "--data", str(server.data), str(tmp_path / "graph.json")],
                             capture_output=True, text=True, timeout=60, check=True)
    plan = json.loads(written.stdout)
    assert told["plan"]["stages"] == plan["stages"] and told["plan"]["hash"] == plan["hash"]
    assert told["text"].startswith("stages\n") and "field" in told["text"]
    links = {link["rel"]: link["href"] for link in server.call("GET", f"/jobs/{job}").json()["links"]}
    assert links["explain"].endswith(f"/jobs/{job}/explain")
    assert server.call("GET", f"/jobs/{job}").json()["status"] == "created"  # looking starts nothing


def test_a_value_is_known_without_a_plan(server, tmp_path):
    assert explain(server, server.create(ADD))["plan"] == {"value": 3}
    (tmp_path / "graph.json").write_text(json.dumps(ADD))
    written = run("explain", "--json", "--data", str(server.data), str(tmp_path / "graph.json"))
    assert json.loads(written.stdout) == {"value": 3}


def test_a_plan_that_cannot_be_is_refused_in_words(server):
    job = server.create({"a": {"process_id": "load_collection", "result": True,
                               "arguments": {"id": "none", "spatial_extent": None, "temporal_extent": None}}})
    assert explain(server, job, 404)["code"] == "CollectionNotFound"
    assert explain(server, "j-none", 404)["code"] == "JobNotFound"
    stranger = requests.get(f"{server.api}/jobs/{job}/explain", timeout=20)
    assert stranger.status_code == 401
