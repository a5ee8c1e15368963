"""Coverages of web services, by the OGC API and by WCS, by hand and through GDAL's drivers: parts of a graph's result
against the same graph with filters behind it."""

import ctypes.util
import json
import xml.etree.ElementTree as xml

import netCDF4
import numpy as np
import pytest
import rasterio
import requests
from rasterio.io import MemoryFile
from rasterio.warp import transform_bounds
from test_ogc_services import exception
from test_services import NDVI, api, load, make, service  # noqa: F401

BANDS = {"load": {**load(bands=["B02", "B04", "B08"]), "result": True}}
GTIFF = "image/tiff; application=geotiff"


@pytest.fixture(scope="module")
def ogc(api):  # noqa: F811
    return service(api, BANDS, kind="OGC-API-Coverages", title="Bands & <dates>")


@pytest.fixture(scope="module")
def wcs(api):  # noqa: F811
    return service(api, BANDS, kind="WCS", title="Bands & <dates>")


@pytest.fixture(scope="module")
def ndvi(api):  # noqa: F811
    return service(api, NDVI, kind="wcs")


def coverage(description, **query):
    if description["type"] == "WCS":
        query = {"service": "WCS", "version": "2.0.1", "request": "GetCoverage", "coverageId": "result", **query}
        return requests.get(description["url"], params=query, timeout=60)
    return requests.get(description["url"] + "/collections/result/coverage", params=query, timeout=60)


def read(answer, media_type=GTIFF):
    assert answer.status_code == 200 and answer.headers["Content-Type"] == media_type, answer.text[:400]
    with MemoryFile(answer.content) as file, file.open() as raster:
        return raster.read(), raster.transform, raster.crs, raster.nodata, raster.descriptions


def filtered(api, graph, *steps, format="GTiff"):  # noqa: F811
    """The result of the graph with processes behind it: (id, arguments), …"""
    nodes = json.loads(json.dumps(graph))
    last = next(name for name, node in nodes.items() if node.pop("result", False))
    for number, (process, arguments) in enumerate([*steps, ("save_result", {"format": format})]):
        nodes[f"step{number}"] = {"process_id": process, "arguments": {"data": {"from_node": last}, **arguments}}
        last = f"step{number}"
    nodes[last]["result"] = True
    answer = api.post(api.root + "/result", json={"process": {"process_graph": nodes}}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def box(description, west, south, east, north):
    """Part of the coverage's box, in parts of its sides, on no pixel's edge."""
    cube = description["attributes"]["cube"]
    left, bottom, right, top = cube["bbox"]
    return (left + west * (right - left) + 1.7, bottom + south * (top - bottom) + 2.3,
            left + east * (right - left) + 3.1, bottom + north * (top - bottom) + 0.9)


def bbox(edges, crs):
    return ("filter_bbox", {"extent": {**dict(zip(("west", "south", "east", "north"), edges)), "crs": crs}})


def same(got, want):
    np.testing.assert_array_equal(got[0], want[0])
    assert got[1].almost_equals(want[1], 1e-6) and got[2] == want[2] and got[0].dtype == want[0].dtype
    assert got[3] == want[3] or (np.isnan(got[3]) and np.isnan(want[3]))


def labels(description, kind):
    return next(d["labels"] for d in description["attributes"]["cube"]["dimensions"] if d["type"] == kind)


def test_all_of_it_is_the_result(api, ogc, wcs):  # noqa: F811
    want = read(filtered(api, BANDS))
    for description in (ogc, wcs):
        same(read(coverage(description)), want)


@pytest.mark.parametrize("dialect", ["ogc", "wcs"])
def test_a_subset_has_the_values_of_the_filters(api, request, dialect):  # noqa: F811
    description = request.getfixturevalue(dialect)
    crs = description["attributes"]["cube"]["crs"]
    edges = box(description, 0.2, 0.3, 0.6, 0.8)
    dates = labels(description, "temporal")
    steps = (("filter_bands", {"bands": ["B08", "B02"]}),
             ("filter_temporal", {"extent": [dates[1], dates[3]]}), bbox(edges, crs))
    west, south, east, north = edges
    if dialect == "ogc":
        until = dates[2]
        queries = [{"subset": [f"E({west!r}:{east!r}),N({south!r}:{north!r})", f'time("{dates[1]}":"{until}")'],
                    "properties": "B08,B02"},
                   {"bbox": f"{west!r},{south!r},{east!r},{north!r}", "bbox-crs": crs,
                    "datetime": f"{dates[1]}/{until}",
                    "properties": "B08,B02"},
                   {"subset": f"x({west!r}:{east!r}),y({south!r}:{north!r}),t({dates[1][:10]}:{until[:10]})",
                    "range-subset": "B08,B02", "f": "GeoTIFF"}]
    else:
        queries = [{"subset": [f"E({west!r},{east!r})", f"N({south!r},{north!r})", f'time("{dates[1]}","{dates[2]}")'],
                    "rangesubset": "B08,B02"},
                   {"SUBSET": f"E({west!r},{east!r})", "SUBSET0": f"N({south!r},{north!r})",
                    "SUBSET1": f'time("{dates[1][:10]}","{dates[2][:10]}")', "RANGESUBSET": "B08,B02",
                    "SUBSETTINGCRS": "http://www.opengis.net/def/crs/EPSG/0/" + crs[5:], "FORMAT": "image/tiff"}]
    want = read(filtered(api, BANDS, *steps))
    assert want[0].shape[0] == 4 and want[0].size > 1000
    for query in queries:
        same(read(coverage(description, **query)), want)


def test_degrees_and_open_ends(api, ogc):  # noqa: F811
    west, south, east, north = ogc["attributes"]["cube"]["lonlat"]
    lon, lat = west + 0.4 * (east - west), south + 0.6 * (north - south)
    want = read(filtered(api, BANDS, ("filter_bbox", {"extent": {"west": lon, "south": south - 1, "east": east + 1,
                                                                 "north": lat}})))
    same(read(coverage(ogc, bbox=f"{lon!r},{south - 1!r},{east + 1!r},{lat!r}")), want)
    same(read(coverage(ogc, bbox=f"{south - 1!r},{lon!r},{lat!r},{east + 1!r}", **{"bbox-crs": "EPSG:4326"})), want)
    crs = ogc["attributes"]["cube"]["crs"]
    left, bottom, right, top = box(ogc, 0, 0.5, 1, 1)
    want = read(filtered(api, BANDS, bbox((left - 1000, bottom, right + 1000, top + 1000), crs)))
    same(read(coverage(ogc, subset=f"N({bottom!r}:*)")), want)


def test_one_date_is_a_slice(api, wcs, ogc):  # noqa: F811
    dates = labels(wcs, "temporal")
    want = read(filtered(api, BANDS, ("filter_temporal", {"extent": [dates[2], dates[3]]})))
    assert want[0].shape[0] == 3
    for description in (wcs, ogc):
        same(read(coverage(description, subset=f'time("{dates[2]}")')), want)
    same(read(coverage(ogc, datetime=dates[2][:10])), want)
    sliced = coverage(wcs, subset=f'time("{dates[2]}")', format="application/x-netcdf")
    with netCDF4.Dataset("memory", memory=sliced.content) as file:
        assert "t" not in file.dimensions and {"x", "y"} <= set(file.dimensions)


def test_a_position_is_the_pixel_that_holds_it(api, wcs, ndvi):  # noqa: F811
    cube = ndvi["attributes"]["cube"]
    all_of_it, transform, *_ = read(coverage(ndvi))
    column, row = 17, 30
    x, y = transform @ (column + 0.1, row + 0.9)
    values, place, *_ = read(coverage(ndvi, subset=[f"E({x!r})", f"N({y!r})"]))
    assert values.shape == (1, 1, 1) and place @ (0, 0) == pytest.approx(transform @ (column, row))
    np.testing.assert_array_equal(values[0, 0, 0], all_of_it[0, row, column])
    assert cube["stored"]["type"] == "float32"


@pytest.mark.parametrize("factor", [2, 3])
def test_scaling_by_a_factor(api, ogc, wcs, factor):  # noqa: F811
    crs = ogc["attributes"]["cube"]["crs"]
    res = ogc["attributes"]["cube"]["resolution"][0]
    left, _, _, top = ogc["attributes"]["cube"]["bbox"]
    edges = (left + 6 * res, top - 66 * res, left + 66 * res, top - 6 * res)
    want = read(filtered(api, BANDS, bbox((edges[0] + 1, edges[1] + 1, edges[2] - 1, edges[3] - 1), crs),
                         ("resample_spatial", {"resolution": factor * res, "method": "near"})))
    assert want[0].shape[1:] == (60 // factor, 60 // factor)
    subset = f"E({edges[0]!r}:{edges[2]!r}),N({edges[1]!r}:{edges[3]!r})"
    for query in ({"scale-factor": factor}, {"scaleFactor": factor}, {"scale-axes": f"E({factor}),N({factor})"},
                  {"scale-size": f"E({60 // factor}),N({60 // factor})"},
                  {"width": 60 // factor, "height": 60 // factor}):
        same(read(coverage(ogc, subset=subset, **query)), want)
    subset = [f"E({edges[0]!r},{edges[2]!r})", f"N({edges[1]!r},{edges[3]!r})"]
    for query in ({"scalefactor": 1 / factor}, {"scalesize": f"i({60 // factor}),j({60 // factor})"},
                  {"scaleaxes": f"i({1 / factor!r}),j({1 / factor!r})"},
                  {"scaleextent": f"i(0:{60 // factor - 1}),j(0:{60 // factor - 1})"}):
        same(read(coverage(wcs, subset=subset, **query)), want)


def test_another_crs(api, ogc, wcs):  # noqa: F811
    crs = ogc["attributes"]["cube"]["crs"]
    edges = box(ogc, 0.3, 0.3, 0.7, 0.6)
    want = read(filtered(api, BANDS, bbox(edges, crs), ("resample_spatial", {"projection": 3857, "method": "near"})))
    west, south, east, north = edges
    same(read(coverage(ogc, subset=f"E({west!r}:{east!r}),N({south!r}:{north!r})", crs="[EPSG:3857]")), want)
    same(read(coverage(wcs, subset=[f"E({west!r},{east!r})", f"N({south!r},{north!r})"],
                       outputcrs="urn:ogc:def:crs:EPSG::3857")), want)


def test_a_box_of_another_crs_with_a_size_is_that_box(api, ogc, ndvi):  # noqa: F811
    cube = ndvi["attributes"]["cube"]
    west, south, east, north = (round(edge) for edge in transform_bounds(cube["crs"], "EPSG:3857", *cube["bbox"]))
    west, east = west + (east - west) // 4, east - (east - west) // 4
    south, north = south + (north - south) // 4, north - (north - south) // 4
    values, place, crs, *_ = read(coverage(ndvi, subset=[f"x({west},{east})", f"y({south},{north})"],
                                           scalesize="i(50),j(40)",
                                           subsettingcrs="EPSG:3857", outputcrs="EPSG:3857"))
    assert values.shape == (1, 40, 50) and crs.to_epsg() == 3857
    assert (place @ (0, 0), place @ (50, 40)) == (pytest.approx((west, north)), pytest.approx((east, south)))
    whole, inverse = read(coverage(ndvi))[0], ~read(coverage(ndvi))[1]
    columns, rows = np.meshgrid(np.arange(50) + 0.5, np.arange(40) + 0.5)
    xs, ys = rasterio.warp.transform("EPSG:3857", cube["crs"], *map(list, place @ (columns.ravel(), rows.ravel())))
    at = np.floor(inverse @ np.array([xs, ys])).astype(int)
    np.testing.assert_array_equal(values[0].ravel(), whole[0, at[1], at[0]])


def test_interpolation(api, wcs):  # noqa: F811
    crs, res = wcs["attributes"]["cube"]["crs"], wcs["attributes"]["cube"]["resolution"][0]
    left, _, _, top = wcs["attributes"]["cube"]["bbox"]
    edges = (left + 4 * res, top - 44 * res, left + 44 * res, top - 4 * res)
    want = read(filtered(api, BANDS, bbox([edges[0] + 1, edges[1] + 1, edges[2] - 1, edges[3] - 1], crs),
                         ("resample_spatial", {"resolution": 2 * res, "method": "average"})))
    same(read(coverage(wcs, subset=[f"E({edges[0]!r},{edges[2]!r})", f"N({edges[1]!r},{edges[3]!r})"], scalefactor=0.5,
                       interpolation="average")), want)


def test_formats_hold_the_same_numbers(api, ogc):  # noqa: F811
    west, south, east, north = box(ogc, 0.4, 0.4, 0.5, 0.5)
    query = {"subset": f"E({west!r}:{east!r}),N({south!r}:{north!r})", "properties": "B04,B08"}
    tif, place, _, nodata, _ = read(coverage(ogc, **query))
    shape = (len(labels(ogc, "temporal")), 2, *tif.shape[1:])
    want = np.ma.masked_equal(tif, nodata).reshape(shape)
    for accept, given in (({}, {"f": "netCDF"}), ({"Accept": "application/netcdf;q=1, */*"}, {})):
        answer = requests.get(ogc["url"] + "/collections/result/coverage", params={**query, **given}, headers=accept,
                              timeout=60)
        assert answer.headers["Content-Type"] == "application/netcdf"
        with netCDF4.Dataset("memory", memory=answer.content) as file:
            for band, name in enumerate(("B04", "B08")):
                np.testing.assert_array_equal(file[name][:].filled(-1), want[:, band].filled(-1))
    document = coverage(ogc, **query, f="CoverageJSON").json()
    assert document["type"] == "Coverage" and document["domain"]["domainType"] == "Grid"
    axes = document["domain"]["axes"]
    assert axes["t"]["values"] == labels(ogc, "temporal")
    assert axes["x"]["start"] == pytest.approx((place @ (0.5, 0.5))[0])
    assert axes["y"]["stop"] == pytest.approx((place @ (0, tif.shape[1] - 0.5))[1]) and axes["x"]["num"] == tif.shape[2]
    for band, name in enumerate(("B04", "B08")):
        array = document["ranges"][name]
        assert array["axisNames"] == ["t", "y", "x"] and array["shape"] == list(want[:, band].shape)
        got = [-1 if value is None else value for value in array["values"]]
        np.testing.assert_array_equal(np.reshape(got, array["shape"]), want[:, band].filled(-1))
        assert document["parameters"][name]["type"] == "Parameter"


def test_a_picture(api, ndvi):  # noqa: F811
    answer = coverage(ndvi, format="image/png", scalesize="i(40),j(30)")
    values, *_ = read(answer, "image/png")
    assert values.shape[1:] == (30, 40) and values[0].std() > 1


def test_parameters_of_the_process(api):  # noqa: F811
    nodes = json.loads(json.dumps(NDVI))
    nodes["load"]["arguments"]["temporal_extent"] = {"from_parameter": "span"}
    answer = api.post(api.root + "/services", timeout=60, json={
        "type": "ogc-api-coverages", "configuration": {"parameters": {"span": None}},
        "process": {"process_graph": nodes, "parameters": [
            {"name": "span", "description": "dates", "schema": {"type": ["array", "null"]}, "default": None,
             "optional": True}]}})
    assert answer.status_code == 201, answer.text
    description = api.get(answer.headers["Location"], timeout=30).json()
    same(read(coverage(description)), read(filtered(api, NDVI)))
    span = ["2024-01-01", "2024-05-01"]
    nodes = json.loads(json.dumps(NDVI))
    nodes["load"]["arguments"]["temporal_extent"] = span
    same(read(coverage(description, span=json.dumps(span))), read(filtered(api, nodes)))


def test_documents_of_the_ogc_api(ogc):
    cube = ogc["attributes"]["cube"]
    landing = requests.get(ogc["url"], timeout=30).json()
    links = {link["rel"]: link["href"] for link in landing["links"]}
    assert landing["title"] == "Bands & <dates>" and links["self"] == ogc["url"]
    classes = requests.get(links["conformance"], timeout=30).json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/core" in classes
    listed = requests.get(links["data"], timeout=30).json()["collections"]
    collection = requests.get(listed[0]["links"][0]["href"], timeout=30).json()
    assert [collection] == listed and collection["id"] == "result"
    assert collection["extent"]["spatial"]["bbox"] == [pytest.approx(cube["lonlat"])]
    dates = labels(ogc, "temporal")
    assert collection["extent"]["temporal"]["interval"] == [[dates[0], dates[-1]]]
    assert collection["storageCrs"].endswith("/EPSG/0/" + cube["crs"][5:])
    rel = "http://www.opengis.net/def/rel/ogc/1.0/"
    of = {link["rel"]: link["href"] for link in collection["links"]}
    for link in collection["links"]:
        if link["rel"] == rel + "coverage":
            answer = requests.head(link["href"], headers={"Accept": link["type"]}, params={"scale-size": "i(4),j(3)",
                                   "properties": "B02", "datetime": dates[0]}, timeout=60)
            assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(link["type"].split(";")[0])
    grid = requests.get(of[rel + "coverage-domainset"], timeout=30).json()["generalGrid"]
    assert grid["axisLabels"] == ["E", "N", "t"] and grid["axis"][0]["lowerBound"] == cube["bbox"][0]
    assert grid["gridLimits"]["axis"][1]["upperBound"] == cube["size"][1] - 1 and grid["axis"][2]["coordinate"] == dates
    fields = requests.get(of[rel + "coverage-rangetype"], timeout=30).json()["field"]
    assert [field["name"] for field in fields] == ["B02", "B04", "B08"]
    schema = requests.get(of[rel + "schema"], timeout=30).json()
    assert list(schema["properties"]) == ["B02", "B04", "B08"] and schema["properties"]["B02"]["x-ogc-propertySeq"] == 1
    assert requests.get(ogc["url"] + "/collections/other", timeout=30).json()["code"] == "CollectionNotFound"


def test_documents_of_wcs(wcs):
    cube = wcs["attributes"]["cube"]
    names = {"wcs": "http://www.opengis.net/wcs/2.0", "ows": "http://www.opengis.net/ows/2.0",
             "gml": "http://www.opengis.net/gml/3.2", "swe": "http://www.opengis.net/swe/2.0"}
    tree = xml.fromstring(requests.get(wcs["url"], {"service": "WCS", "request": "GetCapabilities"},
                                       timeout=30).content)
    assert tree.tag == "{http://www.opengis.net/wcs/2.0}Capabilities" and tree.get("version") == "2.0.1"
    assert tree.find("ows:ServiceIdentification/ows:Title", names).text == "Bands & <dates>"
    assert [found.text for found in tree.iterfind(".//wcs:CoverageId", names)] == ["result"]
    assert "image/tiff" in [found.text for found in tree.iterfind(".//wcs:formatSupported", names)]
    tree = xml.fromstring(requests.get(wcs["url"], {"request": "DescribeCoverage", "coverageId": "result"},
                                       timeout=30).content)
    assert tree.find(".//gml:GridEnvelope/gml:high", names).text == " ".join(f"{n - 1:.0f}" for n in cube["size"])
    origin = [float(n) for n in tree.find(".//gml:origin//gml:pos", names).text.split()]
    assert origin == pytest.approx([cube["bbox"][0] + cube["resolution"][0] / 2,
                                    cube["bbox"][3] - cube["resolution"][1] / 2])
    assert [field.get("name") for field in tree.iterfind(".//swe:field", names)] == ["B02", "B04", "B08"]
    assert [found.text for found in tree.iterfind(".//gml:timePosition", names)] == labels(wcs, "temporal")


@pytest.mark.parametrize("query,code,status", [
    ({"coverageId": None}, "MissingParameterValue", 400), ({"coverageId": "x"}, "NoSuchCoverage", 404),
    ({"subset": "depth(1,2)"}, "InvalidAxisLabel", 404), ({"subset": "E(1,2"}, "InvalidSubsetting", 404),
    ({"subset": ["time(2024-05-01)", "time(2024-06-01)"]}, "InvalidSubsetting", 404),
    ({"subset": "E(5,2)"}, "InvalidSubsetting", 404), ({"subset": "E(a,b)"}, "InvalidSubsetting", 404),
    ({"subset": "E(1,2)"}, "InvalidSubsetting", 404), ({"subset": ["E(1,2)", "x(1,2)"]}, "InvalidSubsetting", 404),
    ({"subset": 'time("1990-01-01")'}, "InvalidSubsetting", 404),
    ({"subset": 'time("soon")'}, "InvalidSubsetting", 404),
    ({"rangesubset": "B99"}, "NoSuchField", 404), ({"scalefactor": "-1"}, "InvalidScaleFactor", 404),
    ({"scalesize": "i(0)"}, "InvalidParameterValue", 400), ({"scalesize": "k(4)"}, "ScaleAxisUndefined", 404),
    ({"scaleextent": "i(5:2)"}, "InvalidExtent", 404), ({"format": "image/gif"}, "InvalidParameterValue", 400),
    ({"outputcrs": "EPSG:1"}, "OutputCrs-NotSupported", 404), ({"outputcrs": "x" * 300}, "OutputCrs-NotSupported", 404),
    ({"subsettingcrs": "mine", "subset": "E(1,2)"}, "SubsettingCrs-NotSupported", 404),
    ({"interpolation": "magic"}, "InterpolationMethodNotSupported", 404),
    ({"version": "1.0.0"}, "InvalidParameterValue", 400),
    ({"request": "GetAll"}, "OperationNotSupported", 501)])
def test_wcs_tells_what_is_wrong(wcs, query, code, status):
    answer = coverage(wcs, **query)
    assert (exception(answer)[0], answer.status_code) == (code, status), answer.text
    assert xml.fromstring(answer.content).tag == "{http://www.opengis.net/ows/2.0}ExceptionReport"


@pytest.mark.parametrize("query,code,parameter", [
    ({"subset": "depth(1:2)"}, "QueryParameterInvalid", "axis"), ({"bbox": "1,2,3"}, "QueryParameterInvalid", "bbox"),
    ({"bbox": "0,0,1,1"}, "QueryParameterInvalid", "bbox"), ({"bbox": "a,b,c,d"}, "QueryParameterInvalid", "bbox"),
    ({"bbox": "1,1,0,0"}, "QueryParameterInvalid", "bbox"),
    ({"bbox-crs": "?", "bbox": "0,0,1,1"}, "CRSInvalid", "bbox-crs"),
    ({"datetime": "soon"}, "QueryParameterInvalid", "t"),
    ({"datetime": "1990-01-01/1991-01-01"}, "QueryParameterInvalid", "t"),
    ({"properties": "B02,"}, None, None), ({"properties": "B2"}, "QueryParameterInvalid", "properties"),
    ({"scale-factor": "0"}, "QueryParameterInvalid", "scale-factor"),
    ({"scale-size": "E(1.5)"}, "QueryParameterInvalid", "scale-size"),
    ({"scale-size": "E(1000000),N(1000000)"}, "ContentTooLarge", None), ({"f": "gif"}, "QueryParameterInvalid", "f"),
    ({"crs": "EPSG:99999"}, "CRSInvalid", "crs"), ({"subset": "Lat(1:2),E(3:4)"}, "QueryParameterInvalid", "subset")])
def test_the_ogc_api_tells_what_is_wrong(ogc, query, code, parameter):
    answer = coverage(ogc, **query)
    if code is None:
        assert answer.status_code == 200
        return
    assert answer.json()["code"] == code, answer.text
    assert answer.status_code == (413 if code == "ContentTooLarge" else 400)
    assert parameter is None or f'parameter "{parameter}"' in answer.json()["message"]


def test_gdal_opens_the_wcs(ndvi, tmp_path):
    values, place, crs, *_ = read(coverage(ndvi))
    with rasterio.Env(GDAL_DEFAULT_WCS_CACHE_PATH=str(tmp_path)), rasterio.open(
            f"WCS:{ndvi['url']}?version=2.0.1&coverageId=result", CACHE=str(tmp_path)) as opened:
        assert (opened.width, opened.height, opened.count) == (values.shape[2], values.shape[1], 1)
        assert opened.crs == crs and opened.transform.almost_equals(place, 1e-6)
        np.testing.assert_array_equal(opened.read(), values)
        window = rasterio.windows.Window(20, 10, 70, 50)
        np.testing.assert_array_equal(opened.read(window=window), values[:, 10:60, 20:90])
        small = opened.read(out_shape=(1, 20, 30))
    assert small.shape == (1, 20, 30) and abs(np.nanmean(small) - np.nanmean(values)) < 0.05


def test_gdal_opens_a_date_of_the_wcs(wcs, tmp_path):
    date = labels(wcs, "temporal")[1]
    values, *_ = read(coverage(wcs, subset=f'time("{date}")'))
    with rasterio.Env(GDAL_DEFAULT_WCS_CACHE_PATH=str(tmp_path)), rasterio.open(
            f"WCS:{wcs['url']}?version=2.0.1&coverageId=result&SUBSET=time({date})", CACHE=str(tmp_path)) as opened:
        assert opened.count == 3
        np.testing.assert_array_equal(opened.read(), values)


def test_gdal_opens_the_ogc_api(api, tmp_path):  # noqa: F811
    """By the driver of the system's GDAL, for rasterio's has none."""
    name = ctypes.util.find_library("gdal")
    if name is None:
        pytest.skip("no GDAL with the driver OGCAPI")
    gdal = ctypes.CDLL(name)
    gdal.GDALAllRegister()
    gdal.GDALOpen.restype = gdal.GDALGetRasterBand.restype = gdal.GDALGetDriverByName.restype = ctypes.c_void_p
    if not gdal.GDALGetDriverByName(b"OGCAPI"):
        pytest.skip("no GDAL with the driver OGCAPI")
    gdal.CPLSetConfigOption(b"GDAL_DEFAULT_WMS_CACHE_PATH", str(tmp_path).encode())
    shown = service(api, NDVI, kind="OGC-API-Coverages")
    values, *_ = read(coverage(shown))
    dataset = gdal.GDALOpen(f"OGCAPI:{shown['url']}/collections/result".encode(), 0)
    assert dataset
    width, height = gdal.GDALGetRasterXSize(ctypes.c_void_p(dataset)), gdal.GDALGetRasterYSize(ctypes.c_void_p(dataset))
    assert (height, width) == values.shape[1:]
    out = np.zeros((height, width), "float32")
    band = ctypes.c_void_p(gdal.GDALGetRasterBand(ctypes.c_void_p(dataset), 1))
    assert gdal.GDALRasterIO(band, 0, 0, 0, width, height, out.ctypes.data_as(ctypes.c_void_p), width, height, 6, 0,
                             0) == 0
    gdal.GDALClose(ctypes.c_void_p(dataset))
    np.testing.assert_array_equal(out, values[0])


def test_a_value_is_no_coverage(api):  # noqa: F811
    graph = {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    assert make(api, graph, kind="WCS").json()["code"] == "FormatUnsuitable"
    assert make(api, BANDS, {"colormap": "viridis"}, "WCS").json()["code"] == "ServiceConfigUnsupported"
