"""A PostgreSQL database for tests, started from Debian's programs (with another user's rights where these tests are
root's, since it refuses root), on a socket in a folder of its own."""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

import pytest

from conftest import BINARY

PROGRAMS = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class Database:
    def __init__(self, folder):
        self.folder, self.port = folder, 5432
        self.programs = PROGRAMS[-1].parent
        self.user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] * (os.geteuid() == 0)
        if self.user:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self.call("initdb", "-D", f"{folder}/data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def call(self, program, *arguments):
        done = subprocess.run([*self.user, self.programs / program, *arguments], cwd=self.folder, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self):
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=200 -p {self.port}"
        with open(f"{self.folder}/started", "a", encoding="utf-8") as out:  # pg_ctl hands its output on: no pipe
            subprocess.run([*self.user, self.programs / "pg_ctl", "-D", f"{self.folder}/data", "-w", "-o", options,
                            "-l", f"{self.folder}/log", "start"], cwd=self.folder, stdout=out, check=True, timeout=60)

    def stop(self, mode="fast"):
        self.call("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", mode, "stop")

    def ask(self, sql, database="postgres"):
        """Rows of texts."""
        out = self.call("psql", "-h", self.folder, "-p", str(self.port), "-U", "tests", "-d", database, "-X", "-At",
                        "-F", "\t", "-c", sql)
        return [line.split("\t") for line in out.splitlines()]

    def make(self, name):
        """A new database; its URI."""
        self.ask(f"CREATE DATABASE {name}")
        return self.uri(name)

    def uri(self, name):
        return f"postgresql://tests@/{name}?host={self.folder}&port={self.port}"


@pytest.fixture(scope="module")
def database():
    if not PROGRAMS or (os.geteuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    folder = tempfile.mkdtemp(prefix="twincube-pg-")
    database = Database(folder)
    yield database
    database.stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


# The program with a database of its own for each data folder, for its store and its catalogue.
WRAPPER = """#!/bin/sh
data=
before=
for argument; do
  [ "$before" = --data ] && data=$argument
  before=$argument
done
if [ -n "$data" ]; then
  name=t$(printf %s "$data" | md5sum | cut -c 1-30)
  {psql} -X -q -h {folder} -p {port} -U tests -d postgres -c "CREATE DATABASE $name" 2>/dev/null
  export TWINCUBE_STORE="postgresql://tests@/$name?host={folder}&port={port}"
  export TWINCUBE_CATALOGUE=$TWINCUBE_STORE
fi
exec {binary} "$@"
"""


def run_tests_again(database, folder, names):
    """Tests of clients, with databases in place of what they have in their data folders; how many there were."""
    wrapper = folder / "bin" / "twincube"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER.format(psql=database.programs / "psql", folder=database.folder, port=database.port,
                                      binary=BINARY))
    wrapper.chmod(0o755)
    (folder / "bin" / "twincube-demo").symlink_to(BINARY.with_name("twincube-demo").resolve())
    here = pathlib.Path(__file__).parent
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                           *(str(here / name) for name in names)], cwd=here.parents[1], capture_output=True, text=True,
                          env={**os.environ, "TWINCUBE_BIN": str(wrapper)}, timeout=200)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
    return int(database.ask("SELECT count(*) FROM pg_database WHERE datname ~ '^t[0-9a-f]{30}$'")[0][0])
