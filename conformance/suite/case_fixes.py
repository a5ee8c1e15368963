"""Mends of those official process cases that contradict the specification, themselves or their assets: of each the
least change that makes it say what it means. defective.json gives the reasons. What is expected is written here or
computed from the suite's assets; nothing comes from a server."""

import copy
import json
import math
import pathlib

NAN = float("nan")
FIXES = {}  # (process, number of its case) -> function that changes the case


def fix(process, *numbers):
    def add(change):
        FIXES.update({(process, number): change for number in numbers})
        return change

    return add


def apply(process, number, case, tests):
    """The case as it should be; `tests` is the folder of the cases."""
    change = FIXES.get((process, number))
    if change is None:
        return case
    case = copy.deepcopy(case)
    changed = change(case, tests)
    return case if changed is None else changed


def asset(tests, name):
    import json5

    return json5.loads((pathlib.Path(tests) / "assets" / name).read_text("utf-8"))


def text(*pairs):
    """Exchanges pieces of the case as JSON; each has to be there."""

    def change(case, tests):
        written = json.dumps(case)
        for old, new in pairs:
            assert old in written, old
            written = written.replace(old, new)
        return json.loads(written)

    return change


def returns(value):
    def change(case, tests):
        case["returns"] = value

    return change


fix("aggregate_temporal", 9)(text(("2020-01-", "2020-06-")))


@fix("aggregate_temporal", 6, 7, 8)
def dates_in_june_and_rounded_means(case, tests):
    case["delta"] = 0.0051  # a half in the third digit is rounded
    return text(("2020-01-", "2020-06-"))(case, tests)


fix("aggregate_temporal", 11)(text(('"mean"', '"median"')))


@fix("aggregate_temporal", 10)
def labels_beside_the_reducer(case, tests):
    case["arguments"]["labels"] = case["arguments"]["reducer"].pop("labels")
    case["delta"] = 0.0005  # the means are rounded
    return text(("2020-01-", "2020-06-"))(case, tests)


@fix("aggregate_temporal_period", 4)
def every_hour_to_the_last(case, tests):
    cube = case["returns"]
    cube["dimensions"]["t"]["values"] = [f"2020-06-01-{hour:02}" for hour in range(5)]
    cube["data"].insert(2, [[NAN] * 4 for _ in range(3)])


@fix("aggregate_temporal_period", 5)
def days_of_the_year(case, tests):
    case["returns"]["dimensions"]["t"]["values"] = [f"2020-{day}" for day in (153, 154, 155, 156)]


@fix("aggregate_temporal_period", 9, 10)
def the_name_of_the_dimension(case, tests):
    cube = case["returns"]
    cube["order"][0] = "t2"
    cube["dimensions"]["t2"] = cube["dimensions"].pop("t")


@fix("apply", 3)
@fix("apply_dimension", 2)
@fix("reduce_dimension", 2)
def the_value_that_the_results_come_from(case, tests):
    cube = asset(tests, "xyb-minimal-int.json5")
    cube["data"][2][0][3] = 165
    case["arguments"]["data"] = cube
    return text(("from_argument", "from_node"))(case, tests) if "reducer" in case["arguments"] else None


@fix("apply_dimension", 3)
def along_time(case, tests):
    case["arguments"]["dimension"] = "t"
    dimensions = case["returns"]["dimensions"]
    case["returns"]["order"] = [dimension.pop("name") for dimension in dimensions]
    case["returns"]["dimensions"] = dict(zip(case["returns"]["order"], dimensions))


fix("array_append", 1)(returns([0]))
fix("array_apply", 9)(text(("mulitply", "multiply"), ("6.45", "-6.45")))
fix("array_element", 4)(text(("BO2", "B02")))
for number in (2, 3, 4, 5, 7):
    fix("array_filter", number)(text(('"process"', '"condition"')))
fix("array_filter", 1)(text(('"process"', '"condition"'), ('{"x": 3}', '{"x": {"from_argument": "x"}, "y": 3}')))
fix("array_filter", 6)(text(('"process"', '"condition"'), ('"subtract"', '"gt"')))
fix("array_find", 7)(returns(0))
fix("array_modify", 4)(text(('"index": 2', '"index": 2, "length": 1')))


@fix("array_filter", 4, 5)
def labelled_results(case, tests):
    case["returns"] = {"type": "labeled-array", "data": case["returns"]}
    return text(('"process"', '"condition"'))(case, tests)


@fix("count", 5, 6)
def a_graph_of_x(case, tests):
    case["arguments"]["condition"] = {"process_graph": case["arguments"]["condition"]}
    return text(('"element"', '"x"'))(case, tests)


fix("create_data_cube", 1)(text(('"data": []', '"data": null')))


@fix("filter_bands", 5)
def the_bands_that_are_asked_for(case, tests):
    red, _, blue = asset(tests, "xyb-minimal-int.json5")["data"]
    case["returns"]["dimensions"]["bands"]["values"] = ["red", "blue"]
    case["returns"]["data"] = [red, blue]


fix("lte", 16)(returns(True))


@fix("mask", 1, 2, 3)
def replaced_where_the_mask_is_not_zero(case, tests):
    mask = asset(tests, "xyb-mask.json5")
    mask["data"] = [[1 - value for value in row] for row in mask["data"]]
    case["arguments"]["mask"] = mask
    if "replacement" in case["arguments"]:
        for plane in case["returns"]["data"]:
            plane[2][2] = 255  # not masked, and no-data before
    return text(("xyb-minimal-float", "xyt-minimal-float"))(case, tests) if case["returns"]["order"][0] == "t" else None


@fix("mask_polygon", 1)
def nothing_is_inside(case, tests):
    case["returns"] = {"$ref": "assets/xyt-minimal-float.json5"}


@fix("mask_polygon", 2)
def everything_is_outside(case, tests):
    cube = asset(tests, "xyt-minimal-float.json5")
    cube["data"] = [[[NAN for _ in row] for row in plane] for plane in cube["data"]]
    case["returns"] = cube


@fix("mask_polygon", 7)
def the_last_plane_as_the_first(case, tests):
    cube = asset(tests, "xytb-s2-small-masked-inside.json5")
    first, last = cube["data"][0][0], cube["data"][-1][-1]
    for y, row in enumerate(first):
        for x, value in enumerate(row):
            if value is None or math.isnan(value):
                last[y][x] = value
    case["returns"] = cube


fix("product", 11)(returns(-math.inf))
fix("rename_dimension", 6)(text(('"order: "', '"order"')))


@fix("rename_dimension", 4, 5)
def the_dimension_that_is_renamed(case, tests):
    source, target = case["arguments"]["source"], case["arguments"]["target"]
    cube = case["returns"]
    dimensions = asset(tests, "xyt-minimal-float.json5")["dimensions"]
    cube["order"] = [target if name == source else name for name in ("t", "y", "x")]
    cube["dimensions"] = {target if name == source else name: dimensions[name] for name in ("t", "y", "x")}


fix("rename_labels", 6, 8)(text(('"source"', '"target"')))
