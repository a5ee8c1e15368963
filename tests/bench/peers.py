#!/usr/bin/env python3
"""The peers' commands, each a whole process from start to the file on disk.

    peers.py dask   GRAPH.json INPUT.nc OUT           openeo-processes-dask through openeo.local.LocalConnection
    peers.py xarray median|month INPUT OUT            xarray and dask; INPUT a netCDF file or a folder of GeoTIFFs

Two threads each, chunks as their documentation recommends for these reductions; OUT's suffix decides the format.
"""
import json
import pathlib
import re
import sys
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


def main():
    kind, what, source, out = sys.argv[1:]
    if kind == "dask":
        run_dask(pathlib.Path(what), pathlib.Path(source), pathlib.Path(out))
    else:
        run_xarray(what, pathlib.Path(source), pathlib.Path(out))


if __name__ == "__main__":
    main()
