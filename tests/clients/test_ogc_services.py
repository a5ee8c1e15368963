"""WMTS and WMS of web services, by hand and through GDAL's drivers, against the batch result of the same graph."""

import xml.etree.ElementTree as xml

import numpy as np
import pytest
import rasterio
import requests
from rasterio.warp import transform_bounds
from test_services import (NDVI, api, centres, load, middle_tile, nearest, picture, reduced, result,  # noqa: F401
                           service, steps)

STYLE = {"min": -0.2, "max": 0.9, "colormap": "viridis"}
DATES = {"load": {**load(bands=["B08"]), "result": True}}


def get(url, **query):
    return requests.get(url, params=query, timeout=60)


def exception(answer):
    """(code, locator, text) of the first exception in a report of WMS or of OWS Common."""
    assert "xml" in answer.headers["Content-Type"], answer.text
    tree = xml.fromstring(answer.content)
    found = next(element for element in tree.iter() if element.tag.rpartition("}")[2] in ("ServiceException",
                                                                                          "Exception"))
    assert tree.tag.rpartition("}")[2] == ("ExceptionReport" if len(found) else "ServiceExceptionReport")
    return (found.get("code") or found.get("exceptionCode"), found.get("locator"), "".join(found.itertext()))


@pytest.fixture(scope="module")
def wms(api):  # noqa: F811
    return service(api, NDVI, STYLE, "WMS", title="Green & <growing>")


@pytest.fixture(scope="module")
def raster(api):  # noqa: F811
    return result(api, NDVI)


def pixels(bbox, width, height):
    west, south, east, north = bbox
    return (west + (np.arange(width) + 0.5) * (east - west) / width,
            north - (np.arange(height) + 0.5) * (north - south) / height)


@pytest.mark.parametrize("version,crs,turned", [("1.3.0", "EPSG:3857", False), ("1.3.0", "EPSG:4326", True),
                                                ("1.3.0", "CRS:84", False), ("1.1.1", "EPSG:4326", False),
                                                ("1.3.0", "EPSG:3035", True), ("1.1.1", "EPSG:32632", False)])
def test_maps_in_any_crs_show_the_batch_result(wms, raster, version, crs, turned):
    cube = wms["attributes"]["cube"]
    plain = "EPSG:4326" if crs == "CRS:84" else crs
    west, south, east, north = transform_bounds(cube["crs"], plain, *cube["bbox"])
    bbox = (west - (east - west) / 8, south, east, north + (north - south) / 16)
    order = (1, 0, 3, 2) if turned else (0, 1, 2, 3)
    query = {"service": "WMS", "VERSION": version, "Request": "getmap", "LAYERS": "result", "STYLES": "",
             "crs" if version == "1.3.0" else "srs": crs, "width": 301, "height": 217, "format": "image/png",
             "bbox": ",".join(repr(bbox[i]) for i in order)}
    answer = get(wms["url"], **query)
    assert answer.headers["Content-Type"] == "image/png", answer.text
    want = steps(nearest(raster, plain, *pixels(bbox, 301, 217))[0], -0.2, 0.9)
    _, numbers = picture(answer)
    assert numbers.shape == (217, 301) and 0 in want and (want > 0).mean() > 0.5
    # the box is rounded to a millionth of a pixel: centres at an edge, a row of them, may fall on its other side
    assert (numbers != want).mean() < 5e-3
    white, _ = picture(get(wms["url"], **query, transparent="FALSE"))
    assert (white[:, want == 0] == 255).all()


def test_values_under_a_pixel(wms, raster):
    bbox = transform_bounds(wms["attributes"]["cube"]["crs"], "EPSG:3857", *wms["attributes"]["cube"]["bbox"])
    query = {"version": "1.3.0", "request": "GetFeatureInfo", "crs": "EPSG:3857", "width": 64, "height": 50,
             "bbox": ",".join(map(repr, bbox)), "layers": "result", "query_layers": "result", "format": "image/png"}
    values = nearest(raster, "EPSG:3857", *pixels(bbox, 64, 50))[0]
    for i, j in ((30, 20), (10, 40), (63, 49)):
        found = get(wms["url"], **query, i=i, j=j, info_format="application/json").json()
        value = found["features"][0]["properties"]["value"]
        assert value is None if np.isnan(values[j, i]) else value == pytest.approx(values[j, i], rel=1e-6)
    assert get(wms["url"], **query, i=30, j=20, info_format="text/plain").text.startswith("value = ")
    for wrong in ({"i": 64, "j": 0}, {"i": 1}, {"i": -1, "j": 2}):
        assert exception(get(wms["url"], **query, **wrong))[0] == "InvalidPoint"


@pytest.mark.parametrize("change,code", [
    ({"crs": "EPSG:99"}, "InvalidCRS"), ({"crs": "mercator"}, "InvalidCRS"), ({"crs": ""}, "InvalidCRS"),
    ({"bbox": "0,0,1"}, "InvalidParameterValue"), ({"bbox": "1,1,0,0"}, "InvalidParameterValue"),
    ({"bbox": "0,0,nan,1"}, "InvalidParameterValue"), ({"width": 0}, "InvalidParameterValue"),
    ({"width": 5000}, "InvalidParameterValue"), ({"height": "x"}, "InvalidParameterValue"),
    ({"format": "image/gif"}, "InvalidFormat"), ({"request": "GetAll"}, "OperationNotSupported"),
    ({"layers": "<b>"}, "LayerNotDefined"), ({"styles": "pink"}, "StyleNotDefined")])
def test_bad_requests_say_why(wms, change, code):
    query = {"version": "1.3.0", "request": "GetMap", "crs": "EPSG:3857", "bbox": "0,0,10,10", "width": 10,
             "height": 10, **change}
    answer = get(wms["url"], **query)
    assert answer.status_code == 400 and exception(answer)[0] == code, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    old = get(wms["url"], **{**query, "version": "1.1.1"})
    assert exception(old)[0] == code.replace("CRS", "SRS") and old.headers["Content-Type"].endswith(".se_xml")
    plain = get(wms["url"], **query, exceptions="application/json").json()
    assert plain["code"] in ("QueryParameterInvalid", "CRSInvalid") and plain["message"]


def test_a_date_that_is_not_there_is_an_invalid_dimension_value(api):  # noqa: F811
    shown = service(api, DATES, {"min": 0, "max": 10000}, "WMS")
    query = {"version": "1.3.0", "request": "GetMap", "crs": "EPSG:3857", "bbox": "0,0,10,10", "width": 10,
             "height": 10}
    for time in ("1990-01-01", "soon"):
        code, locator, text = exception(get(shown["url"], **query, time=time))
        assert (code, locator) == ("InvalidDimensionValue", "datetime") and time in text


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_gdal_opens_the_wms(wms, raster, version):
    tree = xml.fromstring(get(wms["url"], service="WMS", request="GetCapabilities", version=version).content)
    assert tree.attrib["version"] == version
    assert "Green & <growing>" in [element.text for element in tree.iter()]
    bbox = transform_bounds(wms["attributes"]["cube"]["crs"], "EPSG:3857", *wms["attributes"]["cube"]["bbox"])
    west, south, east, north = (round(edge) for edge in bbox)
    description = f"""<GDAL_WMS><Service name="WMS"><Version>{version}</Version>
        <ServerUrl>{wms["url"]}?</ServerUrl><{"CRS" if version == "1.3.0" else "SRS"}>EPSG:3857</{
        "CRS" if version == "1.3.0" else "SRS"}><ImageFormat>image/png</ImageFormat><Layers>result</Layers></Service>
        <DataWindow><UpperLeftX>{west}</UpperLeftX><UpperLeftY>{north}</UpperLeftY><LowerRightX>{east}</LowerRightX>
        <LowerRightY>{south}</LowerRightY><SizeX>400</SizeX><SizeY>300</SizeY></DataWindow><BandsCount>4</BandsCount>
        <Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY></GDAL_WMS>"""
    with rasterio.open(description) as opened:
        bands = opened.read()
    want = nearest(raster, "EPSG:3857", *pixels((west, south, east, north), 400, 300))[0]
    assert ((bands[3] > 0) == ~np.isnan(want)).mean() > 0.999 and len(np.unique(bands[0])) > 50


def test_gdal_opens_the_wmts_and_finds_its_dates(api):  # noqa: F811
    shown = service(api, DATES, {"min": 0, "max": 10000, "colormap": "viridis"}, "wmts", title="dates")
    tree = xml.fromstring(get(shown["url"], service="WMTS", request="GetCapabilities").content)
    assert tree.tag == "{http://www.opengis.net/wmts/1.0}Capabilities"
    assert get(shown["url"] + "/1.0.0/WMTSCapabilities.xml").content == get(shown["url"]).content
    dates = next(d["labels"] for d in shown["attributes"]["cube"]["dimensions"] if d["type"] == "temporal")
    ours = "{http://www.opengis.net/wmts/1.0}"
    legend = next(tree.iter(ours + "LegendURL")).get("{http://www.w3.org/1999/xlink}href")
    assert get(legend).headers["Content-Type"] == "image/png"
    assert [value.text for value in tree.iter(ours + "Value")] == dates
    zoom = 13
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    first = {"load": load(bands=["B08"], temporal_extent=[dates[0][:10], dates[1][:10]]),
             "drop": reduced("load", "t", "first", result=True)}
    want = steps(nearest(result(api, first), "EPSG:3857", *centres(zoom, column, row, 256))[0], 0, 10000)
    by_key = get(shown["url"], SERVICE="WMTS", REQUEST="GetTile", VERSION="1.0.0", LAYER="result", STYLE="default",
                 FORMAT="image/png", TILEMATRIXSET="WebMercatorQuad", TILEMATRIX=zoom, TILEROW=row, TILECOL=column,
                 TIME=dates[0])
    by_path = get(f"{shown['url']}/{zoom}/{row}/{column}.png", time=dates[0])
    for answer in (by_key, by_path):
        np.testing.assert_array_equal(picture(answer)[1], want)
    tile = {"request": "GetTile", "tilematrix": zoom, "tilerow": row, "tilecol": column}
    for change, code, locator, status in (
            ({"tilerow": 2**zoom}, "TileOutOfRange", "TileRow", 400),
            ({"tilecol": -1}, "TileOutOfRange", "TileCol", 400),
            ({"tilerow": None}, "MissingParameterValue", "TileRow", 400),
            ({"tilematrix": "x"}, "InvalidParameterValue", "TileMatrix", 400),
            ({"tilematrixset": "mine"}, "InvalidParameterValue", "tilematrixset", 400),
            ({"layer": "b"}, "InvalidParameterValue", "layer", 400),
            ({"format": "image/gif"}, "InvalidParameterValue", "Format", 400),
            ({"time": "soon"}, "InvalidParameterValue", "Time", 400),
            ({"request": "GetAll"}, "OperationNotSupported", "Request", 501)):
        answer = get(shown["url"], **{**tile, **change})
        assert (*exception(answer)[:2], answer.status_code) == (code, locator, status), answer.text
    assert exception(get(f"{shown['url']}/{zoom}/{2**zoom}/0.png"))[:2] == ("TileOutOfRange", "TileRow")
    with rasterio.open(f"WMTS:{shown['url']}/1.0.0/WMTSCapabilities.xml,layer=result") as opened:
        assert opened.crs.to_epsg() == 3857 and opened.count == 4
        half = 256 * 40075016.685578488 / 256 / 2**zoom / 2
        x, y = centres(zoom, column, row, 256)
        window = rasterio.windows.from_bounds(x.mean() - half, y.mean() - half, x.mean() + half, y.mean() + half,
                                              opened.transform)
        seen = opened.read(window=window, out_shape=(4, 256, 256))
    last = picture(get(f"{shown['url']}/{zoom}/{row}/{column}.png"))[0]
    assert ((seen[3] > 0) == (last[3] > 0)).mean() > 0.99 and np.abs(seen[:3].astype(int) - last[:3]).mean() < 5


def test_a_type_answers_its_own_requests_only(api, wms):  # noqa: F811
    root = f"{api.root}/services/{wms['id']}"
    for path in ("/wmts", "/xyz/0/0/0", "/wmts/0/0/0"):
        assert requests.get(root + path, timeout=30).json()["code"] == "ServiceNotFound"
    legend = get(wms["url"], request="GetLegendGraphic", layer="result", format="image/png")
    assert legend.headers["Content-Type"] == "image/png"
