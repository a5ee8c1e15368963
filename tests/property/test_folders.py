"""Folders as products come in them: which dates and bands are found, and whose pixels a band holds.

Every file is two by two pixels of one value, so that a variable that hides behind another is seen.
"""

import json
import os

import numpy
import pytest
import rasterio
from rasterio.transform import from_origin

from subject import Failure

L2 = "LC08_L2SP_190026_20220601_20220608_02_T1/LC08_L2SP_190026_20220601_20220608_02_T1_"
SAFE = "S2A_MSIL2A_20220601T101559_N0400_R022_T32TPS_20220601T130000.SAFE/GRANULE/L2A_T32TPS/"
IMG, QI = SAFE + "IMG_DATA/", SAFE + "QI_DATA/"
MODIS = "MOD13Q1.A2020001.{}.061.2020020033639.250m_16_days_{}.tif"
ERA = "{}_C3S-glob-agric_AgERA5_2020010{}_final-v1.1.tif"
EEARS = "MOD11A1.061_{}_doy2020{}_aid0001.tif"

FOLDERS = {
    "landsat": (
        [L2 + name + ".TIF" for name in ("SR_B4", "SR_B5", "ST_B10", "QA_PIXEL", "QA_RADSAT", "SR_QA_AEROSOL", "ST_QA",
                                         "ST_CDIST", "ST_EMIS")],
        ["B4", "B5", "B10", "QA_PIXEL", "QA_RADSAT", "SR_QA_AEROSOL", "ST_QA", "CDIST", "EMIS"], ["2022-06-01"]),
    "safe": (
        [IMG + f"R10m/T32TPS_20220601T101559_{band}_10m.tif" for band in ("B04", "AOT")]
        + [IMG + f"R20m/T32TPS_20220601T101559_{band}_20m.tif" for band in ("B04", "SCL", "AOT")]
        + [QI + "MSK_DETFOO_B04.tif", QI + "MSK_CLDPRB_20m.tif"],
        ["AOT", "B04", "CLDPRB", "MSK_DETFOO_B04", "SCL"], ["2022-06-01"]),
    "sentinel-1": (
        ["s1a-iw-grd-vv-20240123t084748-20240123t084813-052230-065043-001.tiff",
         "s1a-iw-grd-vh-20240123t084748-20240123t084813-052230-065043-002.tiff"], ["vv", "vh"], ["2024-01-23"]),
    "modis": (
        [MODIS.format(tile, band) for tile in ("h18v04", "h19v04") for band in ("NDVI", "EVI", "pixel_reliability")],
        ["EVI", "NDVI", "reliability"], ["2020-01-01"]),
    "modis brdf": (
        [f"MCD43A4.A2020001.h18v04.061.{band}_Band1.tif" for band in ("Nadir_Reflectance", "Mandatory_Quality")],
        ["Nadir_Reflectance", "Mandatory_Quality"], ["2020-01-01"]),
    "agera5": (
        [ERA.format(band, day) for day in (1, 2) for band in ("Temperature-Air-2m-Mean-24h", "Precipitation-Flux")],
        ["Temperature-Air-2m-Mean-24h", "Precipitation-Flux"], ["2020-01-01", "2020-01-02"]),
    "appeears": (
        [EEARS.format(band, day) for day in (101, 102) for band in ("LST_Day_1km", "QC_Day", "Emis_31")],
        ["LST", "QC_Day", "Emis_31"], ["2020-04-10", "2020-04-11"]),
    "indices": (
        [f"S2_{index}_{what}_2020010{day}.tif" for day in (1, 2) for index in ("NDVI", "EVI") for what in ("mean",
                                                                                                           "max")],
        ["EVI_max", "EVI_mean", "NDVI_max", "NDVI_mean"], ["2020-01-01", "2020-01-02"]),
    "uneven": (
        ["precip_mean_20200101.tif", "temp_mean_20200101.tif", "precip_mean_20200102.tif", "precip_max_20200102.tif"],
        ["precip_mean", "precip_max", "temp_mean"], ["2020-01-01", "2020-01-02"]),
    "months in an order": (["order_20230105/rain_202206.tif", "order_20230105/rain_202207.tif"], ["rain"],
                           ["2022-06-01", "2022-07-01"]),
    "a folder with the day": (["2022-06-15/rain_2022-06.tif"], ["rain"], ["2022-06-15"]),
    "a folder with the date": (["20220615/B04.tif", "20220620/B04.tif"], ["B04"], ["2022-06-15", "2022-06-20"]),
    "levels": (["t_1_20200101.tif", "t_2_20200101.tif"], ["1", "2"], ["2020-01-01"]),
}


def place(name):
    """Corner and pixel size of a file: by its tile and resolution."""
    west = 500000.0 + (40.0 if "h19v04" in name else 0.0)
    return west, 5000000.0, 20.0 if "10m" not in name else 10.0


def write(path, value, corner):
    west, north, res = corner
    path.parent.mkdir(parents=True, exist_ok=True)
    side = round(40 / res)
    with rasterio.open(path, "w", driver="GTiff", count=1, height=side, width=side, dtype="int16", crs="EPSG:32632",
                       transform=from_origin(west, north, res, res), nodata=-1) as file:
        file.write(numpy.full((side, side), value, "int16"), 1)


def load(subject, name, **arguments):
    arguments = {"id": name, "spatial_extent": None, "temporal_extent": None, **arguments}
    document = json.loads(subject.run({"load": {"process_id": "load_collection", "arguments": arguments,
                                                "result": True}}))
    labels = {dimension["name"]: dimension["labels"] for dimension in document["dimensions"]}
    return labels, numpy.array(document["data"], dtype=float)


@pytest.mark.parametrize("product", FOLDERS)
def test_products_have_their_bands_and_dates(subject, tmp_path, product):
    names, bands, dates = FOLDERS[product]
    for value, name in enumerate(names):
        write(tmp_path / "in" / name, value, place(name))
    name = product.replace(" ", "_")
    subject.add(name, tmp_path / "in")
    labels, data = load(subject, name)
    assert sorted(labels["bands"]) == sorted(bands)
    assert [label[:10] for label in labels["t"]] == dates
    coarse = {value for value, n in enumerate(names) if n.replace("_20m", "_10m").replace("R20m", "R10m") in names
              and "_20m" in n}  # the finest of a scene's bands is taken
    assert set(numpy.unique(data[~numpy.isnan(data)])) == set(range(len(names))) - coarse


@pytest.mark.parametrize("bands, box", [(None, None), (["B04"], None), (["SCL"], None), (["B04"], 1), (None, 1)])
def test_labels_do_not_depend_on_what_is_loaded(subject, tmp_path, bands, box):
    for value, name in enumerate(("20220601T101559_T1_B04", "20220601T101613_T2_B04", "20220601T101613_T2_SCL")):
        write(tmp_path / "in" / f"{name}.tif", value, (500000.0 + 40 * ("T2" in name), 5000000.0, 20.0))
    subject.add("labels", tmp_path / "in")
    extent = {"west": 500041, "east": 500079, "south": 4999961, "north": 4999999, "crs": 32632} if box else None
    labels, _ = load(subject, "labels", spatial_extent=extent, **({"bands": bands} if bands else {}))
    assert labels["t"] == ["2022-06-01T10:15:59Z"]


@pytest.mark.parametrize("start, end, found",
                         [("21:42", "21:45", {2}), ("21:40", "21:42", {1}), ("21:41", "21:44", {1, 2}),
                                               ("21:00", "21:43", {1})])
def test_an_interval_within_a_day_takes_scenes_by_their_time(subject, tmp_path, start, end, found):
    for value, minute in ((1, 41), (2, 43)):
        write(tmp_path / "in" / f"20231231T21{minute}00_T{value}_LST.tif", value,
              (500000.0 + 40 * value, 5000000.0, 20.0))
    subject.add("minutes", tmp_path / "in")
    interval = [f"2023-12-31T{start}:00Z", f"2023-12-31T{end}:00Z"]
    graph = {"load": {"process_id": "load_collection", "arguments": {"id": "minutes", "spatial_extent": None,
                                                                     "temporal_extent": interval}},
             "again": {"process_id": "filter_temporal",
                       "arguments": {"data": {"from_node": "load"}, "extent": interval},
                       "result": True}}
    document = json.loads(subject.run(graph))
    data = numpy.array(document["data"], dtype=float)
    assert set(numpy.unique(data[~numpy.isnan(data)])) == found


def test_extents_may_be_left_out(subject, tmp_path):
    write(tmp_path / "in" / "20200101_B04.tif", 7, (500000.0, 5000000.0, 20.0))
    subject.add("spared", tmp_path / "in", "--title", "Spared", "--licence", "CC-BY-4.0", "--keyword", "a", "--keyword",
                "b", "--provider", "Us=https://example.org")
    document = json.loads(subject.run({"load": {"process_id": "load_collection", "arguments": {"id": "spared"},
                                                "result": True}}))
    assert set(numpy.ravel(document["data"])) == {7}


def test_a_property_that_no_scene_has_is_named(subject, tmp_path):
    write(tmp_path / "in" / "20200101_B04.tif", 7, (500000.0, 5000000.0, 20.0))
    subject.add("bare", tmp_path / "in")
    less = {"process_graph": {"lte": {"process_id": "lte", "arguments": {"x": {"from_parameter": "value"}, "y": 20},
                                      "result": True}}}
    with pytest.raises(Failure, match="'eo:cloud_cover'") as failure:
        load(subject, "bare", properties={"eo:cloud_cover": less})
    assert failure.value.code == "NoDataAvailable"


def test_what_is_no_file_of_the_folder_is_left_out(subject, tmp_path):
    """Links, FIFOs, loops and names of other encodings do not end the scan, nor come in; --follow takes the links."""
    write(tmp_path / "in" / "20200101_B04.tif", 1, (500000.0, 5000000.0, 20.0))
    write(tmp_path / "away" / "20200102_B04.tif", 2, (500000.0, 5000000.0, 20.0))
    write(tmp_path / "in" / "sub" / "20200103_B04.tif", 3, (500000.0, 5000000.0, 20.0))
    (tmp_path / "in" / "20200102_B04.tif").symlink_to(tmp_path / "away" / "20200102_B04.tif")
    (tmp_path / "in" / "loop").symlink_to("/proc/self")
    (tmp_path / "in" / "20200105_B04.tif").symlink_to(tmp_path / "in" / "20200101_B04.tif")
    os.mkfifo(tmp_path / "in" / "20200104_B04.tif")
    os.rename(tmp_path / "in" / "sub", os.fsencode(tmp_path / "in") + b"/\xff")
    subject.add("plain", tmp_path / "in")
    assert [label[:10] for label in load(subject, "plain")[0]["t"]] == ["2020-01-01"]
    subject.add("followed", tmp_path / "in", "--follow")
    assert [label[:10] for label in load(subject, "followed")[0]["t"]] == ["2020-01-01", "2020-01-05"]
