"""Small pictures of collections and of results, against what rasterio reads of the same files."""

import json

import numpy as np
import pytest
import rasterio
import requests
from conftest import until
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

SIDE = 256


def write(path, values, nodata=None, crs="EPSG:32632", overviews=False):
    path.parent.mkdir(exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", dtype=values.dtype, count=1, height=values.shape[0],
                       width=values.shape[1], crs=crs, transform=from_origin(500000, 5000000, 10, 10), nodata=nodata,
                       tiled=True, blockxsize=256, blockysize=256) as file:
        file.write(values, 1)
        if overviews:
            file.build_overviews([2, 4, 8], rasterio.enums.Resampling.nearest)


def picture(url, status=200, **headers):
    answer = requests.get(url, headers=headers, timeout=60)
    assert answer.status_code == status, answer.text[:300]
    if status != 200:
        return answer
    assert answer.headers["Content-Type"] == "image/png"
    with MemoryFile(answer.content) as file, file.open() as png:
        if png.count == 1:  # numbers of colours
            colours = png.colormap(1)
            return np.moveaxis(np.array([colours[i] for i in range(len(colours))])[png.read(1)], 2, 0)
        return png.read()


def thumbnail_of(running, name):
    document = requests.get(f"{running.api}/collections/{name}", timeout=30).json()
    [listed] = [c for c in requests.get(f"{running.api}/collections", timeout=30).json()["collections"]
                if c["id"] == name]
    assert document.get("assets") == listed.get("assets")
    assets = document.get("assets", {})
    assert all(a["roles"] == ["thumbnail"] and a["type"] == "image/png" for a in assets.values())
    return assets["thumbnail"]["href"] if assets else None


@pytest.mark.parametrize("overviews", [False, True])
def test_a_collection(running, catalogue, tmp_path, overviews):
    """The last date, decimated; its values along the ramp in their order, stretched; transparent without data."""
    y, x = np.mgrid[:300, :600]
    values = (x + y / 1000).astype("float32")
    values[:60, :90] = -1
    write(tmp_path / "s" / "a_20220101_B1.tif", values[:, ::-1].copy(), nodata=-1, overviews=overviews)
    write(tmp_path / "s" / "a_20220201_B1.tif", values, nodata=-1, overviews=overviews)
    name = catalogue.add(f"THUMB_{overviews}", tmp_path / "s")
    found = picture(thumbnail_of(running, name))
    step = 3  # 600 pixels become 200
    assert found.shape == (4, 100, 200)
    known = values[1::step, 1::step] >= 0
    assert np.mean((found[3] > 0) == known) > 0.97  # up to a pixel of the edge
    colours = {tuple(found[:3, r, c]): c for r in range(30, 100) for c in range(200)}
    assert len(colours) > 100  # it is stretched to the ramp
    assert (found[:3, 50, 40] != found[:3, 50, 160]).any()
    assert (found[:, 90, 2] == found[:, 95, 0]).all()  # below the second percentile


def test_true_colours(running, catalogue, tmp_path):
    """Of the bands that are named so, whatever comes first."""
    y, x = np.mgrid[:64, :64]
    bands = {"nir": 0 * x, "blue": 1000 + 10 * x, "green": 1000 + 10 * y, "red": 5000 - 10 * x}
    assets = {}
    for colour, values in bands.items():
        write(tmp_path / "c" / f"{colour}.tif", values.astype("uint16"))
        assets[f"b-{colour}"] = {"href": f"{colour}.tif",
                                 "eo:bands": [{"name": f"b-{colour}", "common_name": colour}]}
    (tmp_path / "c" / "item.json").write_text(json.dumps({
        "type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets,
        "properties": {"datetime": "2022-01-01T00:00:00Z"}}))
    name = catalogue.add("THUMB_COLOUR", tmp_path / "c" / "item.json")
    red, green, blue, opacity = picture(thumbnail_of(running, name)).astype(int)
    assert red.shape == (64, 64) and (opacity == 255).all()
    assert (np.diff(red, axis=1) <= 0).all() and (np.diff(blue, axis=1) >= 0).all()
    assert (np.diff(green, axis=0) >= 0).all() and (np.diff(green, axis=1) == 0).all()
    assert red.min() == green.min() == blue.min() == 0 and red.max() == green.max() == blue.max() == 255


def test_features_have_none(running, catalogue, tmp_path):
    (tmp_path / "f.geojson").write_text('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
                                        '{"n": 1}, "geometry": {"type": "Point", "coordinates": [3, 4]}}]}')
    name = catalogue.add("THUMB_FEATURES", tmp_path / "f.geojson")
    assert thumbnail_of(running, name) is None
    assert picture(f"{running.api}/collections/{name}/thumbnail", 400).json()["code"] == "FormatUnsuitable"
    assert picture(f"{running.api}/collections/NOWHERE/thumbnail", 404).json()["code"] == "CollectionNotFound"


def test_it_is_kept(running, catalogue, tmp_path):
    write(tmp_path / "k" / "a_20220101_B1.tif", np.arange(100, dtype="int16").reshape(10, 10))
    href = thumbnail_of(running, catalogue.add("THUMB_KEPT", tmp_path / "k"))
    answer = requests.get(href, timeout=60)
    assert answer.headers["ETag"] and "max-age" in answer.headers["Cache-Control"]
    assert picture(href, 304, **{"If-None-Match": answer.headers["ETag"]}).content == b""
    assert requests.head(href, timeout=60).status_code == 200


def cube(values):
    height, width = values.shape
    return {"type": "datacube", "order": ["y", "x"], "data": values.tolist(), "dimensions": {
        "y": {"type": "spatial", "axis": "y", "values": [5000000 - 10 * i for i in range(height)],
              "reference_system": 32632},
        "x": {"type": "spatial", "axis": "x", "values": [500000 + 10 * i for i in range(width)],
              "reference_system": 32632}}}


def finished(connection, data, format="GTiff"):
    job = connection.create_job({"save": {"process_id": "save_result", "result": True,
                                          "arguments": {"data": data, "format": format}}})
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    return job


def preview_of(job):
    links = [link for link in job.get_results().get_metadata()["links"] if link["rel"] == "preview"]
    assert all(link["type"] == "image/png" for link in links) and len(links) < 2
    return links[0]["href"] if links else None


@pytest.mark.parametrize("format", ["GTiff", "netCDF"])
def test_results(connection, data, tmp_path, format):
    values = np.add.outer(np.arange(20.0), np.arange(30.0))
    job = finished(connection, cube(values), format)
    job.download_result(tmp_path / "only")  # the picture is no asset, so there is one
    href = preview_of(job)
    found = picture(href).astype(int)
    assert found.shape == (4, 20, 30) and (found[3] == 255).all()
    same = {}
    for colour, value in zip(found.reshape(4, -1).T.tolist(), values.ravel()):
        same.setdefault(value, set()).add(tuple(colour))
    assert all(len(colours) == 1 for colours in same.values())  # a colour means a value
    assert len({next(iter(colours)) for colours in same.values()}) > 30
    until(lambda: not list(data.glob("tmp/*/~loaded")))  # goes after the answer
    expires = href.split("/")[-3]
    picture(href.replace(expires, str(int(expires) + 1)), 403)
    job.delete()
    picture(href, 404)


def test_results_that_cannot_be_seen(connection):
    values = {"type": "datacube", "order": ["bands"], "data": [1, 2], "dimensions": {
        "bands": {"type": "bands", "values": ["a", "b"]}}}
    assert preview_of(finished(connection, values, "JSON")) is None
    number = connection.create_job({"a": {"process_id": "pi", "arguments": {}, "result": True}})
    number.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    assert preview_of(number) is None
