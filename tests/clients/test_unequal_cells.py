"""Geometries on axes whose labels lie at unequal distances, against NumPy and shapely.

A polygon covers the pixels whose centre lies inside, a line or a point those that it touches; a pixel ends half way to
the next label, and the outer ones reach as far outwards as inwards.
"""

import json

import numpy
import pytest
import shapely
import xarray

from conftest import twincube
from test_polygons import collection, inside, load, node, parameter, process, ref, Runner

RANDOM = numpy.random.default_rng(77)
ROWS, COLUMNS = 37, 53
LAT = -40 + numpy.cumsum(RANDOM.uniform(0.3, 3, ROWS))
LON = 5 + numpy.cumsum(RANDOM.uniform(0.2, 2.5, COLUMNS))
VALUES = RANDOM.normal(size=(2, ROWS, COLUMNS)).astype("float32")
VALUES[RANDOM.random(VALUES.shape) < 0.1] = numpy.nan


@pytest.fixture
def run(data, tmp_path):
    return Runner(data, tmp_path)


@pytest.fixture(scope="module", params=["rising", "falling", "equal rows", "one row"])
def field(request, tmp_path_factory, catalogue):
    """Name, values, latitudes, longitudes and their edges."""
    y, x, values = LAT, LON, VALUES
    if request.param == "falling":
        y, x, values = y[::-1], x[::-1], values[:, ::-1, ::-1]
    if request.param == "equal rows":
        y = -20 + 1.5 * numpy.arange(ROWS)
    if request.param == "one row":
        y, values = y[10:11], values[:, 10:11]
    path = tmp_path_factory.mktemp("unequal") / "field.nc"
    xarray.Dataset(
        {"v": (("time", "lat", "lon"), values)},
        {"time": ("time", [0.0, 1.0], {"units": "days since 2020-01-01", "standard_name": "time"}),
         "lat": ("lat", y, {"units": "degrees_north", "standard_name": "latitude"}),
         "lon": ("lon", x, {"units": "degrees_east", "standard_name": "longitude"})}).to_netcdf(path)
    name = catalogue.add("UNEQUAL_" + request.param.replace(" ", "_").upper(), path)
    return name, values, y, x


def edges(labels, alone):
    """Between the labels; around a single one, as wide as `alone`."""
    if len(labels) == 1:
        return numpy.array([labels[0] - alone / 2, labels[0] + alone / 2])
    middle = (labels[1:] + labels[:-1]) / 2
    return numpy.concatenate([[2 * labels[0] - middle[0]], middle, [2 * labels[-1] - middle[-1]]])


def cells(y, x):
    alone = abs(x[-1] - x[0]) / (len(x) - 1)
    v, u = edges(y, alone)[:, None], edges(x, alone)[None, :]
    return shapely.box(u[:, :-1], v[:-1], u[:, 1:], v[1:])


def stars(seed, count, y, x):
    """Concave polygons, some with a hole, some beyond the grid."""
    random = numpy.random.default_rng(seed)
    out = []
    for i in range(count):
        centre = numpy.array([random.uniform(x.min() - 5, x.max() + 5), random.uniform(y.min() - 5, y.max() + 5)])
        angle = numpy.sort(random.uniform(0, 2 * numpy.pi, 9))
        radius = random.uniform(2, 18) * random.uniform(0.4, 1, 9)
        star = shapely.Polygon(centre + radius[:, None] * numpy.column_stack([numpy.cos(angle), numpy.sin(angle)]))
        star = star if i % 2 or not star.is_valid else star.difference(shapely.Point(centre).buffer(1.5))
        if star.is_valid and not star.is_empty:
            out.append(star)
    return out


def test_masks_and_filters(field, run):
    name, values, y, x = field
    polygons = stars(1, 8, y, x)
    hit = inside(polygons, y, x)
    assert 0.05 < hit.mean() < 0.95
    area = collection(polygons, None)
    have, _ = run({"l": load(name), "m": node("mask_polygon", data=ref("l"), mask=area, inside=True, replacement=3)})
    numpy.testing.assert_array_equal(have.astype("float32"), numpy.where(hit & ~numpy.isnan(values), 3, values))
    have, dimensions = run({"l": load(name), "f": node("filter_spatial", data=ref("l"), geometries=area)})
    west, south, east, north = shapely.total_bounds(polygons)
    rows, columns = (y >= south) & (y <= north), (x >= west) & (x <= east)
    numpy.testing.assert_array_equal(list(dimensions.values())[-2], y[rows])
    numpy.testing.assert_array_equal(list(dimensions.values())[-1], x[columns])
    want = numpy.where(hit, values, numpy.nan)[:, rows][:, :, columns]
    numpy.testing.assert_array_equal(have.astype("float32"), want)
    have, _ = run({"l": load(name, area)})
    assert numpy.nansum(have) == pytest.approx(numpy.nansum(numpy.where(hit, values, 0), dtype="float64"), rel=1e-5)


def test_chunks(field, run):
    name, values, y, x = field
    random = numpy.random.default_rng(3)
    seeds = numpy.column_stack([random.uniform(x.min(), x.max(), 9), random.uniform(y.min() - 1, y.max() + 1, 9)])
    polygons = [c.buffer(-0.4) for c in shapely.voronoi_polygons(shapely.MultiPoint(seeds)).geoms]
    mean = process(r=node("mean", data=parameter("data")))
    minus = process(d=node("subtract", x=parameter("x"), y=parameter("y")))
    body = process(m=node("reduce_spatial", data=parameter("data"), reducer=mean),
                   s=node("merge_cubes", cube1=parameter("data"), cube2=ref("m"), overlap_resolver=minus))
    have, _ = run({"l": load(name), "p": node("apply_polygon", data=ref("l"), geometries=collection(polygons, None),
                                              process=body)})
    want = numpy.full(values.shape, numpy.nan)
    for polygon in polygons:
        hit = inside([polygon], y, x)
        if hit.any():
            want[:, hit] = values[:, hit] - numpy.nanmean(values[:, hit], axis=1, keepdims=True)
    numpy.testing.assert_allclose(have, want, atol=2e-5)


def test_statistics_of_zones(field, run):
    """Polygons, lines, points, several parts, in memory that is short as well."""
    name, values, y, x = field
    random = numpy.random.default_rng(5)
    place = lambda: (random.uniform(x.min(), x.max()), random.uniform(y.min() - 0.5, y.max() + 0.5))
    polygons = stars(6, 9, y, x)
    lines = [shapely.LineString([place() for _ in range(4)]) for _ in range(4)]
    points = [shapely.Point(place()) for _ in range(5)]
    mixed = shapely.GeometryCollection([polygons[0], lines[0], points[0]])
    shapes = polygons + lines + points + [mixed, None]
    grid = cells(y, x)
    hits = [inside([p], y, x) for p in polygons] + [shapely.intersects(grid, s) for s in lines + points]
    hits.append(hits[0] | hits[len(polygons)] | hits[len(polygons) + 4])
    graph = {"l": load(name), "z": node("aggregate_spatial", data=ref("l"), geometries=collection(shapes, None),
                                        reducer=process(r=node("sum", data=parameter("data"))),
                                        target_dimension="statistic")}
    twincube("run", run.write(graph), "--data", run.data, "-o", run.folder / "out.json", "--threads", 2)
    result = json.loads((run.folder / "out.json").read_text())
    names = [d["name"] for d in result["dimensions"]]
    have = numpy.array(result["data"], dtype="float64").squeeze()
    order = [n for n in names if len(next(d for d in result["dimensions"] if d["name"] == n)["labels"]) > 1]
    have = have.transpose([order.index(n) for n in ("statistic", "t", "geometry")])
    numpy.testing.assert_array_equal(have[1, 0], [hit.sum() for hit in hits] + [0])
    valid = [(hit & ~numpy.isnan(values[0])).sum() for hit in hits] + [0]
    numpy.testing.assert_array_equal(have[2, 0], valid)
    sums = [numpy.nansum(values[:, hit], axis=1, dtype="float64") for hit in hits] + [[0, 0]]
    want = numpy.where(numpy.array(valid)[:, None] > 0, sums, numpy.nan)
    numpy.testing.assert_allclose(have[0, 0], want[:, 0], rtol=1e-5, atol=1e-5)


def test_a_centre_on_a_boundary_belongs_to_one(field, run):
    """Squares that meet in the centres of pixels share none and lose none: what lies on an edge goes east and south."""
    name, values, y, x = field
    middle_x, middle_y = numpy.sort(x)[20], numpy.sort(y)[len(y) // 2]
    around = [x.min() - 9, middle_x, x.max() + 9], [y.min() - 9, middle_y, y.max() + 9]
    boxes = [shapely.box(around[0][i], around[1][j], around[0][i + 1], around[1][j + 1])
             for i in range(2) for j in range(2)]
    graph = {"l": load(name), "z": node("aggregate_spatial", data=ref("l"), geometries=collection(boxes, None),
                                        reducer=process(r=node("count", data=parameter("data"), condition=True)))}
    twincube("run", run.write(graph), "--data", run.data, "-o", run.folder / "out.json")
    result = json.loads((run.folder / "out.json").read_text())
    counts = numpy.array(result["data"], dtype="float64").squeeze()
    counts = counts if counts.shape[-1] == 4 else counts.T
    west, south = x < middle_x, y <= middle_y
    want = [a.sum() * b.sum() for a in (west, ~west) for b in (south, ~south)]
    numpy.testing.assert_array_equal(counts[0], [pixels or numpy.nan for pixels in want])
    assert sum(want) == len(y) * len(x)
