"""What the tests of the twins share: a server, and values with errors of what a graph computes through its HTTP API.

The program is TWINCUBE_BIN (default build/twincube). Tests marked `nightly` take minutes; tests/run leaves them out,
`pytest -m nightly tests/twins` runs them. Each prints how far it is from the value expected, in standard errors.
"""

import os
import pathlib
import signal
import subprocess
import time

import numpy
import openeo
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube"))
USER, PASSWORD = "nils", "a password of the twins"


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: takes minutes")


def saved(graph):
    """The graph, with its result saved as JSON."""
    result = next(name for name, node in graph.items() if node.get("result"))
    nodes = {name: {key: value for key, value in node.items() if key != "result"} for name, node in graph.items()}
    nodes["saved"] = {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": result}, "format": "JSON"}}
    return nodes


class Twin:
    """A connection that computes graphs."""

    def __init__(self, connection):
        self.connection = connection

    def compute(self, graph):
        """The document of the graph's result as JSON."""
        answer = self.connection.post("/result", json={"process": {"process_graph": saved(graph)}}, expected_status=200)
        return answer.json()

    def batch(self, graph, seconds):
        """The same by a job, which no client gives up on before that time."""
        job = self.connection.create_job(saved(graph))
        job.start_job()
        end = time.monotonic() + seconds
        while job.status() in ("queued", "running") and time.monotonic() < end:
            time.sleep(1)
        assert job.status() == "finished", job.logs()
        return job.get_results().get_assets()[0].load_json()

    def history(self, process, **arguments):
        """The diagnostics of a simulation: an array for each label, indexed by configuration."""
        cube = self.compute({"chain": {"process_id": process, "result": True,
                                       "arguments": {"quantity": "history", **arguments}}})
        labels = cube["dimensions"][-1]["labels"]
        return dict(zip(labels, numpy.moveaxis(numpy.array(cube["data"]), -1, 0)))


def estimate(values, bins=20):
    """Mean and its error from bins, along the first axis."""
    values = numpy.asarray(values, dtype=float)
    parts = values[:len(values) // bins * bins].reshape(bins, -1, *values.shape[1:]).mean(axis=1)
    return parts.mean(axis=0), parts.std(axis=0, ddof=1) / bins**0.5


def correlated_error(values):
    """Error of the mean of replicas [replica, time], as few as they are: the sum of their autocorrelation up to where
    noise takes over (U. Wolff, hep-lat/0306017, equations 31, 33, 41, 42, 49, 52), and the integrated time."""
    values = numpy.asarray(values, dtype=float)
    rest, length = values - values.mean(), values.shape[1]
    gamma = [(rest[:, lag:] * rest[:, :length - lag]).mean() for lag in range(length)]
    summed, window = gamma[0], 0
    for window in range(1, max(2, length // 2)):
        summed += 2 * gamma[window]
        time_now = max(summed / (2 * gamma[0]), 0.5 + 1e-9)
        decay = 1.5 / numpy.log((2 * time_now + 1) / (2 * time_now - 1))
        if numpy.exp(-window / decay) - decay / (window * values.size)**0.5 < 0:
            break
    summed *= 1 + (2 * window + 1) / values.size
    return (max(summed, gamma[0]) / values.size)**0.5, summed / (2 * gamma[0])


def integration(end, count=8):
    """Nodes and weights of Gauss and Legendre from 0 to there."""
    nodes, weights = numpy.polynomial.legendre.leggauss(count)
    return end * (nodes + 1) / 2, end * weights / 2


def agrees(what, values, expected, error=0.0, sigmas=4):
    """Prints the deviation; it is within so many combined errors."""
    mean, own = estimate(values)
    deviation = (mean - expected) / (own**2 + error**2)**0.5
    print(f"{what}: {mean:.6g}({own:.2g}), expected {expected:.6g}({error:.2g}), {deviation:+.2f} sigma")
    assert abs(deviation) < sigmas
    return own


@pytest.fixture(scope="session")
def twin(tmp_path_factory):
    data = tmp_path_factory.mktemp("twins")
    subprocess.run([BINARY, "user", "add", USER, "--data", data], input=PASSWORD + "\n", text=True, check=True,
                   capture_output=True, timeout=60)
    with open(data / "server.log", "w", encoding="utf-8") as errors:
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data], text=True,
                                   stdout=subprocess.PIPE, stderr=errors)
    url = process.stdout.readline().strip().rstrip("/")
    assert url.startswith("http://127.0.0.1:"), (data / "server.log").read_text()
    yield Twin(openeo.connect(url, auto_validate=False).authenticate_basic(USER, PASSWORD))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0, (data / "server.log").read_text()
    process.stdout.close()
