"""A back-end of the federation that writes GTiff and no netCDF computes what a raster holds; no more is asked for."""

import json

import numpy
import pytest
import rasterio

from conftest import until
from publisher import Page, Publisher
from test_federated_jobs import publish_jobs, results
from test_federation import DOCUMENT, MAX, callback, chain, load, missing, opened, refused, same, saved
from test_server_api import Server, add_user

PIXELS = numpy.arange(12, dtype="int16").reshape(2, 2, 3)  # band, y, x
# Many more pixels than there are: what it says decides, by which of two bands are more than one request brings.
DIMENSIONS = {"x": {"type": "spatial", "axis": "x", "extent": [100, 130], "step": 0.01, "reference_system": 32632},
              "y": {"type": "spatial", "axis": "y", "extent": [0, 20], "step": 0.01, "reference_system": 32632},
              "t": {"type": "temporal", "extent": ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"]},
              "bands": {"type": "bands", "values": ["B1", "B2"]}}
LATEST = ("reduce_dimension", {"dimension": "t", "reducer": MAX})
LARGEST = ("reduce_dimension", {"dimension": "bands", "reducer": MAX})


def tiff(pixels, names=None):
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", count=len(pixels), height=2, width=3, dtype=pixels.dtype, crs="EPSG:32632",
                         transform=rasterio.Affine(10, 0, 100, 0, -10, 20), nodata=-1) as file:
            file.write(pixels)
            if names:
                file.descriptions = names
        return Page(memory.read())


@pytest.fixture(scope="module")
def painting(tmp_path_factory):
    """The server, and the back-end that it asks: of one band at once, of more by a job."""
    publisher, data = Publisher(), tmp_path_factory.mktemp("data")
    publish_jobs(publisher)
    document = {**DOCUMENT, "cube:dimensions": DIMENSIONS}
    publisher.publish("/api/collections", {"collections": [document], "links": []})
    publisher.publish("/api/collections/A", document)
    names = ["load_collection", "reduce_dimension", "max", "filter_bands", "filter_temporal"]
    publisher.publish("/api/processes", {"processes": [{"id": name} for name in names]})
    publisher.publish("/api/file_formats", {"input": {}, "output": {"GTiff": {}, "PNG": {}}})
    publisher.publish("/api/jobs/j%201/results",
                      {"assets": {"a": {"href": "/files/a.tif", "type": "image/tiff; application=geotiff"},
                                  "log": {"href": "/files/a.txt", "type": "text/plain"}}})
    add_user(data, "alice")
    config = data / "twincube.toml"
    config.write_text(f'[[federation]]\nid = "odd"\nurl = "{publisher.root}/api"\njob_size = "20M"\n')
    server = Server(data, "--config", str(config)).login()
    until(lambda: missing(server) is None and missing(server, "/file_formats") is None)
    yield server, publisher
    assert server.stop() == 0
    publisher.stop()


def asked_for(publisher, path, page):
    """What the back-end is asked for from now on: answered with the page."""
    asked = []

    def answer(request):
        asked.append(json.loads(request.body)["process"]["process_graph"])
        return page

    publisher.pages[path] = answer
    return asked


@pytest.mark.parametrize("names", [None, ["B2", "B1"]], ids=["by their order", "as described"])
def test_bands_by_a_job(painting, tmp_path, names):
    server, publisher = painting
    publisher.publish("/files/a.tif", tiff(PIXELS, names))
    asked = asked_for(publisher, "POST /api/jobs", Page(b"", 201, {"OpenEO-Identifier": "j 1"}))
    found = opened(server.result(chain("odd|A", LATEST, bands=["B1", "B2"])), tmp_path)
    assert [node["process_id"] for node in asked[0].values()] == ["load_collection", "reduce_dimension", "save_result"]
    assert asked[0]["federation_save"]["arguments"]["format"] == "GTiff"
    assert set(found.data_vars) - {"crs"} == {"B1", "B2"} and "t" not in found.sizes
    assert list(found["x"]) == [105, 115, 125] and list(found["y"]) == [15, 5]
    for name, wanted in zip(names or ["B1", "B2"], PIXELS):
        assert numpy.array_equal(found[name], wanted) and found[name].dtype == wanted.dtype


def test_a_band_and_no_bands_at_once(painting, tmp_path):
    server, publisher = painting
    asked = asked_for(publisher, "POST /api/result", tiff(PIXELS[:1]))
    one = opened(server.result(chain("odd|A", LATEST, bands=["B2"])), tmp_path)
    assert numpy.array_equal(one["B2"], PIXELS[0])
    graph = chain("odd|A", LATEST, LARGEST, ("apply", {"process": callback("add", x={"from_parameter": "x"}, y=1)}))
    none = opened(server.result(graph), tmp_path)
    (name,) = set(none.data_vars) - {"crs"}
    assert numpy.array_equal(none[name], PIXELS[0] + 1) and none[name].dims == ("y", "x")
    assert len(asked) == 2 and [list(graph)[-2] for graph in asked] == ["s0", "s1"]


def test_more_than_a_raster_is_not_asked_for(painting):
    """What has dates, or only comes to be a raster here."""
    server, publisher = painting
    asked = asked_for(publisher, "POST /api/result", tiff(PIXELS)), asked_for(publisher, "POST /api/jobs", Page())
    twice = callback("multiply", x={"from_parameter": "x"}, y=2)
    for graph in (saved(load("odd|A"), "load"), chain("odd|A", ("apply", {"process": twice}), LATEST),
                  chain("odd|A", ("filter_temporal", {"extent": ["2024-01-01", "2024-01-02"]}))):
        said = refused(server, graph, "FeatureUnsupported", 501)
        assert "'odd'" in said and "no netCDF" in said
        answer = server.call("POST", "/validation", {"process_graph": graph})
        assert [e["code"] for e in answer.json()["errors"]] == ["FeatureUnsupported"]
    assert asked == ([], [])


@pytest.mark.parametrize("page, code", [
    (tiff(PIXELS), "FileContentInvalid"), (Page(b"II*\0" + b"\xff" * 500), None), (Page(b"CDF\x01" + bytes(99)), None),
], ids=["two bands", "no file", "netCDF"])
def test_files_that_are_not_what_was_asked_for(painting, page, code):
    server, publisher = painting
    publisher.pages["POST /api/result"] = page
    answer = server.result(chain("odd|A", LATEST, bands=["B1"]))
    assert answer.status_code >= 400 and "odd|A" in answer.json()["message"] and code in (None, answer.json()["code"])


def test_several_rasters_are_none(painting, monkeypatch):
    server, publisher = painting
    asset = {"href": "/files/a.tif", "type": "image/tiff"}
    monkeypatch.setitem(publisher.pages, "/api/jobs/j%201/results", results(a=asset, b=asset))
    asked_for(publisher, "POST /api/jobs", Page(b"", 201, {"OpenEO-Identifier": "j 1"}))
    said = refused(server, chain("odd|A", LATEST), "FeatureUnsupported", 501)
    assert "made 2 GTiff files" in said
