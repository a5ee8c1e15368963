"""load_stac of what APIs and other formats offer on other hosts: collections whose items come by pages, searches,
netCDF files and features."""

import json
import subprocess
import urllib.parse

import numpy as np
import pytest
import xarray

from conftest import BINARY
from remote_host import RemoteHost
from test_remote_files import execute, item, load, put, raster, refusal


def api(host, days, size=2):
    """A collection `c` with one raster a day, `size` items a page; the queries that were asked."""
    values, asked = {}, []
    for day in range(days):
        values[day], host.files[f"data/{day}.tif"] = raster(day, size=40, west=500000 + 400 * (day % 2))

    def items(query):
        asked.append(query)
        wanted = urllib.parse.parse_qs(query)
        first = int(wanted.get("after", ["0"])[0])
        page = range(first, min(days, first + size))
        links = [{"rel": "self", "href": "./items"}]
        if page.stop < days:
            links.append({"rel": "next", "href": f"{host.url}api/collections/c/items?after={page.stop}"})
        return 200, json.dumps({"type": "FeatureCollection", "links": links, "features": [
            item(f"day{day}", {"B1": f"../../../data/{day}.tif"}, f"2020-01-{day + 1:02}T00:00:00Z") for day in page]
        }).encode()

    host.pages["api/collections/c/items"] = items
    url = put(host, "api/collections/c", {
        "type": "Collection", "stac_version": "1.0.0", "id": "c", "license": "other", "description": "x",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "items", "href": "/api/collections/c/items"}, {"rel": "root", "href": "/"}]})
    return url, values, asked


def test_a_collection_of_an_api_is_read_page_by_page(tmp_path):
    with RemoteHost() as host:
        url, values, asked = api(host, 5)
        found = load(tmp_path, host, url)["B1"]
        assert found.shape == (5, 40, 80)
        for day, plane in values.items():
            part = found[day].values[:, 40 * (day % 2):40 * (day % 2) + 40]
            assert np.array_equal(part, plane[0]) and (found[day].values > 0).sum() == 1600
        assert len(asked) == 3


def test_extents_are_said_to_the_api(tmp_path):
    with RemoteHost() as host:
        url, _, asked = api(host, 5)
        box = {"west": 500000, "south": 4999600, "east": 500400, "north": 5000000, "crs": 32633}
        found = load(tmp_path, host, url, spatial_extent=box, temporal_extent=["2020-01-02", "2020-01-04"])["B1"]
        assert found.shape[0] == 1  # of the second and the third day the latter lies in the box
        wanted = urllib.parse.parse_qs(asked[0])
        west, south, east, north = map(float, wanted["bbox"][0].split(","))
        assert 14.999 < west < 15.001 and 15.004 < east < 15.007 and 45.14 < south < north < 45.16
        assert wanted["datetime"] == ["2020-01-02T00:00:00Z/2020-01-04T00:00:00Z"]


def condition(process, **arguments):
    return {"process_graph": {"c": {"process_id": process, "result": True,
                                    "arguments": {"x": {"from_parameter": "value"}, **arguments}}}}


CONFORMS = ["http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
            "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text"]


@pytest.mark.parametrize("conforms", [CONFORMS, CONFORMS[:1], None])
def test_conditions_on_properties_are_said_to_an_api_that_takes_them(tmp_path, conforms):
    with RemoteHost() as host:
        url, _, asked = api(host, 3)
        if conforms is not None:
            put(host, "", {"type": "Catalog", "stac_version": "1.0.0", "id": "r", "description": "x",
                           "conformsTo": conforms, "links": []})
        both = {"process_graph": {
            "a": {"process_id": "gte", "arguments": {"x": {"from_parameter": "value"}, "y": 10}},
            "b": {"process_id": "array_contains",
                  "arguments": {"data": [1, 2.5], "value": {"from_parameter": "value"}}},
            "c": {"process_id": "or", "result": True, "arguments": {"x": {"from_node": "a"}, "y": {"from_node": "b"}}}}}
        said = refusal(tmp_path, url, [host.url], properties={  # no item has any of them
            "eo:cloud_cover": both, "platform": condition("eq", y="it's"), "level": condition("neq", y=3),
            "date": condition("eq", y="2020-01-01"), "gsd": condition("between", min=5, max=20)})
        assert "NoDataAvailable" in said and len(asked) == 2
        wanted = urllib.parse.parse_qs(asked[0])
        if conforms != CONFORMS:
            assert "filter" not in wanted and "filter-lang" not in wanted
            return
        assert wanted["filter-lang"] == ["cql2-text"]
        assert wanted["filter"] == [  # what negates, and dates, are decided here
            """((("eo:cloud_cover" >= 10) OR ("eo:cloud_cover" IN (1, 2.5))) AND ("platform" = 'it''s')) """
            """AND ("gsd" BETWEEN 5 AND 20)"""]
        asked.clear()
        said = refusal(tmp_path, url, [host.url], properties={"platform": condition("eq", y="a\\")})
        assert "NoDataAvailable" in said
        assert asked and "filter" not in urllib.parse.parse_qs(asked[0])  # an API may take a backslash for an escape


def test_pages_without_end_and_other_methods_are_refused(tmp_path):
    with RemoteHost() as host:
        url, _, _ = api(host, 2)
        loop = {"type": "FeatureCollection", "features": [], "links": [{"rel": "next", "href": "/loop"}]}
        put(host, "loop", loop)
        assert "NoDataAvailable" in refusal(tmp_path, host.url + "loop", [host.url])
        host.pages["endless"] = lambda query: (200, json.dumps({
            "type": "FeatureCollection", "features": [], "links": [
                {"rel": "next", "href": f"/endless?{int(query or 0) + 1}"}]}).encode())
        assert "holds no item" in refusal(tmp_path, host.url + "endless", [host.url])
        host.pages["post"] = lambda query: (200, json.dumps({
            "type": "FeatureCollection", "features": [], "links": [
                {"rel": "next", "href": "/post", "method": "POST", "body": {"token": 1}}]}).encode())
        assert "POST" in refusal(tmp_path, host.url + "post", [host.url])
        assert execute(tmp_path, url, remote=[host.url]).returncode == 0


def netcdf(path, dates, variable="t2m", offset=0):
    time = np.array(dates, "datetime64[ns]")
    values = (np.arange(len(time) * 12, dtype="float32") + offset).reshape(len(time), 3, 4)
    data = xarray.Dataset({variable: (("time", "lat", "lon"), values)}, {
        "time": time, "lat": [50.0, 49.0, 48.0], "lon": [10.0, 11.0, 12.0, 13.0]})
    data.to_netcdf(path)
    return values, path.read_bytes()


def cube_item(name, href, media, **more):
    document = item(name, {}, **more)
    document["assets"] = {"data": {"href": href, "type": media, "roles": ["data"]}}
    return document


@pytest.mark.parametrize("ranges", [True, False])
def test_a_netcdf_file_of_another_host_is_a_cube(tmp_path, ranges):
    values, file = netcdf(tmp_path / "x.nc", ["2020-01-01", "2020-01-02"])
    with RemoteHost({"d/x.nc": file}, ranges=ranges) as host:
        url = put(host, "i.json", cube_item("x", "d/x.nc", "application/netcdf"))
        assert np.array_equal(load(tmp_path, host, url)["t2m"].values, values)
        host.files["d/x.nc"] = file[:len(file) // 2]
        said = refusal(tmp_path, url, [host.url])
        assert "FileContentInvalid" in said and "d/x.nc" in said and "twincube-remote" not in said


def test_features_of_another_host_are_a_vector_cube(tmp_path):
    features = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"height": height}, "geometry": {"type": "Point", "coordinates": [x, 50]}}
        for x, height in ((10, 1.5), (11, 2.5))]}
    with RemoteHost({"f.geojson": json.dumps(features).encode()}) as host:
        url = put(host, "i.json", cube_item("x", "f.geojson", "application/geo+json"))
        graph = {"l": {"process_id": "load_stac", "arguments": {"url": url}},
                 "s": {"process_id": "save_result", "result": True,
                       "arguments": {"data": {"from_node": "l"}, "format": "GeoJSON"}}}
        (tmp_path / "g.json").write_text(json.dumps(graph))
        subprocess.run([BINARY, "run", tmp_path / "g.json", "-o", tmp_path / "o.geojson", "--remote", host.url],
                       check=True, timeout=60, capture_output=True)
    saved = json.loads((tmp_path / "o.geojson").read_text())["features"]
    assert [f["properties"]["height"] for f in saved] == [1.5, 2.5]


def described(name, href, day, **more):
    """An item that tells all that a file of raster() does."""
    document = item(name, {"B1": href}, f"2020-01-{day:02}T00:00:00Z", **{"proj:epsg": 32633})
    document["assets"]["B1"].update({"proj:shape": [40, 40], "proj:transform": [10, 0, 500000, 0, -10, 5000000],
                                     "raster:bands": [{"data_type": "uint16", "nodata": 0}], **more})
    return document


def test_files_that_items_describe_are_opened_only_to_be_read(tmp_path):
    with RemoteHost() as host:
        planes = {}
        for day in range(1, 10):
            planes[day], host.files[f"{day}.tif"] = raster(day, size=40)
        url = put(host, "i.json", {"type": "FeatureCollection", "features": [
            described(f"d{day}", f"{day}.tif", day) for day in planes]})
        found = load(tmp_path, host, url, temporal_extent=["2020-01-08", "2020-01-09"])["B1"]
        assert np.array_equal(found[0], planes[8][0])
        assert {path for path, _, _ in host.requests} == {"i.json", "1.tif", "8.tif"}


@pytest.mark.parametrize("lie", [{"proj:transform": [10, 0, 500010, 0, -10, 5000000]}, {"proj:shape": [41, 40]},
                                 {"raster:bands": [{"data_type": "uint8", "nodata": 0}]}], ids=str)
def test_items_that_describe_other_files_are_errors(tmp_path, lie):
    with RemoteHost() as host:
        for name in ("a", "b"):
            _, host.files[name + ".tif"] = raster(1, size=40)
        url = put(host, "i.json", {"type": "FeatureCollection", "features": [
            described("a", "a.tif", 1), described("b", "b.tif", 2, **lie)]})
        assert "FileContentInvalid" in refusal(tmp_path, url, [host.url])


def test_items_of_many_documents_are_fetched_side_by_side(tmp_path):
    count, latency = 200, 0.02
    with RemoteHost(latency=latency) as host:
        values, host.files["a.tif"] = raster(1, size=40)
        for number in range(count):
            put(host, f"items/{number}.json", described(f"i{number}", "../a.tif", 1 + number % 28))
        url = put(host, "c.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "x", "links": [
            {"rel": "item", "href": f"items/{number}.json"} for number in range(count)]})
        found = load(tmp_path, host, url, temporal_extent=["2020-01-01", "2020-01-02"])["B1"]
        assert np.array_equal(found[0], values[0])
        assert host.most_active > 8 and len(host.requests) == count + 2


# ---- several netCDF files, here and elsewhere ----------------------------------------------------------------------

def several(items):
    """An ItemCollection of items (name, {key: href}, properties), whose assets are netCDF files."""
    features = []
    for name, hrefs, properties in items:
        document = cube_item(name, "", "application/netcdf", **properties)
        document["assets"] = {key: {"href": href, "type": "application/netcdf"} for key, href in hrefs.items()}
        features.append(document)
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture(params=["here", "elsewhere"])
def place(request, tmp_path):
    """Puts documents and files somewhere: a function of name and bytes, and one that loads."""
    if request.param == "here":
        def store(name, content):
            (tmp_path / name).write_bytes(content)
            return str(tmp_path / name)

        class Nowhere:
            url = "http://127.0.0.1:9/"
        yield store, lambda url, **arguments: load(tmp_path, Nowhere, url, **arguments), tmp_path
    else:
        with RemoteHost() as host:
            def store(name, content):
                host.files[name] = content
                return host.url + name
            yield store, lambda url, **arguments: load(tmp_path, host, url, **arguments), tmp_path


def test_files_of_the_same_variables_follow_each_other(place):
    store, opened, folder = place
    parts = {}
    for name, dates, cloud in (("b", ["2020-02-01", "2020-02-02"], 5), ("a", ["2020-01-01"], 50),
                               ("c", ["2020-03-01"], 1)):
        parts[name], content = netcdf(folder / "part.nc", dates, offset=100 * cloud)
        store(name + ".nc", content)
    url = store("i.json", json.dumps(several([
        (name, {"data": name + ".nc"}, {"cloud": cloud}) for name, cloud in (("b", 5), ("a", 50), ("c", 1))])).encode())
    found = opened(url)["t2m"].values
    assert np.array_equal(found, np.concatenate([parts["a"], parts["b"], parts["c"]]))
    found = opened(url, temporal_extent=["2020-02-02", "2020-03-02"])["t2m"].values
    assert np.array_equal(found, np.concatenate([parts["b"][1:], parts["c"]]))
    clear = {"cloud": {"process_graph": {"l": {"process_id": "lt", "result": True, "arguments": {
        "x": {"from_parameter": "value"}, "y": 10}}}}}
    assert np.array_equal(opened(url, properties=clear)["t2m"].values, np.concatenate([parts["b"], parts["c"]]))


def test_files_of_other_variables_are_further_bands(place):
    store, opened, folder = place
    planes = {}
    for month in (1, 2):
        for number, variable in enumerate(("t2m", "tp", "u10")):
            planes[month, variable], content = netcdf(folder / "part.nc", [f"2020-0{month}-01", f"2020-0{month}-02"],
                                                      variable, 1000 * number + 100 * month)
            store(f"{variable}{month}.nc", content)
    url = store("i.json", json.dumps(several([
        (f"m{month}", {v: f"{v}{month}.nc" for v in ("u10", "t2m", "tp")}, {}) for month in (2, 1)])).encode())
    found = opened(url)
    for variable in ("t2m", "tp", "u10"):
        assert np.array_equal(found[variable].values, np.concatenate([planes[1, variable], planes[2, variable]]))
    found = opened(url, bands=["tp", "t2m"], spatial_extent={"west": 10.5, "east": 12.5, "south": 47, "north": 49.5})
    assert [name for name in found.data_vars if name != "crs"] == ["tp", "t2m"]
    for variable in ("t2m", "tp"):
        whole = np.concatenate([planes[1, variable], planes[2, variable]])
        assert np.array_equal(found[variable].values, whole[:, 1:, 1:3])


def test_files_that_are_no_cube_together_are_an_error(tmp_path):
    netcdf(tmp_path / "a.nc", ["2020-01-01"])
    netcdf(tmp_path / "b.nc", ["2020-01-02"], "tp")
    for name in ("a", "b"):
        url = tmp_path / "i.json"
        url.write_text(json.dumps(several([("x", {"a": "a.nc"}, {}), ("y", {"b": name + ".nc"}, {})])))
        assert "FileContentInvalid" in refusal(tmp_path, str(url), [])
