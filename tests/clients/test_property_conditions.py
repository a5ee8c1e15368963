"""load_collection by conditions on properties: which scenes come is what plain Python says of the same properties,
whether the index can be asked or each scene is looked at."""

import json
import subprocess

import numpy as np
import pytest
import xarray

from conftest import BINARY, twincube
from test_load_stac import asset, item, raster, write

SCENES = [{"eo:cloud_cover": 8 * day, "platform": ["a", "b%x", "B_x"][day % 3], "level": [1, "1", None, 2.5][day % 4]}
          for day in range(12)]
del SCENES[5]["level"], SCENES[7]["eo:cloud_cover"]
VALUE = {"from_parameter": "value"}


def number(found):
    return isinstance(found, (int, float))


def one(process, **arguments):
    return {"c": {"process_id": process, "arguments": arguments, "result": True}}


def two(process, first, second):
    both = {"x": {"from_node": "a"}, "y": {"from_node": "b"}}
    return {"a": {"process_id": first[0], "arguments": first[1]},
            "b": {"process_id": second[0], "arguments": second[1]},
            "c": {"process_id": process, "result": True, "arguments": both}}


# conditions, and what they accept
CASES = [
    ({"eo:cloud_cover": one("lt", x=VALUE, y=40)}, lambda p: p.get("eo:cloud_cover", 99) < 40),
    ({"eo:cloud_cover": one("gte", x=40, y=VALUE)}, lambda p: p.get("eo:cloud_cover", 99) <= 40),
    ({"level": one("eq", x=VALUE, y=1)}, lambda p: p.get("level") == 1),
    ({"level": one("eq", x=VALUE, y="1")}, lambda p: p.get("level") == "1"),
    ({"level": one("neq", x=VALUE, y=1)}, lambda p: p.get("level") is not None and p["level"] != 1),
    ({"platform": one("eq", x=VALUE, y="B%X", case_sensitive=False)}, lambda p: p["platform"].upper() == "B%X"),
    ({"platform": one("text_begins", data=VALUE, pattern="b%")}, lambda p: p["platform"].startswith("b%")),
    ({"platform": one("array_contains", data=["a", "B_x"], value=VALUE)}, lambda p: p["platform"] in ("a", "B_x")),
    ({"level": one("between", x=VALUE, min=1, max=2.5, exclude_max=True)},
     lambda p: number(p.get("level")) and 1 <= p["level"] < 2.5),
    ({"eo:cloud_cover": two("or", ("lt", {"x": VALUE, "y": 10}), ("gt", {"x": VALUE, "y": 70}))},
     lambda p: not 10 <= p.get("eo:cloud_cover", 50) <= 70),
    ({"eo:cloud_cover": two("and", ("gt", {"x": VALUE, "y": 10}), ("neq", {"x": VALUE, "y": 16})),
      "platform": one("eq", x=VALUE, y="a")},
     lambda p: p["platform"] == "a" and p.get("eo:cloud_cover", 0) > 10 and p["eo:cloud_cover"] != 16),
    ({"id": one("eq", x=VALUE, y="scene 4")}, lambda p: p["eo:cloud_cover"] == 32 if "eo:cloud_cover" in p else False),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditions")
    raster(folder / "x.tif", np.ones((4, 4), "uint8"))
    items = [item(f"scene {day}", {"B1": asset("x.tif", "B1")}, f"2020-01-{day + 1:02}T00:00:00Z", **properties)
             for day, properties in enumerate(SCENES)]
    url = write(folder / "items.json", {"type": "FeatureCollection", "features": items})
    twincube("catalogue", "add", "--id", "c", url, "--data", folder / "data")
    return folder / "data"


def run(folder, data, conditions, **arguments):
    properties = {name: {"process_graph": graph} for name, graph in conditions.items()}
    (folder / "graph.json").write_text(json.dumps({
        "load": {"process_id": "load_collection", "arguments": {
            "id": "c", "spatial_extent": None, "temporal_extent": None, "properties": properties, **arguments}},
        "save": {"process_id": "save_result", "result": True,
                 "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}}))
    return subprocess.run([BINARY, "run", folder / "graph.json", "--data", data, "-o", folder / "out.nc"],
                          capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number_of_case", range(len(CASES)))
def test_scenes_are_those_that_python_chooses(tmp_path, data, number_of_case):
    conditions, accepts = CASES[number_of_case]
    done = run(tmp_path, data, conditions)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc") as file:
        days = [int(str(date)[8:10]) - 1 for date in np.atleast_1d(file["t"].values.astype("datetime64[D]"))]
    expected = [day for day, properties in enumerate(SCENES) if accepts(properties)]
    assert days == expected and 0 < len(expected) < len(SCENES)


def test_why_nothing_is_left_is_told(tmp_path, data):
    box = {"west": 499000, "east": 501000, "south": 4999000, "north": 5001000, "crs": 32632}
    none = run(tmp_path, data, {"eo:cloud_cover": one("gt", x=VALUE, y=1000)}, spatial_extent=box)
    assert none.returncode == 1 and "NoDataAvailable" in none.stderr and "has the property" not in none.stderr
    absent = run(tmp_path, data, {"nothing": one("gt", x=VALUE, y=1)}, spatial_extent=box)
    assert "NoDataAvailable" in absent.stderr and "no scene of collection 'c'" in absent.stderr
    assert "has the property 'nothing'" in absent.stderr
