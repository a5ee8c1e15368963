"""Masks, crops, chunks and statistics by polygons, lines and points, against shapely at the pixels' centres.

A boundary of random shapes meets no centre; what belongs to whom on a boundary is said in test_zones.py and in the
cases beside the processes.
"""

import json
import shutil
import warnings

import geopandas
import numpy
import pytest
import rasterio
import rasterio.features
import rasterio.transform
import rasterio.warp
import shapely
import shapely.affinity
import shapely.geometry
import xarray

from conftest import shared, twincube

STEP, WIDTH, HEIGHT, WEST, NORTH = 20.0, 190, 140, 600000.0, 5200000.0
X, Y = WEST + STEP * (numpy.arange(WIDTH) + 0.5), NORTH - STEP * (numpy.arange(HEIGHT) + 0.5)
LON, LAT = numpy.arange(0.75, 360, 1.5), numpy.arange(-89.25, 90, 1.5)


# ---- collections -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, catalogue):
    """Two dates in UTM, uint8 with no-data 0; values and labels."""
    folder = tmp_path_factory.mktemp("polygons")
    random = numpy.random.default_rng(8)
    values = random.integers(1, 250, (2, HEIGHT, WIDTH)).astype("uint8")
    values[random.random(values.shape) < 0.1] = 0
    for i, layer in enumerate(values):
        with rasterio.open(folder / f"S_2021030{i + 1}_B1.tif", "w", driver="GTiff", width=WIDTH, height=HEIGHT,
                           count=1, dtype="uint8", crs="EPSG:32632", nodata=0, tiled=True, blockxsize=64,
                           blockysize=64, transform=rasterio.transform.from_origin(WEST, NORTH, STEP, STEP)) as file:
            file.write(layer, 1)
    values = numpy.where(values == 0, numpy.nan, values)
    return catalogue.add("POLYGONS", folder, "--nodata", "0"), values, Y, X


@pytest.fixture(scope="module")
def globe(tmp_path_factory, catalogue):
    """One field round the globe, longitudes from 0 to 360, latitudes from the south; values and labels."""
    folder = tmp_path_factory.mktemp("globe")
    values = numpy.random.default_rng(9).normal(size=(1, LAT.size, LON.size)).astype("float32")
    xarray.Dataset(
        {"v": (("time", "lat", "lon"), values)},
        {"time": ("time", [0.0], {"units": "days since 2020-01-01", "standard_name": "time"}),
         "lat": ("lat", LAT, {"units": "degrees_north", "standard_name": "latitude"}),
         "lon": ("lon", LON, {"units": "degrees_east", "standard_name": "longitude"})}).to_netcdf(folder / "globe.nc")
    return catalogue.add("GLOBE", folder / "globe.nc"), values, LAT, LON


# ---- graphs ----------------------------------------------------------------------------------------------------------


def node(process, /, **arguments):
    return {"process_id": process, "arguments": arguments}


def ref(name):
    return {"from_node": name}


def load(name, extent=None):
    return node("load_collection", id=name, spatial_extent=extent, temporal_extent=None)


def collection(geometries, crs="EPSG:32632"):
    features = [{"type": "Feature", "properties": {"n": i},
                 "geometry": None if g is None else shapely.geometry.mapping(g)} for i, g in enumerate(geometries)]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return {"type": "FeatureCollection", "features": features, **named}


class Runner:
    def __init__(self, data, folder):
        self.data, self.folder = data, folder

    def write(self, graph):
        last = list(graph)[-1]
        path = self.folder / "graph.json"
        path.write_text(json.dumps({**graph, last: {**graph[last], "result": True}}))
        return path

    def __call__(self, graph, *options):
        """The result's values with NaN for missing, (time, y, x) with x and y where they are, and its dimensions."""
        out = self.folder / "out.json"
        twincube("run", self.write(graph), "--data", self.data, "-o", out, *options)
        result = json.loads(out.read_text())
        dimensions = {d["name"]: d["labels"] for d in result["dimensions"]}
        values = numpy.array(result["data"], dtype="float64")
        if len(dimensions) == 4:  # bands: one
            values = values.squeeze([d["type"] for d in result["dimensions"]].index("bands"))
        return values, dimensions

    def explain(self, graph):
        return json.loads(twincube("explain", "--json", self.write(graph), "--data", self.data))


@pytest.fixture
def run(data, tmp_path):
    return Runner(data, tmp_path)


# ---- shapes ----------------------------------------------------------------------------------------------------------


def random_polygons(seed, count):
    """Stars, some with holes, some of two parts, some over the edge, in the scenes' CRS."""
    random = numpy.random.default_rng(seed)

    def star():
        x, y = WEST + STEP * random.uniform(-8, WIDTH + 8), NORTH - STEP * random.uniform(-8, HEIGHT + 8)
        angle = numpy.sort(random.uniform(0, 2 * numpy.pi, 8))
        radius = STEP * random.uniform(2, 45) * random.uniform(0.4, 1, 8)
        return shapely.Polygon(numpy.column_stack([x + radius * numpy.cos(angle), y + radius * numpy.sin(angle)]))

    stars = [star() for _ in range(2 * count)]
    out = []
    for i, (a, b) in enumerate(zip(stars[::2], stars[1::2])):
        out.append(a if i % 3 == 0 else a.buffer(200).difference(a.buffer(-20)) if i % 3 == 1
                   else shapely.MultiPolygon([a, b]) if a.disjoint(b) else b)
    return out


def inside(geometries, y, x):
    """Pixels of the plane whose centre lies in one of the polygons."""
    out = numpy.zeros((len(y), len(x)), bool)
    for geometry in geometries:
        if geometry is not None and not geometry.is_empty:
            shapely.prepare(geometry)
            out |= shapely.contains_xy(geometry, *numpy.meshgrid(x, y))
    return out


def box_of(geometries, y, x):
    """Rows and columns whose centres the bounding box of the geometries holds."""
    west, south, east, north = shapely.total_bounds([g for g in geometries if g is not None])
    return (y >= south) & (y <= north), (x >= west) & (x <= east)


# ---- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("replacement", [None, 7, -0.5, True])
def test_masks(scenes, run, within, replacement):
    """What is replaced, and that missing values stay missing."""
    name, values, y, x = scenes
    for seed in range(2):
        polygons = random_polygons(seed, 6) + [None]
        mask = node("mask_polygon", data=ref("l"), mask=collection(polygons), inside=within, replacement=replacement)
        have, _ = run({"l": load(name), "m": mask})
        replaced = inside(polygons, y, x) == within
        other = numpy.nan if replacement is None else float(replacement)
        numpy.testing.assert_array_equal(have, numpy.where(replaced & ~numpy.isnan(values), other, values))


def test_masks_between_computations(scenes, run):
    """Fused before and after, and read twice."""
    name, values, y, x = scenes
    polygons = random_polygons(5, 5)
    add = {"process_graph": {"a": {**node("add", x={"from_parameter": "x"}, y=1000), "result": True}}}
    mean = {"process_graph": {"a": {**node("mean", data={"from_parameter": "data"}), "result": True}}}
    both = {"process_graph": {"a": {**node("subtract", x={"from_parameter": "x"}, y={"from_parameter": "y"}),
                                    "result": True}}}
    graph = {"l": load(name), "a": node("apply", data=ref("l"), process=add),
             "m": node("mask_polygon", data=ref("a"), mask=collection(polygons)),
             "r": node("reduce_dimension", data=ref("m"), dimension="t", reducer=mean),
             "d": node("merge_cubes", cube1=ref("m"), cube2=ref("r"), overlap_resolver=both)}
    have, _ = run(graph)
    kept = numpy.where(inside(polygons, y, x), values + 1000, numpy.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = kept - numpy.nanmean(kept, axis=0)
    numpy.testing.assert_allclose(have, want, atol=1e-3)


def test_a_mask_reads_what_it_keeps(scenes, run):
    """Bytes of the plan: those near the polygon, however the plane is asked for."""
    name, _, _, _ = scenes
    small = shapely.box(WEST + 5, NORTH - 305, WEST + 405, NORTH - 5)
    whole = run.explain({"l": load(name)})
    masked = run.explain({"l": load(name), "m": node("mask_polygon", data=ref("l"), mask=collection([small]))})
    cropped = run.explain({"l": load(name), "m": node("filter_spatial", data=ref("l"), geometries=collection([small]))})
    assert masked["read_bytes"] <= whole["read_bytes"] / 50
    assert cropped["read_bytes"] <= whole["read_bytes"] / 50


# ---- crops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["filter_spatial", "filter_bbox", "load_collection"])
def test_crops(scenes, run, how):
    name, values, y, x = scenes
    for seed in range(3):
        polygons = random_polygons(20 + seed, 1 + seed)
        area = collection(polygons)
        graph = {"l": load(name, area if how == "load_collection" else None)}
        if how == "filter_spatial":
            graph["f"] = node(how, data=ref("l"), geometries=area)
        elif how == "filter_bbox":
            graph["f"] = node(how, data=ref("l"), extent=area)
        have, dimensions = run(graph)
        rows, columns = box_of(polygons, y, x)
        numpy.testing.assert_allclose(dimensions["y"], y[rows])
        numpy.testing.assert_allclose(dimensions["x"], x[columns])
        want = numpy.where(inside(polygons, y, x), values, numpy.nan)
        numpy.testing.assert_array_equal(have, want[:, rows][:, :, columns])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3035", "OGC:CRS84", None])
def test_any_reference_system(scenes, run, crs):
    """Edges are straight in the CRS that is named: compared with edges of many points."""
    name, values, y, x = scenes
    geometry = shapely.Polygon([(WEST + 300, NORTH - 2500), (WEST + 3300, NORTH - 2300), (WEST + 2000, NORTH - 100)])
    source = crs or "EPSG:4326"
    moved = shapely.geometry.shape(rasterio.warp.transform_geom("EPSG:32632", source,
                                                                shapely.geometry.mapping(geometry)))
    dense = shapely.geometry.shape(rasterio.warp.transform_geom(
        source, "EPSG:32632", shapely.geometry.mapping(shapely.segmentize(moved, moved.length / 3000))))
    graph = {"l": load(name, collection([moved], crs)), "m": node("mask_polygon", data=ref("l"),
                                                                  mask=collection([moved], crs))}
    have, dimensions = run(graph)
    rows, columns = box_of([dense], y, x)
    numpy.testing.assert_allclose(dimensions["x"], x[columns])
    sure = shapely.distance(dense.boundary, shapely.points(*numpy.meshgrid(x, y))) > 0.02 * STEP
    want = numpy.where(inside([dense], y, x), values, numpy.nan)
    part = sure[rows][:, columns]
    numpy.testing.assert_array_equal(have[:, part], want[:, rows][:, :, columns][:, part])


# ---- chunks ----------------------------------------------------------------------------------------------------------


def apart(seed, count):
    """Polygons that share no pixel: cells around random points."""
    random = numpy.random.default_rng(seed)
    points = numpy.column_stack([WEST + STEP * random.uniform(0, WIDTH, count),
                                 NORTH - STEP * random.uniform(0, HEIGHT, count)])
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points)).geoms
    return [cell.buffer(-STEP * random.uniform(0, 3)) for cell in cells]


def process(**nodes):
    *_, last = nodes
    nodes[last]["result"] = True
    return {"process_graph": nodes}


def parameter(name):
    return {"from_parameter": name}


def without_mean():
    """Every date of the chunk without its mean."""
    mean = process(r=node("mean", data=parameter("data")))
    minus = process(d=node("subtract", x=parameter("x"), y=parameter("y")))
    return process(m=node("reduce_spatial", data=parameter("data"), reducer=mean),
                   s=node("merge_cubes", cube1=parameter("data"), cube2=ref("m"), overlap_resolver=minus))


def test_chunks(scenes, run):
    """The mean of each polygon taken from it; the same bits by one thread and in little memory."""
    name, values, y, x = scenes
    polygons = apart(3, 12) + [None]
    graph = {"l": load(name), "p": node("apply_polygon", data=ref("l"), geometries=collection(polygons),
                                        process=without_mean())}
    have, _ = run(graph)
    want = numpy.full(values.shape, numpy.nan)
    for polygon in polygons:
        hit = inside([polygon], y, x)
        if hit.any():
            want[:, hit] = values[:, hit] - numpy.nanmean(values[:, hit], axis=1, keepdims=True)
    numpy.testing.assert_allclose(have, want, atol=2e-5)
    numpy.testing.assert_array_equal(have, run(graph, "--threads", 1)[0])
    numpy.testing.assert_array_equal(have, run(graph, "--threads", 2, "--memory", "190M")[0])


def test_what_a_chunk_sees_outside(scenes, run):
    """The mask value, as far as the bounding box reaches; no-data is replaced there as well."""
    name, values, y, x = scenes
    polygons = [polygon for polygon in apart(4, 5) if not polygon.is_empty]
    largest = process(r=node("max", data=parameter("data")))
    other = process(d=node("add", x=parameter("x"), y=parameter("y")))
    body = process(m=node("reduce_spatial", data=parameter("data"), reducer=largest),
                   s=node("merge_cubes", cube1=parameter("data"), cube2=ref("m"), overlap_resolver=other))
    have, _ = run({"l": load(name), "p": node("apply_polygon", data=ref("l"), geometries=collection(polygons),
                                              process=body, mask_value=1000)})
    want = numpy.full(values.shape, numpy.nan)
    for polygon in polygons:
        hit = inside([polygon], y, x)
        rows, columns = box_of([polygon], y, x)
        whole = hit[rows][:, columns].all()
        for date, layer in zip(want, values):
            date[hit] = layer[hit] + (numpy.nanmax(layer[hit]) if whole else 1000)
    numpy.testing.assert_array_equal(have, want)


def test_many_chunks(scenes, run):
    """Linear in their number, and read no more than once."""
    name, values, y, x = scenes
    polygons = apart(6, 400)
    graph = {"l": load(name), "p": node("apply_polygon", data=ref("l"), geometries=collection(polygons),
                                        process=without_mean())}
    have, _ = run(graph)
    numpy.testing.assert_array_equal(numpy.isfinite(have), numpy.isfinite(values) & inside(polygons, y, x))
    few = run.explain({"l": load(name), "p": node("apply_polygon", data=ref("l"), geometries=collection(polygons[:3]),
                                                  process=without_mean())})
    assert few["read_bytes"] < run.explain({"l": load(name)})["read_bytes"] / 4


def test_the_same_bits_however_it_is_cut(scenes, run):
    name, _, _, _ = scenes
    area = collection(random_polygons(30, 9))
    graph = {"l": load(name), "m": node("mask_polygon", data=ref("l"), mask=area, replacement=3),
             "f": node("filter_spatial", data=ref("m"), geometries=area)}
    once = run(graph, "--threads", 1)[0]
    numpy.testing.assert_array_equal(once, run(graph, "--threads", 2, "--memory", "190M")[0])


# ---- round the globe -------------------------------------------------------------------------------------------------


def turned(geometry, y, x):
    return inside([shapely.affinity.translate(geometry, turn) for turn in (-360, 0, 360)], y, x)


LONELY = {"west": shapely.Polygon([(-40.1, -20.2), (-3, -35), (-11, 44)]),
          "greenwich": shapely.Polygon([(-20.3, -10.1), (30, 5), (12, 50)]),
          "past the antimeridian": shapely.Polygon([(170.3, -10.1), (200, -5), (190, 40.2)]),
          "cut at the antimeridian": shapely.MultiPolygon([shapely.box(160.1, -30, 180, 10),
                                                           shapely.box(-180, -30, -150.2, 10)]),
          "world": shapely.box(-180, -90, 180, 90)}


@pytest.mark.parametrize("where", LONELY)
@pytest.mark.parametrize("how", ["mask_polygon", "filter_spatial", "load_collection"])
def test_longitudes_turn(globe, run, where, how):
    name, values, y, x = globe
    area = collection([LONELY[where]], None)
    graph = {"l": load(name, area if how == "load_collection" else None)}
    if how == "mask_polygon":
        graph["m"] = node(how, data=ref("l"), mask=area)
    elif how == "filter_spatial":
        graph["m"] = node(how, data=ref("l"), geometries=area)
    have, dimensions = run(graph)
    hit = turned(LONELY[where], y, x)
    want = xarray.DataArray(numpy.where(hit, values, numpy.nan)[0], {"y": y, "x": x}, ("y", "x"))
    rows, columns = [list(dimensions)[i] for i in (-2, -1)]
    want = want.sel(y=dimensions[rows], x=numpy.mod(dimensions[columns], 360), method="nearest")
    numpy.testing.assert_allclose(have[0], want.values, rtol=1e-6)
    assert numpy.isfinite(have).sum() == hit.sum() > 0


def test_a_ring_round_the_pole(globe, run):
    """A square of a polar projection is a cap of the globe."""
    name, values, y, x = globe
    cap = shapely.box(-3e6, -3e6, 3e6, 3e6)
    have, _ = run({"l": load(name), "m": node("mask_polygon", data=ref("l"), mask=collection([cap], "EPSG:3995"))})
    lon, lat = numpy.meshgrid(x, y)
    to = rasterio.warp.transform("EPSG:4326", "EPSG:3995", lon.ravel(), lat.ravel())
    hit = shapely.contains_xy(cap, *numpy.array(to)).reshape(lon.shape)
    numpy.testing.assert_array_equal(numpy.isfinite(have[0]), hit)


def test_boxes_turn(globe, run):
    name, values, y, x = globe
    box = {"west": -20, "south": -30, "east": 31, "north": 10}
    have, dimensions = run({"l": load(name), "f": node("filter_bbox", data=ref("l"), extent=box)})
    columns = (x < 31) | (x > 340)
    numpy.testing.assert_allclose(dimensions[list(dimensions)[-1]], x[columns])
    numpy.testing.assert_allclose(have[0], values[0][(y > -30) & (y < 10)][:, columns], rtol=1e-6)


def test_lines_and_points_round_the_globe(globe, run):
    """Statistics of what lies west of Greenwich or past the antimeridian, where the cube counts from 0 to 360."""
    name, values, y, x = globe
    shapes = [shapely.Point(-20.2, 11), shapely.LineString([(-10.1, 3.3), (20.2, 8.1)]), LONELY["greenwich"],
              shapely.GeometryCollection([shapely.Point(181.1, 0.1), LONELY["west"]]), None]
    result = run.folder / "out.json"
    graph = {"l": load(name), "z": node("aggregate_spatial", data=ref("l"), geometries=collection(shapes, None),
                                        reducer=process(r=node("sum", data=parameter("data"))))}
    twincube("run", run.write(graph), "--data", run.data, "-o", result)
    have = numpy.array(json.loads(result.read_text())["data"], dtype="float64").ravel()
    cells = shapely.box(*[edge[None, :] if i % 2 == 0 else edge[:, None] for i, edge in enumerate(
        (x - 0.75, y - 0.75, x + 0.75, y + 0.75))])
    hits = [sum(shapely.intersects(cells, shapely.affinity.translate(shape, turn)) for turn in (0, 360)) > 0
            for shape in shapes[:2]]
    hits += [turned(LONELY["greenwich"], y, x),
             turned(LONELY["west"], y, x) | (shapely.intersects(cells, shapely.Point(181.1, 0.1)))]
    want = [values[0][hit].sum(dtype="float64") for hit in hits] + [numpy.nan]
    numpy.testing.assert_allclose(have, want, rtol=1e-5)


@pytest.mark.parametrize("process_id", ["filter_spatial", "mask_polygon", "apply_polygon", "load_collection"])
def test_vector_cubes_stand_for_their_geometries(scenes, run, process_id):
    name, values, y, x = scenes
    polygons = apart(7, 3)[:2]
    area = node("load_geojson", data=collection(polygons))
    same = process(a=node("apply", data=parameter("data"),
                          process=process(m=node("add", x=parameter("x"), y=0))))
    graphs = {"filter_spatial": node(process_id, data=ref("l"), geometries=ref("v")),
              "mask_polygon": node(process_id, data=ref("l"), mask=ref("v")),
              "apply_polygon": node(process_id, data=ref("l"), geometries=ref("v"), process=same),
              "load_collection": load(name, ref("v"))}
    have, _ = run({"v": area, "l": load(name), "p": graphs[process_id]})
    want = numpy.where(inside(polygons, y, x), values, numpy.nan)
    if process_id in ("filter_spatial", "load_collection"):
        rows, columns = box_of(polygons, y, x)
        want = want[:, rows][:, :, columns]
    numpy.testing.assert_array_equal(have, want)


# ---- published statistics --------------------------------------------------------------------------------------------


def statistics(run, name, frame, bands=None):
    """Total and valid count and mean by geometry and band, of the one date."""
    crs = frame.crs.to_wkt()
    load_all = node("load_collection", id=name, spatial_extent=None, temporal_extent=None, bands=bands)
    zones = node("aggregate_spatial", data=ref("l"), geometries=collection(list(frame.geometry), crs),
                 reducer=process(r=node("mean", data=parameter("data"))), target_dimension="statistic")
    path = run.write({"l": load_all, "z": zones})
    twincube("run", path, "--data", run.data, "-o", run.folder / "out.json")
    result = json.loads((run.folder / "out.json").read_text())
    values = xarray.DataArray(
        numpy.array(result["data"], dtype="float64"), dims=[d["name"] for d in result["dimensions"]],
        coords={d["name"]: d["labels"] for d in result["dimensions"] if d["name"] != "geometry"})
    values = values.isel(t=0, drop=True) if "t" in values.dims else values
    return {"mean" if label == "value" else label: values.sel(statistic=label)
            for label in ("value", "total_count", "valid_count")}


def test_zonal_statistics_of_rasterstats(run, catalogue, tmp_path):
    """Counts and means in python-rasterstats' own tests (perrygeo/python-rasterstats, tests/test_zonal.py)."""
    folder = shared("vector", "rasterstats")
    frames = {kind: geopandas.read_file(folder / f"{kind}.shp") for kind in ("polygons", "points", "lines")}
    for name in ("slope", "slope_nodata"):  # a raster needs a date in its name
        (tmp_path / name).mkdir()
        shutil.copy(folder / f"{name}.tif", tmp_path / name / f"{name}_20200101.tif")
    slope, holes = (catalogue.add(name.upper(), tmp_path / name) for name in ("slope", "slope_nodata"))
    polygons = statistics(run, slope, frames["polygons"])
    assert polygons["valid_count"].values.ravel().tolist() == [75, 50]
    numpy.testing.assert_allclose(polygons["mean"].values.ravel(), [14.66, 56.61], atol=0.005)
    some = statistics(run, holes, frames["polygons"])
    assert some["valid_count"].values.ravel().tolist() == [39, 31]
    assert (some["total_count"] - some["valid_count"]).values.ravel().tolist() == [36, 19]
    points = statistics(run, slope, frames["points"])
    assert points["valid_count"].values.ravel().tolist() == [1, 1, 1]
    numpy.testing.assert_allclose(points["mean"].values.ravel()[:2], [11.386, 35.547], atol=0.0005)
    lines = statistics(run, slope, frames["lines"])  # all that they touch: more than the 58 and 32 of a thin line
    assert (lines["valid_count"].values.ravel() >= [58, 32]).all()


def test_polygons_of_geocube(run, catalogue):
    """A grid that was drawn from soil polygons has in each polygon the polygon's own value."""
    folder = shared("vector", "geocube")
    frame = geopandas.read_file(folder / "soil_data_flat.geojson")
    bands = ["om_r", "claytotal_r", "awc_r"]
    found = statistics(run, catalogue.add("SOIL", folder / "soil_grid_flat.nc"), frame, bands)
    for band in bands:
        for i, value in enumerate(frame[band]):
            here = {key: float(values.sel(bands=band).isel(geometry=i)) for key, values in found.items()}
            if numpy.isnan(value):
                assert here["valid_count"] <= 0.01 * here["total_count"]
                continue
            numpy.testing.assert_allclose(here["mean"], value, rtol=0.01)
            assert here["valid_count"] >= 0.99 * here["total_count"] > 100
