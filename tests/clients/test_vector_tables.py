"""Features as tables: the same features written in every format and read back, with the types that a format has."""

import csv
import io
import json
import math

import numpy
import pytest
import shapely

from conftest import twincube
from test_vector import collection, features, load, run

EXTENSIONS = {"GeoJSON": "geojson", "GPKG": "gpkg", "FlatGeobuf": "fgb", "ESRI Shapefile": "shz", "CSV": "csv"}
POINTS = [shapely.Point(7.5, 46.25), shapely.Point(-180, 1 / 3), shapely.Point(1e-7, -89.9)]
PROPERTIES = [{"whole": 3, "real": 0.1, "text": "Ob", "flag": True, "code": "007", "day": "2020-02-29"},
              {"whole": -2**31, "real": 1e-300, "text": "Zürich, \"北京\" \U0001f30d", "flag": False, "code": "1e5",
               "day": "1999-12-31"},
              {"whole": None, "real": 5.0, "text": None, "flag": None, "code": "true", "day": None}]


def save(data, name):
    return {"process_id": "save_result", "arguments": {"data": {"from_node": data}, "format": name}}


def written(tmp_path, collected, name, properties=()):
    """The file of the features in the format."""
    nodes = {"load": load(collected, properties), "save": save("load", name)}
    path = run(tmp_path, nodes, EXTENSIONS[name])
    return path.rename(tmp_path / f"first.{EXTENSIONS[name]}")


def read_back(tmp_path, path, **arguments):
    """The file's features, as GeoJSON."""
    return json.loads(collection(tmp_path, path, "geojson", **arguments).read_text())["features"]


def same(found, wanted):
    """Features alike in shape and properties; numbers keep their kind."""
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted):
        assert (a["geometry"] is None) == (b["geometry"] is None)
        if a["geometry"]:
            assert shapely.geometry.shape(a["geometry"]).equals_exact(shapely.geometry.shape(b["geometry"]), 1e-12)
        assert a["properties"] == b["properties"]
        for key, value in b["properties"].items():
            assert isinstance(a["properties"][key], bool) == isinstance(value, bool), key


@pytest.mark.parametrize("name", EXTENSIONS)
def test_properties_keep_their_types(tmp_path, name):
    wanted = features(POINTS, None, PROPERTIES, ["a", "b", "c"])
    found = read_back(tmp_path, written(tmp_path, wanted, name), bands=["whole"])
    if name == "ESRI Shapefile":  # dBASE: no booleans, 15 digits; its points are written as multi points where one is
        for a, b in zip(found, wanted["features"]):
            assert {k: v for k, v in a["properties"].items() if k not in ("flag", "real")} == {
                k: v for k, v in b["properties"].items() if k not in ("flag", "real")}
            assert a["properties"]["flag"] == b["properties"]["flag"]
        return
    same(found, wanted["features"])
    assert [f["id"] for f in found] == ["a", "b", "c"]


@pytest.mark.parametrize("name", EXTENSIONS)
def test_no_features(tmp_path, name):
    if name == "FlatGeobuf":
        run(tmp_path, {"load": load(features([])), "save": save("load", name)}, "fgb", expect="FormatUnsuitable")
        return
    path = written(tmp_path, features([]), name)
    assert read_back(tmp_path, path) == []


@pytest.mark.parametrize("name", ["GeoJSON", "GPKG", "CSV", "ESRI Shapefile"])
def test_features_without_a_shape(tmp_path, name):
    wanted = features([POINTS[0], None, POINTS[2], None], None, [{"n": i, "t": f"t{i}"} for i in range(4)])
    found = read_back(tmp_path, written(tmp_path, wanted, name))
    same(found, wanted["features"])
    found = read_back(tmp_path, written(tmp_path, features([None, None], None, [{"n": 1}, {"n": 2}]), name))
    assert [f["geometry"] for f in found] == [None, None] and [f["properties"]["n"] for f in found] == [1, 2]


@pytest.mark.parametrize("name", ["GeoJSON", "GPKG", "FlatGeobuf", "CSV"])
def test_every_kind_of_shape(tmp_path, name):
    shapes = [shapely.Point(1, 2), shapely.LineString([(0, 0), (1 / 3, 5)]), shapely.box(0, 0, 2, 1),
              shapely.Polygon(shapely.box(0, 0, 9, 9).exterior.coords, [shapely.box(1, 1, 2, 2).exterior.coords]),
              shapely.MultiPoint([(1, 1), (2, 2)]), shapely.MultiLineString([[(0, 0), (1, 1)], [(3, 3), (4, 5)]]),
              shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])]
    found = read_back(tmp_path, written(tmp_path, features(shapes), name))
    assert [f["properties"]["number"] for f in found] == list(range(len(shapes)))
    for feature, shape in zip(found, shapes):
        back = shapely.geometry.shape(feature["geometry"])
        assert back.geom_type == shape.geom_type and back.equals(shape)


@pytest.mark.parametrize("name", EXTENSIONS)
def test_mixed_types_in_one_property(tmp_path, name):
    """Text where there is text among numbers; reals where whole numbers are among them."""
    rows = [{"mixed": 1, "numbers": 1, "late": None}, {"mixed": "two", "numbers": 2.5, "late": 7},
            {"mixed": 3.5, "numbers": None, "late": 8}]
    found = read_back(tmp_path, written(tmp_path, features(POINTS, None, rows), name))
    mixed = [f["properties"]["mixed"] for f in found]
    assert mixed == ["1", "two", "3.5"]
    assert [f["properties"]["numbers"] for f in found] == [1, 2.5, None]
    assert [f["properties"]["late"] for f in found] == [None, 7, 8]


def test_long_names_in_shapefiles(tmp_path):
    """Cut to ten letters and told apart; nothing is lost."""
    rows = [{"a_rather_long_name": i, "a_rather_long_name_too": i * 10, "a_rather_long_text": f"t{i}",
             "überlang": i + 5,
             "short": i + 7} for i in range(3)]
    found = read_back(tmp_path, written(tmp_path, features(POINTS, None, rows), "ESRI Shapefile"), bands=["short"])
    for feature, row in zip(found, rows):
        assert list(feature["properties"].values()) == list(row.values())
        assert len({name.lower() for name in feature["properties"]}) == len(row)
        assert all(len(name.encode()) <= 10 for name in feature["properties"]) and feature["properties"]["short"]


@pytest.mark.parametrize("name", EXTENSIONS)
def test_several_properties_as_bands(tmp_path, name):
    """Properties that became values are columns again, computed; the others stay beside them."""
    rows = [{"a": 1, "b": 2.5, "name": "x"}, {"a": None, "b": -1.0, "name": "y"}, {"a": 3, "b": None, "name": None}]
    double = {"process_graph": {"m": {"process_id": "multiply", "arguments": {"x": {"from_parameter": "x"}, "y": 2},
                                      "result": True}}}
    nodes = {"load": load(features(POINTS, None, rows), ["a", "b"]),
             "twice": {"process_id": "apply", "arguments": {"data": {"from_node": "load"}, "process": double}},
             "save": save("twice", name)}
    path = run(tmp_path, nodes, EXTENSIONS[name])
    path = path.rename(tmp_path / f"first.{EXTENSIONS[name]}")
    found = read_back(tmp_path, path)
    assert [f["properties"]["a"] for f in found] == [2, None, 6]
    assert [f["properties"]["b"] for f in found] == [5, -2, None]
    assert [f["properties"]["name"] for f in found] == ["x", "y", None]
    found = json.loads(collection(tmp_path, path, "json", bands=["b", "a"]).read_text())
    assert found["data"] == [[5, 2], [-2, None], [None, 6]]


# ---- CSV alone -------------------------------------------------------------------------------------------------------


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_the_lines_of_a_csv_table(tmp_path):
    rows = [{"name": "say \"hi\",\r\nyou", "list": [1, {"a": "b"}], "tab\\": "\t\\\u2028", "value": 9,
             "geometry": "no"},
            {"flag": True, "name": None}]
    path = written(tmp_path, features([shapely.Point(1, 2), None], None, rows, [7, 8]), "CSV")
    assert rows_of(path) == [
        ["id", "geometry", "name", "list", "tab\\", "value", "flag"],
        ["7", "POINT (1 2)", "say \"hi\",\r\nyou", '[1,{"a":"b"}]', "\t\\\u2028", "9", ""],
        ["8", "", "", "", "", "", "true"]]


def test_csv_is_in_longitude_and_latitude(tmp_path):
    import pyproj
    place = shapely.Point(*pyproj.Transformer.from_crs(4326, 32632, always_xy=True).transform(9.5, 45))
    path = written(tmp_path, features([place], "EPSG:32632"), "CSV")
    point = shapely.from_wkt(rows_of(path)[1][0])
    assert abs(point.x - 9.5) < 1e-9 and abs(point.y - 45) < 1e-9


@pytest.mark.parametrize("ids", [None, ["p", "q"]])
def test_series_of_features(tmp_path, ids):
    """Several lines a feature: ids stand for the shapes where there are any; properties are told on each line."""
    values = numpy.arange(12.0).reshape(2, 3, 2)
    values[1, 0, 1] = numpy.nan
    points = features([shapely.Point(1, 2), shapely.Point(3, 4)], None, [{"name": "x", "B1": 5}, {"name": "y"}], ids)
    cube = {"type": "datacube", "order": ["t", "geometry", "bands"], "dimensions": {
        "t": {"type": "temporal", "values": ["2020-01-01", "2020-01-02"]},
        "geometry": {"type": "geometry", "values": points["features"], "reference_system": 4326},
        "bands": {"type": "bands", "values": ["B1", "B2"]}}, "data": values[:, :2].tolist()}
    cube["data"] = json.loads(json.dumps(cube["data"]).replace("NaN", "null"))
    path = run(tmp_path, {"save": {"process_id": "save_result", "arguments": {"data": cube, "format": "CSV"}}}, "csv")
    head, *lines = rows_of(path)
    assert head == ["t", "id" if ids else "geometry", "name", "B1", "B2"]
    for line, (t, g) in zip(lines, ((0, 0), (0, 1), (1, 0), (1, 1))):
        assert line[0][:10] == f"2020-01-0{t + 1}"
        assert line[1] == (ids[g] if ids else ["POINT (1 2)", "POINT (3 4)"][g]) and line[2] == "xy"[g]
        assert [float(v) if v else math.nan for v in line[3:]] == pytest.approx(values[t, g].tolist(), nan_ok=True)


@pytest.mark.parametrize("text, wanted", [
    ("geometry,n\n\"POINT (1 2)\",1\n,2\n", [{"n": 1}, {"n": 2}]),
    ("WKT,n,flag\nPOINT (1 2),1,true\nPOINT (3 4),,\n", [{"n": 1, "flag": True}, {"n": None, "flag": None}]),
    ("lon,lat,n,t\n1,2,0.5,2020\n3,4,1,x\n", [{"n": 0.5, "t": "2020"}, {"n": 1, "t": "x"}]),
    ("\ufeffx,y,n\n1,2,\"3\"\n", [{"n": "3"}]),
    ("Longitude,Latitude,name\n1,2,ü\n", [{"name": "ü"}]),
    ("name,n\na,1\nb,2\n", [{"name": "a", "n": 1}, {"name": "b", "n": 2}]),
    ("lon;lat;n\n1;2;3\n", [{"n": 3}])])
def test_tables_of_others(tmp_path, text, wanted):
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    found = read_back(tmp_path, tmp_path / "in.csv")
    assert [f["properties"] for f in found] == wanted
    shape = None if "name,n" in text else {"type": "Point", "coordinates": [1, 2]}
    assert found[0]["geometry"] == shape


def test_a_type_is_that_of_all_lines(tmp_path):
    """However far down the text stands that no number is."""
    lines = ["lon,lat,n"] + [f"1,2,{i}" for i in range(150_000)] + ["1,2,x"]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    twincube("catalogue", "add", "--data", tmp_path, "--id", "long", tmp_path / "in.csv")
    nodes = {"load": {"process_id": "load_collection", "arguments": {
        "id": "long", "spatial_extent": None, "temporal_extent": None, "bands": ["n"]}}}
    run(tmp_path, nodes, "json", expect="BandNotAvailable")
