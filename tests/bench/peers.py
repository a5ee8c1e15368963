#!/usr/bin/env python3
"""The peers' commands, each a whole process from start to the file on disk.

    peers.py dask   GRAPH.json INPUT.nc OUT           openeo-processes-dask through openeo.local.LocalConnection
    peers.py xarray median|month INPUT OUT            xarray and dask; INPUT a netCDF file or a folder of GeoTIFFs
    peers.py kernel WEIGHTS.json INPUT.tif OUT.tif    scipy.ndimage.convolve
    peers.py anomaly flox|xarray INPUT.nc OUT.nc      xarray's groupby, with flox or without
    peers.py zones GRAPH.json INPUT.nc OUT.npy        openeo-processes-dask's aggregate_spatial
    peers.py exactextract ZONES.geojson FOLDER OUT.npy

The last four print "compute SECONDS", the time without imports, reading (kernel, anomaly) and writing. Two threads each
where they take threads; chunks as their documentation recommends for these reductions; OUT's suffix decides the format.
"""
import json
import pathlib
import re
import sys
import time
import warnings

warnings.simplefilter("ignore")


def save(array, out):
    import rioxarray  # noqa: F401, registers .rio
    array.attrs = {}
    if array.dtype.kind == "f":
        array = array.astype("float32")
    if out.suffix == ".nc":
        array.rename("result").to_netcdf(out)
    else:
        extra = [d for d in array.dims if d not in ("y", "x")]
        array = array.transpose(*extra, "y", "x").squeeze()
        array.rio.write_nodata(float("nan")).rio.to_raster(out)


def run_dask(graph_path, source, out):
    import dask
    from openeo.local import LocalConnection
    dask.config.set(scheduler="threads", num_workers=2)
    graph = json.loads(graph_path.read_text())
    graph["load"]["arguments"] = {"id": str(source), "spatial_extent": None, "temporal_extent": None}
    del graph["save"]  # the registry has no save_result
    graph["time"]["result"] = True
    save(LocalConnection(str(source.parent)).execute(graph).compute(), out)


def open_geotiffs(folder):
    import pandas
    import rioxarray
    import xarray
    bands = {}
    for name in ("B04", "B08"):
        files = sorted(folder.glob(f"*_{name}.tif"))
        times = pandas.to_datetime([re.search(r"_(\d{8})_", f.name)[1] for f in files])
        planes = [rioxarray.open_rasterio(f, chunks={"y": 512, "x": 512}, masked=True).squeeze("band", drop=True)
                  for f in files]
        bands[name] = xarray.concat(planes, dim=pandas.Index(times, name="t"))
    return bands


def run_xarray(task, source, out):
    import dask
    import xarray
    dask.config.set(scheduler="threads", num_workers=2)
    if source.is_dir():
        data = open_geotiffs(source)
    else:
        data = xarray.open_dataset(source, chunks={"t": -1, "y": 512, "x": 512}, decode_coords="all")
    ndvi = (data["B08"] - data["B04"]) / (data["B08"] + data["B04"])
    if task == "median":
        result = ndvi.chunk({"t": -1}).median("t", skipna=True)
    else:
        result = ndvi.resample(t="MS").mean()
    save(result.compute(), out)


def run_kernel(weights_path, source, out):
    import numpy
    import rasterio
    from scipy import ndimage
    weights = numpy.array(json.loads(weights_path.read_text()))[::-1, ::-1]  # convolve turns it back
    with rasterio.open(source) as file:
        plane, profile = file.read(1), file.profile
    start = time.perf_counter()
    result = ndimage.convolve(plane, weights, mode="constant")
    print(f"compute {time.perf_counter() - start}")
    with rasterio.open(out, "w", **profile) as file:
        file.write(result, 1)


def run_anomaly(how, source, out):
    import xarray
    xarray.set_options(use_flox=how == "flox")
    data = xarray.open_dataset(source)["tas"].load()
    start = time.perf_counter()
    groups = data.groupby("t.dayofyear")
    result = groups - groups.mean()
    print(f"compute {time.perf_counter() - start}")
    result.astype("float32").to_netcdf(out)


def run_zones(graph_path, source, out):
    import dask
    import numpy
    from openeo.local import LocalConnection
    dask.config.set(scheduler="threads", num_workers=2)
    graph = json.loads(graph_path.read_text())
    graph["load"]["arguments"] = {"id": str(source), "spatial_extent": None, "temporal_extent": None}
    graph["zones"]["result"] = True
    start = time.perf_counter()
    result = LocalConnection(str(source.parent)).execute(graph).compute()
    print(f"compute {time.perf_counter() - start}")
    if hasattr(result, "to_dataarray"):
        result = result.to_dataarray()
    result = result.squeeze()
    numpy.save(out, result.transpose("t", *[d for d in result.dims if d != "t"]).values)


def run_exactextract(zones, folder, out):
    import numpy
    from exactextract import exact_extract
    features = json.loads(zones.read_text())["features"]
    files = [str(file) for file in sorted(folder.glob("*_B08.tif"))]
    start = time.perf_counter()
    result = exact_extract(files, features, ["mean"])
    print(f"compute {time.perf_counter() - start}")
    # Sorted by name, which begins with the date: the columns come in no order.
    rows = [[value for _, value in sorted(feature["properties"].items())] for feature in result]
    numpy.save(out, numpy.array(rows, dtype="f8").T)


def main():
    kind, what, source, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    if kind in ("xarray", "anomaly"):
        {"xarray": run_xarray, "anomaly": run_anomaly}[kind](what, source, out)
    else:
        {"dask": run_dask, "kernel": run_kernel, "zones": run_zones,
         "exactextract": run_exactextract}[kind](pathlib.Path(what), source, out)


if __name__ == "__main__":
    main()
