"""The Wilson flow on the fake device: with the CPU's bits, also where the device fails on the way; EXPLAIN tells why it
runs where it does."""

import json

import pytest

from fake import REAL, Run, call, compare, from_node, run_with_fake


def flow(group, shape, configurations=3, **arguments):
    return {"field": call("lft_gauge_field", shape=shape, beta=2, group=group, configurations=configurations,
                          thermalisation=3, separation=1, start="hot"),
            "flow": {**call("lft_wilson_flow", data=from_node("field"), **arguments), "result": True}}


MEASURED = flow("U(1)", [4, 8], flow_time=0.1, interval=0.05, tolerance=1e-3)


def test_measurements_are_the_cpus(tmp_path):
    want = Run(tmp_path, tmp_path, MEASURED, device="cpu")
    have = Run(tmp_path, tmp_path, MEASURED, "--threads", 2)
    compare(have.values, want.values)
    assert want.count("launches:0") == 0 and (REAL or have.count("launches:0") > 3 * 3 * 6)
    assert have.count("left_behind") == 0 and have.told == []


def test_fields_are_the_cpus_of_many_chains_in_short_numbers(tmp_path):
    graph = flow("U(1)", [6, 4], quantity="field", flow_time=0.04)
    graph["field"]["arguments"].update(chains=2, precision="single")
    want = Run(tmp_path, tmp_path, graph, device="cpu")
    have = Run(tmp_path, tmp_path, graph, "--threads", 2)
    compare(have.values, want.values)
    assert (REAL or have.count("launches:0") > 0) and have.count("left_behind") == 0 and have.told == []


@pytest.mark.parametrize("failure", ["cuLaunchKernel:9:700", "cuMemAlloc_v2:3:2"])
def test_the_cpu_goes_on_where_the_device_fails(tmp_path, failure):
    graph = flow("U(1)", [6, 4], flow_time=0.1, interval=0.05)
    want = Run(tmp_path, tmp_path, graph, device="cpu")
    have = Run(tmp_path, tmp_path, graph, TWINCUBE_FAKE_FAIL=failure)
    compare(have.values, want.values)
    assert len(have.told) == 1 and have.count("left_behind") == 0


def explained(tmp_path, graph, device, ask_twice=True):
    """The stage of the flow; the text of EXPLAIN says the same, where nothing is measured anew."""
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    arguments = ["explain", tmp_path / "graph.json", "--data", tmp_path, "--device", device, "-o", "out.nc"]
    done = run_with_fake([*arguments, "--json"])
    assert done.returncode == 0, done.stderr
    (stage,) = [stage for stage in json.loads(done.stdout)["stages"] if stage["kind"] == "frames"]
    assert not ask_twice or "    runs " + stage["why"] in run_with_fake(arguments).stdout
    return stage


def test_explain_tells_where_it_runs_and_why(tmp_path):
    forced = explained(tmp_path, MEASURED, "cuda")
    assert forced["device"] == "cuda" and forced["why"] == "on the device, as is asked for"
    assert explained(tmp_path, MEASURED, "cpu")["why"] == "on the CPU, as is asked for"
    assert "too little for a device" in explained(tmp_path, MEASURED, "auto")["why"]
    many = explained(tmp_path, flow("SU(4)", [4, 4], flow_time=1), "cuda")
    assert many["device"] == "cpu" and "at most 3 colours" in many["why"]


def test_long_flows_are_tried_first(tmp_path):
    long = explained(tmp_path, flow("U(1)", [64, 64], configurations=20000, flow_time=2), "auto", False)
    assert long["cpu_seconds"] > 1 and long["device_seconds"] > 0
    assert (long["device"] == "cuda") == (long["device_seconds"] < long["cpu_seconds"])
    assert f"{long['device_seconds']:.2g}" in long["why"] and f"{long['cpu_seconds']:.2g}" in long["why"]
