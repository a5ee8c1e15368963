"""Two ways to run a graph: `twincube run`, and POST /result of a server started for the occasion."""

import base64
import json
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

SECONDS_PER_CASE = 60


class Failure(Exception):
    """The engine's answer is an error: code and message."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Crash(Exception):
    """The engine ended without an answer."""


class CommandEngine:
    """Runs each graph in a process of its own."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())
        self.folder = tempfile.mkdtemp(prefix="twincube-cases-")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, graph):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            command = [self.binary, "run", "-", "-o", "result.json", "--threads", "1", "--data", self.folder,
                       "--encoding", "official"]
            try:
                done = subprocess.run(command, input=json.dumps(graph), capture_output=True, text=True, cwd=folder,
                                      timeout=SECONDS_PER_CASE, check=False)
            except subprocess.TimeoutExpired as late:
                raise Crash(f"no answer after {SECONDS_PER_CASE} s") from late
            if done.returncode == 0:
                return json.loads(Path(folder, "result.json").read_text("utf-8"))
            lines = done.stderr.strip().splitlines()
            code, colon, message = lines[-1].partition(": ") if lines else ("", "", "")
            if done.returncode != 1 or not colon or not code.isalnum():
                raise Crash(f"exit status {done.returncode}: {done.stderr.strip()[-300:]}")
            raise Failure(code, message)


class ServerEngine:
    """Starts `twincube serve` on a free port with a user of its own, and posts each graph to /result."""

    def __init__(self, binary):
        self.folder = tempfile.mkdtemp(prefix="twincube-server-")
        subprocess.run([binary, "user", "add", "conformance", "--data", self.folder], input="conformance-password\n",
                       text=True, check=True, stdout=subprocess.DEVNULL)
        self.server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--data", self.folder],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        words = self.server.stdout.readline().split()
        url = next((word for word in words if word.startswith("http")), "").rstrip("/")
        threading.Thread(target=self.server.stdout.read, daemon=True).start()
        self.root = url
        versions = self._get("/.well-known/openeo", {})["versions"]
        self.root = versions[-1]["url"].rstrip("/")
        user = base64.b64encode(b"conformance:conformance-password").decode()
        token = self._get("/credentials/basic", {"Authorization": f"Basic {user}"})["access_token"]
        self.headers = {"Authorization": f"Bearer basic//{token}",
                        "Content-Type": "application/json; encoding=official"}

    def close(self):
        self.server.terminate()
        self.server.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _get(self, path, headers):
        request = urllib.request.Request(self.root + path, headers=headers)
        with urllib.request.urlopen(request, timeout=SECONDS_PER_CASE) as reply:
            return json.loads(reply.read())

    def run(self, graph):
        body = json.dumps({"process": {"process_graph": graph}}).encode()
        request = urllib.request.Request(self.root + "/result", data=body, headers=self.headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_PER_CASE) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            try:
                answer = json.loads(refused.read())
                code, message = answer["code"], answer["message"]
            except (ValueError, KeyError, TypeError) as broken:
                raise Crash(f"HTTP status {refused.code} without an openEO error") from broken
            raise Failure(code, message) from refused
        except OSError as broken:
            raise Crash(str(broken)) from broken
