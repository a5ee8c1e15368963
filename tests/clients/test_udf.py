"""User-defined functions: the Python client's own way, and values against NumPy."""

import json
import math
import re
import subprocess
import textwrap
import time

import numpy
import openeo
import pytest
import rasterio
import requests
import xarray
from pyproj import Transformer

from conftest import BINARY, twincube, until
from cube_tools import callback, chain, cube, dimension, labels, run
from remote_host import RemoteHost

DATES = ["2020-01-05", "2020-02-05", "2020-03-05"]
SIZES = {"t": 3, "bands": 2, "y": 40, "x": 50}
VALUES = numpy.arange(3 * 2 * 40 * 50, dtype="float64").reshape(3, 2, 40, 50) % 97
IDENTITY = """
import xarray

def apply_datacube(cube: xarray.DataArray, context: dict) -> xarray.DataArray:
    return cube
"""


def example(values=VALUES):
    return cube(values, t=dimension("temporal", DATES), bands=dimension("bands", ["B1", "B2"]),
                y=dimension("spatial", [1000 - 10 * i for i in range(values.shape[2])], axis="y",
                            reference_system="EPSG:32632"),
                x=dimension("spatial", [10 * i for i in range(values.shape[3])], axis="x",
                            reference_system="EPSG:32632"))


def udf(code, parameter="data", **more):
    return callback("run_udf", (), data={"from_parameter": parameter}, udf=textwrap.dedent(code), runtime="Python",
                    **more)


def script(body, name="apply_datacube", arguments="cube, context"):
    return f"import numpy\nimport xarray\n\ndef {name}({arguments}):\n" + textwrap.indent(textwrap.dedent(body), "    ")


def graph_of(kind, code, data=None, **arguments):
    """A graph that runs a script as the callback of a process."""
    known = {"apply": ("process", "x"), "reduce_dimension": ("reducer", "data")}
    name, parameter = known.get(kind, ("process", "data"))
    return chain((kind, {"data": data or example(), name: udf(code, parameter), **arguments}))


def ask(connection, graph):
    """What the server answers, as `run` of cube_tools gives it; its interpreters stay from test to test."""
    return connection.post("/result", json={"process": {"process_graph": graph}}).json()


def refusal(connection, graph):
    """The error that it answers, "Code: message"."""
    answer = connection.post("/result", json={"process": {"process_graph": graph}}, check_error=False)
    assert answer.status_code >= 400, answer.text
    return "{code}: {message}".format(**answer.json())


def values_of(result):
    return numpy.array(result["data"], dtype="float64")


# ---- parents ----------------------------------------------------------------------------------------------------


def test_identity_changes_nothing(connection):
    result = ask(connection, graph_of("apply", IDENTITY))
    assert numpy.array_equal(values_of(result), VALUES)
    assert labels(result, "bands") == ["B1", "B2"]
    assert [label[:10] for label in labels(result, "t")] == DATES


def test_reducing_along_any_dimension(connection):
    for axis, name in enumerate(SIZES):
        result = ask(connection, graph_of("reduce_dimension", script(f"return cube.max('{name}') - cube.min('{name}')"),
                                        dimension=name))
        assert [d["name"] for d in result["dimensions"]] == [n for n in SIZES if n != name]
        assert numpy.array_equal(values_of(result), numpy.ptp(VALUES, axis=axis))


def test_a_dimension_that_a_reducer_leaves(connection):
    """One label is a value in the end, and an array for what comes before that."""
    reducer = udf(script("return cube.max('t', keepdims=True)"))
    behind = {"process_id": "mean", "arguments": {"data": {"from_node": "p"}}, "result": True}
    longer = {"process_graph": {"p": {**reducer["process_graph"]["p"], "result": False}, "mean": behind}}
    for given in (reducer, longer):
        result = ask(connection, chain(("reduce_dimension", {"data": example(), "dimension": "t", "reducer": given})))
        assert numpy.array_equal(values_of(result), VALUES.max(0))


def test_other_labels_along_a_dimension(connection):
    code = script("return xarray.concat([cube.min('t'), cube.max('t')], dim='t').assign_coords(t=['low', 'high'])")
    result = ask(connection, graph_of("apply_dimension", code, dimension="t"))
    by_name = values_of(result).transpose([[d["name"] for d in result["dimensions"]].index(n) for n in SIZES])
    assert labels(result, "t") == ["low", "high"]
    assert numpy.array_equal(by_name, numpy.stack([VALUES.min(0), VALUES.max(0)]))


def test_a_neighbourhood_has_its_overlap(connection):
    code = script("""
        before = cube.shift(x=1)
        after = cube.shift(x=-1)
        return xarray.where(before.isnull() | after.isnull(), -1, before + after)
        """)
    size = [{"dimension": "x", "value": 8, "unit": "px"}, {"dimension": "y", "value": 16, "unit": "px"}]
    overlap = [{"dimension": "x", "value": 1, "unit": "px"}]
    result = values_of(ask(connection, graph_of("apply_neighborhood", code, size=size, overlap=overlap)))
    wanted = numpy.full_like(VALUES, -1)
    wanted[..., 1:-1] = VALUES[..., :-2] + VALUES[..., 2:]
    assert numpy.array_equal(result, wanted)


def test_a_script_among_other_processes(connection):
    """What a callback computes before and behind a script, and a script behind another one."""
    process = {"process_graph": {
        "before": {"process_id": "add", "arguments": {"x": {"from_parameter": "x"}, "y": 1}},
        "first": {"process_id": "run_udf", "arguments": {"data": {"from_node": "before"}, "runtime": "Python",
                                                         "udf": script("return cube * 2")}},
        "second": {"process_id": "run_udf", "arguments": {"data": {"from_node": "first"}, "runtime": "python",
                                                          "udf": script("return cube ** 2")}},
        "behind": {"process_id": "subtract", "arguments": {"x": {"from_node": "second"}, "y": {"from_parameter": "x"}},
                   "result": True}}}
    result = ask(connection, chain(("apply", {"data": example(), "process": process})))
    assert numpy.array_equal(values_of(result), (2 * (VALUES + 1)) ** 2 - VALUES)


def test_a_whole_cube(connection):
    graph = chain(("run_udf", {"data": example(), "runtime": "Python",
                               "udf": script("return cube.coarsen(x=2, y=2).mean().sum('bands')")}))
    result = ask(connection, graph)
    wanted = VALUES.reshape(3, 2, 20, 2, 25, 2).mean(axis=(3, 5)).sum(axis=1)
    assert numpy.allclose(values_of(result), wanted, rtol=1e-14)
    assert labels(result, "x") == [5 + 20 * i for i in range(25)]
    assert labels(result, "y") == [995 - 20 * i for i in range(20)]


def test_temporal_aggregation(connection):
    reducer = udf(script("return cube.max('t')"))
    graph = chain(("aggregate_temporal", {"data": example(), "intervals": [["2020-01-01", "2020-03-01"],
                                                                           ["2020-03-01", "2020-04-01"]],
                                          "reducer": reducer, "labels": ["a", "b"]}))
    assert numpy.array_equal(values_of(ask(connection, graph)), numpy.stack([VALUES[:2].max(0), VALUES[2]]))


def test_periods_windows_and_the_plane(connection):
    """Parents that make an array of their own: its dimension is the last one, or where it was."""
    reducer = udf(script("return cube.max('t') - cube.mean('t')"))
    result = ask(connection, chain(("aggregate_temporal_period", {"data": example(), "period": "year",
                                                                "reducer": reducer})))
    assert numpy.array_equal(values_of(result)[0], VALUES.max(0) - VALUES.mean(0)) and values_of(result).shape[0] == 1
    pixels = udf(script("return cube.max(cube.dims[-1]) + cube.sizes[cube.dims[-1]]"))
    result = ask(connection, chain(("reduce_spatial", {"data": example(), "reducer": pixels})))
    assert numpy.array_equal(values_of(result), VALUES.max(axis=(2, 3)) + 2000)
    windows = ("aggregate_spatial_window", {"data": example(), "size": [10, 8], "reducer": pixels})
    result = ask(connection, chain(windows))
    assert numpy.array_equal(values_of(result), VALUES.reshape(3, 2, 5, 8, 5, 10).max(axis=(3, 5)) + 80)


def test_blocks_of_any_size(tmp_path):
    """However the cube is cut, and whoever gets which block: an identity is one, and each pixel is at its place."""
    values = numpy.random.default_rng(8).integers(0, 1000, (2, 700, 900)).astype("float32")
    values[values < 100] = -1
    transform = rasterio.transform.from_origin(0, 7000, 10, 10)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", width=900, height=700, count=2, dtype="float32",
                       crs="EPSG:32632", transform=transform, nodata=-1, tiled=True, blockxsize=64,
                       blockysize=64) as file:
        file.write(values)
    code = script("print('a block', cube.shape)\nreturn cube + (cube.x - 5) / 10 - cube.y // 10")
    graph = chain(("load_uploaded_files", {"paths": ["a.tif"], "format": "GTiff"}),
                  ("apply", {"process": udf(code, "x")}), ("save_result", {"format": "GTiff"}))
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    wanted = numpy.where(values == -1, numpy.nan, values + numpy.arange(900) - numpy.arange(699, -1, -1)[:, None])
    blocks = []
    for options in (("--threads", "2"), ("--threads", "1", "--memory", "135M"), ("--threads", "2", "--memory", "134M")):
        done = subprocess.run([BINARY, "run", tmp_path / "graph.json", "--files", tmp_path, "--data", tmp_path, "-o",
                               tmp_path / "out.tif", *options], capture_output=True, text=True, timeout=60, check=True)
        with rasterio.open(tmp_path / "out.tif") as file:
            assert numpy.array_equal(file.read(), wanted, equal_nan=True), options
        blocks.append(done.stderr.count("a block"))
    assert 4 < blocks[0] < blocks[1] < blocks[2], blocks


def test_series(connection):
    values = VALUES[..., :6, :7]
    code = """
        import pandas

        def apply_timeseries(series: pandas.Series, context: dict) -> pandas.Series:
            assert series.index[0] == pandas.Timestamp("2020-01-05")
            return series.rolling(2, min_periods=1).sum()
        """
    result = ask(connection, graph_of("apply_dimension", code, example(values), dimension="t"))
    wanted = values.copy()
    wanted[1:] += values[:-1]
    assert numpy.array_equal(values_of(result), wanted)


# ---- geometries -------------------------------------------------------------------------------------------------


def square(x, y, width, height):
    """Pixels x to x + width, y to y + height of the example, as a feature."""
    west, north = 10 * x - 5, 1005 - 10 * y
    east, south = west + 10 * width, north - 10 * height
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [
        [[west, north], [east, north], [east, south], [west, south], [west, north]]]}}


SQUARES = [(0, 0, 3, 2), (10, 5, 40, 30), (200, 200, 5, 5), (49, 39, 1, 1), (12, 8, 7, 5)]  # the third lies outside


def by_squares(reduce):
    """Of each square's pixels in each band and date."""
    parts = [VALUES[..., y:y + h, x:x + w].reshape(3, 2, -1) for x, y, w, h in SQUARES]
    return numpy.stack([reduce(p) if p.size else numpy.full((3, 2), numpy.nan) for p in parts], axis=-1)


def zones(reducer, squares=SQUARES, data=None, **more):
    collection = {"type": "FeatureCollection", "features": [square(*s) for s in squares],
                  "crs": {"type": "name", "properties": {"name": "EPSG:32632"}}}
    return chain(("aggregate_spatial",
                  {"data": data or example(), "geometries": collection, "reducer": reducer, **more}))


SPREAD = "assert cube.dims[:2] == ('t', 'bands') and len(cube.dims) == 3, cube.dims\n"


def test_pixels_of_geometries(tmp_path):
    reducer = udf(script(SPREAD + "return cube.max(cube.dims[2]) - cube.min(cube.dims[2])"))
    result = run(tmp_path, zones(reducer), "--threads", 2, "--memory", "120M")
    assert [d["name"] for d in result["dimensions"]][:2] == ["t", "bands"]
    assert numpy.array_equal(values_of(result), by_squares(lambda p: numpy.ptp(p, axis=-1)), equal_nan=True)


def test_pixels_of_geometries_among_other_processes(connection):
    """A script that keeps the pixels, or gives quantiles of them, between other processes; and counts beside it."""
    for body, reduce in (("return cube * 2", lambda p: (2 * (p + 1)).mean(-1)),
                         ("return cube.quantile([0.25, 0.5, 1], cube.dims[2]).rename(quantile=cube.dims[2])",
                          lambda p: numpy.quantile(p + 1, [0.25, 0.5, 1], axis=-1).mean(0))):
        reducer = {"process_graph": {
            "before": {"process_id": "array_apply", "arguments": {
                "data": {"from_parameter": "data"}, "process": callback("add", ["x"], y=1)}},
            "script": {"process_id": "run_udf", "arguments": {"data": {"from_node": "before"}, "runtime": "Python",
                                                              "udf": script(body)}},
            "behind": {"process_id": "mean", "arguments": {"data": {"from_node": "script"}}, "result": True}}}
        have = values_of(ask(connection, zones(reducer)))
        assert numpy.allclose(have, by_squares(reduce), rtol=1e-14, equal_nan=True)
    reducer = udf(script("return cube.sum(cube.dims[2])"))
    counted = values_of(ask(connection, zones(reducer, target_dimension="what")))
    assert numpy.array_equal(counted[0], by_squares(lambda p: p.sum(-1)), equal_nan=True)
    assert numpy.array_equal(counted[1, 0, 0], [w * h if x < 50 else 0 for x, y, w, h in SQUARES])


def test_geometries_without_pixels_run_no_script(connection):
    reducer = udf(script("raise ValueError('it ran')"))
    result = ask(connection, zones(reducer, SQUARES[2:3]))
    assert values_of(result).shape == (3, 2, 1) and numpy.isnan(values_of(result)).all()
    assert "it ran" in refusal(connection, zones(reducer))


def test_a_script_for_the_cube_of_each_polygon(connection):
    squares = [SQUARES[0], SQUARES[1]]
    graph = zones(udf(script("return cube - cube.min(['y', 'x'])")), squares)
    graph["s0"] = {**graph["s0"], "process_id": "apply_polygon"}
    graph["s0"]["arguments"]["process"] = graph["s0"]["arguments"].pop("reducer")
    wanted = numpy.full_like(VALUES, numpy.nan)
    for x, y, w, h in squares:
        part = VALUES[..., y:y + h, x:x + w]
        wanted[..., y:y + h, x:x + w] = part - part.min(axis=(2, 3), keepdims=True)
    assert numpy.array_equal(values_of(ask(connection, graph)), wanted, equal_nan=True)


# ---- what a script is given, and gives --------------------------------------------------------------------------


def test_missing_values_are_nan(connection):
    holes = VALUES.copy()
    holes[:, 0, :3] = numpy.nan
    result = values_of(ask(connection, graph_of("apply", script("return cube.fillna(-5)"), example(holes))))
    assert numpy.array_equal(result, numpy.where(numpy.isnan(holes), -5, holes))
    result = values_of(ask(connection, graph_of("apply", script("return cube.where(cube > 50)"))))
    assert numpy.array_equal(result, numpy.where(VALUES > 50, VALUES, numpy.nan), equal_nan=True)


def test_integers(connection, tmp_path):
    """Without no-data they stay what they are; with no-data they are floats, and it is NaN."""
    values = numpy.arange(24, dtype="uint8").reshape(1, 4, 6)
    for name, nodata in (("plain", None), ("holes", 7)):
        with rasterio.open(tmp_path / f"{name}.tif", "w", driver="GTiff", width=6, height=4, count=1, dtype="uint8",
                           crs="EPSG:32632", transform=rasterio.transform.from_origin(0, 40, 10, 10),
                           nodata=nodata) as f:
            f.write(values)
        connection.upload_file(tmp_path / f"{name}.tif", f"{name}.tif")
        code = script("print(cube.dtype, int(cube.isnull().sum()))\nreturn cube.astype('int16') * 3 if "
                      "cube.dtype == 'uint8' else cube * 3")
        graph = chain(("load_uploaded_files", {"paths": [f"{name}.tif"], "format": "GTiff"}),
                      ("apply", {"process": udf(code, "x")}))
        result = ask(connection, graph)
        given = numpy.array(result["data"], dtype="float64").reshape(4, 6)
        wanted = 3.0 * values[0]
        if nodata is not None:
            wanted[values[0] == nodata] = numpy.nan
        assert result["dtype"] == ("int16" if nodata is None else "float32")
        assert numpy.array_equal(given, wanted, equal_nan=True)


def test_context_and_labels_arrive(connection):
    code = script("""
        assert list(cube.dims) == ["t", "bands", "y", "x"], cube.dims
        assert cube.t.dtype == "datetime64[ns]" and str(cube.t.values[2])[:10] == "2020-03-05"
        assert list(cube.bands.values) == ["B1", "B2"]
        assert cube.attrs["crs"] == "EPSG:32632"
        return cube + context["offset"] + 0 * cube.x + cube.y
        """)
    graph = chain(("apply", {"data": example(), "context": {"offset": 2},
                             "process": udf(code, "x", context={"from_parameter": "context"})}))
    rows = (1000 - 10 * numpy.arange(40))[:, None]
    assert numpy.array_equal(values_of(ask(connection, graph)), VALUES + 2 + rows)


def test_plain_values(connection):
    def value(data, code):
        return ask(connection, chain(("run_udf", {"data": data, "udf": code, "runtime": "Python"})))

    assert value([1, 2, 3], script("return cube.sum()")) == 6
    assert value([[1, 2], [3, 4]], script("return cube.values.T")) == [[1, 3], [2, 4]]
    assert value(4, script("return {'root': numpy.sqrt(float(cube))}")) == {"root": 2}


def test_a_cube_becomes_a_value(connection):
    code = script("return float(cube.max())")
    assert ask(connection, chain(("run_udf", {"data": example(), "udf": code, "runtime": "Python"}))) == 96


# ---- the forms of the module openeo.udf ------------------------------------------------------------------------------


def test_older_forms_of_scripts(connection):
    code = """
        from openeo.udf import StructuredData, UdfData

        def apply_udf_data(data: UdfData):
            cube = data.get_datacube_list()[0].get_array()
            data.set_structured_data_list([StructuredData({"max": float(cube.max())})])
        """
    graph = chain(("run_udf", {"data": example(), "runtime": "Python", "udf": textwrap.dedent(code)}))
    assert ask(connection, graph) == {"max": 96}
    code = """
        from openeo.udf import XarrayDataCube

        def apply_datacube(cube: XarrayDataCube, context: dict) -> XarrayDataCube:
            return XarrayDataCube(cube.get_array() * 2)
        """
    assert numpy.array_equal(values_of(ask(connection, graph_of("apply", code))), 2 * VALUES)


def test_a_script_declares_its_labels(connection):
    """apply_metadata, and no call with a part of the data."""
    code = """
        import xarray
        from openeo.metadata import CubeMetadata

        def apply_metadata(metadata: CubeMetadata, context: dict) -> CubeMetadata:
            return metadata.rename_labels("bands", context)

        def apply_datacube(cube: xarray.DataArray, context: dict) -> xarray.DataArray:
            assert cube.sizes["x"] == 50, "no part"
            return xarray.concat([cube.sum("bands"), cube.max("bands"), cube.min("bands")], "bands").assign_coords(
                bands=context)
        """
    names = ["sum", "max", "min"]
    graph = chain(("run_udf", {"data": example(), "runtime": "Python", "udf": textwrap.dedent(code), "context": names}))
    result = ask(connection, graph)
    assert labels(result, "bands") == names
    order = [d["name"] for d in result["dimensions"]]
    wanted = numpy.stack([VALUES.sum(1), VALUES.max(1), VALUES.min(1)], axis=1)
    assert numpy.array_equal(values_of(result).transpose([order.index(n) for n in SIZES]), wanted)


def test_geometries(connection):
    features = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [i, 2 * i]}}
        for i in range(3)]}
    code = """
        import geopandas
        import xarray

        def apply_vectorcube(geometries: geopandas.geodataframe.GeoDataFrame, cube: xarray.DataArray, context: dict):
            name = cube.attrs["geometries"]
            return geometries, cube.fillna(0) + xarray.DataArray([g.y for g in geometries.geometry], dims=[name])
        """
    graph = chain(("load_geojson", {"data": features, "properties": []}),
                  ("run_udf", {"runtime": "Python", "udf": textwrap.dedent(code)}))
    assert numpy.array_equal(values_of(ask(connection, graph)).reshape(-1), [0, 2, 4])


# ---- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, words", [
    ("a = 1\nreturn cube.nothing", ["ProcessParameterInvalid", 's0/process/p', "line 6 of the script", "AttributeError",
                                    "nothing"]),
    ("return cube.mean('t')", ["DataCubePropertiesImmutable", "t, bands, y, x", "bands (2), y (40), x (50)"]),
    ("return None", ["returns nothing"]),
    ("return cube.astype(str)", ["no numbers"]),
    ("return cube.to_dataset(name='a')", ["Dataset"]),
    ("raise SystemExit(3)", ["SystemExit"]),
    ("return cube.assign_coords(x=cube.x + 1)", ["DataCubePropertiesImmutable"]),
    ("return cube.values[0]", ["without names of dimensions"]),
])
def test_what_a_script_does_wrong_is_told(connection, body, words):
    message = refusal(connection, graph_of("apply", script(body)))
    assert all(word in message for word in words), message
    assert "/usr" not in message and "/tmp" not in message


def test_a_result_that_changes_on_the_way(connection):
    """Tried with a part, it looked otherwise."""
    big = example(numpy.zeros((3, 2, 40, 50)))
    code = script("return cube.astype('float32') if cube.sizes['x'] <= 32 else cube")
    message = refusal(connection, graph_of("apply", code, big))
    assert "float32" in message and "float64" in message, message
    code = script("return cube if cube.sizes['x'] <= 32 else cube.isel(t=0)")
    message = refusal(connection, graph_of("apply", code, big))
    assert "t (3)" in message, message


def test_where_scripts_cannot_run_it_is_said(connection):
    inner = {"process_graph": {"a": {"process_id": "array_apply", "result": True,
                                     "arguments": {"data": {"from_parameter": "data"}, "process": udf(IDENTITY, "x")}}}}
    message = refusal(connection, chain(("reduce_dimension", {"data": example(), "dimension": "t", "reducer": inner})))
    assert "FeatureUnsupported" in message, message


# ---- the server -------------------------------------------------------------------------------------------------


def test_runtimes_are_listed(connection):
    runtimes = connection.list_udf_runtimes()
    python = runtimes["Python"]
    assert python["type"] == "language" and python["default"] in python["versions"]
    assert {"numpy", "pandas", "xarray"} <= set(python["versions"][python["default"]]["libraries"])
    assert connection.capabilities().supports_endpoint("/udf_runtimes")


def of_client(connection):
    graph = chain(("add_dimension", {"data": example(), "name": "extra", "label": "one"}))
    return connection.datacube_from_json(json.dumps(graph))


def test_the_client_applies_a_script(connection, tmp_path):
    data = of_client(connection)
    code = script("print('seen', cube.shape)\nreturn cube * context['factor']")
    done = data.apply(openeo.UDF(code, runtime="Python", context={"factor": 3}))
    done.download(tmp_path / "a.nc")
    with xarray.open_dataset(tmp_path / "a.nc") as opened:
        given = opened[["B1", "B2"]].to_array("bands").isel(extra=0, drop=True).transpose(*SIZES).values
    assert numpy.array_equal(given, 3 * VALUES)


def test_a_job_tells_what_a_script_prints(connection):
    code = script("print('a word from the script')\nimport logging\nlogging.warning('and a warning')\nreturn cube")
    job = of_client(connection).apply(openeo.UDF(code, runtime="Python")).create_job(out_format="netCDF")
    job.start_and_wait(print=lambda *_: None, max_poll_interval=0.2)
    entries = job.logs()
    assert any("a word from the script" in e.message and "/process/" in (e.get("path") or [{}])[0].get("node_id", "")
               for e in entries), entries
    assert any(e.level == "warning" and "and a warning" in e.message for e in entries)
    failing = of_client(connection).apply(openeo.UDF(script("return 1 / 0"), runtime="Python")).create_job()
    failing.start_job()
    while failing.status() in ("created", "queued", "running"):
        time.sleep(0.1)
    errors = [e.message for e in failing.logs(level="error")]
    assert failing.status() == "error" and any("ZeroDivisionError" in m and "line" in m for m in errors), errors


def test_a_script_that_was_uploaded(connection, tmp_path):
    path = tmp_path / "double.py"
    path.write_text(script("return cube * 2"))
    connection.upload_file(path, "scripts/double.py")
    for name in ("scripts/double.py", "/scripts/double.py", "./scripts/double.py"):
        graph = chain(("run_udf", {"data": 4, "udf": name, "runtime": "python"}))
        assert connection.execute(graph) == 8
    with pytest.raises(openeo.rest.OpenEoApiError, match="FileNotFound"):
        connection.execute(chain(("run_udf", {"data": 4, "udf": "../../server.sqlite", "runtime": "python"})))


def test_a_process_that_holds_a_script(connection):
    process = {"u": {"process_id": "run_udf", "result": True,
                     "arguments": {"data": {"from_parameter": "data"}, "udf": {"from_parameter": "code"},
                                   "runtime": {"from_parameter": "runtime"}}}}
    connection.save_user_defined_process("scripted", process, parameters=[
        {"name": "data", "description": "", "schema": {}},
        {"name": "code", "description": "", "schema": {"type": "string"}},
        {"name": "runtime", "description": "", "schema": {"type": "string"}, "optional": True, "default": "Python"}])
    assert connection.execute(chain(("scripted", {"data": [1, 2], "code": script("return cube + 1")}))) == [2, 3]


def test_a_script_on_another_host(tmp_path):
    """It is read where that is allowed, and said why not where it is not, or is no text."""
    graph = tmp_path / "graph.json"
    with RemoteHost({"double.py": script("return cube * 2").encode(), "none.py": b"a\0b\n"}) as host:
        for name, options, wanted in (("double.py", ["--remote", host.url], "8"),
                                      ("none.py", ["--remote", host.url], "FileContentInvalid"),
                                      ("lost.py", ["--remote", host.url], "not here|404"),
                                      ("double.py", [], "FeatureUnsupported|RemoteAccess")):
            graph.write_text(json.dumps(chain(("run_udf", {"data": 4, "udf": host.url + name, "runtime": "Python"}))))
            done = subprocess.run([BINARY, "run", graph, "--data", tmp_path, *options], capture_output=True, text=True,
                                  timeout=60, check=False)
            assert re.search(wanted, done.stdout if done.returncode == 0 else done.stderr), (name, done)
        assert host.count("double.py") == 1


def test_validation_runs_no_script(connection):
    code = "raise RuntimeError('it ran')\n"
    assert connection.validate_process_graph(chain(("run_udf", {"data": 1, "udf": code, "runtime": "Python"}))) == []
    found = connection.validate_process_graph(chain(("run_udf", {"data": 1, "udf": code, "runtime": "R"})))
    assert [e["code"] for e in found] == ["InvalidRuntime"]


def test_validation_does_not_know_what_a_script_gives(connection):
    """A reducer's script may leave an array, one of a whole cube add a dimension: what comes then may be right."""
    array = udf(script("return cube"))["process_graph"]["p"]
    mean = {"process_id": "mean", "arguments": {"data": {"from_node": "p"}}, "result": True}
    reducer = {"process_graph": {"p": {**array, "result": False}, "mean": mean}}
    added = {"data": example(), "udf": script("return cube.expand_dims(new=[1, 2])"), "runtime": "Python"}
    for graph, wanted in (
            (chain(("reduce_dimension", {"data": example(), "dimension": "t", "reducer": reducer})), VALUES.mean(0)),
            (zones(reducer), by_squares(lambda p: p.mean(-1))),
            (chain(("run_udf", added), ("reduce_dimension", {"dimension": "new", "reducer": callback("sum")})),
             2 * VALUES)):
        assert connection.validate_process_graph(graph) == []
        assert numpy.allclose(values_of(ask(connection, graph)), wanted, rtol=1e-14, equal_nan=True)
    graph = chain(("reduce_dimension", {"data": example(), "dimension": "none", "reducer": callback("mean")}))
    assert [e["code"] for e in connection.validate_process_graph(graph)] == ["DimensionNotAvailable"]


def test_a_map_of_what_a_script_gives(connection):
    """Published as XYZ: the tile shows something, and again."""
    reducer = udf(script("return cube.max('t')"))
    graph = chain(("reduce_dimension", {"data": example(), "dimension": "t", "reducer": reducer}))
    service = connection.create_service(graph, type="XYZ", configuration={"min": 0, "max": 100})
    url = connection.service(service.service_id).describe_service()["url"]
    west, south = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform(250, 800)
    tiles = 2**14
    x, y = int((west + 180) / 360 * tiles), int((1 - math.asinh(math.tan(math.radians(south))) / math.pi) / 2 * tiles)
    for _ in range(2):
        answer = requests.get(url.format(x=x, y=y, z=14), timeout=60)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/png", answer.text
    service.delete_service()


def test_a_job_with_an_endless_script_is_cancelled(connection):
    code = "def apply_datacube(cube, context):\n    while True:\n        pass\n"
    graph = chain(("run_udf", {"data": example(), "udf": code, "runtime": "Python"}),
                  ("save_result", {"format": "netCDF"}))
    job = connection.create_job(graph)
    job.start_job()
    while job.status() == "queued":
        time.sleep(0.1)
    job.stop_job()
    assert job.status() == "canceled"
    assert connection.execute(chain(("add", {"x": 1, "y": 2}))) == 3
    after = connection.create_job(chain(("add", {"x": 1, "y": 2})))
    after.start_job()
    until(lambda: after.status() == "finished")  # there is room for it once the script is ended


def test_interpreters_are_no_two_users(running, data, connection):
    twincube("user", "add", "other", "--data", data, input="another password\n")
    other = openeo.connect(running.url, auto_validate=False).authenticate_basic("other", "another password")
    graph = chain(("run_udf", {"data": 1, "runtime": "Python", "udf": script("""
        import os
        open("seen", "a").write(context)
        return [os.getpid(), open("seen").read()]
        """), "context": {"from_parameter": "who"}}))

    def ask(who, name):
        filled = json.loads(json.dumps(graph).replace('{"from_parameter": "who"}', json.dumps(name)))
        return who.execute(filled)

    first, second, third = ask(connection, "a"), ask(other, "b"), ask(connection, "c")
    assert second[1] == "b" and "b" not in third[1] and "a" in first[1] and second[0] not in (first[0], third[0])
