"""What scripts give: types that hold it, values, geometries; and what one call leaves to the next."""

import json
import subprocess
import sys

import numpy
import pytest
import rasterio
from pyproj import Transformer

from conftest import BINARY
from cube_tools import chain
from test_udf import VALUES, ask, example, refusal, script, udf, values_of, zones

DECLARES = "def apply_metadata(metadata, context):\n    return metadata\n"
PIXELS = [{"dimension": axis, "value": 8, "unit": "px"} for axis in "xy"]


@pytest.fixture(scope="module", name="uploaded")
def upload(connection, tmp_path_factory):
    """A cube of bytes without no-data, and the values."""
    path = tmp_path_factory.mktemp("bytes") / "bytes.tif"
    values = (numpy.arange(16 * 16) % 251).astype("uint8").reshape(1, 16, 16)
    with rasterio.open(path, "w", driver="GTiff", width=16, height=16, count=1, dtype="uint8", crs="EPSG:32632",
                       transform=rasterio.transform.from_origin(0, 160, 10, 10)) as file:
        file.write(values)
    connection.upload_file(path, "bytes.tif")
    return ("load_uploaded_files", {"paths": ["bytes.tif"], "format": "GTiff"}), values


@pytest.mark.parametrize("kind, more, declares", [
    ("apply", {}, ""), ("apply", {}, DECLARES), ("apply_neighborhood", {"size": PIXELS}, "")])
def test_no_result_is_rounded(connection, uploaded, kind, more, declares):
    """2^24 + 1 is no float32: whether the type was seen in a first call or not."""
    load, values = uploaded
    code = declares + script("return cube.astype('float64') + 16777217")
    process = udf(code, "x" if kind == "apply" else "data")
    result = ask(connection, chain(load, (kind, {"process": process, **more})))
    assert numpy.array_equal(values_of(result), values + 16777217.0)


def test_types_that_nobody_has_seen_hold_all(connection, uploaded):
    """Integers and single floats become doubles as they are; what is complex is no number of a real cube."""
    load, values = uploaded
    for kind in ("int32", "float32"):
        process = udf(script(f"return cube.astype('{kind}')"))
        result = ask(connection, chain(load, ("apply_neighborhood", {"process": process, "size": PIXELS})))
        assert result["dtype"] == "float64" and numpy.array_equal(values_of(result), values.astype(kind))
    process = udf(script("return cube * 1j"))
    message = refusal(connection, chain(("apply_neighborhood", {"data": example(), "process": process,
                                                                "size": PIXELS})))
    assert "float64" in message and "complex128" in message, message


def test_labels_that_are_no_numbers_are_refused(connection):
    for labels in ("cube.x * numpy.nan", "cube.x.where(cube.x != 10)"):
        code = script(f"return cube.assign_coords(x={labels})")
        message = refusal(connection, chain(("run_udf", {"data": example(), "udf": code, "runtime": "Python"})))
        assert "FeatureUnsupported" in message and "'x'" in message, message


# ---- from call to call ------------------------------------------------------------------------------------------


def test_no_call_sees_what_another_does_to_the_context(connection):
    code = script("return cube * context.pop('factor') + sum(context['more'].pop() for _ in range(2))")
    context = {"factor": 3, "more": [1, 1]}
    for graph in (chain(("apply", {"data": example(), "process": udf(code, "x", context=context)})),
                  chain(("run_udf", {"data": example(), "udf": code, "runtime": "Python", "context": context}))):
        assert numpy.array_equal(values_of(ask(connection, graph)), 3 * VALUES + 2)
    code = script("return series * context.pop('factor')", "apply_timeseries", "series, context")
    process = udf(code, context={"factor": 2})
    graph = chain(("apply_dimension", {"data": example(), "dimension": "t", "process": process}))
    assert numpy.array_equal(values_of(ask(connection, graph)), 2 * VALUES)


# ---- values -----------------------------------------------------------------------------------------------------


def value_graph(body, data=1):
    return chain(("run_udf", {"data": data, "udf": script(body), "runtime": "Python"}))


def test_missing_numbers_are_null_and_texts_are_texts(connection):
    body = """
        nan = float('nan')
        return {'NaN': 'BaNaNa NaN', 'a': nan, 'b': [1, nan, [numpy.float32('nan')]], 'c': numpy.array([nan, 2]),
                'd': ('Infinity', True, None)}
        """
    wanted = {"NaN": "BaNaNa NaN", "a": None, "b": [1, None, [None]], "c": [None, 2], "d": ["Infinity", True, None]}
    assert ask(connection, value_graph(body)) == wanted
    assert ask(connection, value_graph(body, example())) == wanted


@pytest.mark.parametrize("body, word", [
    ("return float('inf')", "inf"), ("return [1, {'a': -numpy.inf}]", "-inf"),
    ("return [numpy.array([1, numpy.inf])]", "inf"), ("return {'a': 1j}", "complex"), ("return [object()]", "object"),
    ("return ['\\ud800']", "no value"), ("return {'a': 'b\\0c'}", "no value"),
    ("a = []\na.append(a)\nreturn a", "recurs")])
def test_what_is_no_value_is_the_script_s_fault(connection, body, word):
    for data in (1, example()):
        message = refusal(connection, value_graph(body, data))
        assert 'ProcessParameterInvalid: node "s0", parameter "udf"' in message and word in message, message


def test_a_part_and_all_are_of_one_kind(connection):
    """A value for the part of a first call and a cube for all, or the reverse."""
    large = ("resample_spatial", {"data": example(), "resolution": 0.7})
    for given, other in (("float(cube.max())", "cube"), ("cube", "float(cube.max())")):
        code = script(f"return {given} if cube.sizes['x'] <= 32 else {other}")
        message = refusal(connection, chain(large, ("run_udf", {"udf": code, "runtime": "Python"}),
                                            ("save_result", {"format": "netCDF"})))
        assert message.startswith("ProcessParameterInvalid"), message
        assert "a value" in message and "data cube" in message, message


# ---- geometries -------------------------------------------------------------------------------------------------


def of_points(body):
    features = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [i, 2 * i]}}
        for i in range(3)]}
    code = script(body, "apply_vectorcube", "geometries, cube, context")
    return chain(("load_geojson", {"data": features, "properties": []}),
                 ("run_udf", {"runtime": "Python", "udf": code}))


def test_geometries_have_their_reference_system(connection):
    body = """
        assert geometries.crs == 'EPSG:4326', geometries.crs
        north = geometries.to_crs(32631).geometry.y.values
        return geometries, cube.fillna(0) + xarray.DataArray(north, dims=[cube.attrs['geometries']])
        """
    wanted = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform([0, 1, 2], [0, 2, 4])[1]
    result = ask(connection, of_points(body))
    assert numpy.allclose(values_of(result).reshape(-1), wanted, atol=1e-3), values_of(result)


@pytest.mark.parametrize("given, words", [
    ("geometries.assign(geometry=geometries.buffer(1))", "changes 3 of 3"),
    ("geometries.iloc[[0, 2, 1]]", "changes 2 of 3, the first at index 1"),
    ("geometries.to_crs(3857)", "EPSG:3857"),
    ("geometries.assign(area=1)", "area"),
])
def test_geometries_that_a_script_changes_are_not_lost(connection, given, words):
    message = refusal(connection, of_points(f"return {given}, cube.fillna(0)"))
    assert "ProcessParameterInvalid" in message and words in message, message


def test_a_script_in_a_file_is_read_for_all_geometries_at_once(tmp_path):
    """It takes no memory for each of them."""
    (tmp_path / "u.py").write_text(script("return cube.max(cube.dims[2])"))
    many = [(x, y, 1, 1) for y in range(20) for x in range(20)]
    (tmp_path / "graph.json").write_text(json.dumps(zones(udf("u.py"), many)))
    between = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"  # what forks it is counted
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)")
    done = subprocess.run([sys.executable, "-c", between, BINARY, "run", tmp_path / "graph.json", "--data", tmp_path,
                           "--files", tmp_path, "-o", tmp_path / "out.json", "--threads", "1"], check=True,
                          capture_output=True, text=True)
    assert int(done.stdout.split()[-1]) < 250, done.stdout
    result = json.loads((tmp_path / "out.json").read_text())
    assert numpy.array_equal(values_of(result), VALUES[..., :20, :20].reshape(3, 2, -1))
