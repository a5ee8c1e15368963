"""Plans on the fake device give what the CPU gives, also where the device is full, fails or is shared."""

import json
import os

import maker
import numpy
import pytest

from fake import (LIBRARIES, REAL, Run, call, callback, compare, from_node, graph, reducer, run_with_fake, twincube,
                  write_cube)

ROUNDS = int(os.environ.get("TWINCUBE_PROPERTY_ROUNDS", "10"))
SEED = int(os.environ.get("TWINCUBE_PROPERTY_SEED", "1"))
X, DATA = {"from_parameter": "x"}, {"from_parameter": "data"}

NDVI = callback(
    red=call("array_element", data=DATA, index=0), nir=call("array_element", data=DATA, index=1),
    top=call("subtract", x=from_node("nir"), y=from_node("red")),
    sum=call("add", x=from_node("nir"), y=from_node("red")),
    ndvi=call("divide", x=from_node("top"), y=from_node("sum")))
SMOOTH = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]

MEDIAN = graph(ndvi=call("reduce_dimension", data=from_node("load"), dimension="bands", reducer=NDVI),
               median=call("reduce_dimension", data=from_node("ndvi"), dimension="t", reducer=reducer("median")))
GRAPHS = {
    "a kernel": graph(out=call("apply", data=from_node("load"), process=callback(
        root=call("sqrt", x=X), more=call("add", x=from_node("root"), y=0.5)))),
    "a median": MEDIAN,
    "a window": graph(out=call("apply_kernel", data=from_node("load"), kernel=SMOOTH, factor=1 / 16, border="reflect")),
    "periods": graph(out=call("aggregate_temporal_period", data=from_node("load"), period="month",
                              reducer=reducer("mean"))),
    "a period without dates": graph(out=call(
        "aggregate_temporal", data=from_node("load"), reducer=reducer("sum"),
        intervals=[["2020-01-01", "2020-01-25"], ["2021-01-01", "2021-02-01"]], labels=["2020-01-01", "2021-01-01"])),
    "few lanes and a long axis": graph(
        few=call("filter_temporal", data=from_node("load"), extent=["2020-01-01", "2020-01-20"]),
        out=call("reduce_dimension", data=from_node("few"), dimension="x", reducer=reducer("variance"))),
    "a long median": graph(out=call("reduce_dimension", data=from_node("load"), dimension="x",
                                    reducer=reducer("median"))),
    "several numbers": graph(out=call("apply_dimension", data=from_node("load"), dimension="t", target_dimension="q",
                                      process=callback(q=call("quantiles", data=DATA, probabilities=[0.1, 0.5, 0.9])))),
    "a kept result": graph(
        mean=call("reduce_dimension", data=from_node("load"), dimension="t", reducer=reducer("mean")),
        smooth=call("apply_kernel", data=from_node("mean"), kernel=SMOOTH),
        out=call("merge_cubes", cube1=from_node("load"), cube2=from_node("smooth"), overlap_resolver=callback(
            d=call("subtract", x=X, y={"from_parameter": "y"})))),
    "a part": graph(
        part=call("filter_bbox", data=from_node("load"), extent={"west": 95, "east": 705, "south": 65, "north": 515,
                                                                  "crs": 32632}),
        out=call("apply", data=from_node("part"), process=callback(m=call("multiply", x=X, y=3)))),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_device_gives_what_the_cpu_gives(data, tmp_path, name):
    want = Run(data, tmp_path, GRAPHS[name], device="cpu")
    have = Run(data, tmp_path, GRAPHS[name], "--threads", 2)
    compare(have.values, want.values, 1e-6)
    assert (REAL or have.count("launches:0") > 0) and have.count("left_behind") == 0 and have.told == []
    assert want.counts == {}  # nothing of it is opened


ELEMENTS = ["absolute", "sgn", "sqrt", "exp", "ln", "floor", "ceil", "int", "round", "sin", "cos", "tan", "arcsin",
            "arccos", "arctan", "sinh", "cosh", "tanh", "arsinh", "arcosh", "artanh", "is_nodata", "is_nan"]
PAIRS = ["add", "subtract", "multiply", "divide", "mod", "power", "arctan2", "eq", "neq", "gt", "gte", "lt", "lte"]
ARRAYS = ["mean", "median", "min", "max", "sum", "product", "sd", "variance", "count", "first", "last"]
NAMES = {"exp": ("p",), "power": ("base", "p"), "arctan2": ("y", "x")}


def rows_graph():
    """A kernel in which each row of the element language and each reducer has a label of its own."""
    at = {f"v{i}": call("array_element", data=DATA, index=i) for i in range(2)}
    small = {f"s{i}": call("divide", x=from_node(f"v{i}"), y=1500) for i in range(2)}
    one = {name: call(name, **{NAMES.get(name, ("x",))[0]: from_node("s0")}) for name in ELEMENTS}
    two = {name: call(name, **dict(zip(NAMES.get(name, ("x", "y")), (from_node("s0"), from_node("s1")))))
           for name in PAIRS}
    arrays = {name: call(name, data=DATA) for name in ARRAYS}
    every = [from_node(name) for name in (*one, *two, *arrays)]
    return graph(out=call("apply_dimension", data=from_node("load"), dimension="t", target_dimension="row",
                          process=callback(**at, **small, **one, **two, **arrays,
                                           all=call("array_create", data=every))))


def test_rows_are_the_cpus(data, tmp_path):
    want = Run(data, tmp_path, rows_graph(), device="cpu")
    compare(Run(data, tmp_path, rows_graph()).values, want.values, 1e-5)


def test_the_median_is_numpys(data, tmp_path):
    values = numpy.load(data / "values.npy").astype(float)
    values[values < 0] = numpy.nan
    with numpy.errstate(invalid="ignore"):
        ndvi = (values[:, 1] - values[:, 0]) / (values[:, 1] + values[:, 0])
    want = numpy.nanmedian(ndvi.reshape(9, -1), axis=0).reshape(70, 90)
    numpy.testing.assert_allclose(list(Run(data, tmp_path, MEDIAN).values.values())[0], want, rtol=1e-6, atol=1e-6)


def test_tiles_and_devices_do_not_show(data, tmp_path):
    want = Run(data, tmp_path, GRAPHS["a window"], device="cpu")
    for options, surroundings in ((["--threads", 3, "--memory", "140M"], {}),
                                  (["--threads", 4], {"TWINCUBE_FAKE_DEVICES": 3})):
        have = Run(data, tmp_path, GRAPHS["a window"], *options, **surroundings)
        compare(have.values, want.values)
        assert have.count("left_behind") == 0
    assert sum(have.count(f"launches:{d}") > 0 for d in range(3)) > 1
    second = Run(data, tmp_path, GRAPHS["a window"], device="cuda:1", TWINCUBE_FAKE_DEVICES=2)
    assert second.count("launches:0") == 0 and second.count("launches:1") > 0


FAILURES = ["cuMemAlloc_v2:1:2", "cuMemAlloc_v2:2:2", "cuMemAlloc_v2:4:700", "cuLaunchKernel:1", "cuLaunchKernel:2",
            "cuLaunchKernel:1:2", "cuMemcpyHtoDAsync_v2:3", "cuMemcpyDtoHAsync_v2:1", "cuStreamSynchronize:1",
            "cuEventRecord:2", "cuEventSynchronize:1", "cuStreamCreate:1", "cuModuleLoadData:1",
            "cuModuleGetFunction:1:500", "cuDevicePrimaryCtxRetain:1:2", "cuMemGetInfo_v2:1",
            "cuMemHostRegister_v2:1:2"]


@pytest.mark.parametrize("failure", FAILURES)
def test_the_cpu_goes_on_where_the_device_fails(data, tmp_path, failure):
    name = "periods"
    want = Run(data, tmp_path, GRAPHS[name], device="cpu")
    have = Run(data, tmp_path, GRAPHS[name], "--threads", 2, TWINCUBE_FAKE_FAIL=failure)
    compare(have.values, want.values, 1e-6)
    assert len(have.told) <= 1 and all("the CPU goes on" in line for line in have.told), have.told
    assert have.count("left_behind") == 0


def test_the_ceiling_of_a_devices_memory_is_kept(data, tmp_path):
    want = Run(data, tmp_path, MEDIAN, device="cpu")
    have = Run(data, tmp_path, MEDIAN, "--device-memory", "1M")
    compare(have.values, want.values, 1e-6)
    assert have.count("most_memory:0") <= 1 << 20


# The mean along x, which every tile along x reads again.
MEAN_OF_ROWS = graph(
    mean=call("reduce_dimension", data=from_node("load"), dimension="x", reducer=reducer("mean")),
    out=call("merge_cubes", cube1=from_node("load"), cube2=from_node("mean"), overlap_resolver=callback(
        d=call("subtract", x=X, y={"from_parameter": "y"}))))


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """A folder whose CUBE (t 20, bands 2, y 250, x 256) lies in blocks of 32 x 32."""
    folder = tmp_path_factory.mktemp("blocks")
    values = numpy.random.default_rng(5).integers(0, 3000, (20, 2, 250, 256)).astype("int16")
    write_cube(folder / "cube.nc", values, chunksizes=(1, 32, 32))
    twincube("catalogue", "add", "--data", folder, "--id", "CUBE", folder / "cube.nc", check=True)
    return folder


KEPT = 20 * 2 * 250 * 4
TILES = ("--threads", 1, "--memory", "132M")


@pytest.mark.skipif(REAL, reason="the fake device counts copies")
def test_kept_results_stay_on_the_device(blocks, tmp_path):
    want = Run(blocks, tmp_path, MEAN_OF_ROWS, *TILES, device="cpu")
    have = Run(blocks, tmp_path, MEAN_OF_ROWS, *TILES)
    part_by_part = Run(blocks, tmp_path, MEAN_OF_ROWS, *TILES, TWINCUBE_FAKE_REFUSE=KEPT)
    for run in (have, part_by_part):
        compare(run.values, want.values, 1e-6)
        assert run.told == [] and run.count("left_behind") == 0 and run.count("launches:0") == have.count("launches:0")
    both = Run(blocks, tmp_path, MEAN_OF_ROWS, *TILES, TWINCUBE_FAKE_DEVICES=2)
    compare(both.values, have.values)
    assert both.count("left_behind") == 0 and both.count("launches:0") > 0 < both.count("launches:1")
    assert have.count("copied:0") <= part_by_part.count("copied:0") - KEPT
    assert have.count("copies:0") < part_by_part.count("copies:0")


def test_explain_tells_what_stays_on_the_device(blocks, tmp_path):
    (tmp_path / "graph.json").write_text(json.dumps(MEAN_OF_ROWS))
    command = ["explain", tmp_path / "graph.json", "--data", blocks, *TILES]
    assert "a copy stays on the device" in run_with_fake([*command, "--device", "cuda"]).stdout
    assert "on the device" not in run_with_fake([*command, "--device", "cpu"]).stdout
    if not REAL:
        small = run_with_fake([*command, "--device", "cuda"], TWINCUBE_FAKE_MEMORY=KEPT).stdout
        assert "copied to the device tile by tile" in small
        (keeping, output) = json.loads(run_with_fake([*command, "--device", "cuda", "--json"]).stdout)["phases"]
        assert keeping["on_device"] == "a copy stays on the device" and "on_device" not in output


def test_a_device_that_is_not_there_is_an_error(data, tmp_path):
    for device, surroundings in (("cuda:1", {}), ("cuda", {"TWINCUBE_FAKE_DEVICES": 0})):
        with pytest.raises(AssertionError, match="FeatureUnsupported: --device: .*device"):
            Run(data, tmp_path, MEDIAN, device=device, **surroundings)


def test_kernels_are_compiled_once_and_broken_files_again(data, tmp_path):
    folder = data / "devices" / "kernels"
    first = Run(data, tmp_path, MEDIAN)
    kept = sorted(folder.glob("*.kernel"))
    assert kept and not list(folder.glob("*.kernel.*"))
    os.environ["PATH"], path = "/nowhere", os.environ["PATH"]
    try:
        compare(Run(data, tmp_path, MEDIAN).values, first.values)  # without a compiler
    finally:
        os.environ["PATH"] = path
    for length, byte in ((0, b""), (100, b""), (None, b"?")):
        for file in kept:
            content = file.read_bytes()
            file.write_bytes(content[:length] if length is not None else content[:-9] + byte + content[-8:])
        have = Run(data, tmp_path, MEDIAN)
        compare(have.values, first.values)
        assert have.count("launches:0") > 0


def numbers(answer):
    return numpy.array(answer["data"] if isinstance(answer, dict) else answer, dtype=float)


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_random_graphs_mean_the_same(world, seed, monkeypatch):
    subject, collections = world
    random_graph, _ = maker.Maker(seed, collections).make()
    if not REAL:
        monkeypatch.setenv("LD_LIBRARY_PATH", str(LIBRARIES))
    try:
        want = json.loads(subject.run(random_graph, "--device", "cpu"))
    except Exception as refused:  # what is not computed at all
        pytest.skip(str(refused)[:100])
    have = json.loads(subject.run(random_graph, "--device", "cuda", "--threads", 2))
    numpy.testing.assert_allclose(numbers(have), numbers(want), rtol=1e-5, atol=1e-9)
