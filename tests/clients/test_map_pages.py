"""Web services in pages of Leaflet and OpenLayers, in headless Chromium: the pixels on the screen are the result's."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import rasterio
import requests
from rasterio.warp import transform
from test_services import NDVI, api, middle_tile, result, service, steps, tile_url  # noqa: F401
from test_web_console import CHROMIUM, MODULES

STYLE = {"min": -0.2, "max": 0.9, "colormap": "viridis"}
ZOOM = 16


def pages(layers, folder):
    """What the maps show: {name: (picture, columns, rows)}."""
    if not CHROMIUM:
        pytest.skip("chromium is not there: NO MAP IS TRIED IN A BROWSER")
    missing = [name for name in ("leaflet", "ol", "playwright-core") if not (MODULES / "node_modules" / name).exists()]
    if missing or not shutil.which("node"):
        pytest.skip(f"node, or {', '.join(missing)} in {MODULES}, is not there: NO MAP IS TRIED IN A BROWSER")
    script = shutil.copy(pathlib.Path(__file__).with_name("map_pages.mjs"), MODULES)
    done = subprocess.run(["node", script, MODULES, json.dumps(layers), folder, CHROMIUM], capture_output=True,
                          text=True,
                          timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for line in done.stdout.splitlines():
        shown = json.loads(line)
        assert shown["complaints"] == [], shown
        columns, rows = np.floor(np.array(shown["points"]).T).astype(int)
        with rasterio.open(shown["file"]) as picture:
            found[shown["name"]] = (picture.read()[:3], columns, rows)
    return found


def test_maps_in_pages_show_the_result(api, tmp_path):  # noqa: F811
    shown = {kind: service(api, NDVI, STYLE, kind) for kind in ("xyz", "wmts", "wms")}
    west, south, east, north = shown["xyz"]["attributes"]["cube"]["lonlat"]
    center = ((west + east) / 2, (south + north) / 2)
    raster = result(api, NDVI)
    (x,), (y,) = transform("EPSG:4326", raster.crs, [center[0]], [center[1]])
    column, row = np.floor(raster.inverse @ (x, y))
    at = [(column + i, row + j) for i in range(-30, 31, 6) for j in range(-30, 31, 6)]  # centres of pixels in view
    xs, ys = zip(*(~raster.inverse @ (i + 0.5, j + 0.5) for i, j in at))
    probes = list(zip(*transform(raster.crs, "EPSG:4326", xs, ys)))
    layers = {**{kind: service["url"] for kind, service in shown.items()}, "center": center, "zoom": ZOOM,
              "probes": probes}
    tile = requests.get(tile_url(shown["xyz"], ZOOM, *middle_tile((west, south, east, north), ZOOM)), timeout=60)
    with rasterio.MemoryFile(tile.content) as file, file.open() as opened:
        palette = opened.colormap(1)
    colours = np.array([palette.get(i, (0, 0, 0, 0)) for i in range(256)])
    values = np.array([raster.values.astype(float).filled(np.nan)[0, int(j), int(i)] for i, j in at])
    want = colours[steps(values, -0.2, 0.9)]
    want[want[:, 3] == 0] = 255  # the page is white below
    assert len(np.unique(want, axis=0)) > 20
    maps = pages(layers, tmp_path)
    assert list(maps) == [f"{library} {kind}" for library in ("leaflet", "ol") for kind in ("xyz", "wmts", "wms")]
    for name, (picture, columns, rows) in maps.items():
        got = picture[:, rows, columns].T.astype(int)
        assert (np.abs(got - want[:, :3]).max(axis=1) <= 2).mean() > 0.95, name
