"""A person at the landing page and the console, in headless Chromium: logs in, starts processes from forms, looks at
progress, results and plans; by name and password, and through a real OpenID Connect provider."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import DEMO_PATTERNS, PASSWORD, USER, twincube
from test_oidc_client import AUDIENCE, free_port
from test_server_api import ROOT, Server

MODULES = pathlib.Path(os.environ.get("TWINCUBE_NODE", ROOT / ".cache" / "javascript"))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


def drive(script, *arguments):
    """Runs a script of ours beside the modules; its steps, of which all are to pass."""
    if not shutil.which("node") or not (MODULES / "node_modules" / "playwright-core").exists():
        pytest.skip(f"node, or playwright-core in {MODULES}, is not there: NO PAGE IS TRIED IN A BROWSER")
    if not CHROMIUM:
        pytest.skip("chromium is not there: NO PAGE IS TRIED IN A BROWSER")
    script = shutil.copy(pathlib.Path(__file__).with_name(script), MODULES)
    done = subprocess.run(["node", script, *map(str, arguments), CHROMIUM], capture_output=True, text=True, timeout=200)
    counts = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    assert counts and counts.group(2) == "0", done.stdout + done.stderr
    return int(counts.group(1))


def test_a_person_finds_the_way(demo, tmp_path):
    twincube("user", "add", USER, "--data", tmp_path, input=PASSWORD + "\n")
    twincube("catalogue", "add", "--data", tmp_path, "--id", "DEMO_WEB", "--title",
             "Fields & <script>alert(0)</script>", *DEMO_PATTERNS, demo)
    server = Server(tmp_path)  # with nothing of other tests
    try:
        assert drive("web_console.mjs", server.url, USER, PASSWORD, tmp_path / "shots") == 19
    finally:
        assert server.stop() == 0


def test_a_provider_lets_people_in(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if not (MODULES / "node_modules" / "oidc-provider").exists() or not shutil.which("node"):
        pytest.skip(f"node, or oidc-provider in {MODULES}, is not there")
    script = shutil.copy(pathlib.Path(__file__).with_name("oidc_provider.mjs"), MODULES)
    process = subprocess.Popen(["node", script, AUDIENCE, f"{url}/console"], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    issuer = process.stdout.readline().strip()
    provider = {"id": "real", "title": "the provider", "issuer": issuer, "audience": [AUDIENCE],
                "scopes": ["openid", "profile"], "default_clients": [{
                    "id": "cli", "grant_types": ["authorization_code+pkce"], "redirect_urls": [f"{url}/console"]}]}
    (tmp_path / "oidc.json").write_text(json.dumps({"providers": [provider]}))
    server = Server(tmp_path, "--listen", f"127.0.0.1:{port}", "--oidc", str(tmp_path / "oidc.json"), "--no-basic")
    try:
        assert drive("web_login.mjs", url, "erin") == 5
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()
        assert server.stop() == 0
