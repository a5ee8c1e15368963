"""The program under test: graphs go in, cubes come out."""

import json
import pathlib
import re
import subprocess
import tempfile

SECONDS = 60


class Failure(Exception):
    """An answer that is an error."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Crash(Exception):
    """No answer."""


class Subject:
    def __init__(self, binary, data):
        self.binary, self.data = str(binary), str(data)
        self.options = ["--encoding", "official"] if "--encoding" in self._help() else []  # for cubes within graphs

    def _help(self):
        return subprocess.run([self.binary, "run", "--help"], capture_output=True, text=True, check=True).stdout

    def call(self, command, graph, *options, folder=None):
        """Standard output of a run that went well."""
        try:
            done = subprocess.run([self.binary, command, "-", "--data", self.data, *self.options, *map(str, options)],
                                  input=json.dumps(graph), capture_output=True, text=True, cwd=folder, timeout=SECONDS,
                                  check=False)
        except subprocess.TimeoutExpired as late:
            raise Crash(f"no answer after {SECONDS} s") from late
        if done.returncode == 0:
            return done.stdout
        line = (done.stderr.strip().splitlines() or [""])[-1]
        found = re.fullmatch(r"(\w+): (.*)", line)
        if done.returncode != 1 or not found:
            raise Crash(f"exit status {done.returncode}: {done.stderr.strip()[-400:]}")
        raise Failure(*found.groups())

    def run(self, graph, *options, output="result.json"):
        """The bytes of the result, run with the options."""
        with tempfile.TemporaryDirectory() as folder:
            self.call("run", graph, "-o", output, *options, folder=folder)
            return pathlib.Path(folder, output).read_bytes()

    def least_memory(self, graph, *options):
        """Bytes that are just enough, as the program's own refusal of a megabyte says."""
        try:
            self.call("run", graph, "-o", "result.json", "--memory", "1M", *options)
        except Failure as refused:
            found = re.search(r"needs (\d+) bytes of memory, with (\d+) bytes .* and (\d+) bytes", str(refused))
            if not found:
                raise
            return sum(map(int, found.groups()))
        raise AssertionError("a megabyte of memory was enough")

    def add(self, name, path, *options):
        done = subprocess.run([self.binary, "catalogue", "add", "--data", self.data, "--id", name, *map(str, options),
                               str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
