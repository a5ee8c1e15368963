"""aggregate_spatial: which pixels a geometry holds, and what is made of them, against rasterio, shapely and NumPy."""

import json

import numpy
import pytest
import rasterio
import rasterio.features
import rasterio.warp
import shapely
import shapely.geometry
import xarray

from conftest import twincube

WEST, NORTH, STEP, WIDTH, HEIGHT = 500000.0, 5100000.0, 30.0, 150, 110
TRANSFORM = rasterio.transform.from_origin(WEST, NORTH, STEP, STEP)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, catalogue):
    """Three dates in UTM; uint16 with no-data 0."""
    folder = tmp_path_factory.mktemp("zones")
    random = numpy.random.default_rng(5)
    values = random.integers(1, 5000, (3, HEIGHT, WIDTH)).astype("uint16")
    values[random.random(values.shape) < 0.1] = 0
    for i, layer in enumerate(values):
        with rasterio.open(folder / f"S_2020010{i + 1}_B1.tif", "w", driver="GTiff", width=WIDTH, height=HEIGHT,
                           count=1, dtype="uint16", crs="EPSG:32632", transform=TRANSFORM, nodata=0, tiled=True,
                           blockxsize=64, blockysize=64) as file:
            file.write(layer, 1)
    return catalogue.add("ZONES", folder, "--nodata", "0"), values


def run(data, tmp_path, scenes, geometries, process="mean", threads=2, memory=None, **arguments):
    crs = arguments.pop("crs", None)
    body = {"process_id": process, "arguments": {"data": {"from_parameter": "data"}}, "result": True}
    collection = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": f"zone {i}", "properties": {"number": i},
         "geometry": None if geometry is None else shapely.geometry.mapping(geometry)}
        for i, geometry in enumerate(geometries)]}
    if crs:
        collection["crs"] = {"type": "name", "properties": {"name": crs}}
    graph = {
        "load": {"process_id": "load_collection", "arguments": {
            "id": scenes[0], "spatial_extent": None, "temporal_extent": None}},
        "zones": {"process_id": "aggregate_spatial", "arguments": {
            "data": {"from_node": "load"}, "geometries": collection, "reducer": {"process_graph": {"r": body}},
            **arguments}, "result": True}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    options = ["--threads", threads] + (["--memory", memory] if memory else [])
    twincube("run", tmp_path / "graph.json", "--data", data, "-o", tmp_path / "out.json", *options)
    return json.loads((tmp_path / "out.json").read_text())


def table(result):
    """Values as an array (t, geometry[, others]); null is NaN."""
    values = numpy.array(result["data"], dtype="float64")
    types = [dimension["type"] for dimension in result["dimensions"]]
    first = [types.index("temporal"), types.index("geometry")]
    rest = [i for i, kind in enumerate(types) if kind == "other"]
    bands = [i for i, kind in enumerate(types) if kind == "bands"]
    values = values.transpose(*first, *rest, *bands)
    return values.reshape(values.shape[: len(first + rest)])


def covered(geometry):
    """Pixels of a geometry in the scenes' CRS. Lines: all that they touch; points: the one that holds it."""
    if geometry is None or geometry.is_empty:
        return numpy.zeros((HEIGHT, WIDTH), bool)
    if geometry.geom_type in ("LineString", "MultiLineString"):
        return touched(geometry)
    if geometry.geom_type in ("Point", "MultiPoint"):
        out = numpy.zeros((HEIGHT, WIDTH), bool)
        for point in getattr(geometry, "geoms", [geometry]):
            row, column = int((NORTH - point.y) // STEP), int((point.x - WEST) // STEP)
            if 0 <= row < HEIGHT and 0 <= column < WIDTH:
                out[row, column] = True
        return out
    return rasterio.features.rasterize([(geometry, 1)], out_shape=(HEIGHT, WIDTH), transform=TRANSFORM).astype(bool)


def touched(line):
    x, y = WEST + STEP * numpy.arange(WIDTH), NORTH - STEP * numpy.arange(HEIGHT)
    boxes = shapely.box(x[None, :], y[:, None] - STEP, x[None, :] + STEP, y[:, None])
    return shapely.intersects(boxes, line)


def expected(values, geometries, reduce):
    data = numpy.where(values == 0, numpy.nan, values.astype("float64"))
    out = numpy.full((len(data), len(geometries)), numpy.nan)
    for i, geometry in enumerate(geometries):
        mask = covered(geometry)
        for t in range(len(data)):
            pixels = data[t][mask]
            pixels = pixels[~numpy.isnan(pixels)]
            out[t, i] = reduce(pixels) if pixels.size else numpy.nan
    return out


def random_geometries(seed=7):
    random = numpy.random.default_rng(seed)

    def place():
        return WEST + STEP * random.uniform(-10, WIDTH + 10), NORTH - STEP * random.uniform(-10, HEIGHT + 10)

    def star(points=9):
        (x, y), size = place(), STEP * random.uniform(0.3, 40)
        angle = numpy.sort(random.uniform(0, 2 * numpy.pi, points))
        radius = size * random.uniform(0.3, 1, points)
        return shapely.Polygon(numpy.column_stack([x + radius * numpy.cos(angle), y + radius * numpy.sin(angle)]))

    stars = [star() for _ in range(25)]
    holed = [shapely.difference(a.buffer(300), b.buffer(40)) for a, b in zip(stars[:8], stars[8:16])]
    several = [shapely.MultiPolygon([a, b]) for a, b in zip(stars[:5], stars[5:10]) if a.disjoint(b)]
    lines = [shapely.LineString([place() for _ in range(random.integers(2, 6))]) for _ in range(10)]
    lines.append(shapely.MultiLineString(lines[:2]))
    points = [shapely.Point(place()) for _ in range(6)] + [shapely.MultiPoint([place() for _ in range(4)])]
    away = shapely.box(WEST - 9000, NORTH + 100, WEST - 8000, NORTH + 900)
    return stars + holed + several + lines + points + [None, away, shapely.Polygon()]


REDUCERS = {"mean": numpy.mean, "sum": numpy.sum, "max": numpy.max, "median": numpy.median, "count": len,
            "sd": lambda pixels: numpy.std(pixels, ddof=1) if pixels.size > 1 else numpy.nan}


@pytest.mark.parametrize("process", REDUCERS)
def test_reducers(scenes, data, tmp_path, process):
    geometries = random_geometries()
    have = table(run(data, tmp_path, scenes, geometries, process, crs="EPSG:32632"))
    want = expected(scenes[1], geometries, REDUCERS[process])
    if process == "count":
        want[:, [covered(geometry).any() for geometry in geometries]] = numpy.nan_to_num(
            want[:, [covered(geometry).any() for geometry in geometries]])
    numpy.testing.assert_allclose(have, want, rtol=1e-6)


def test_labels_and_counts(scenes, data, tmp_path):
    geometries = random_geometries()
    result = run(data, tmp_path, scenes, geometries, target_dimension="statistic", crs="EPSG:32632")
    dimensions = {dimension["name"]: dimension for dimension in result["dimensions"]}
    assert dimensions["geometry"]["type"] == "geometry"
    assert dimensions["geometry"]["labels"] == [f"zone {i}" for i in range(len(geometries))]
    assert dimensions["statistic"]["labels"] == ["value", "total_count", "valid_count"]
    have = table(result)
    total = [covered(geometry).sum() for geometry in geometries]
    valid = [[(layer[covered(geometry)] != 0).sum() for geometry in geometries] for layer in scenes[1]]
    numpy.testing.assert_array_equal(have[..., 1], [total] * 3)
    numpy.testing.assert_array_equal(have[..., 2], valid)
    numpy.testing.assert_allclose(have[..., 0], expected(scenes[1], geometries, numpy.mean), rtol=1e-6)


def test_degrees(scenes, data, tmp_path):
    """Edges in degrees are bent in UTM: every polygon against one drawn with many points, a little smaller and a little
    larger (edges are drawn to a hundredth of a pixel)."""
    moved = [shapely.geometry.shape(rasterio.warp.transform_geom("EPSG:32632", "EPSG:4326",
                                                                 shapely.geometry.mapping(geometry)))
             for geometry in random_geometries(11)[:20]]
    dense = [shapely.geometry.shape(rasterio.warp.transform_geom(
        "EPSG:4326", "EPSG:32632", shapely.geometry.mapping(shapely.segmentize(geometry, 1e-4)))) for geometry in moved]
    have = numpy.nan_to_num(table(run(data, tmp_path, scenes, moved, "sum")))
    smaller, larger = (numpy.nan_to_num(expected(scenes[1], [part.buffer(by * STEP) for part in dense], numpy.sum))
                       for by in (-0.01, 0.01))
    assert (smaller <= have).all() and (have <= larger).all()
    assert (smaller == larger).mean() > 0.3 and (have > 0).mean() > 0.5


def test_a_partition_adds_up(scenes, data, tmp_path):
    """Squares whose edges run through pixel centres and along pixel edges: no pixel twice, none lost."""
    steps = STEP * numpy.array([0, 10.5, 20, 33.25, 110])
    squares = [shapely.box(WEST + a, NORTH - d, WEST + b, NORTH - c) for a, b in zip(STEP * numpy.array([0, 7.5, 80.0]),
               STEP * numpy.array([7.5, 80.0, 150])) for c, d in zip(steps[:-1], steps[1:])]
    have = table(run(data, tmp_path, scenes, squares, "sum", crs="EPSG:32632"))
    numpy.testing.assert_allclose(have.sum(axis=1), scenes[1].sum(axis=(1, 2), dtype="float64"), rtol=1e-12)


def test_the_same_bits_however_it_is_cut(scenes, data, tmp_path):
    geometries = random_geometries()
    one = run(data, tmp_path, scenes, geometries, "mean", threads=1, crs="EPSG:32632")
    two = run(data, tmp_path, scenes, geometries, "mean", threads=2, memory="140M", crs="EPSG:32632")
    assert one["data"] == two["data"]
