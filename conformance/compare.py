"""Comparing a result with what a case expects, by the suite's rules.

Numbers agree within delta, absolute or relative; NaN agrees with NaN and null with null; a boolean may come as 1 or 0.
Cubes agree in the names, order, types, labels, units and reference systems of their dimensions (those that the case
states) and in their data, where null and the no-data value are the same; NaN is another, unless it is the case's
no-data value. Labelled arrays come back as plain arrays: their values are compared.
"""

import math
from datetime import datetime, timezone


def difference(expected, actual, delta):
    """"" where the values agree, else the first difference in words."""
    if isinstance(expected, dict) and expected.get("type") == "datacube":
        return _cube_difference(expected, actual, delta)
    if isinstance(expected, dict) and expected.get("type") == "labeled-array":
        expected = [item["value"] for item in expected["data"]]
    if isinstance(expected, list):
        return _list_difference(expected, actual, delta)
    if isinstance(expected, dict):
        if not isinstance(actual, dict) or set(expected) != set(actual):
            return f"{_short(actual)} instead of {_short(expected)}"
        found = (difference(value, actual[key], delta) for key, value in expected.items())
        return next((text for text in found if text), "")
    return "" if _same(expected, actual, delta) else f"{_short(actual)} instead of {_short(expected)}"


def _same(expected, actual, delta):
    if expected is None or actual is None:
        return expected is actual
    if isinstance(expected, bool):
        return isinstance(actual, (bool, int, float)) and actual == int(expected)
    if isinstance(expected, (int, float)):
        return not isinstance(actual, bool) and isinstance(actual, (int, float)) and _close(expected, actual, delta)
    if isinstance(expected, str) and isinstance(actual, str):
        return expected == actual or (_instant(expected) is not None and _instant(expected) == _instant(actual))
    return expected == actual


def _close(expected, actual, delta):
    if math.isnan(expected) or math.isnan(actual):
        return math.isnan(expected) and math.isnan(actual)
    if math.isinf(expected) or math.isinf(actual):
        return expected == actual
    return abs(expected - actual) <= delta * max(1.0, abs(expected))


def _instant(text):
    """A date or date-time as an instant; None for other texts."""
    if len(text) < 10 or text[4] != "-":
        return None
    try:
        instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def _short(value):
    text = repr(value)
    return text if len(text) <= 90 else text[:87] + "..."


def _list_difference(expected, actual, delta):
    if not isinstance(actual, list):
        return f"{_short(actual)} instead of an array"
    if len(expected) != len(actual):
        return f"{len(actual)} elements instead of {len(expected)}: {_short(actual)}"
    for index, (wanted, got) in enumerate(zip(expected, actual)):
        text = difference(wanted, got, delta)
        if text:
            return f"[{index}] {text}"
    return ""


def _cube_difference(expected, actual, delta):
    if not isinstance(actual, dict) or "dimensions" not in actual:
        return f"{_short(actual)} instead of a data cube"
    dimensions = actual["dimensions"]
    names = [dimension["name"] for dimension in dimensions]
    if names != expected["order"]:
        return f"dimensions {names} instead of {expected['order']}"
    for dimension in dimensions:
        if dimension.get("axis") in ("x", "y"):
            dimension = {"reference_system": actual.get("crs"), **dimension}
        text = _dimension_difference(expected["dimensions"][dimension["name"]], dimension, delta)
        if text:
            return f"dimension {dimension['name']}: {text}"
    if expected.get("data") is None:
        return ""
    if not names and expected["data"] == []:  # the one value of a cube without dimensions is not there
        expected = {**expected, "data": None}
    text = _data_difference(expected["data"], actual["data"], (expected.get("nodata"), actual.get("nodata")), delta)
    return f"data {text}" if text else ""


def _dimension_difference(expected, actual, delta):
    for key in ("type", "axis", "unit"):
        if key in expected and expected[key] != actual.get(key):
            return f"{key} {actual.get(key)} instead of {expected[key]}"
    systems = [_reference_system(dimension.get("reference_system")) for dimension in (expected, actual)]
    if "reference_system" in expected and systems[0] != systems[1]:
        return f"reference_system {systems[1]} instead of {systems[0]}"
    labels = actual["labels"] if "labels" in actual else actual.get("values")
    text = difference(expected.get("values", []), labels, delta)
    return f"labels {text}" if text else ""


def _reference_system(value):
    """An EPSG code in one form, other texts as they are."""
    return f"EPSG:{value}" if isinstance(value, int) else value.upper() if isinstance(value, str) else value


def _is_missing(value, nodata):
    if value is None or nodata is None or isinstance(value, bool):
        return value is None
    return value == nodata or (value != value and nodata != nodata)


def _data_difference(expected, actual, nodata, delta):
    if not isinstance(expected, list):
        if _is_missing(expected, nodata[0]) or _is_missing(actual, nodata[1]):
            both = _is_missing(expected, nodata[0]) and _is_missing(actual, nodata[1])
            return "" if both else f"{actual!r} instead of {expected!r}"
        return "" if _same(expected, actual, delta) else f"{actual!r} instead of {expected!r}"
    if not isinstance(actual, list) or len(actual) != len(expected):
        return f"{_short(actual)} instead of {len(expected)} elements"
    for index, (wanted, got) in enumerate(zip(expected, actual)):
        text = _data_difference(wanted, got, nodata, delta)
        if text:
            return f"[{index}]{'' if text.startswith('[') else ' '}{text}"
    return ""
