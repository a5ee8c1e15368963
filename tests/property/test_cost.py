"""What a plan costs: bytes read and elements computed, as `twincube explain --json` counts them.

A bound is a multiple of what must be done at least: every stored value that counts read once, every element of the
result and of what is reduced computed once. The margin is for tiles that meet blocks of files halfway.
"""

import json
import os
import platform
import subprocess

import numpy
import pytest

import naive
import world as worlds
from conftest import BINARY
from maker import callback, parameter, reducer, reference
from test_crops import load, step

SIZE, DATES, BANDS = 256, 6, ("B04", "B08")
ELEMENTS = SIZE * SIZE * DATES * len(BANDS)
STORED = 2 * ELEMENTS  # bytes: uint16, not compressed
MARGIN = 1.1
SUBTRACT = callback(("subtract", {"x": parameter("x"), "y": parameter("y")}))
DIVIDE = callback(("divide", {"x": parameter("x"), "y": parameter("y")}))
ADD_ONE = callback(("add", {"x": parameter("x"), "y": 1}))
INDEX = callback(("array_element", {"data": parameter("data"), "index": 0}),
                 ("array_element", {"data": parameter("data"), "index": 1}),
                 ("normalized_difference", {"x": reference("s1"), "y": reference("s0")}))


@pytest.fixture(scope="module")
def large(subject, tmp_path_factory):
    """A collection whose planes are not one block."""
    grid = worlds.shifted(worlds.ZONE, 10.0, 0, 0, SIZE, SIZE)
    dates = [f"2020-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in (4, 20)]
    worlds.rasters(numpy.random.default_rng(2), tmp_path_factory.mktemp("large"), subject.add, "large", [grid], dates,
                   "uint16", 0, BANDS)
    return grid


def cost(subject, graph, tight=False):
    """The plan's costs with plenty of memory, or with the least that will do, where tiles are small."""
    last = list(graph)[-1]
    graph = {**graph, last: {**graph[last], "result": True}}
    options = ["--memory", subject.least_memory(graph)] if tight else []
    return json.loads(subject.call("explain", graph, "--json", *options))


def index():
    """Nodes `l` and `i`: the normalised difference of the two bands, by date."""
    return {"l": load("large"), "i": step("reduce_dimension", data=reference("l"), dimension="bands", reducer=INDEX)}


def whole_mean(node, how="max"):
    """Nodes that reduce a node over t, y and x to one value a band, or one value; the last is `whole`."""
    return {"a": step("reduce_dimension", data=reference(node), dimension="t", reducer=reducer(how)),
            "b": step("reduce_dimension", data=reference("a"), dimension="y", reducer=reducer(how)),
            "whole": step("reduce_dimension", data=reference("b"), dimension="x", reducer=reducer(how))}


def test_the_fields_are_there_and_loading_reads_once(subject, large):
    plan = cost(subject, {"l": load("large")})
    assert plan["result_elements"] == ELEMENTS
    assert STORED / MARGIN < plan["read_bytes"] < STORED * MARGIN
    assert plan["computed_elements"] <= ELEMENTS
    assert plan["stages"] and len(plan["phases"]) == 1


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("tight", [False, True])
def test_month_mean_and_month_maximum_of_one_index_read_once(subject, large, stacked, tight):
    """Their difference, or the two beside each other in a new dimension."""
    graph = index()
    for how in ("mean", "max"):
        made = f"{how}_only" if stacked else how
        graph[made] = step("aggregate_temporal_period", data=reference("i"), period="month", reducer=reducer(how))
        if stacked:
            graph[how] = step("add_dimension", data=reference(made), name="statistic", label=how, type="other")
    graph["both"] = step("merge_cubes", cube1=reference("mean"), cube2=reference("max"), overlap_resolver=SUBTRACT)
    plan = cost(subject, graph, tight)
    assert plan["read_bytes"] < STORED * MARGIN
    assert plan["computed_elements"] < 3 * ELEMENTS


@pytest.mark.parametrize("how", ["mean", "max", "sd"])
@pytest.mark.parametrize("tight", [False, True])
def test_a_statistic_of_the_whole_is_made_once(subject, large, how, tight):
    """x / max(x) reads x twice, however many tiles there are."""
    graph = {"l": load("large"), **whole_mean("l", how)}
    graph["share"] = step("merge_cubes", cube1=reference("l"), cube2=reference("whole"), overlap_resolver=DIVIDE)
    plan = cost(subject, graph, tight)
    assert plan["read_bytes"] < 2 * STORED * MARGIN
    assert plan["computed_elements"] < 4 * ELEMENTS


def test_a_deviation_from_the_mean_of_a_pixel_reads_at_most_twice(subject, large):
    graph = {"l": load("large")}
    graph["mean"] = step("reduce_dimension", data=reference("l"), dimension="t", reducer=reducer("mean"))
    graph["deviation"] = step("merge_cubes", cube1=reference("l"), cube2=reference("mean"), overlap_resolver=SUBTRACT)
    plan = cost(subject, graph)
    assert plan["read_bytes"] < 2 * STORED * MARGIN
    assert plan["computed_elements"] < 3 * ELEMENTS


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("uses", [2, 3])
def test_a_warp_with_several_uses_is_one(subject, large, computed, uses):
    """Of a collection, and of computed values."""
    graph = {"l": load("large")}
    if computed:
        graph["c"] = step("apply", data=reference("l"), process=ADD_ONE)
    graph["w"] = step("resample_spatial", data=reference("c" if computed else "l"), projection=worlds.NEXT,
                      resolution=10, method="near")
    last = "w"
    for use in range(1, uses):
        graph[f"a{use}"] = step("apply", data=reference("w"),
                                process=callback(("multiply", {"x": parameter("x"), "y": use + 1})))
        graph[f"m{use}"] = step("merge_cubes", cube1=reference(f"a{use}"), cube2=reference(last),
                                overlap_resolver=SUBTRACT)
        last = f"m{use}"
    plan = cost(subject, graph)
    kinds = [stage["kind"] for stage in plan["stages"]]
    assert kinds.count("warp") <= 1 and sum("source" in kind or "series" in kind for kind in kinds) <= 1, kinds
    once = cost(subject, {name: graph[name] for name in ("l", "c", "w") if name in graph})
    assert plan["read_bytes"] <= once["read_bytes"] * MARGIN
    assert plan["computed_elements"] <= once["computed_elements"] + 2 * plan["result_elements"]


def test_a_chain_of_steps_is_one_pass(subject, large):
    graph = {"l": load("large")}
    last = "l"
    for i in range(10):
        graph[f"a{i}"] = step("apply", data=reference(last), process=ADD_ONE)
        last = f"a{i}"
    plan = cost(subject, graph)
    assert plan["read_bytes"] < STORED * MARGIN
    assert plan["computed_elements"] <= ELEMENTS * MARGIN


def test_a_node_used_thrice_is_read_once(subject, large):
    graph = index()
    for i, how in enumerate(("mean", "max", "min")):
        graph[how] = step("reduce_dimension", data=reference("i"), dimension="t", reducer=reducer(how))
    graph["two"] = step("merge_cubes", cube1=reference("mean"), cube2=reference("max"), overlap_resolver=SUBTRACT)
    graph["three"] = step("merge_cubes", cube1=reference("two"), cube2=reference("min"), overlap_resolver=SUBTRACT)
    assert cost(subject, graph)["read_bytes"] < STORED * MARGIN


@pytest.mark.parametrize("cut, share", [
    ({"extent": True}, 0.25), ({"bands": ["B08"]}, 0.5), ({"temporal_extent": ["2020-02-01", "2020-03-01"]}, 1 / 3)])
@pytest.mark.parametrize("late", [False, True])
def test_what_is_cut_away_is_not_read(subject, large, cut, share, late):
    """Cut while loading, or by a filter after a computation."""
    west, south, east, north = large.extent()
    box = {"west": west, "south": (south + north) / 2, "east": (west + east) / 2, "north": north, "crs": worlds.ZONE}
    arguments = {"spatial_extent": box} if "extent" in cut else cut
    if not late:
        graph = {"l": step("load_collection", **{**load("large")["arguments"], **arguments})}
    else:
        times = {"extent": cut.get("temporal_extent")}
        process, value = {"extent": ("filter_bbox", {"extent": box}), "bands": ("filter_bands", cut),
                          "temporal_extent": ("filter_temporal", times)}[next(iter(cut))]
        graph = {"l": load("large"), "a": step("apply", data=reference("l"), process=ADD_ONE),
                 "f": step(process, data=reference("a"), **value)}
    plan = cost(subject, graph)
    assert plan["result_elements"] == pytest.approx(ELEMENTS * share)
    assert plan["read_bytes"] < STORED * share * 1.3


def test_a_crop_before_a_merge_spares_the_rest(subject, large):
    """The second cube is read where the crop lets it through, nowhere else."""
    west, _, _, north = large.extent()
    box = {"west": west, "south": north - 640, "east": west + 640, "north": north, "crs": worlds.ZONE}  # a sixteenth
    coarse = naive.dataclasses.replace(large, res=20.0, width=SIZE // 2, height=SIZE // 2)
    graph = {"l": load("large"), "f": step("filter_bbox", data=reference("l"), extent=box),
             "c": step("resample_spatial", data=reference("l"), resolution=coarse.res, method="near"),
             "m": step("merge_cubes", cube1=reference("f"), cube2=reference("c"), overlap_resolver=SUBTRACT)}
    assert cost(subject, graph)["read_bytes"] < STORED / 16 * 2 * 2


def test_libraries_are_not_loaded_before_they_are_needed():
    """They and what they bring take longer to load than a scalar to compute."""
    if os.environ.get("TWINCUBE_SANITIZED") or platform.machine() != "x86_64":
        pytest.skip("linked with all libraries itself")
    listed = subprocess.run([BINARY], env={**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True,
                            text=True, check=True).stdout
    assert "libjansson" in listed
    assert [name for name in ("gdal", "proj", "netcdf", "hdf5", "curl", "pq") if f"lib{name}" in listed] == []
