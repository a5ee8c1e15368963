"""Where stages run: by measured speeds, which are kept; EXPLAIN tells it."""

import json
import re

import netCDF4
import pytest

from fake import call, callback, from_node, run_with_fake, twincube, write_axes
from test_device_runs import MEDIAN

X = {"from_parameter": "x"}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A data folder whose CUBE has 24 dates, 2 bands and 8192 x 8192 cells, none of them written."""
    folder = tmp_path_factory.mktemp("large")
    with netCDF4.Dataset(folder / "cube.nc", "w") as file:
        write_axes(file, 24, 8192, 8192)
        for band in range(2):
            variable = file.createVariable(f"B{band}", "i2", ("t", "y", "x"), fill_value=-1, zlib=True,
                                           chunksizes=(1, 512, 512))
            variable.grid_mapping = "crs"
    twincube("catalogue", "add", "--data", folder, "--id", "CUBE", folder / "cube.nc", check=True)
    return folder


def explain(folder, tmp_path, process_graph, *options, fake=True, **surroundings):
    (tmp_path / "graph.json").write_text(json.dumps(process_graph))
    call_options = ["explain", tmp_path / "graph.json", "--data", folder, "-o", "out.nc", *options]
    done = run_with_fake(call_options, fake=fake, **surroundings)
    assert done.returncode == 0, done.stderr
    document = json.loads(run_with_fake([*call_options, "--json"], fake=fake, **surroundings).stdout)
    kernels = [stage for stage in document["stages"] if stage["kind"] == "kernel"]
    assert re.findall(r"^    runs (.*)$", done.stdout, re.M) == [stage["why"] for stage in kernels]
    return kernels


def set_speeds(folder, device, **numbers):
    (path,) = [path for path in (folder / "devices").glob("speeds-*.txt") if f"device {device}" in path.read_text()]
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
    path.write_text("".join(f"{name} {numbers.get(name, value)}\n" for name, value in lines))


def slow_or_fast(folder, device="Fake 0", **numbers):
    speeds = dict.fromkeys((f"device_{kind}" for kind in ("memory", "plain", "dear", "reduce", "order")), 1e-12)
    speeds |= dict.fromkeys((f"cpu_{kind}" for kind in ("memory", "plain", "dear", "reduce", "order")), 1e-9)
    set_speeds(folder, device, **{**speeds, "to_device_bytes_per_second": 25e9, "to_host_bytes_per_second": 25e9,
                                  "launch_seconds": 5e-6, **numbers})


def test_speeds_are_measured_once_and_decide(large, tmp_path):
    (first,) = explain(large, tmp_path, MEDIAN, "--threads", 4)
    assert first["cpu_seconds"] > 0 and first["device"] == "cpu"  # the fake device is slow
    (path,) = (large / "devices").glob("speeds-*.txt")
    lines = path.read_text().splitlines()
    assert lines[0] == "device Fake 0" and len(lines) == 14 and all(float(line.split()[1]) > 0 for line in lines[1:])
    slow_or_fast(large)
    (fast,) = explain(large, tmp_path, MEDIAN, "--threads", 4)
    values = 8192 * 8192 * (48 + 1 + 3 * 24 + 24)
    assert fast["device"] == "cuda" and fast["cpu_seconds"] == pytest.approx(values * 1e-9 / 4, rel=0.1)
    assert fast["device_seconds"] == pytest.approx(0.6 + 8192 * 8192 * 96 / 25e9, rel=0.01)  # the copy takes longest
    slow_or_fast(large, to_device_bytes_per_second=1e8)
    (copied,) = explain(large, tmp_path, MEDIAN, "--threads", 4)
    assert copied["device"] == "cpu" and copied["device_seconds"] > 60
    path.write_text("broken")
    explain(large, tmp_path, MEDIAN)
    assert len(path.read_text().splitlines()) == 14


def test_each_device_has_its_own_speeds(large, tmp_path):
    def seconds(**surroundings):
        (stage,) = explain(large, tmp_path, MEDIAN, "--threads", 4, **surroundings)
        return stage["device_seconds"] - 0.6, stage["why"]

    seconds(TWINCUBE_FAKE_DEVICES=2)
    assert len(list((large / "devices").glob("speeds-*.txt"))) == 2
    slow_or_fast(large)
    slow_or_fast(large, "Fake 1", to_device_bytes_per_second=5e9)  # a fifth
    one, why = seconds()
    assert why.startswith("on the device: ")
    both, why = seconds(TWINCUBE_FAKE_DEVICES=2)
    assert both == pytest.approx(one / 1.2, rel=0.01) and why.startswith("on 2 devices: ")
    first, _ = seconds(TWINCUBE_FAKE_DEVICES=2, TWINCUBE_FAKE_FAIL="cuDevicePrimaryCtxRetain:2:999")
    assert first == pytest.approx(one)  # the other does not open


def test_what_is_asked_for_is_done(large, tmp_path):
    (cpu,) = explain(large, tmp_path, MEDIAN, "--device", "cpu")
    (cuda,) = explain(large, tmp_path, MEDIAN, "--device", "cuda")
    assert (cpu["device"], cpu["why"]) == ("cpu", "on the CPU, as is asked for")
    assert (cuda["device"], cuda["why"]) == ("cuda", "on the device, as is asked for")
    assert run_with_fake(["explain", "-", "--device", "gpu"]).returncode == 2


def test_reasons_are_told(large, data, tmp_path):
    (none,) = explain(large, tmp_path, MEDIAN, fake=False)
    assert none["device"] == "cpu" and "libcuda.so.1" in none["why"]
    (little,) = explain(data, tmp_path, MEDIAN)
    assert "too little for a device" in little["why"]
    field = {"field": call("lft_scalar_field", shape=[8, 8], m2=-4, **{"lambda": 8}, seed=1, configurations=20),
             "out": {**call("apply", data=from_node("field"), process=callback(s=call("multiply", x=X, y=X))),
                     "result": True}}
    (chain,) = explain(data, tmp_path, field, "--device", "cuda")
    assert chain["device"] == "cpu" and "chain" in chain["why"]
