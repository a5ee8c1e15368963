"""The judge of the official cases (conformance/compare.py) tells apart what is not the same."""

import copy
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))
from compare import difference  # noqa: E402

EXPECTED = {
    "type": "datacube", "order": ["z", "x"], "nodata": -9, "data": [[1, None], [float("nan"), 4]],
    "dimensions": {"z": {"type": "spatial", "axis": "z", "values": [0, 1], "unit": "m", "reference_system": 5773},
                   "x": {"type": "spatial", "axis": "x", "values": [5, 15], "reference_system": "EPSG:32632"}},
}
ACTUAL = {
    "type": "datacube",
    "nodata": -99,
    "crs": "EPSG:32632",
    "data": [[1, -99], [float("nan"), 4]],
    "dimensions": [
        {"name": "z", "type": "spatial", "axis": "z", "labels": [0, 1], "unit": "m", "reference_system": "EPSG:5773"},
        {"name": "x", "type": "spatial", "axis": "x", "labels": [5, 15]},
    ],
}


def test_the_same_is_the_same():
    assert difference(EXPECTED, ACTUAL, 0) == ""


def changed(path, value):
    answer = copy.deepcopy(ACTUAL)
    place = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return answer


@pytest.mark.parametrize("path, value, word", [
    (["data", 1, 0], None, "None"), (["data", 0, 1], float("nan"), "nan"), (["data", 0, 0], -99, "-99"),
    (["data", 1, 1], 5, "5"), (["crs"], "EPSG:32633", "reference_system"), (["crs"], None, "reference_system"),
    (["dimensions", 0, "unit"], "km", "unit"), (["dimensions", 0, "reference_system"], None, "reference_system"),
    (["dimensions", 1, "labels"], [5, 16], "labels"), (["dimensions", 1, "axis"], "y", "axis"),
])
def test_a_change_is_found(path, value, word):
    assert word in difference(EXPECTED, changed(path, value), 0)


def test_nan_is_missing_where_the_case_says_so():
    assert difference({**EXPECTED, "nodata": float("nan")}, changed(["data", 1, 0], None), 0) == ""
