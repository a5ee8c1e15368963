"""All outcomes of a graph: each save_result and the result node, as files of the command line and as assets of a job.

The files of a graph with several outcomes are compared with those of graphs with one each.
"""

import json
import os
import subprocess

import netCDF4
import numpy
import pystac
import pytest
import rasterio
import rasterio.warp
import requests

from conftest import BINARY, DEMO_PATTERNS


def node(process, data=None, result=False, **arguments):
    given = {"data": {"from_node": data}} if data else {}
    return {"process_id": process, "arguments": {**given, **arguments}, **({"result": True} if result else {})}


def reducer(process):
    data = {"data": {"from_parameter": "data"}}
    return {"process_graph": {"p": {"process_id": process, "arguments": data, "result": True}}}


@pytest.fixture(scope="module")
def load(catalogue, demo):
    catalogue.add("DEMO_S2", demo, *DEMO_PATTERNS)
    return node("load_collection", id="DEMO_S2", spatial_extent=None, temporal_extent=["2018-01-01", "2030-01-01"],
                bands=["B04", "B08"])


@pytest.fixture(scope="module")
def three(load):
    """Two cubes saved on the way, the second in two formats, and a third that nobody saves is the result."""
    return {
        "load": load,
        "mean": node("reduce_dimension", "load", dimension="t", reducer=reducer("mean")),
        "mean tif": node("save_result", "mean", format="GTiff"),
        "../max": node("reduce_dimension", "load", dimension="t", reducer=reducer("max")),
        "max/nc": node("save_result", "../max", format="netCDF"),
        "last": node("reduce_dimension", "../max", dimension="bands", reducer=reducer("max"), result=True),
    }


def run(graph, data, folder, *options):
    return subprocess.run([BINARY, "run", "-", "--data", data, *options], input=json.dumps(graph), cwd=folder,
                          capture_output=True, text=True, timeout=120)


def alone(graph, name):
    """The graph with one outcome: the given node is the result, other saves are left out."""
    nodes = {key: {k: v for k, v in value.items() if k != "result"} for key, value in graph.items()
             if value["process_id"] != "save_result" or key == name}
    nodes[name]["result"] = True
    return nodes


def pixels(path):
    with rasterio.open(path) as file:
        return file.read()


def assert_three(folder, names, three, data, tmp_path):
    """The files of the three outcomes hold what the same graphs with one outcome each make."""
    tif, nc, last = (folder / name for name in names)
    single = tmp_path / "single"
    single.mkdir()
    for name, output in (("mean tif", "a.tif"), ("max/nc", "b.nc"), ("last", "c.json")):
        done = run(alone(three, name), data, single, "-o", output)
        assert done.returncode == 0, done.stderr
    assert numpy.array_equal(pixels(tif), pixels(single / "a.tif"), equal_nan=True)
    with netCDF4.Dataset(nc) as one, netCDF4.Dataset(single / "b.nc") as other:
        for name in ("B04", "B08"):
            assert numpy.array_equal(one[name][:], other[name][:])
    assert json.loads(last.read_text())["data"] == json.loads((single / "c.json").read_text())["data"]


# ---- command line ----


def test_all_outcomes_in_a_folder(three, data, tmp_path):
    (tmp_path / "out").mkdir()
    done = run(three, data, tmp_path, "-o", "out/")
    assert done.returncode == 0, done.stderr
    names = ["mean_tif.tif", "max_nc.nc", "last.json"]
    assert sorted(done.stdout.split("\n")) == sorted(["out/" + name for name in names] + [""])
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(names)
    assert_three(tmp_path / "out", names, three, data, tmp_path)


def test_names_from_the_stem(three, data, tmp_path):
    done = run(three, data, tmp_path, "-o", "o.v1.json")
    assert done.returncode == 0, done.stderr
    names = ["o.v1_mean_tif.tif", "o.v1_max_nc.nc", "o.v1.json"]
    assert sorted(done.stdout.split()) == sorted(names)
    assert_three(tmp_path, names, three, data, tmp_path)


def test_one_outcome_keeps_its_name(three, data, tmp_path):
    graph = alone(three, "mean tif")
    assert run(graph, data, tmp_path).stdout == "./result.tif\n"
    assert run(graph, data, tmp_path, "-o", "mine.tiff").stdout == "mine.tiff\n"
    assert run(graph, data, tmp_path, "-o", "mine.dat").stdout == "mine.dat\n"  # save_result says what it is
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.dat", "mine.tiff", "result.tif"]


def test_only_plain_files_are_replaced(three, data, tmp_path):
    graph = alone(three, "mean tif")
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "plain.tif").write_text("older")
    (tmp_path / "link.tif").symlink_to("plain.tif")
    for name in ("pipe.tif", "link.tif"):
        done = run(graph, data, tmp_path, "-o", name)
        assert done.returncode == 1 and done.stderr.startswith("StorageFailure: ") and name in done.stderr
    assert (tmp_path / "pipe.tif").is_fifo() and (tmp_path / "plain.tif").read_text() == "older"
    assert run(graph, data, tmp_path, "-o", "plain.tif").stdout == "plain.tif\n"


def test_two_nodes_whose_names_become_one(load, data, tmp_path):
    graph = {"load": load, "a/b": node("save_result", "load", format="netCDF"),
             "a b": node("save_result", "load", format="netCDF", result=True)}
    done = run(graph, data, tmp_path)
    assert done.returncode == 0 and sorted(done.stdout.split()) == ["./a_b.nc", "./a_b_2.nc"]


def test_a_value_beside_a_file(load, data, tmp_path):
    graph = {"load": load, "save": node("save_result", "load", format="netCDF"),
             "labels": node("dimension_labels", "load", dimension="bands", result=True)}
    done = run(graph, data, tmp_path)
    assert done.returncode == 0 and done.stdout == './result.nc\n["B04","B08"]\n'
    done = run(graph, data, tmp_path, "-o", "o.json")
    assert sorted(done.stdout.split()) == ["o.json", "o_save.nc"]
    assert json.loads((tmp_path / "o.json").read_text()) == ["B04", "B08"]
    assert run(graph, data, tmp_path, "-o", "o.tif").stderr.startswith("FormatUnsuitable: ")


@pytest.mark.parametrize("output", ["out.xyz", "out", "out.tif.gz", "dir.tif/out", ".tif"])
def test_an_extension_that_says_nothing_is_an_error(three, data, tmp_path, output):
    (tmp_path / "dir.tif").mkdir()
    done = run(alone(three, "last"), data, tmp_path, "-o", output)
    assert done.returncode == 1 and done.stderr.startswith("FormatUnsuitable: ") and done.stderr.count("\n") == 1
    assert all(extension in done.stderr for extension in (".tif", ".nc", ".png", ".json"))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_an_extension_against_save_result_is_an_error(three, data, tmp_path):
    for name, output in (("mean tif", "out.nc"), ("max/nc", "out.json")):
        done = run(alone(three, name), data, tmp_path, "-o", output)
        assert done.returncode == 1 and done.stderr.startswith("FormatUnsuitable: ") and list(tmp_path.iterdir()) == []


def test_after_an_error_nothing_is_left(load, data, tmp_path):
    """The second outcome cannot be written: the first goes as well."""
    (tmp_path / "o_b.nc").mkdir()
    graph = {"load": load, "a": node("save_result", "load", format="netCDF"),
             "b": node("save_result", "load", format="netCDF"),
             "c": node("save_result", "load", format="netCDF", result=True)}
    done = run(graph, data, tmp_path, "-o", "o.nc")
    assert done.returncode == 1 and done.stderr.startswith("StorageFailure: ")
    assert [p.name for p in tmp_path.iterdir()] == ["o_b.nc"]


def test_too_many_outcomes_are_refused(load, data, tmp_path):
    def graph(count):
        saves = {f"s{i}": node("save_result", "load", format="netCDF") for i in range(count)}
        return {"load": load, **saves, "value": node("add", x=1, y=2, result=True)}

    done = subprocess.run([BINARY, "explain", "-", "--data", data], input=json.dumps(graph(256)), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("outcome ") == 256
    assert run(graph(257), data, tmp_path).stderr.startswith("ProcessGraphComplexity: ")
    assert list(tmp_path.iterdir()) == []


def test_explain_shows_each_outcome(three, data):
    done = subprocess.run([BINARY, "explain", "-", "--data", data], input=json.dumps(three), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0
    for heading in ('outcome "mean tif", GTiff', 'outcome "max/nc", netCDF', 'outcome "last", JSON'):
        assert done.stdout.count(heading + "\n") == 1


# ---- server ----


def finished(connection, graph):
    job = connection.create_job({"process_graph": graph})
    return job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1, print=lambda line: None)


def results(connection, graph):
    return finished(connection, graph).get_results().get_metadata(force=True)


def read_stac(document):
    """As pystac reads it."""
    found = pystac.read_dict(json.loads(json.dumps(document)))
    assert set(found.assets) == set(document["assets"])
    return found


def test_a_job_has_an_asset_for_each_outcome(connection, three, data, tmp_path):
    job = finished(connection, three)
    document = job.get_results().get_metadata()
    assert list(document["assets"]) and set(document["assets"]) == {"mean_tif.tif", "max_nc.nc", "last.json"}
    titles = {name: asset["title"] for name, asset in document["assets"].items()}
    assert titles == {"mean_tif.tif": "mean tif", "max_nc.nc": "max/nc", "last.json": "last"}
    job.get_results().download_files(tmp_path / "got")
    assert_three(tmp_path / "got", ["mean_tif.tif", "max_nc.nc", "last.json"], three, data, tmp_path)
    for name, asset in document["assets"].items():  # each by its own signature
        answer = requests.get(asset["href"], timeout=30)
        assert answer.content == (tmp_path / "got" / name).read_bytes()
        assert answer.headers["Content-Type"] == asset["type"] and len(answer.content) == asset["file:size"]
        for other in set(document["assets"]) - {name}:
            assert requests.get(asset["href"].replace(name, other), timeout=30).status_code == 403


def test_a_synchronous_request_answers_its_result_node(connection, load):
    graph = {"load": load, "a": node("save_result", "load", format="GTiff"),
             "labels": node("dimension_labels", "load", dimension="bands", result=True)}
    assert connection.execute(graph) == ["B04", "B08"]


def test_the_estimate_of_a_job_counts_all(connection, load):
    def estimate(*nodes):
        graph = {"load": load, **{f"s{i}": node("save_result", "load", format="netCDF", result=i == 0) for i in nodes}}
        return connection.create_job({"process_graph": graph}).estimate()["size"]

    assert estimate(0, 1, 2) == 3 * estimate(0) > 0


def test_assets_tell_bands_type_and_place(connection, load):
    clock = {"load": load, "save": node("save_result", "load", format="GTiff", result=True)}
    document = results(connection, clock)
    (asset,) = document["assets"].values()
    with rasterio.open(asset["href"]) as file:
        assert len(asset["bands"]) == file.count
        assert [band["name"] for band in asset["bands"]] == list(file.descriptions)
        assert {band["data_type"] for band in asset["bands"]} == set(file.dtypes)
        assert {band["nodata"] for band in asset["bands"]} == {file.nodata}
        assert asset["proj:code"] == f"EPSG:{file.crs.to_epsg()}"
        assert asset["proj:shape"] == list(file.shape)
        numpy.testing.assert_allclose(asset["proj:transform"], list(file.transform)[:6], rtol=1e-12)
        box = rasterio.warp.transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    assert document["type"] == "Collection"
    (processor,) = document["providers"]
    assert processor["roles"] == ["processor"] and "twincube" in processor["processing:software"]
    assert processor["processing:expression"] == {"format": "openeo", "expression": {"process_graph": clock}}
    numpy.testing.assert_allclose(document["extent"]["spatial"]["bbox"][0], box, atol=1e-3)
    dates = asset["cube:dimensions"]["t"]["values"]
    assert document["extent"]["temporal"]["interval"] == [[min(dates), max(dates)]]
    assert read_stac(document).extent.temporal.intervals[0][0].year == int(min(dates)[:4])


@pytest.mark.parametrize("file_format", ["netCDF", "PNG"])
def test_assets_tell_how_their_pixels_lie(connection, load, file_format, tmp_path):
    graph = {"load": load, "first": node("reduce_dimension", "load", dimension="t", reducer=reducer("first")),
             "band": node("filter_bands", "first", bands=["B04"]),
             "save": node("save_result", "band", format=file_format, options={"min": 0, "max": 1}, result=True)}
    if file_format == "netCDF":
        graph["save"]["arguments"].pop("options")
    (asset,) = results(connection, graph)["assets"].values()
    (tmp_path / "file").write_bytes(requests.get(asset["href"], timeout=30).content)
    if file_format == "PNG":
        with rasterio.open(tmp_path / "file") as file:
            assert asset["proj:shape"] == list(file.shape)
    else:
        a, b, c, d, e, f = asset["proj:transform"]
        with netCDF4.Dataset(tmp_path / "file") as file:
            x, y = file["x"][:], file["y"][:]
        assert asset["proj:shape"] == [len(y), len(x)] and b == d == 0
        numpy.testing.assert_allclose(c + a * (numpy.arange(len(x)) + 0.5), x, rtol=1e-12)
        numpy.testing.assert_allclose(f + e * (numpy.arange(len(y)) + 0.5), y, rtol=1e-12)
    assert "proj:shape" not in next(iter(results(connection, {
        **graph, "save": node("save_result", "band", format="CSV", result=True)})["assets"].values()))


def test_several_places_and_times_are_put_together(connection, load):
    one = results(connection, {"load": load, "s": node("save_result", "load", format="netCDF", result=True)})
    graph = {"load": load, "first": node("filter_bands", "load", bands=["B04"]),
             "a": node("save_result", "first", format="netCDF"),
             "b": node("save_result", "load", format="netCDF", result=True)}
    assert results(connection, graph)["extent"] == one["extent"]


# ---- nothing is made up ----


FIELD = node("lft_scalar_field", shape=[4, 4], m2=0.5, configurations=3, thermalisation=5, **{"lambda": 1})


def test_a_result_without_place_and_time_claims_none(connection):
    for graph in ({"f": {**FIELD, "result": True}}, {"a": node("add", x=1, y=2, result=True)}):
        document = results(connection, graph)
        assert document["type"] == "Feature" and document["geometry"] is None
        assert "bbox" not in document and "extent" not in document
        properties = document["properties"]
        assert [properties[key] for key in ("datetime", "start_datetime", "end_datetime")] == [None] * 3
        assert properties["created"] and properties["updated"]
        assert read_stac(document).geometry is None


def test_a_place_without_time(connection, load):
    graph = {"load": load, "mean": node("reduce_dimension", "load", dimension="t", reducer=reducer("mean")),
             "save": node("save_result", "mean", format="netCDF", result=True)}
    document = results(connection, graph)
    assert document["type"] == "Collection" and document["extent"]["temporal"]["interval"] == [[None, None]]
    read_stac(document)


def test_a_time_without_place(connection, load):
    graph = {"load": load, "x": node("reduce_dimension", "load", dimension="x", reducer=reducer("mean")),
             "y": node("reduce_dimension", "x", dimension="y", reducer=reducer("mean")),
             "save": node("save_result", "y", format="netCDF", result=True)}
    document = results(connection, graph)
    assert document["type"] == "Feature" and document["geometry"] is None and "bbox" not in document
    dates = document["properties"]["cube:dimensions"]["t"]["values"]
    assert document["properties"]["datetime"] is None
    assert document["properties"]["start_datetime"] == min(dates)
    assert document["properties"]["end_datetime"] == max(dates)
    read_stac(document)
