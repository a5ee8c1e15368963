"""Other sensors, grids, zones and formats than the main job's, with the openEO Python client, against rasterio, xarray
and pyproj."""

import json
import shutil
import types

import numpy
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401  (xarray's .rio)
import xarray

from conftest import DEMO_PATTERNS, shared
from reference import assert_same, mosaic, open_cube, read_at, scenes_by_date


def download(cube, path, file_format="netCDF", **options):
    cube.download(path, format=file_format, options=options)
    return path


def values(cube):
    """With missing values as NaN, in the order t, bands, y, x as far as there are such dimensions."""
    return cube.transpose(*[name for name in ("t", "bands", "y", "x") if name in cube.dims]).values.astype("f8")


def mosaics(dates, x, y, nodata, rename=("", ""), crs=None):
    return numpy.array([mosaic([read_at(str(file).replace(*rename), x, y, crs, nodata) for file in files])
                        for files in dates.values()])


# ---- a STAC collection: int16 GeoTIFFs of three bands, three dates ----


@pytest.fixture(scope="module")
def stac(catalogue):
    folder = shared("eo", "openeo_stac_S2_3dates", "example_stac_catalog")
    catalogue.add("S2_STAC", folder / "collection.json")
    return types.SimpleNamespace(id="S2_STAC", dates=scenes_by_date(folder, r"_(\d{4}-\d\d-\d\d)Z[.]tif$"),
                                 bands=["B04", "B03", "B02"])


def test_stac_values_are_untouched(connection, stac, tmp_path):
    path = download(connection.load_collection(stac.id, bands=stac.bands), tmp_path / "s2.nc")
    with xarray.open_dataset(path, decode_coords="all", mask_and_scale=False) as dataset:
        assert dataset.rio.crs.to_epsg() == 32631
        assert [str(t)[:10] for t in dataset.t.values] == list(stac.dates)
        for number, band in enumerate(stac.bands, 1):
            assert dataset[band].dtype == numpy.int16
            for t, [file] in enumerate(stac.dates.values()):
                with rasterio.open(file) as source:
                    numpy.testing.assert_array_equal(dataset[band].transpose("t", "y", "x").values[t],
                                                     source.read(number))
                    assert dataset[band].attrs["_FillValue"] == source.nodata


def test_stac_filters_reach_the_reader(connection, stac, tmp_path):
    [wanted] = stac.dates["2023-06-04"]
    cube = connection.load_collection(stac.id, temporal_extent=["2023-06-02", "2023-06-06"], bands=["B03"])
    one = open_cube(download(cube, tmp_path / "one.nc"))
    assert [str(t)[:10] for t in one.t.values] == ["2023-06-04"]
    assert_same(values(one).squeeze(), read_at(wanted, one.x.values, one.y.values, nodata=-32768, band=2), 0)


def test_recursive_stac(connection, stac, catalogue, tmp_path):
    catalogue.add("S2_RECURSIVE", shared("eo", "openeo_stac_S2_3dates", "recursive-stac-example", "collection.json"))
    flat, deep = (open_cube(download(connection.load_collection(name, bands=["B02"]), tmp_path / f"{name}.nc"))
                  for name in (stac.id, "S2_RECURSIVE"))
    numpy.testing.assert_array_equal(flat.values, deep.values)


# ---- MODIS: JPEG 2000 in the sinusoidal projection ----


@pytest.fixture(scope="module")
def modis(catalogue):
    folder = shared("eo", "MOD13Q1_sinop", "raster", "mod13q1")
    catalogue.add("MODIS", folder, "--band", "_(NDVI)_")
    return scenes_by_date(folder, r"_(\d{4}-\d\d-\d\d)[.]jp2$")


def test_modis_values_and_maximum(connection, modis, tmp_path):
    cube = connection.load_collection("MODIS")
    loaded = open_cube(download(cube, tmp_path / "all.nc"))
    assert [str(t)[:10] for t in loaded.t.values] == list(modis)
    expected = mosaics(modis, loaded.x.values, loaded.y.values, None)
    with rasterio.open(next(iter(modis.values()))[0]) as source:
        assert (loaded.sizes["y"], loaded.sizes["x"]) == source.shape
        assert loaded.rio.crs.to_proj4().startswith("+proj=sinu")
    assert_same(values(loaded).squeeze(), expected, 0)
    largest = open_cube(download(cube.max_time(), tmp_path / "max.nc"))
    assert_same(values(largest).squeeze(), expected.max(axis=0), 0)


# ---- netCDF cubes that another backend wrote ----


@pytest.mark.parametrize("file", ["results/cdse_sentinel2_l2a.nc", "resources/test_optical_cube.nc",
                                  "resources/polygons_s2_cdse/openEO_1.nc"])
def test_netcdf_values_are_untouched(connection, catalogue, tmp_path, file):
    path = shared("eo", "gfmap_openeo_S2_cubes", *file.split("/"))
    name = catalogue.add(path.stem, path)
    with xarray.open_dataset(path, mask_and_scale=False, decode_coords="all") as source:
        bands = [band for band in source.data_vars if source[band].ndim == 3]
        loaded = download(connection.load_collection(name, bands=bands), tmp_path / "copy.nc")
        with xarray.open_dataset(loaded, mask_and_scale=False, decode_coords="all") as copy:
            corners = source.x.values[[0, -1]], source.y.values[[0, -1]]
            places = [pyproj.Transformer.from_crs(crs.to_wkt(), 4326, always_xy=True).transform(*corners)
                      for crs in (copy.rio.crs, source.rio.crs)]
            numpy.testing.assert_allclose(places[0], places[1], rtol=0, atol=1e-9)
            for axis in ("t", "y", "x"):
                numpy.testing.assert_array_equal(copy[axis].values, source[axis].values)
            for band in bands:
                original = source[band].transpose("t", "y", "x").values
                if source[band].attrs.get("_Unsigned") == "true":
                    original = original.view(f"u{original.dtype.itemsize}")
                assert copy[band].dtype == original.dtype
                numpy.testing.assert_array_equal(copy[band].transpose("t", "y", "x").values, original)


def test_netcdf_ndvi_and_months(connection, catalogue, tmp_path):
    path = shared("eo", "gfmap_openeo_S2_cubes", "resources", "test_optical_cube.nc")
    catalogue.add(path.stem, path)
    cube = connection.load_collection(path.stem, bands=["S2-L2A-B04", "S2-L2A-B08"])
    red, nir = cube.band("S2-L2A-B04"), cube.band("S2-L2A-B08")
    monthly = ((nir - red) / (nir + red)).aggregate_temporal_period("month", reducer="mean")
    result = open_cube(download(monthly, tmp_path / "ndvi.nc"))
    with xarray.open_dataset(path) as source:
        red, nir = source["S2-L2A-B04"].astype("f8"), source["S2-L2A-B08"].astype("f8")
        expected = ((nir - red) / (nir + red)).resample(t="MS").mean()
        assert_same(values(result), expected.transpose("t", "y", "x").values)


# ---- one Landsat scene: two resolutions, another zone, geographic coordinates ----


@pytest.fixture(scope="module")
def scene(tmp_path_factory, catalogue):
    """The scene's bands 4, 5 (30 m) and 8 (15 m) under names with a date: the originals have none."""
    folder = shared("eo", "L8_Elkton_VA")
    named = tmp_path_factory.mktemp("elkton")
    files = {}
    for band in ("B4", "B5", "B8"):
        files[band] = named / f"LC08_20150601_{band}.tiff"
        shutil.copyfile(folder / f"L8-{band}-Elkton-VA.tiff", files[band])
    catalogue.add("ELKTON", named, "--nodata", "0")
    return files


def test_bands_of_one_lattice_are_untouched(connection, scene, tmp_path):
    path = download(connection.load_collection("ELKTON", bands=["B4", "B5"]), tmp_path / "two.nc")
    with xarray.open_dataset(path, mask_and_scale=False) as dataset:
        for band in ("B4", "B5"):
            with rasterio.open(scene[band]) as source:
                numpy.testing.assert_array_equal(dataset[band].values.squeeze(), source.read(1))


def test_bands_of_two_resolutions(connection, scene, tmp_path):
    cube = open_cube(download(connection.load_collection("ELKTON", bands=["B4", "B8"]), tmp_path / "both.nc"))
    with rasterio.open(scene["B8"]) as source:
        step = source.transform.a
    assert float(cube.x[1] - cube.x[0]) == pytest.approx(step, rel=1e-9)
    for band in ("B4", "B8"):
        one = cube.sel(bands=band).squeeze("t")
        assert_same(values(one), read_at(scene[band], cube.x.values, cube.y.values, nodata=0), 0)


@pytest.mark.parametrize("epsg, resolution", [(4326, 0.0003), (3857, 40), (32618, 30)])
def test_resample_spatial(connection, scene, tmp_path, epsg, resolution):
    cube = connection.load_collection("ELKTON", bands=["B4"]).resample_spatial(
        resolution=resolution, projection=epsg, method="near")
    warped = open_cube(download(cube, tmp_path / "warped.nc"))
    assert warped.rio.crs.to_epsg() == epsg
    assert float(warped.x[1] - warped.x[0]) == pytest.approx(resolution, rel=1e-9)
    expected = read_at(scene["B4"], warped.x.values, warped.y.values, f"EPSG:{epsg}", nodata=0)
    assert_same(values(warped).squeeze(), expected, 0)
    # Nothing of the scene is lost: its valid pixels' share of the area comes back.
    with rasterio.open(scene["B4"]) as source:
        valid = (source.read(1) != 0).sum() * abs(source.transform.a * source.transform.e)
        west, south, east, north = pyproj.Transformer.from_crs(source.crs.to_wkt(), epsg,
                                                               always_xy=True).transform_bounds(
            *source.bounds, densify_pts=100)
    half = resolution
    assert warped.x[0] - half <= west + half and warped.x[-1] + half >= east - half
    assert warped.y[-1] - half <= south + half and warped.y[0] + half >= north - half
    if epsg == 32618:
        assert numpy.isfinite(expected).sum() * resolution ** 2 == pytest.approx(valid, rel=0.02)


def test_resample_bilinear_is_between_its_neighbours(connection, scene, tmp_path):
    def at(method, resolution):
        cube = connection.load_collection("ELKTON", bands=["B4"]).resample_spatial(resolution=resolution, method=method)
        return open_cube(download(cube, tmp_path / f"{method}.nc"))

    fine = at("bilinear", 10)
    with rasterio.open(scene["B4"]) as source:
        assert source.read(1).min() <= float(fine.min()) and float(fine.max()) <= source.read(1).max()
        assert float(fine.mean()) == pytest.approx(float(source.read(1, masked=True).mean()), rel=0.02)


def test_another_zone_on_the_fly(connection, catalogue, tmp_path):
    """Scenes in UTM zone 18, cube in zone 17: each date's mosaic, pixel by pixel."""
    folder = shared("eo", "L8NY18_path014")
    catalogue.add("L8_ZONE_17", folder, "--nodata", "0", "--crs", "EPSG:32617", "--resolution", "2500")
    dates = scenes_by_date(folder, r"_([0-9]{8})_B5[.]TIF$")
    cube = open_cube(download(connection.load_collection("L8_ZONE_17", bands=["B5"]), tmp_path / "zone.nc"))
    assert cube.rio.crs.to_epsg() == 32617
    assert_same(values(cube).squeeze(), mosaics(dates, cube.x.values, cube.y.values, 0, crs="EPSG:32617"), 0)


# ---- the demonstration series ----


@pytest.fixture(scope="module")
def series(catalogue, demo):
    catalogue.add("DEMO_S2", demo, *DEMO_PATTERNS)
    return scenes_by_date(demo, r"_([0-9]{8})_B04[.]tif$")


def test_overlapping_scenes_mosaic(connection, series, tmp_path):
    both = {date: files for date, files in series.items() if len(files) == 2}
    assert both and len(both) < len(series)
    cube = open_cube(download(connection.load_collection("DEMO_S2", bands=["B04"]), tmp_path / "b04.nc"))
    assert_same(values(cube).squeeze(), mosaics(series, cube.x.values, cube.y.values, 0), 0)


def test_bbox_in_the_cubes_own_crs(connection, series, tmp_path):
    box = dict(west=691234, south=5357777, east=693456, north=5360001, crs="EPSG:32632")
    loaded = connection.load_collection("DEMO_S2", spatial_extent=box, temporal_extent=["2024-04-01", "2024-05-01"],
                                        bands=["B04"])
    filtered = connection.load_collection("DEMO_S2", temporal_extent=["2024-04-01", "2024-05-01"], bands=["B04"]) \
        .filter_bbox(**box)
    dates = {date: files for date, files in series.items() if date.startswith("202404")}
    for name, way in (("loaded", loaded), ("filtered", filtered)):
        cube = open_cube(download(way, tmp_path / f"{name}.nc"))
        x, y = cube.x.values, cube.y.values
        assert list(x) == [c for c in numpy.arange(690005, 696560, 10.0) if box["west"] <= c <= box["east"]]
        assert list(y) == [c for c in numpy.arange(5361115, 5356000, -10.0) if box["south"] <= c <= box["north"]]
        assert_same(values(cube).squeeze(), mosaics(dates, x, y, 0), 0)


def test_bbox_in_degrees(connection, series, tmp_path):
    box = dict(west=11.58, south=48.36, east=11.61, north=48.375)
    cube = open_cube(download(connection.load_collection("DEMO_S2", spatial_extent=box, bands=["B04"]),
                              tmp_path / "b.nc"))
    to_lonlat = pyproj.Transformer.from_crs(32632, 4326, always_xy=True)
    lon, lat = to_lonlat.transform(*numpy.meshgrid(numpy.arange(690005, 696560, 10.0),
                                                   numpy.arange(5361115, 5356000, -10.0)))
    inside = (lon >= box["west"]) & (lon <= box["east"]) & (lat >= box["south"]) & (lat <= box["north"])
    rows, columns = numpy.nonzero(inside)
    # The box's image is not a rectangle of the grid: all centres within the box, and at most one pixel beyond them.
    assert abs((float(cube.x[0]) - 690005) / 10 - columns.min()) <= 1
    assert abs((float(cube.x[-1]) - 690005) / 10 - columns.max()) <= 1
    assert abs((5361115 - float(cube.y[0])) / 10 - rows.min()) <= 1
    assert abs((5361115 - float(cube.y[-1])) / 10 - rows.max()) <= 1
    assert_same(values(cube).squeeze(), mosaics(series, cube.x.values, cube.y.values, 0), 0)


def test_two_bands_of_two_types(connection, series, tmp_path):
    """uint16 and uint8 in one cube keep their values."""
    path = download(connection.load_collection("DEMO_S2", temporal_extent=["2024-07-01", "2024-08-01"],
                                               bands=["B08", "QA"]), tmp_path / "two.nc")
    cube = open_cube(path)
    dates = {date: files for date, files in series.items() if date.startswith("202407")}
    for band in ("B08", "QA"):
        expected = mosaics(dates, cube.x.values, cube.y.values, 0, rename=("_B04.", f"_{band}."))
        assert_same(values(cube.sel(bands=band)).squeeze(), expected.squeeze(), 0)


def test_merge_of_two_collections(connection, series, catalogue, demo, tmp_path):
    catalogue.add("DEMO_AGAIN", demo, *DEMO_PATTERNS)
    extent = ["2024-06-20", "2024-07-30"]
    red = connection.load_collection("DEMO_S2", temporal_extent=extent, bands=["B04"])
    nir = connection.load_collection("DEMO_AGAIN", temporal_extent=extent, bands=["B08"])
    merged = open_cube(download(red.merge_cubes(nir), tmp_path / "merged.nc"))
    together = open_cube(download(connection.load_collection("DEMO_S2", temporal_extent=extent, bands=["B04", "B08"]),
                                  tmp_path / "together.nc"))
    assert_same(values(merged), values(together), 0)


def test_cog(connection, series, tmp_path):
    cube = connection.load_collection("DEMO_S2", temporal_extent=["2024-07-01", "2024-08-01"], bands=["B04", "B08"])
    path = download(cube, tmp_path / "cog.tif", "GTiff", cog=True)
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG" and file.overviews(1)
        assert file.nodata == 0 and file.dtypes[0] == "uint16" and file.crs.to_epsg() == 32632
        assert [name.split()[-1] for name in file.descriptions] == ["B04", "B08"] or "B04" in file.descriptions[0]
        x = file.xy(0, 0)[0] + 10.0 * numpy.arange(file.width)
        y = file.xy(0, 0)[1] - 10.0 * numpy.arange(file.height)
        dates = {date: files for date, files in series.items() if date.startswith("202407")}
        assert_same(numpy.where(file.read(1) == 0, numpy.nan, file.read(1)), mosaics(dates, x, y, 0)[0], 0)


def test_png_with_scaling(connection, series, tmp_path):
    cube = connection.load_collection("DEMO_S2", temporal_extent=["2024-07-01", "2024-08-01"], bands=["B04", "B08"])
    index = cube.ndvi(nir="B08", red="B04").max_time()
    scaled = index.linear_scale_range(-0.2, 1, 0, 255)
    path = download(scaled, tmp_path / "ndvi.png", "PNG")
    reference = open_cube(download(scaled, tmp_path / "ndvi.nc"))
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with rasterio.open(path) as picture:
        assert picture.driver == "PNG" and picture.dtypes[0] == "uint8"
        grey = picture.read(1).astype("f8")
        opaque = picture.dataset_mask() > 0
    expected = reference.transpose("y", "x").values
    numpy.testing.assert_array_equal(opaque, numpy.isfinite(expected))
    low, high = numpy.nanmin(expected), numpy.nanmax(expected)
    assert low >= 0 and 1 < high <= 255  # what was scaled to 0 … 255 is shown as it is
    assert numpy.abs(grey - expected)[opaque].max() <= 0.5 + 1e-3
    path = download(index, tmp_path / "stretched.png", "PNG")
    plain = open_cube(download(index, tmp_path / "index.nc")).transpose("y", "x").values
    low, high = numpy.nanmin(plain), numpy.nanmax(plain)
    with rasterio.open(path) as picture:  # other floats are stretched from their own range
        stretched = (plain - low) / (high - low) * 255
        assert numpy.abs(picture.read(1) - stretched)[opaque].max() <= 0.5 + 1e-3
    path = download(index, tmp_path / "given.png", "PNG", min=-0.2, max=1)
    with rasterio.open(path) as picture:
        assert numpy.abs(picture.read(1) - expected)[opaque].max() <= 0.5 + 1e-3


def test_json(connection, series, tmp_path):
    cube = connection.load_collection("DEMO_S2", temporal_extent=["2024-07-01", "2024-08-01"], bands=["B04"],
                                      spatial_extent=dict(
        west=691000, south=5359000, east=691030, north=5359020, crs="EPSG:32632"))
    download(cube, tmp_path / "b04.json", "JSON")
    document = json.loads((tmp_path / "b04.json").read_text())
    sizes = [len(dimension["labels"]) for dimension in document["dimensions"]]
    assert numpy.array(document["data"], dtype="f8").shape == tuple(sizes) and sorted(sizes) == [1, 1, 2, 3]


@pytest.mark.parametrize("reducer, numpys",
                         [("mean", numpy.nanmean), ("median", numpy.nanmedian), ("max", numpy.nanmax),
                                             ("min", numpy.nanmin), ("sum", numpy.nansum)])
def test_reducers_over_time(connection, series, data, tmp_path, reducer, numpys):
    cube = connection.load_collection("DEMO_S2", bands=["B04"]).reduce_dimension(dimension="t", reducer=reducer)
    result = open_cube(download(cube, tmp_path / "reduced.nc"))
    stack = mosaics(series, result.x.values, result.y.values, 0)
    empty = numpy.isnan(stack).all(axis=0)
    assert not empty.any()
    assert_same(values(result).squeeze(), numpys(stack, axis=0), 1e-2 if reducer == "sum" else 1e-3)
