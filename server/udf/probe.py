"""What an interpreter is: its version, a line of JSON for /udf_runtimes, and the folders and files that it reads.

A first line that begins with "!" says instead why it runs no scripts.
"""
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import sysconfig

NEEDED = ["numpy", "pandas", "xarray"]
TOLD = NEEDED + ["openeo", "scipy", "shapely", "geopandas", "pyproj", "rasterio", "netCDF4", "dask", "numba",
                 "scikit-learn", "scikit-image", "statsmodels", "torch", "onnxruntime"]

missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
if missing:
    print("!it lacks " + ", ".join(missing))
    sys.exit(0)
libraries = {}
for name in TOLD:
    try:
        libraries[name] = {"version": importlib.metadata.version(name)}
    except importlib.metadata.PackageNotFoundError:
        pass
version = platform.python_version()
short = ".".join(version.split(".")[:2])
print(version)
print(json.dumps({"title": f"Python {short}", "description": "Functions as the module openeo.udf describes them: "
                  "apply_datacube, apply_timeseries, apply_vectorcube, apply_udf_data, and apply_metadata.",
                  "type": "language", "default": short,
                  "versions": {"3": {"libraries": libraries}, short: {"libraries": libraries},
                               version: {"libraries": libraries}}}))
print(os.path.realpath(sys.executable))
print(sys.executable)
paths = {*sys.path, sys.prefix, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"),
         sysconfig.get_config_var("LIBDIR")}
for path in sorted(path for path in paths if path and path not in ("/", "/home", "/root", "/etc")):
    print(path)
