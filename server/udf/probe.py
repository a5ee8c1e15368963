"""What an interpreter is: its version, a line of JSON for /udf_runtimes, and the folders and files that it reads.

A first line that begins with "!" says instead why it runs no scripts.
"""
import importlib.util
import json
import os
import re
import sys
import sysconfig

NEEDED = ["numpy", "pandas", "xarray"]
TOLD = NEEDED + ["openeo", "scipy", "shapely", "geopandas", "pyproj", "rasterio", "netCDF4", "dask", "numba",
                 "scikit-learn", "scikit-image", "statsmodels", "torch", "onnxruntime"]

missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
if missing:
    print("!it lacks " + ", ".join(missing))
    sys.exit(0)
# The server's start waits for this, so versions come from the names of folders of metadata: to import what reads these
# takes longer than all the rest.
found = {}
for folder in sys.path:
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        match = re.fullmatch(r"([^-]+)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info", name)
        if match:
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
libraries = {name: {"version": found[name.lower()]} for name in TOLD if name.lower() in found}
version = sys.version.split()[0]
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
