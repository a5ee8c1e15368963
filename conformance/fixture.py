"""Makes the two collections that openeo-test-suite asks for, as folders of GeoTIFFs.

  SENTINEL2_L2A   bands B02 B03 B04 B08 SCL, EPSG:32632, 10 m, a scene every five days of June 2022
  CGLS_SSM_1KM    band B01, EPSG:4326, about 1 km around Vienna, one scene a month of 2020

and TMMX, band tmmx, EPSG:4326, one scene of July 2017, for the JavaScript client's own tests.

The values are a smooth field with noise: raw digital numbers; NDVI lies on both sides of 0.75.
usage: make_fixture.py FOLDER
"""

import pathlib
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin

S2_DATES = ["20220602", "20220607", "20220612", "20220617", "20220622", "20220627"]
SSM_DATES = [f"2020{month:02d}11" for month in range(1, 13)]


def write(path, data, transform, crs, nodata):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=data.shape[0],
        width=data.shape[1],
        count=1,
        dtype=data.dtype,
        crs=crs,
        transform=transform,
        nodata=nodata,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
    ) as out:
        out.write(data, 1)


def sentinel2(folder):
    rng = np.random.default_rng(1)
    west, north, width, height = 679000, 5152600, 300, 300
    transform = from_origin(west, north, 10, 10)
    y, x = np.mgrid[0:height, 0:width]
    for index, date in enumerate(S2_DATES):
        green = 0.5 + 0.45 * np.sin(x / 9.0 + index) * np.cos(y / 11.0)  # 0.05 .. 0.95: bare to lush
        noise = rng.normal(0, 30, (5, height, width))
        bands = {
            "B02": 350 + 250 * (1 - green) + noise[0],
            "B03": 500 + 300 * (1 - green) + noise[1],
            "B04": 250 + 1500 * (1 - green) + noise[2],
            "B08": 1800 + 3000 * green + noise[3],
        }
        for name, values in bands.items():
            write(
                folder / f"T32TPS_{date}_{name}_10m.tif",
                np.clip(values, 1, 10000).astype("uint16"),
                transform,
                "EPSG:32632",
                0,
            )
        scl = np.where(noise[4] > 60, 9, np.where(green > 0.4, 4, 5)).astype("uint8")
        write(folder / f"T32TPS_{date}_SCL_10m.tif", scl, transform, "EPSG:32632", 0)


def soil_moisture(folder):
    rng = np.random.default_rng(2)
    transform = from_origin(16.0, 48.5, 1 / 112, 1 / 112)
    for date in SSM_DATES:
        write(
            folder / f"SSM1km_{date}_B01.tif",
            rng.integers(0, 200, (112, 112)).astype("uint8"),
            transform,
            "EPSG:4326",
            255,
        )


def temperature(folder):
    rng = np.random.default_rng(3)
    values = rng.integers(-100, 400, (64, 64)).astype("int16")
    write(folder / "T_20170715_tmmx.tif", values, from_origin(-120.0, 50.0, 1 / 24, 1 / 24), "EPSG:4326", -32768)


COLLECTIONS = {"SENTINEL2_L2A": sentinel2, "CGLS_SSM_1KM": soil_moisture}
# What the JavaScript client's own tests ask for by name, and of which folder it is made here.
OF_JAVASCRIPT = {"AAFC/ACI": "CGLS_SSM_1KM", "COPERNICUS/DEM/GLO30": "TMMX"}


def make(root):
    for name, scenes in {**COLLECTIONS, "TMMX": temperature}.items():
        if not (root / name).exists():
            scenes(root / name)


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]))
