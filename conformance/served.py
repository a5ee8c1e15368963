"""A server with the collections and the user that the tools ask for."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import fixture
from provider import Provider

USER, PASSWORD = "conformance", "conformance-password"
JS_USER, JS_PASSWORD = "js-client", "js-client"  # what the JavaScript client's own tests log in with


class Served:
    def __init__(self, options):
        self.program, self.work = str(options.bin), options.work
        self.data = self.work / "data"
        self.added = set()
        self.specs = options.suite / "assets" / "processes" if options.suite else None

    def __enter__(self):
        shutil.rmtree(self.data, ignore_errors=True)
        scenes = self.work / "scenes"
        fixture.make(scenes)
        for collection in fixture.COLLECTIONS:
            self.add(collection, collection)
        for user, password in ((USER, PASSWORD), (JS_USER, JS_PASSWORD)):
            self.command("user", "add", "--data", self.data, user, text=password + "\n")
        log = open(self.work / "server.log", "w")  # noqa: SIM115: lives as long as the server
        options = ["--process-specs", str(self.specs)] if self.specs else []
        self.provider = Provider(self.work)
        if self.provider.settings:
            options += ["--oidc", str(self.provider.settings)]
        self.server = subprocess.Popen(
            [self.program, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data), *options],
            stdout=subprocess.PIPE, stderr=log, text=True)
        words = self.server.stdout.readline().split()
        self.host = next((word for word in words if word.startswith("http")), "").rstrip("/")
        if not self.host:
            sys.exit(f"the server did not start: {(self.work / 'server.log').read_text()}")
        return self

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(timeout=60)
        self.provider.stop()

    def add(self, collection, folder):
        """Adds a collection of that folder of scenes, unless it is there."""
        if collection not in self.added:
            self.command("catalogue", "add", "--data", self.data, "--id", collection, self.work / "scenes" / folder)
            self.added.add(collection)

    def command(self, *words, text=None):
        subprocess.run([self.program, *map(str, words)], input=text, text=True, check=True, stdout=subprocess.DEVNULL)

    def api(self, version="1.2"):
        return f"{self.host}/openeo/{version}"

    @property
    def memory(self):
        """Resident bytes of the server's main process."""
        pages = pathlib.Path(f"/proc/{self.server.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
