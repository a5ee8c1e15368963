"""climatological_normal, anomaly and resample_cube_temporal on a netCDF file, against xarray."""

import json

import numpy
import pytest
import xarray

from conftest import twincube

YEARS = (2000, 2003)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Daily values of four and a half years with gaps, on a small grid."""
    time = numpy.arange("1999-10-15", "2004-03-01", dtype="datetime64[D]").astype("datetime64[ns]")
    values = numpy.random.default_rng(1).normal(10, 5, (time.size, 3, 4)).astype("float32")
    values[numpy.random.default_rng(2).random(values.shape) < 0.1] = numpy.nan
    cube = xarray.DataArray(values, dims=("t", "y", "x"), name="temperature",
                            coords={"t": time, "y": [45.0, 44.5, 44.0], "x": [9.0, 9.5, 10.0, 10.5]})
    cube.y.attrs = {"standard_name": "latitude", "units": "degrees_north"}
    cube.x.attrs = {"standard_name": "longitude", "units": "degrees_east"}
    path = tmp_path_factory.mktemp("series") / "series.nc"
    cube.to_netcdf(path, encoding={"temperature": {"chunksizes": (100, 3, 4), "zlib": True}})
    return cube, path


@pytest.fixture(scope="module")
def collection(series, catalogue):
    return catalogue.add("SERIES", series[1])


def run(data, tmp_path, graph):
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    out = tmp_path / "out.nc"
    twincube("run", tmp_path / "graph.json", "--data", data, "-o", out, "--encoding", "official")
    with xarray.open_dataset(out, decode_times=False) as dataset:
        name = next(name for name, variable in dataset.data_vars.items() if {"x", "y"} <= set(variable.dims))
        return dataset[name].load().transpose(..., "y", "x")


def load(collection):
    return {"load": {"process_id": "load_collection", "arguments": {
        "id": collection, "spatial_extent": None, "temporal_extent": None}}}


def normals(period, result=True):
    node = {"process_id": "climatological_normal", "arguments": {
        "data": {"from_node": "load"}, "period": period, "climatology_period": list(YEARS)}}
    return {"normals": {**node, "result": True} if result else node}


def expected_groups(cube, period):
    """Values within the years, and the label of each: seasons are those that end in them."""
    if period == "day":
        return cube.sel(t=slice("2000", "2003")), lambda part: part.t.dt.dayofyear
    if period == "month":
        return cube.sel(t=slice("2000", "2003")), lambda part: part.t.dt.month
    if period == "season":
        return cube.sel(t=slice("1999-12", "2003-11")), lambda part: part.t.dt.month % 12 // 3
    if period == "tropical-season":
        return cube.sel(t=slice("1999-11", "2003-10")), lambda part: (part.t.dt.month + 1) % 12 // 6
    return cube.sel(t=slice("2000", "2003")), lambda part: xarray.zeros_like(part.t, int)


PERIODS = ["day", "month", "season", "tropical-season", "climatology-period"]
SIZES = dict(zip(PERIODS, (366, 12, 4, 2, 1)))


@pytest.mark.parametrize("period", PERIODS)
def test_normals(series, collection, data, tmp_path, period):
    have = run(data, tmp_path, load(collection) | normals(period))
    part, label = expected_groups(series[0].astype("float64"), period)
    want = part.groupby(label(part).rename("label")).mean("t").transpose("label", "y", "x")
    assert have.shape == want.shape == (SIZES[period], 3, 4)
    numpy.testing.assert_allclose(have.values, want.values, rtol=2e-6)


@pytest.mark.parametrize("period", PERIODS)
def test_anomalies(series, collection, data, tmp_path, period):
    graph = load(collection) | normals(period, result=False) | {"anomaly": {"process_id": "anomaly", "arguments": {
        "data": {"from_node": "load"}, "normals": {"from_node": "normals"}, "period": period}, "result": True}}
    have = run(data, tmp_path, graph)
    cube = series[0].astype("float64")
    part, label = expected_groups(cube, period)
    mean = part.groupby(label(part).rename("label")).mean("t")
    want = cube.groupby(label(cube).rename("label")) - mean
    numpy.testing.assert_allclose(have.values, want.transpose("t", "y", "x").values, atol=2e-5)
    assert numpy.isnan(want).sum() > 100


def nearest_valid(cube, times, days):
    """For each time and pixel the nearest valid value within the days, the earlier of two; by looking at all."""
    out = numpy.full((len(times), *cube.shape[1:]), numpy.nan)
    for i, time in enumerate(times):
        distance = abs((cube.t.values - time) / numpy.timedelta64(1, "D"))
        for k in sorted(numpy.flatnonzero(distance <= days), key=lambda k: (distance[k], k), reverse=True):
            out[i] = numpy.where(numpy.isnan(cube.values[k]), out[i], cube.values[k])
    return out


@pytest.mark.parametrize("days", [None, 0, 1.5])
def test_dates_of_another_cube(series, collection, data, tmp_path, days):
    times = ["1999-12-31T12:00:00Z", "2000-02-29T06:00:00Z", "2000-03-01T18:00:00Z", "2001-05-05T00:00:00Z",
             "2004-03-01T00:00:00Z", "2004-03-20T00:00:00Z"]
    target = {"type": "datacube", "order": ["t"], "dimensions": {"t": {"type": "temporal", "values": times}},
              "data": [0] * len(times)}
    graph = load(collection) | {"dates": {"process_id": "resample_cube_temporal", "arguments": {
        "data": {"from_node": "load"}, "target": target, "valid_within": days}, "result": True}}
    have = run(data, tmp_path, graph)
    instants = [numpy.datetime64(time[:-1]) for time in times]
    if days is None:
        index = [int(numpy.argmin(abs(series[0].t.values - instant))) for instant in instants]
        want = series[0].values[index]
    else:
        want = nearest_valid(series[0], instants, days)
    numpy.testing.assert_array_equal(have.values, want.astype("float32"))


def test_normals_are_made_once(collection, data, tmp_path):
    graph = load(collection) | normals("month", result=False) | {"anomaly": {"process_id": "anomaly", "arguments": {
        "data": {"from_node": "load"}, "normals": {"from_node": "normals"}, "period": "month"}, "result": True}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    plan = twincube("explain", tmp_path / "graph.json", "--data", data)
    assert 'keeps "normals"' in plan, plan


@pytest.fixture(scope="module")
def half_years(series, tmp_path_factory, catalogue):
    """Collections of the first halves of the years, whose chunks hold one date or many."""
    cube = series[0].isel(t=series[0].t.dt.month.values <= 6)
    folder = tmp_path_factory.mktemp("half_years")
    for dates in (1, 70):
        cube.to_netcdf(folder / f"{dates}.nc", encoding={"temperature": {"chunksizes": (dates, 3, 4), "zlib": True}})
    return cube, {dates: catalogue.add(f"HALF_YEARS_{dates}", folder / f"{dates}.nc") for dates in (1, 70)}


@pytest.mark.parametrize("period", ["day", "month", "tropical-season"])
def test_a_date_a_chunk(half_years, data, tmp_path, period):
    """Each label's dates are read alone where that costs nothing; labels without dates are no-data either way."""
    have, plans = {}, {}
    for dates, collection in half_years[1].items():
        cut = {"cut": {"process_id": "filter_temporal", "arguments": {
            "data": {"from_node": "load"}, "extent": ["2000-01-02", "2003-06-30"]}}}
        mean = normals(period)
        mean["normals"]["arguments"]["data"] = {"from_node": "cut"}
        have[dates] = run(data, tmp_path, load(collection) | cut | mean).values
        plans[dates] = twincube("explain", tmp_path / "graph.json", "--data", data)
    assert "t one by one" in plans[1] and "t one by one" not in plans[70], plans
    numpy.testing.assert_array_equal(have[1], have[70])
    cube = half_years[0].astype("float64").sel(t=slice("2000-01-02", "2003-06-29"))
    label = {"day": cube.t.dt.dayofyear - 1, "month": cube.t.dt.month - 1,
             "tropical-season": (cube.t.dt.month + 1) % 12 // 6}[period].values
    used = cube.t.values >= numpy.datetime64("2000-05-01" if period == "tropical-season" else "2000-01-01")
    for k in range(SIZES[period]):
        values = cube.values[used & (label == k)]
        with numpy.errstate(invalid="ignore"):
            want = numpy.nansum(values, axis=0) / numpy.isfinite(values).sum(axis=0)
        numpy.testing.assert_allclose(have[1][k], want, rtol=2e-6)
