#!/usr/bin/env python3
"""The peers' commands, each a whole process from start to the file on disk.

    peers.py dask   GRAPH.json INPUT.nc OUT           openeo-processes-dask through openeo.local.LocalConnection
    peers.py xarray|flox|odc median|month|evi INPUT OUT
                                                      xarray and dask; INPUT a netCDF file, Zarr store or folder of
                                                      GeoTIFFs; flox: grouping by it; odc: the folder's COGs by odc-stac
    peers.py load   - FOLDER OUT.nc                   odc-stac: all COGs in memory; nothing is written
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
    graph["load"]["arguments"] |= {"id": str(source), "spatial_extent": None, "temporal_extent": None}
    graph["time"]["result"] = True
    save(LocalConnection(str(source.parent)).execute(graph).compute(), out)


def open_geotiffs(folder, names):
    import pandas
    import rioxarray
    import xarray
    bands = {}
    for name in names:
        files = sorted(folder.glob(f"*_{name}.tif"))
        times = pandas.to_datetime([re.search(r"_(\d{8})_", f.name)[1] for f in files])
        planes = [rioxarray.open_rasterio(f, chunks={"y": 512, "x": 512}, masked=True).squeeze("band", drop=True)
                  for f in files]
        bands[name] = xarray.concat(planes, dim=pandas.Index(times, name="t"))
    return bands


def open_items(folder, names, chunks):
    """COGs named NAME_<YYYYMMDD>_<band>.tif through odc-stac."""
    import datetime

    import numpy
    import odc.stac
    import pystac
    import rasterio
    from rasterio.warp import transform_bounds
    items = []
    for first in sorted(folder.glob(f"*_{names[0]}.tif")):
        with rasterio.open(first) as file:
            box, crs = list(transform_bounds(file.crs, "EPSG:4326", *file.bounds)), file.crs.to_epsg()
            shape, transform = list(file.shape), list(file.transform)[:6]
        west, south, east, north = box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        day = datetime.datetime.strptime(first.name.split("_")[1], "%Y%m%d")
        item = pystac.Item(first.stem, geometry={"type": "Polygon", "coordinates": [ring]}, bbox=box, datetime=day,
                           properties={"proj:code": f"EPSG:{crs}"},
                           stac_extensions=["https://stac-extensions.github.io/projection/v2.0.0/schema.json"])
        for name in names:
            path = first.with_name(first.name.replace(names[0], name))
            item.add_asset(name, pystac.Asset(str(path), roles=["data"], media_type=pystac.MediaType.COG,
                                              extra_fields={"proj:shape": shape, "proj:transform": transform}))
        items.append(item)
    data = odc.stac.load(items, bands=list(names), chunks=chunks, **({} if chunks else {"pool": 2})).rename(time="t")
    return data.where(data != 0).astype(numpy.float32) if chunks else data


def run_load(_, folder, __):
    start = time.perf_counter()
    data = open_items(folder, ("B04", "B08"), None)
    print(f"compute {time.perf_counter() - start}", f"{data.nbytes} bytes", sep="\n")


def opened(how, task, source):
    import xarray
    names = ("B02", "B04", "B08", "SCL") if task == "evi" else ("B04", "B08")
    if how == "odc":
        return open_items(source, names, {"x": 512, "y": 512})
    if source.suffix in (".nc", ".zarr"):
        return xarray.open_dataset(source, chunks={"t": -1, "y": 512, "x": 512}, decode_coords="all")
    return open_geotiffs(source, names)


def run_xarray(how, task, source, out):
    import dask
    import xarray
    dask.config.set(scheduler="threads", num_workers=2)
    xarray.set_options(use_flox=how == "flox")
    data = opened(how, task, source)
    red, nir = data["B04"], data["B08"]
    if task == "evi":
        evi = 2.5 * (nir - red) / (nir + 6 * red - 7.5 * data["B02"] + 10000)
        result = evi.where(~data["SCL"].isin([3, 8, 9])).max("t")
    elif task == "median":
        result = ((nir - red) / (nir + red)).chunk({"t": -1}).median("t", skipna=True)
    else:
        result = ((nir - red) / (nir + red)).resample(t="MS").mean()
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
    groups = data.groupby("t.month")
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
    if kind in ("xarray", "flox", "odc"):
        run_xarray(kind, what, source, out)
    elif kind == "anomaly":
        run_anomaly(what, source, out)
    else:
        {"dask": run_dask, "load": run_load, "kernel": run_kernel, "zones": run_zones,
         "exactextract": run_exactextract}[kind](pathlib.Path(what), source, out)


if __name__ == "__main__":
    main()
