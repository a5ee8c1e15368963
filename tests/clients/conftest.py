"""What the tests with real clients share: a server on a free port with a data folder of its own, collections, a user.

The programs lie beside $TWINCUBE_BIN (default build/twincube). Real scenes are read from $TWINCUBE_SHARED; without it
the tests that ask for them are skipped, the demonstration series serves the others. tests/run runs files side by side,
and those tests that are marked `alone` afterwards: they measure times that others' work would lengthen.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube"))
SHARED = os.environ.get("TWINCUBE_SHARED")
USER, PASSWORD = "carol", "a password of the tests"
DEMO_PATTERNS = ["--datetime", "_([0-9]{8})_", "--band", "_(B[0-9]{2}|QA)[.]tif$"]

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # servers find it as from a shell, whatever the tests run under

LONG = ("test_survival", "test_patience", "test_kills")  # begun first, so that none of them is waited for at the end


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures times; not beside other tests")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONG)


def until(reached, seconds=60):
    """Waits for a state, however long this machine takes for it: what `reached` gives, once that is true."""
    end = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def twincube(*arguments, **options):
    """Runs the program to its end; its standard output."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shared(*parts):
    """A path of the shared data; skips the test where it is not there."""
    if not SHARED:
        pytest.skip("TWINCUBE_SHARED is not set: no real scenes")
    path = pathlib.Path(SHARED, "data", *parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


class Catalogue:
    """Adds collections to a data folder, each once."""

    def __init__(self, data):
        self.data = data
        self._added = set()

    def add(self, name, path, *options):
        if name not in self._added:
            twincube("catalogue", "add", "--data", self.data, "--id", name, *options, path)
            self._added.add(name)
        return name


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twincube")
    twincube("user", "add", USER, "--data", folder, input=PASSWORD + "\n")
    return folder


@pytest.fixture(scope="session")
def catalogue(data):
    return Catalogue(data)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The folder of the demonstration series."""
    folder = tmp_path_factory.mktemp("demo") / "DEMO_S2"
    subprocess.run([BINARY.with_name("twincube-demo"), folder], check=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def running(data, tmp_path_factory):
    """A running server: url, api, process."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--udf-python",
                                    sys.executable], text=True, stdout=subprocess.PIPE, stderr=errors)
    url = process.stdout.readline().strip().rstrip("/")
    assert url.startswith("http://127.0.0.1:"), log.read_text()
    yield types.SimpleNamespace(url=url, api=url + "/openeo/1.2", process=process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0, log.read_text()
    process.stdout.close()


@pytest.fixture(scope="session")
def connection(running):
    import openeo

    connection = openeo.connect(running.url, auto_validate=False)
    return connection.authenticate_basic(USER, PASSWORD)
