"""A person at the landing page and the console, in headless Chromium: logs in, starts processes from forms, looks at
progress, results and plans; by name and password, and through a real OpenID Connect provider."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import DEMO_PATTERNS, PASSWORD, USER
from test_server_api import ROOT

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


def test_a_person_finds_the_way(running, catalogue, demo, tmp_path):
    catalogue.add("DEMO_WEB", demo, "--title", "Fields & <script>alert(0)</script>", *DEMO_PATTERNS)
    assert drive("web_console.mjs", running.url, USER, PASSWORD, tmp_path / "shots") == 18
