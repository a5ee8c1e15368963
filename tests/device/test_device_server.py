"""A server whose workers use the fake device."""

import json
import os
import subprocess
import urllib.request
from base64 import b64encode

import numpy
import pytest

import fake
from test_device_runs import MEDIAN

GRAPH = {**MEDIAN, "median": {k: v for k, v in MEDIAN["median"].items() if k != "result"},
         "save": {"process_id": "save_result", "result": True,
                  "arguments": {"data": {"from_node": "median"}, "format": "JSON"}}}


def ask(data, *options):
    """The synchronous result of a server with these options, and what its log says."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(fake.LIBRARIES)}
    server = subprocess.Popen([fake.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, *options], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        address = server.stdout.readline().split()[-1]
        basic = b64encode(b"carol:a password of the tests").decode()
        login = urllib.request.Request(f"{address}/openeo/1.2/credentials/basic",
                                       headers={"Authorization": f"Basic {basic}"})
        token = json.load(urllib.request.urlopen(login, timeout=60))["access_token"]
        request = urllib.request.Request(
            f"{address}/openeo/1.2/result", json.dumps({"process": {"process_graph": GRAPH}}).encode(),
            {"Authorization": f"Bearer basic//{token}", "Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=120))
    finally:
        server.terminate()
        server.communicate(timeout=60)


@pytest.fixture(scope="module")
def served(data):
    subprocess.run([fake.BINARY, "user", "add", "carol", "--data", data], input="a password of the tests\n", text=True,
                   check=True, capture_output=True)
    return data


def test_workers_use_devices_and_are_confined_without_losing_the_cpu(served):
    kernels = served / "devices" / "kernels"
    for file in kernels.glob("*"):
        file.unlink()
    want = ask(served)
    assert not list(kernels.glob("*"))  # by the CPU, as always without --device
    have = ask(served, "--device", "cuda", "--device-memory", "64M", "--confine", "off")
    assert list(kernels.glob("*.kernel"))  # made for the device
    assert not list(kernels.parent.glob("user-*"))
    confined = ask(served, "--device", "cuda:0")  # may not read the fake driver where it lies
    assert len(list(kernels.parent.glob("user-*"))) == 1  # room for what such a worker compiles
    for answer in (have, confined):
        numpy.testing.assert_allclose(numpy.array(answer["data"], float), numpy.array(want["data"], float), rtol=1e-6,
                                      atol=1e-6)


def test_another_device_is_refused_at_the_start():
    done = fake.twincube("serve", "--device", "gpu")
    assert done.returncode != 0 and "--device wants auto, cpu, cuda or cuda:N" in done.stderr
