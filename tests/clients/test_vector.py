"""Vector cubes: what comes in comes out, in every format, and what is made of geometries against shapely and pyproj."""

import json
import os
import subprocess

import geopandas
import numpy
import pyproj
import pytest
import rasterio
import shapely

from conftest import BINARY, DEMO_PATTERNS, shared, twincube

FORMATS = {"GeoJSON": "geojson", "GPKG": "gpkg", "FlatGeobuf": "fgb", "ESRI Shapefile": "shz"}
UTM = "EPSG:32632"


def features(geometries, crs=None, properties=None, ids=None):
    """A feature collection; property number, unless others are given."""
    listed = [{"type": "Feature", "geometry": None if g is None or g.is_empty else shapely.geometry.mapping(g),
               "properties": properties[i] if properties else {"number": i}}
              for i, g in enumerate(geometries)]
    for feature, name in zip(listed, ids or []):
        feature["id"] = name
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return {"type": "FeatureCollection", "features": listed, **named}


def load(collection, properties=()):
    return {"process_id": "load_geojson", "arguments": {"data": collection, "properties": list(properties)}}


def run(tmp_path, nodes, extension="gpkg", threads=1, expect=None):
    """Runs the nodes; the last one is the result. Its file, or the error's code where one is expected."""
    graph = {name: dict(node) for name, node in nodes.items()}
    graph[list(graph)[-1]]["result"] = True
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    out = tmp_path / f"out.{extension}"
    command = ["run", tmp_path / "graph.json", "--data", tmp_path, "-o", out, "--threads", threads]
    if expect is None:
        twincube(*command)
        return out
    done = subprocess.run([BINARY, *map(str, command)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith(expect + ":"), done.stderr
    return done.stderr


def table(path):
    return geopandas.read_file(path)


def moved(shape, source, target):
    """The shape in another reference system, point by point."""
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(shape, lambda p: numpy.column_stack(move(p[:, 0], p[:, 1])))


def random_polygons(count, seed, size=100.0, origin=(500000.0, 5000000.0)):
    """Stars around random centres: valid, mostly concave; some with holes."""
    random = numpy.random.default_rng(seed)
    polygons = []
    for i in range(count):
        centre = numpy.array(origin) + random.uniform(0, 10 * size, 2)
        angles = numpy.sort(random.uniform(0, 2 * numpy.pi, 9)) + numpy.arange(9) * 1e-3
        radii = random.uniform(0.3, 1, 9) * size
        ring = [tuple(centre + r * numpy.array([numpy.cos(a), numpy.sin(a)])) for a, r in zip(angles, radii)]
        polygon = shapely.Polygon(ring)
        if i % 3 == 0:
            inner = polygon.buffer(-size / 8)
            inner = max(inner.geoms, key=lambda p: p.area) if inner.geom_type == "MultiPolygon" else inner
            if not inner.is_empty:
                polygon = shapely.Polygon(ring, [inner.exterior.coords])
        polygons.append(polygon)
    return [p for p in polygons if p.is_valid]


def random_geometries(seed):
    random = numpy.random.default_rng(seed)
    origin = numpy.array([500000.0, 5000000.0])
    point = lambda: tuple(origin + random.uniform(0, 1000, 2))
    return (random_polygons(8, seed) + [shapely.Point(point()) for _ in range(3)]
            + [shapely.LineString([point() for _ in range(4)]) for _ in range(3)]
            + [shapely.MultiPoint([point() for _ in range(3)]),
               shapely.MultiLineString([[point(), point()], [point(), point()]]),
               shapely.MultiPolygon([shapely.Point(point()).buffer(30), shapely.Point(5e5 - 300, 5e6).buffer(40)])])


# ---- formats ---------------------------------------------------------------------------------------------------------

MIXED = [{"name": "A", "n": 1, "x": 1.5, "flag": True, "none": None, "name with \"quotes\"": "ü, \\ \n"},
         {"name": None, "n": 2, "x": -2e-7, "flag": False, "none": None},
         {"name": "C~D", "n": None, "x": None, "flag": None, "extra": "only here"}]


@pytest.mark.parametrize("name", FORMATS)
def test_geometries_ids_and_properties_come_out(tmp_path, name):
    shapes = random_polygons(3, 1)[:3]
    nodes = {"load": load(features(shapes, UTM, MIXED, ["a", "b", "c"])),
             "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": name}}}
    found = table(run(tmp_path, nodes, FORMATS[name]))
    wanted = [moved(s, UTM, 4326) for s in shapes] if name == "GeoJSON" else shapes
    assert found.crs.to_epsg() == (4326 if name == "GeoJSON" else 32632)
    for shape, geometry in zip(wanted, found.geometry):
        assert geometry.symmetric_difference(shape).area <= 1e-6 * shape.area
    assert list(found["id"]) == ["a", "b", "c"]
    for i, properties in enumerate(MIXED):
        for key, value in properties.items():
            short = key[:8].replace('"', "_")
            column = key if name != "ESRI Shapefile" else next(
                c for c in found.columns if c[:8] == short or c == key[:10])
            got = found[column].iloc[i]
            assert (got is None or got != got) if value is None else got == value, (key, got)
    assert "value" not in found.columns


def test_geojson_keeps_what_only_json_can_say(tmp_path):
    properties = [{"list": [1, "two", None], "nested": {"a": {"b": [True]}}, "empty": {}, "n": 3}, {}]
    collection = features([shapely.Point(1, 2), None], None, properties, [7, "x"])
    out = json.loads(run(tmp_path, {"load": load(collection)}, "geojson").read_text())
    assert [f["properties"] for f in out["features"]] == properties
    assert [f["id"] for f in out["features"]] == [7, "x"]
    assert out["features"][0]["geometry"] == {"type": "Point", "coordinates": [1, 2]}
    assert out["features"][1]["geometry"] is None


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_of_geometry_in_every_format(tmp_path, name):
    shapes = random_geometries(3) + [None]
    if name == "FlatGeobuf":
        run(tmp_path, {"load": load(features(shapes, UTM))}, "fgb", expect="FormatUnsuitable")
        shapes.pop()
    if name == "ESRI Shapefile":
        run(tmp_path, {"load": load(features(shapes, UTM)), "save": {"process_id": "save_result", "arguments": {
            "data": {"from_node": "load"}, "format": name}}}, "shz", expect="FormatUnsuitable")
        shapes = [s for s in shapes if s is None or s.geom_type.endswith("Polygon")]
    found = table(run(tmp_path, {"load": load(features(shapes, UTM))}, FORMATS[name])).to_crs(UTM)
    assert len(found) == len(shapes)
    for shape, geometry in zip(shapes, found.geometry):
        if shape is None:
            assert geometry is None or geometry.is_empty
            continue
        assert shapely.hausdorff_distance(shape, geometry) < 1e-3
        assert geometry.geom_type == shape.geom_type or name == "ESRI Shapefile"


def test_rings_run_as_the_standard_has_it(tmp_path):
    shapes = [p.reverse() for p in random_polygons(6, 2)] + random_polygons(6, 2)
    out = json.loads(run(tmp_path, {"load": load(features(shapes, UTM))}, "geojson").read_text())
    for feature in out["features"]:
        polygon = shapely.geometry.shape(feature["geometry"])
        assert polygon.exterior.is_ccw and not any(hole.is_ccw for hole in polygon.interiors)


@pytest.mark.parametrize("extension", FORMATS.values())
def test_an_empty_cube_is_an_empty_file(tmp_path, extension):
    if extension == "fgb":
        run(tmp_path, {"load": load(features([]))}, extension, expect="FormatUnsuitable")
        return
    assert len(table(run(tmp_path, {"load": load(features([]))}, extension))) == 0


def test_a_raster_is_no_vector_cube(tmp_path):
    field = {"process_id": "lft_scalar_field", "arguments": {"shape": [4, 4], "m2": -4, "lambda": 8, "seed": 1,
                                                             "configurations": 2}}
    for extension in FORMATS.values():
        run(tmp_path, {"field": field}, extension, expect="FormatUnsuitable")


def test_values_take_the_place_of_their_properties(tmp_path):
    collection = features([shapely.Point(1, 2), shapely.Point(3, 4)], None, [{"a": 1, "b": "t"}, {"a": 2, "b": "u"}])
    double = {"process_graph": {"m": {"process_id": "multiply", "arguments": {"x": {"from_parameter": "x"}, "y": 2},
                                      "result": True}}}
    nodes = {"load": load(collection, ["a"]),
             "twice": {"process_id": "apply", "arguments": {"data": {"from_node": "load"}, "process": double}}}
    out = json.loads(run(tmp_path, nodes, "geojson").read_text())
    assert [f["properties"] for f in out["features"]] == [{"a": 2, "b": "t"}, {"a": 4, "b": "u"}]


# ---- processes -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("distance", [25.0, -12.5])
def test_buffers_against_shapely(tmp_path, distance):
    shapes = random_geometries(7) + [None]
    nodes = {"load": load(features(shapes, UTM)),
             "buffer": {"process_id": "vector_buffer",
                        "arguments": {"geometries": {"from_node": "load"}, "distance": distance}}}
    found = table(run(tmp_path, nodes))
    assert len(found) == len(shapes) and list(found["number"]) == list(range(len(shapes)))
    for shape, geometry in zip(shapes, found.geometry):
        wanted = shapely.Polygon() if shape is None else shape.buffer(distance, quad_segs=16)
        if wanted.is_empty:
            assert geometry is None or geometry.is_empty
            continue
        assert geometry.symmetric_difference(wanted).area <= 1e-6 * wanted.area


def test_buffers_need_metres(tmp_path):
    buffer = {"process_id": "vector_buffer", "arguments": {"geometries": {"from_node": "load"}, "distance": 5}}
    for crs in (None, "EPSG:2263"):  # degrees; feet
        run(tmp_path, {"load": load(features([shapely.Point(1, 2)], crs)), "b": buffer}, expect="UnitMismatch")
    run(tmp_path, {"load": load(features([shapely.Point(1, 2)], UTM)),
                   "b": {"process_id": "vector_buffer", "arguments": {"geometries": {"from_node": "load"},
                                                                      "distance": 0}}},
        expect="ProcessParameterInvalid")


def tangle(points):
    """A polygon whose edges nearly all cross each other: a repair takes minutes."""
    places = numpy.random.default_rng(points).uniform(0, 1000, (points, 2))
    return shapely.Polygon(places + (500000, 5000000))


@pytest.mark.parametrize("process, arguments", [
    ("vector_buffer", {"geometries": {"from_node": "load"}, "distance": 5}),
    ("vector_to_random_points", {"data": {"from_node": "load"}, "geometry_count": 2, "seed": 1}),
    ("filter_vector", {"data": {"from_node": "load"}, "geometries": {"from_node": "square"}}),
    ("filter_vector", {"data": {"from_node": "square"}, "geometries": {"from_node": "load"}})])
def test_what_crosses_itself_too_often_is_refused(tmp_path, process, arguments):
    square = shapely.box(500000, 5000000, 500600, 5000600)
    said = run(tmp_path, {"square": load(features([square], UTM)), "load": load(features([tangle(300)], UTM)),
                          "made": {"process_id": process, "arguments": arguments}}, expect="ProcessParameterInvalid")
    assert "cross or touch, too often to be repaired" in said and "geometry 0" in said


@pytest.mark.parametrize("shape", [
    tangle(20), shapely.MultiPolygon([shapely.box(x, y, x + 9, y + 9) for x in range(0, 108, 9)
                                      for y in range(0, 108, 9)])], ids=["a star", "cells side by side"])
def test_what_crosses_and_touches_itself_is_repaired(tmp_path, shape):
    found = table(run(tmp_path, {"load": load(features([shape], UTM)), "made": {
        "process_id": "vector_buffer", "arguments": {"geometries": {"from_node": "load"}, "distance": 5}}}))
    sound = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    areas = shapely.union_all([part for part in sound if part.area > 0])  # without lines that a repair leaves
    wanted = areas.buffer(5, quad_segs=16)
    assert not shape.is_valid
    assert found.geometry[0].symmetric_difference(wanted).area <= 1e-6 * wanted.area


@pytest.mark.parametrize("target", [4326, 3857, 25833])
def test_reprojection_against_pyproj(tmp_path, target):
    shapes = random_geometries(9) + [None]
    nodes = {"load": load(features(shapes, UTM), ["number"]),
             "moved": {"process_id": "vector_reproject", "arguments": {"data": {"from_node": "load"},
                                                                       "projection": target}}}
    found = table(run(tmp_path, nodes))
    assert found.crs.to_epsg() == target and list(found["number"]) == list(range(len(shapes)))
    for shape, geometry in zip(shapes, found.geometry):
        if shape is None:
            continue
        wanted = moved(shape, UTM, target)
        assert len(shapely.get_coordinates(geometry)) == len(shapely.get_coordinates(wanted))
        assert shapely.hausdorff_distance(wanted, geometry) < 1e-8 * (1 if target == 4326 else 1e5)


def test_reprojection_by_dimension_and_wkt(tmp_path):
    nodes = lambda **more: {"load": load(features([shapely.Point(9, 45)])), "moved": {
        "process_id": "vector_reproject",
        "arguments": {"data": {"from_node": "load"}, "projection": pyproj.CRS(32632).to_wkt("WKT2_2019"), **more}}}
    assert table(run(tmp_path, nodes(dimension="geometry"))).crs.to_epsg() == 32632
    run(tmp_path, nodes(dimension="t"), expect="DimensionNotAvailable")
    run(tmp_path, nodes(projection=999999), expect="CRSInvalid")


RELATIONS = ["intersects", "disjoint", "equals", "touches", "crosses", "overlaps", "contains", "within"]


def related_shapes():
    """Squares, lines and points of a small lattice: every relation occurs."""
    box = shapely.box
    return [box(0, 0, 4, 4), box(4, 0, 8, 4), box(2, 2, 6, 6), box(1, 1, 3, 3), box(-2, -2, 10, 10),
            box(20, 20, 22, 22),
            shapely.LineString([(0, 0), (4, 4)]), shapely.LineString([(4, 0), (4, 4)]),
            shapely.LineString([(-1, 2), (9, 2)]),
            shapely.LineString([(30, 30), (31, 31)]), shapely.Point(2, 2), shapely.Point(4, 4), shapely.Point(50, 50),
            shapely.MultiPoint([(1, 1), (50, 50)]), shapely.Polygon([(4, 4), (0, 4), (0, 0), (4, 0)]),
            shapely.MultiPolygon([box(0, 0, 4, 4), box(20, 20, 22, 22)])]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("base", [[shapely.box(0, 0, 4, 4)], [shapely.box(0, 0, 2, 4), shapely.box(2, 0, 4, 4)],
                                  [shapely.LineString([(0, 0), (4, 4)]), shapely.LineString([(4, 0), (0, 4)])],
                                  [shapely.Point(2, 2), shapely.Point(4, 4)],
                                  [shapely.box(0, 0, 4, 4), shapely.box(1, 20, 3, 23), shapely.box(40, 0, 41, 1)], []],
                         ids=["square", "halves", "cross", "points", "apart", "nothing"])
def test_relations_against_shapely(tmp_path, relation, base):
    shapes = related_shapes() + [None]
    nodes = {"load": load(features(shapes, UTM)), "base": load(features(base, UTM)),
             "chosen": {"process_id": "filter_vector", "arguments": {
                 "data": {"from_node": "load"}, "geometries": {"from_node": "base"}, "relation": relation}}}
    found = json.loads(run(tmp_path, nodes, "geojson").read_text())
    union = shapely.unary_union(base)
    wanted = [i for i, shape in enumerate(shapes) if shape is not None
              and (getattr(shape, relation)(union) if base else relation == "disjoint")]
    assert [f["properties"]["number"] for f in found["features"]] == wanted


def lattice_geometry(random, kind):
    """Of whole coordinates and slopes, so that corners, edges and lines meet in every way, and exactly."""
    place = lambda: tuple(int(v) for v in random.integers(0, 7, 2))
    step = lambda: numpy.array([(1, 0), (1, 1), (0, 1), (-1, 1)])[random.integers(4)] * random.integers(-4, 5)
    if kind == "Point":
        return shapely.Point(place())
    if kind == "LineString":
        line = shapely.LineString(numpy.cumsum([place(), *[step() for _ in range(random.integers(1, 3))]], axis=0))
        return line if line.is_simple and line.length > 0 else lattice_geometry(random, kind)
    if kind == "Polygon":
        x, y, width, height = (*random.integers(0, 5, 2), *random.integers(2, 5, 2))
        box = shapely.box(x, y, x + width, y + height)
        whole = shapely.Polygon(box.exterior, [shapely.box(x + 0.5, y + 0.5, x + 1, y + 1).exterior.coords])
        half = shapely.Polygon([(x, y), (x + width, y), (x + width, y + width)])
        return random.choice(numpy.array([box, whole, half], object))
    if kind == "GeometryCollection":
        kinds = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]
        return shapely.GeometryCollection([lattice_geometry(random, k) for k in random.choice(kinds, 3)])
    members = [lattice_geometry(random, kind[len("Multi"):]) for _ in range(3)]
    union = shapely.unary_union(members)
    wanted = {"MultiPoint": shapely.MultiPoint, "MultiLineString": shapely.MultiLineString,
              "MultiPolygon": shapely.MultiPolygon}[kind]
    return union if isinstance(union, wanted) else wanted([union])


def agrees_with_itself(a, b):
    """Whether shapely's predicates, which err on some collections whose edges coincide, are as its differences."""
    return a.covered_by(b) == a.difference(b).is_empty and b.covered_by(a) == b.difference(a).is_empty


KINDS = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"]


@pytest.mark.parametrize("kinds", [["Polygon", "Point"], ["Polygon", "LineString"], ["LineString", "Point"], KINDS,
                                   ["Polygon"], ["LineString"]], ids="-".join)
def test_relations_of_mixtures_against_shapely(tmp_path, kinds):
    """Data and base of points, lines and polygons together, on a lattice: every relation occurs."""
    random = numpy.random.default_rng(len(str(kinds)))
    shapes = [lattice_geometry(random, kind) for kind in KINDS * 12]
    members = [lattice_geometry(random, kind) for kind in (kinds * 4)[:5]]
    base = shapely.unary_union(members)
    shapes += [shapely.GeometryCollection(members), shapely.GeometryCollection(members + [shapely.Point(3, 3)]),
               shapely.GeometryCollection(members[:2])]
    unions = [shapely.unary_union(shape) for shape in shapes]
    sure = {i for i, shape in enumerate(unions) if agrees_with_itself(shape, base)}
    assert len(sure) > 0.9 * len(shapes)
    stored = {}
    for name, listed in {"load": shapes, "base": members}.items():
        (tmp_path / f"{name}.geojson").write_text(json.dumps(features(listed, UTM)))
        twincube("catalogue", "add", "--data", tmp_path, "--id", name, tmp_path / f"{name}.geojson")
        stored[name] = {"process_id": "load_collection", "arguments": {"id": name, "spatial_extent": None,
                                                                       "temporal_extent": None}}
    for relation in RELATIONS:
        nodes = {**stored, "chosen": {"process_id": "filter_vector", "arguments": {
                     "data": {"from_node": "load"}, "geometries": {"from_node": "base"}, "relation": relation}}}
        found = json.loads(run(tmp_path, nodes, "geojson").read_text())
        wanted = {i for i, shape in enumerate(unions) if getattr(shape, relation)(base)}
        assert {f["properties"]["number"] for f in found["features"]} & sure == wanted & sure, relation


def test_relations_in_another_reference_system(tmp_path):
    shapes = [shapely.Point(9 + i / 10, 45) for i in range(10)]
    area = moved(shapely.box(9.15, 44, 9.55, 46), 4326, UTM)
    nodes = {"load": load(features(shapes), ["number"]), "base": load(features([area], UTM)),
             "chosen": {"process_id": "filter_vector", "arguments": {
                 "data": {"from_node": "load"}, "geometries": {"from_node": "base"}}}}
    out = json.loads(run(tmp_path, nodes, "json").read_text())
    assert out["data"] == [[2], [3], [4], [5]]


def test_polygons_that_cross_themselves_are_repaired(tmp_path):
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    nodes = {"load": load(features([shapely.Point(2, 5), shapely.Point(5, 1)], UTM)),
             "base": load(features([bow], UTM)),
             "chosen": {"process_id": "filter_vector", "arguments": {
                 "data": {"from_node": "load"}, "geometries": {"from_node": "base"}, "relation": "within"}}}
    out = json.loads(run(tmp_path, nodes, "geojson").read_text())
    assert [f["properties"]["number"] for f in out["features"]] == [0]


def test_dimension_processes_take_vector_cubes(tmp_path):
    collection = features([shapely.Point(i, i) for i in range(3)], None, [{"a": i, "b": 10 * i} for i in range(3)])
    reduce = lambda process: {"process_graph": {"r": {"process_id": process, "arguments": {
        "data": {"from_parameter": "data"}}, "result": True}}}
    nodes = {"load": load(collection, ["a", "b"]),
             "renamed": {"process_id": "rename_labels", "arguments": {
                 "data": {"from_node": "load"}, "dimension": "properties", "target": ["c"], "source": ["b"]}},
             "sum": {"process_id": "reduce_dimension", "arguments": {
                 "data": {"from_node": "renamed"}, "dimension": "properties", "reducer": reduce("sum")}}}
    out = json.loads(run(tmp_path, nodes, "geojson").read_text())
    assert [f["properties"]["value"] for f in out["features"]] == [0, 11, 22]
    del nodes["sum"]
    out = json.loads(run(tmp_path, nodes, "geojson").read_text())
    assert [f["properties"]["c"] for f in out["features"]] == [0, 10, 20]


# ---- sampled points --------------------------------------------------------------------------------------------------

def sampled(tmp_path, shapes, process="vector_to_random_points", threads=1, expect=None, crs=UTM, ids=None,
            **arguments):
    nodes = {"load": load(features(shapes, crs, ids=ids), ["number"]),
             "points": {"process_id": process, "arguments": {"data": {"from_node": "load"}, **arguments}}}
    found = run(tmp_path, nodes, "gpkg", threads, expect)
    return found if expect else table(found)


def test_random_points_lie_in_their_geometries(tmp_path):
    shapes = random_geometries(11) + [None]
    found = sampled(tmp_path, shapes, geometry_count=40, seed=3, ids=[f"g{i}" for i in range(len(shapes))])
    assert list(found["id"]) == [f"g{i}" for i in range(len(shapes))]
    for shape, points in zip(shapes, found.geometry):
        if shape is None:
            assert points is None
            continue
        assert points.geom_type == "MultiPoint" and max(shape.distance(p) for p in points.geoms) < 1e-6
        many = {"Point": 1, "MultiPoint": 3}.get(shape.geom_type, 40)
        assert len(points.geoms) == min(many, 40)
        assert len({(p.x, p.y) for p in points.geoms}) == len(points.geoms)


def test_random_points_are_uniform(tmp_path):
    hole = shapely.Polygon([(0, 0), (30, 0), (30, 10), (12, 4), (0, 10)], [[(2, 1), (2, 3), (8, 3), (8, 1)]])
    parts = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(50, 50, 53, 53)])
    line = shapely.LineString([(0, 0), (1, 0), (1, 9)])
    found = sampled(tmp_path, [hole, parts, line], geometry_count=4000, seed=1)
    for shape, window in [(hole, shapely.box(0, 0, 9, 20)), (hole, shapely.box(0, 0, 40, 2.5)),
                          (hole, shapely.box(15, 3, 40, 20)), (parts, shapely.box(0, 0, 2, 2)),
                          (line, shapely.box(-1, -1, 2, 4))]:
        points = found.geometry[[hole, parts, line].index(shape)]
        measure = "length" if shape is line else "area"
        expected = getattr(shape.intersection(window), measure) / getattr(shape, measure)
        share = sum(window.covers(p) for p in points.geoms) / 4000
        assert abs(share - expected) < 5 * (expected * (1 - expected) / 4000) ** 0.5


def test_random_points_follow_the_seed(tmp_path):
    draw = lambda **more: [g.wkb for g in sampled(tmp_path, random_polygons(5, 5), geometry_count=7, **more).geometry]
    assert draw(seed=4) == draw(seed=4, threads=2)
    assert draw(seed=4) != draw(seed=5)
    assert draw() != draw()


def test_counts_of_random_points(tmp_path):
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(4)] + [shapely.MultiPoint([(0, 0), (1, 1)])]
    counts = lambda **more: [len(g.geoms) for g in sampled(tmp_path, shapes, seed=1, **more).geometry]
    assert counts() == [1] * 5
    assert counts(total_count=13) == [3, 3, 3, 2, 2]
    assert counts(total_count=100, geometry_count=4) == [4, 4, 4, 4, 2]
    assert counts(total_count=5) == [1] * 5
    sampled(tmp_path, shapes, total_count=4, expect="CountMismatch")
    sampled(tmp_path, shapes, geometry_count=10 ** 9, expect="ProcessGraphComplexity")
    alone = sampled(tmp_path, shapes, total_count=13, group=False, seed=1, ids=list("abcde"))
    assert list(alone["number"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4]
    assert set(alone.geom_type) == {"Point"} and "id" not in alone.columns


def cells(polygon, step):
    """Centres of cells from the upper left corner that lie inside."""
    west, south, east, north = polygon.bounds
    columns, rows = numpy.arange(0, (east - west) / step), numpy.arange(0, (north - south) / step)
    centres = [(west + (c + 0.5) * step, north - (r + 0.5) * step) for r in rows for c in columns]
    return {p for p in centres if polygon.covers(shapely.Point(p))}


def test_regular_points(tmp_path):
    polygons = random_polygons(6, 13)
    line = shapely.LineString([(0, 0), (10, 0), (10, 25)])
    tiny = shapely.Polygon([(0, 0), (1, 0), (0, 0.1)])
    shapes = polygons + [line, tiny, shapely.MultiPoint([(3, 4), (1, 2)]), None,
                         shapely.MultiPolygon([shapely.box(0, 0, 12, 12), shapely.box(103, 7, 115, 19)])]
    found = sampled(tmp_path, shapes, "vector_to_regular_points", distance=6)
    n = len(polygons)
    for polygon, points in zip(polygons, found.geometry):
        assert {(round(p.x, 6), round(p.y, 6)) for p in points.geoms} == {
            (round(x, 6), round(y, 6)) for x, y in cells(polygon, 6)}
    assert [(p.x, round(p.y, 9)) for p in found.geometry[n].geoms] == [(0, 0), (6, 0), (10, 2), (10, 8), (10, 14),
                                                                       (10, 20)]
    assert [(p.x, p.y) for p in found.geometry[n + 1].geoms] == [(0, 0)]
    assert {(p.x, p.y) for p in found.geometry[n + 2].geoms} == {(3, 4), (1, 2)}
    assert found.geometry[n + 3] is None
    assert {(p.x, p.y) for p in found.geometry[n + 4].geoms} == {
        (3, 9), (9, 9), (3, 3), (9, 3), (106, 16), (112, 16), (106, 10), (112, 10)}


def test_limits_of_regular_points(tmp_path):
    square = [shapely.box(0, 0, 1e6, 1e6)]
    sampled(tmp_path, square, "vector_to_regular_points", distance=1e-300, expect="ProcessGraphComplexity")
    sampled(tmp_path, square, "vector_to_regular_points", distance=1, expect="ProcessGraphComplexity")
    sampled(tmp_path, square, "vector_to_regular_points", distance=1, crs=None, expect="UnitMismatch")
    sampled(tmp_path, [shapely.LineString([(0, 0), (1e6, 0)])], "vector_to_regular_points", distance=1e-9,
            expect="ProcessGraphComplexity")
    sampled(tmp_path, square, "vector_to_regular_points", distance=0, expect="ProcessParameterInvalid")


# ---- files of features -----------------------------------------------------------------------------------------------

def collection(tmp_path, path, extension="gpkg", options=(), **arguments):
    """The file as a collection, loaded and written."""
    twincube("catalogue", "add", "--data", tmp_path, "--id", "features", *options, path)
    nodes = {"load": {"process_id": "load_collection", "arguments": {
        "id": "features", "spatial_extent": None, "temporal_extent": None, **arguments}}}
    return run(tmp_path, nodes, extension)


def type_of_many(one):
    """The constructor of the multi geometry of one."""
    many = {"Polygon": shapely.MultiPolygon, "LineString": shapely.MultiLineString, "Point": shapely.MultiPoint}
    return lambda geometry: many[one.geom_type]([geometry])


def same_table(found, wanted, names):
    """Geometries and properties, as far as both readers can tell."""
    assert len(found) == len(wanted)
    for a, b in zip(found.geometry, wanted.geometry):
        if b is None or b.is_empty:
            assert a is None or a.is_empty
            continue
        plain = shapely.force_2d(b)
        kinds = {a.geom_type, plain.geom_type}
        if len(kinds) == 2:  # one reader makes multi geometries of all
            a, plain = (g if g.geom_type.startswith("Multi") else type_of_many(g)(g) for g in (a, plain))
        assert a.normalize().equals_exact(plain.normalize(), 1e-6)
    for name in names:
        for a, b in zip(found[name], wanted[name]):
            both_missing = (a is None or a != a) and (b is None or b != b)
            assert both_missing or a == b or str(a)[:19].replace(" ", "T") == str(b)[:19].replace(" ", "T"), (name, a,
                                                                                                              b)


@pytest.mark.parametrize("path", [
    "sf_nc/nc.gpkg", "sf_nc/nc.shp", "sf_nc/b_pump.gpkg", "rasterstats/polygons.shp", "rasterstats/lines.shp",
    "geocube/time_vector_data.geojson", "parcels_fiboa/land_parcels.gpkg", "naturalearth_lowres/nybb_16a.zip",
    "parcels_fiboa/lwb_nutzungsflaechen_v2_0_lv95.gpkg", "parcels_fiboa/brpgewaspercelen_definitief_2023.gpkg",
    "naturalearth_lowres/naturalearth_cities/naturalearth_cities.shp", "geocube/soil_data_flat.geojson",
    "naturalearth_lowres/naturalearth_lowres/naturalearth_lowres.shp", "rasterstats/points.shp",
    "sf_nc/buildings.gpkg", "sf_nc/olinda1.shp", "openeo_vector/gpkg/mol.gpkg", "openeo_vector/shapefile/mol.shp"])
def test_real_features_come_through(tmp_path, path):
    path = shared("vector", path)
    wanted = geopandas.read_file(path)
    found = table(collection(tmp_path, path))
    assert found.crs == wanted.crs or pyproj.CRS(found.crs).to_epsg() == pyproj.CRS(wanted.crs).to_epsg()
    same_table(found, wanted, [n for n in wanted.columns if n != "geometry"])


def test_geojson_by_any_name(tmp_path):
    """Features and bare geometries in files that end as STAC documents do; their ids and properties as written."""
    paths = sorted(shared("vector", "openeo_vector", "geojson").glob("*.json"))
    assert len(paths) >= 19
    for path in paths:
        document = json.loads(path.read_text())
        kind = document["type"]
        bare = [{"geometry": document, "properties": {}}]
        wanted = document["features"] if kind == "FeatureCollection" else [document] if kind == "Feature" else bare
        found = json.loads(collection(tmp_path, path, "geojson").read_text())["features"]
        assert len(found) == len(wanted)
        crs = document.get("crs", {}).get("properties", {}).get("name", "EPSG:4326")
        for a, b in zip(found, wanted):
            shape = shapely.force_2d(shapely.geometry.shape(b["geometry"]))
            shape = shape if "CRS84" in crs or "4326" in crs else moved(shape, crs, 4326)
            assert shapely.geometry.shape(a["geometry"]).normalize().equals_exact(shape.normalize(), 1e-9), path.name
            for key, value in (b.get("properties") or {}).items():
                got = a["id"] if key == "id" else a["properties"][key]
                assert got == value or value is None, (path.name, key)


def test_one_table_in_three_formats(tmp_path):
    """The same two parcels as GeoJSON, GeoPackage and Shapefile."""
    folder = shared("vector", "openeo_vector")
    first, *others = [json.loads(collection(tmp_path, folder / path, "geojson").read_text())["features"]
                      for path in ("geojson/mol.json", "gpkg/mol.gpkg", "shapefile/mol.shp")]
    for other in others:
        assert [f["properties"] for f in other] == [f["properties"] for f in first]
        for a, b in zip(first, other):
            assert shapely.geometry.shape(a["geometry"]).equals_exact(shapely.geometry.shape(b["geometry"]), 1e-6)


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_our_own_read_back(tmp_path, name):
    shapes = random_polygons(4, 21)[:3]
    nodes = {"load": load(features(shapes, UTM, MIXED, ["a", "b", "c"]))}
    first = run(tmp_path, nodes, FORMATS[name])
    copy = first.rename(tmp_path / f"first.{FORMATS[name]}")
    wanted = table(copy)
    found = table(collection(tmp_path, copy, FORMATS[name]))
    same_table(found, wanted, [n for n in wanted.columns if n != "geometry"])
    assert found.crs == wanted.crs and list(found["id"]) == ["a", "b", "c"]


def test_numbers_of_a_file_are_bands(tmp_path):
    path = tmp_path / "in.geojson"
    rows = [{"a": 1, "b": 2.5, "t": "x", "flag": True}, {"a": None, "b": -1.0, "t": None, "flag": False}]
    path.write_text(json.dumps(features([shapely.Point(1, 2), shapely.Point(3, 4)], None, rows, [11, 12])))
    out = json.loads(collection(tmp_path, path, "json").read_text())
    assert [d["name"] for d in out["dimensions"]] == ["geometry", "bands"]
    assert out["dimensions"][0]["labels"] == ["11", "12"] and out["dimensions"][1]["labels"] == ["a", "b", "flag"]
    assert out["data"] == [[1, 2.5, 1], [None, -1, 0]]
    out = json.loads(collection(tmp_path, path, "geojson", bands=["b"]).read_text())
    assert [f["properties"] for f in out["features"]] == rows and [f["id"] for f in out["features"]] == [11, 12]


@pytest.mark.parametrize("text", ["id,geometry,n\np,\"POINT (1 2)\",3\nq,,4\n", "name,lon,lat\na,1,2\nb,3,4\n"])
def test_tables_of_text(tmp_path, text):
    (tmp_path / "in.csv").write_text(text)
    out = json.loads(collection(tmp_path, tmp_path / "in.csv", "geojson").read_text())
    assert out["features"][0]["geometry"] == {"type": "Point", "coordinates": [1, 2]}
    assert len(out["features"]) == 2


def test_an_extent_keeps_what_lies_within(tmp_path):
    path = tmp_path / "in.geojson"
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(6)] + [None, shapely.Point(2, 0.5)]
    path.write_text(json.dumps(features(shapes)))
    numbers = lambda file: [f["properties"]["number"] for f in json.loads(file.read_text())["features"]]
    box = {"west": 0.9, "south": -1, "east": 3.5, "north": 1.1}
    area = shapely.geometry.mapping(shapely.box(0.9, -1, 3.5, 1.1))
    for extent in (box, area):
        assert numbers(collection(tmp_path, path, "geojson", spatial_extent=extent)) == [1, 2, 7]
        nodes = {"load": load(features(shapes)), "filter": {"process_id": "filter_bbox", "arguments": {
            "data": {"from_node": "load"}, "extent": extent}}}
        assert numbers(run(tmp_path, nodes, "geojson")) == [1, 2, 7]
    utm = shapely.box(*moved(shapely.box(0.9, -1, 3.5, 1.1), 4326, "EPSG:32631").bounds)
    other = dict(zip(("west", "south", "east", "north"), utm.bounds), crs=32631)
    nodes["filter"]["arguments"]["extent"] = other
    assert numbers(run(tmp_path, nodes, "geojson")) == [1, 2, 7]


@pytest.mark.parametrize("name, content", [
    ("virtual.gpkg", "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
                     "</OGRVRTDataSource>"),
    ("remote.geojson", "https://example.org/a.geojson"),
    ("broken.geojson", '{"type": "FeatureCollection", "features": [{'),
    ("empty.shp", ""), ("noise.fgb", "fgb\x03fgb\x00" + "\x7f" * 200), ("text.zip", "no archive"),
    ("none.parquet", "PAR1")])
def test_hostile_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    done = subprocess.run([BINARY, "catalogue", "add", "--data", tmp_path / "data", tmp_path / name],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("File"), done.stderr


def test_formats_that_gdal_lacks(tmp_path):
    """A driver that is not installed is an error that says so; what is there stays."""
    point, environment = features([shapely.Point(1, 2)]), {**os.environ, "GDAL_SKIP": "FlatGeobuf"}
    for name, extension in {"FlatGeobuf": "fgb", "FGB": "fgb", "GPKG": "gpkg"}.items():
        graph = {"load": load(point), "save": {"process_id": "save_result", "result": True, "arguments": {
            "data": {"from_node": "load"}, "format": name}}}
        (tmp_path / "graph.json").write_text(json.dumps(graph))
        done = subprocess.run([BINARY, "run", tmp_path / "graph.json", "--data", tmp_path, "-o",
                               tmp_path / f"out.{extension}"], capture_output=True, text=True, env=environment)
        assert done.returncode == (0 if name == "GPKG" else 1)
        if name != "GPKG":
            assert done.stderr.startswith("FormatUnsuitable:") and "no driver" in done.stderr, done.stderr
    (tmp_path / "in.fgb").write_bytes(b"fgb")
    done = subprocess.run([BINARY, "catalogue", "add", "--data", tmp_path, tmp_path / "in.fgb"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and done.stderr.startswith("FileTypeInvalid:") and "FlatGeobuf" in done.stderr


def test_geoparquet_where_gdal_has_it(tmp_path, connection):
    """Listed, written and read where the driver is; else neither listed nor taken."""
    listed = connection.list_file_formats()["output"]
    shapes = random_polygons(4, 51)
    nodes = {"load": load(features(shapes, UTM, None, [f"p{i}" for i in range(len(shapes))])),
             "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "Parquet"}}}
    assert ("Parquet" in listed) == ("GeoParquet" in listed)
    if "Parquet" not in listed:
        assert "no driver Parquet" in run(tmp_path, nodes, "parquet", expect="FormatUnsuitable")
        return
    path = run(tmp_path, nodes, "parquet").rename(tmp_path / "first.parquet")
    found = json.loads(collection(tmp_path, path, "geojson").read_text())["features"]
    assert [f["id"] for f in found] == [f"p{i}" for i in range(len(shapes))]


# ---- with other processes --------------------------------------------------------------------------------------------

def merge(tmp_path, first, second, expect=None, resolver=None, extension="geojson"):
    arguments = {"cube1": {"from_node": "a"}, "cube2": {"from_node": "b"}}
    if resolver:
        arguments["overlap_resolver"] = {"process_graph": {"r": {"process_id": resolver, "arguments": {
            "data": [{"from_parameter": "x"}, {"from_parameter": "y"}]}, "result": True}}}
    nodes = {"a": first, "b": second, "merged": {"process_id": "merge_cubes", "arguments": arguments}}
    out = run(tmp_path, nodes, extension, expect=expect)
    return out if expect else json.loads(out.read_text())["features"]


def test_vector_cubes_merge_by_shape(tmp_path):
    ring = [(0, 0), (4, 0), (4, 4), (0, 4)]
    turned = [(4, 4), (4, 0), (0, 0), (0, 4)]
    other = shapely.box(10, 0, 11, 1)
    cube = lambda shapes, name, values: load(features(shapes, UTM, [{name: v} for v in values]), [name])
    found = merge(tmp_path, cube([shapely.Polygon(ring), other], "a", [1, 2]),
                  cube([shapely.box(20, 0, 21, 1), shapely.Polygon(turned)], "b", [3, 4]))
    assert [{k: f["properties"].get(k) for k in "ab"} for f in found] == [
        {"a": 1, "b": 4}, {"a": 2, "b": None}, {"a": None, "b": 3}]
    same = [shapely.Polygon(ring)], "a"
    merge(tmp_path, cube(*same, [1]), cube(*same, [2]), expect="OverlapResolverMissing")
    assert merge(tmp_path, cube(*same, [1]), cube([shapely.Polygon(turned)], "a", [2]), resolver="sum")[0][
        "properties"] == {"a": 3}


def test_what_cannot_be_merged(tmp_path):
    area, point = features([shapely.box(0, 0, 1, 1)], UTM), features([shapely.Point(0, 0)], UTM)
    merge(tmp_path, load(area), load(point), expect="IncompatibleGeometryTypes")
    merge(tmp_path, load(area), load(features([shapely.box(0, 0, 1, 1)])), expect="IncompatibleDataCubes")
    several = features([shapely.MultiPolygon([shapely.box(5, 5, 6, 6)])], UTM)
    assert len(merge(tmp_path, load(area), load(several))) == 2


def test_statistics_of_zones_as_features(tmp_path, demo, catalogue, data):
    """Geometries, time and bands become columns; properties of the zones stay beside them."""
    catalogue.add("VECTOR_DEMO", demo, *DEMO_PATTERNS)
    scene = sorted(demo.rglob("*B04.tif"))[0]
    with rasterio.open(scene) as file:
        bounds, crs = file.bounds, file.crs
    middle = shapely.box((bounds.left * 3 + bounds.right) / 4, (bounds.bottom * 3 + bounds.top) / 4,
                         (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2)
    zones = features([middle, middle.centroid, None], crs.to_string(), [{"name": "a"}, {"name": "b"}, {"name": None}],
                     ["one", "two", "three"])
    nodes = {"load": {"process_id": "load_collection", "arguments": {
                 "id": "VECTOR_DEMO", "spatial_extent": None, "temporal_extent": None, "bands": ["B04", "B08"]}},
             "zones": load(zones),
             "mean": {"process_id": "aggregate_spatial", "arguments": {
                 "data": {"from_node": "load"}, "geometries": {"from_node": "zones"},
                 "reducer": {"process_graph": {"m": {"process_id": "mean", "arguments": {
                     "data": {"from_parameter": "data"}}, "result": True}}}}}}
    graph = {name: dict(node) for name, node in nodes.items()}
    graph["mean"]["result"] = True
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    for extension in ("json", "gpkg", "geojson"):
        twincube("run", tmp_path / "graph.json", "--data", data, "-o", tmp_path / f"out.{extension}")
    cube = json.loads((tmp_path / "out.json").read_text())
    names = [d["name"] for d in cube["dimensions"]]
    values = numpy.moveaxis(numpy.array(cube["data"], float), [names.index(n) for n in ("geometry", "t", "bands")],
                            [0, 1, 2])
    dates = [label[:10] for label in cube["dimensions"][names.index("t")]["labels"]]
    found = table(tmp_path / "out.gpkg")
    assert list(found["name"]) == ["a", "b", None] and list(found["id"]) == ["one", "two", "three"]
    for t, date in enumerate(dates):
        for b, band in enumerate(("B04", "B08")):
            numpy.testing.assert_allclose(found[f"{date}~{band}"].to_numpy(float), values[:, t, b], rtol=1e-6)
    assert numpy.isnan(values[2]).all() and numpy.isfinite(values[0]).any()


def test_through_the_client(connection, tmp_path):
    shapes = random_polygons(3, 31)
    cube = connection.load_geojson(features(shapes, UTM, [{"n": i, "name": f"p{i}"} for i in range(len(shapes))]),
                                   ["n"])
    around = cube.process("vector_buffer", geometries=cube, distance=10)
    job = around.create_job(out_format="GPKG", title="buffers")
    job.start_and_wait(print=lambda *_: None, max_poll_interval=0.2)
    asset, = job.get_results().get_assets()
    path = asset.download(tmp_path / "result.gpkg")
    found = table(path)
    assert list(found["name"]) == [f"p{i}" for i in range(len(shapes))] and found.crs.to_epsg() == 32632
    for shape, geometry in zip(shapes, found.geometry):
        assert geometry.symmetric_difference(shape.buffer(10)).area < 1e-6 * shape.area
    metadata = job.get_results().get_metadata()
    wanted = geopandas.GeoSeries([s.buffer(10) for s in shapes], crs=UTM).to_crs(4326).total_bounds
    numpy.testing.assert_allclose(metadata["extent"]["spatial"]["bbox"][0], wanted, atol=1e-6)
    assert metadata["assets"][asset.name]["type"] == "application/geopackage+sqlite3"
    formats = connection.list_file_formats()["output"]
    assert formats["GPKG"]["gis_data_types"] == ["vector"] and "vector" in formats["netCDF"]["gis_data_types"]
    assert formats["GTiff"]["gis_data_types"] == ["raster"]


def test_netcdf_tells_the_shapes(tmp_path):
    import xarray

    shapes = random_polygons(3, 41) + [None]
    path = run(tmp_path, {"load": load(features(shapes, UTM, ids=[f"z{i}" for i in range(len(shapes))]), ["number"])},
               "nc")
    with xarray.open_dataset(path) as file:
        assert list(file["geometry"].values) == [f"z{i}" for i in range(len(shapes))]
        assert file["geometry_wkt"].attrs["crs"] == UTM
        for shape, text in zip(shapes, file["geometry_wkt"].values):
            assert shapely.from_wkt(text).is_empty if shape is None else shapely.from_wkt(text).equals(shape)
        values = next(v for v in file.data_vars.values() if "geometry" in v.dims)
        assert "geometry_wkt" in values.coords
