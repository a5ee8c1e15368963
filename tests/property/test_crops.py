"""A crop is a crop, wherever it stands and whatever it is read from: what was cut away does not come back.

Each test is one sentence, said of raster collections with and without shared footprints and of netCDF files, the crop
made by filter_bbox or by the spatial_extent of load_collection.
"""

import json

import numpy
import pytest

import naive
import world as worlds
from maker import Maker, callback, parameter, reference

SOURCES = ("u8zero", "i16pair", "f32coarse", "ncpacked")
ADD = callback(("add", {"x": parameter("x"), "y": parameter("y")}))
TWICE = callback(("multiply", {"x": parameter("x"), "y": 2}))


def step(name, /, **arguments):
    return {"process_id": name, "arguments": arguments}


def load(name, extent=None):
    return step("load_collection", id=name, spatial_extent=extent, temporal_extent=None)


def answer(subject, graph):
    """Values with NaN for missing, and the labels of y and x, of the last node."""
    last = list(graph)[-1]
    document = json.loads(subject.run({**graph, last: {**graph[last], "result": True}}))
    labels = {dimension["name"]: numpy.array(dimension["labels"]) for dimension in document["dimensions"]}
    return numpy.array(document["data"], dtype=float), labels["y"], labels["x"]


def only(array, rows, columns):
    """The array, missing outside the rows and columns."""
    out = numpy.full(array.shape, numpy.nan)
    out[..., rows, columns] = array[..., rows, columns]
    return out


@pytest.fixture(params=SOURCES)
def whole(request, world):
    """Name and cube of a collection."""
    return request.param, worlds.load(world[request.param])


@pytest.fixture(params=("filter_bbox", "spatial_extent"))
def cropped(request, whole):
    """A graph with the nodes `all` and `part`, the whole cube, and the rows and columns of the part."""
    name, cube = whole
    rows, columns = slice(8, 11), slice(10, 12)  # where every date of every collection has pixels
    west, _, _, north = cube.grid.extent()
    res = cube.grid.res
    box = west + 9.8 * res, north - 11.3 * res, west + 12.2 * res, north - 7.9 * res
    extent = Maker.extent(tuple(round(edge, 3) for edge in box), cube.grid.crs)
    part = (
        load(name, extent)
        if request.param == "spatial_extent"
        else step("filter_bbox", data=reference("all"), extent=extent)
    )
    return {"all": load(name), "part": part}, cube, (rows, columns)


def test_a_crop_has_its_pixels_only(subject, cropped):
    graph, cube, part = cropped
    values, _, _ = answer(subject, {**graph, "same": step("apply", data=reference("part"), process=TWICE)})
    numpy.testing.assert_allclose(values, 2 * cube.values[..., part[0], part[1]], rtol=1e-6)


@pytest.mark.parametrize("between", [False, True])
def test_a_sum_with_a_crop_has_the_pixels_of_the_crop(subject, cropped, between):
    """With a computation between crop and sum, or without."""
    graph, cube, part = cropped
    second = "part"
    if between:
        graph["doubled"], second = step("apply", data=reference("part"), process=TWICE), "doubled"
    graph["sum"] = step("merge_cubes", cube1=reference("all"), cube2=reference(second), overlap_resolver=ADD)
    values, _, _ = answer(subject, graph)
    numpy.testing.assert_allclose(values, only((3 if between else 2) * cube.values, *part), rtol=1e-6)
    assert (~numpy.isnan(values)).any()


def test_a_cropped_mask_masks_within_its_crop(subject, cropped):
    graph, cube, part = cropped
    values, _, _ = answer(subject, {**graph, "masked": step("mask", data=reference("all"), mask=reference("part"))})
    hit = ~numpy.isnan(only(cube.values, *part))
    kept = naive.decoded(cube).values  # JSON holds what packed values stand for
    numpy.testing.assert_allclose(values, numpy.where(hit, numpy.nan, kept), rtol=1e-6, atol=1e-6)
    assert hit.any() and (~numpy.isnan(values)).any()


@pytest.mark.parametrize(
    "crs, res, method", [(worlds.NEXT, 6.0, "bilinear"), (4326, 0.00006, "near"), (3035, 7.0, "near")]
)
def test_a_resampled_crop_is_valid_where_its_pixels_are(subject, cropped, crs, res, method):
    """Where the crop has a pixel with a value under the centre, and nowhere else; nearest has that value."""
    graph, cube, part = cropped
    graph["warped"] = step("resample_spatial", data=reference("part"), projection=crs, resolution=res, method=method)
    values, y, x = answer(
        subject, {name: node for name, node in graph.items() if name != "all" or "data" in graph["part"]["arguments"]}
    )
    grid = naive.Grid(x[0] - res / 2, y[0] + res / 2, res, len(x), len(y), crs)
    here = naive.pick(
        naive.pick(cube, "y", range(part[0].start, part[0].stop)), "x", range(part[1].start, part[1].stop)
    )
    here = naive.on_grid(here, cube.grid.part(part[1].start, part[1].stop, part[0].start, part[0].stop))
    expected = naive.nearest(here, grid)
    sure = ~expected.unsure
    numpy.testing.assert_array_equal(numpy.isnan(values)[sure], numpy.isnan(expected.values)[sure])
    assert (~numpy.isnan(expected.values[sure])).any()
    if method == "near":
        numpy.testing.assert_allclose(values[sure], naive.decoded(expected).values[sure], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "average"])
@pytest.mark.parametrize("crs, res", [(None, 7.0), (worlds.NEXT, 6.0)])
def test_nothing_beyond_the_rim_counts(subject, cropped, crs, res, method):
    """What is weighed lies between the least and the greatest pixel of the crop, date by date and band by band."""
    graph, cube, part = cropped
    graph["warped"] = step("resample_spatial", data=reference("part"), projection=crs, resolution=res, method=method)
    if "data" not in graph["part"]["arguments"]:
        del graph["all"]
    values, _, _ = answer(subject, graph)
    here = naive.decoded(cube).values[..., part[0], part[1]].reshape(*cube.values.shape[:-2], -1)
    values = values.reshape(*values.shape[:-2], -1)
    whole = ~numpy.isnan(here).all(axis=-1)
    low, high = numpy.nanmin(here[whole], axis=-1), numpy.nanmax(here[whole], axis=-1)
    slack = 1e-5 * numpy.abs(high) + (0.5 if cube.rounds else 0)
    assert (numpy.nanmin(values[whole], axis=-1) >= low - slack).all()
    assert (numpy.nanmax(values[whole], axis=-1) <= high + slack).all()


@pytest.mark.parametrize("whole", ["u8zero", "f32coarse"], indirect=True)
@pytest.mark.parametrize("method", ["bilinear", "cubic", "lanczos", "average", "max"])
def test_a_resampled_crop_is_its_pixels_resampled(subject, cropped, tmp_path, method):
    """The same as a file of the cropped pixels alone."""
    graph, _, _ = cropped
    if "data" not in graph["part"]["arguments"]:
        del graph["all"]
    last = {**graph["part"], "result": True}
    (tmp_path / "part.nc").write_bytes(subject.run({**graph, "part": last}, output="part.nc"))
    name = "part" + tmp_path.name
    subject.add(name, tmp_path / "part.nc")
    warp = step("resample_spatial", data=reference("part"), projection=worlds.NEXT, resolution=6.0, method=method)
    have, y, x = answer(subject, {**graph, "warped": warp})
    want, want_y, want_x = answer(subject, {"part": load(name), "warped": warp})
    numpy.testing.assert_allclose(y, want_y)
    numpy.testing.assert_allclose(x, want_x)
    numpy.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("coarse", [20.0, 30.0])
@pytest.mark.parametrize("between", [False, True])
def test_what_was_made_coarse_stays_coarse(subject, world, coarse, between):
    """Resampling a second time sees the pixels of the first, not those of the file: with a computation between the two
    or without."""
    cube = worlds.load(world["u8zero"])
    graph = {
        "all": load("u8zero"),
        "coarse": step("resample_spatial", data=reference("all"), resolution=coarse, method="near"),
        "doubled": step("apply", data=reference("coarse"), process=TWICE),
        "fine": step(
            "resample_spatial", data=reference("doubled" if between else "coarse"), resolution=5.0, method="near"
        ),
    }
    values, y, x = answer(subject, graph)
    west, _, _, north = cube.grid.extent()
    columns, rows = (((x - west) / coarse).astype(int), ((north - y) / coarse).astype(int))
    size = coarse / 10  # in pixels of the file; the pixel at a coarse centre, east and south of it where it is an edge
    i, j = (((index + 0.5) * size).astype(int) for index in (rows, columns))
    inside = (i < cube.grid.height)[:, None] & (j < cube.grid.width)
    expected = (2 if between else 1) * cube.values[
        ..., i.clip(0, cube.grid.height - 1)[:, None], j.clip(0, cube.grid.width - 1)
    ]
    numpy.testing.assert_array_equal(values, numpy.where(inside, expected, numpy.nan))
