"""Searches and items that are made to be expensive: each is answered with a clear error, or soon, while others are
served as before. Shapes that cross themselves are compared with shapely's own repair."""

import json
import math
import random
import threading

import pytest
import requests
import shapely

from test_stac_edit import api, collection, item, server  # noqa: F401 (fixtures)


@pytest.fixture(name="filled", scope="module")
def filled_fixture(server):  # noqa: F811
    """The editor's API, with a collection of 200 items in a raster of boxes of one degree."""
    editor = server[0]
    editor("POST", "/collections", 201, collection("boxes"))
    items = {}
    for i in range(200):
        x, y = i % 20 - 10, i // 20 - 5
        ring = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]
        items[f"b{i}"] = item(f"b{i}", "boxes", bbox=[x, y, x + 1, y + 1],
                              geometry={"type": "Polygon", "coordinates": [ring]})
    editor("POST", "/collections/boxes/bulk_items", 200, {"items": items, "method": "insert"})
    return editor


def star(points, radius=8):
    """A ring whose edges all cross each other."""
    numbers = random.Random(points)
    ring = [[round(numbers.uniform(-radius, radius), 5) for _ in "xy"] for _ in range(points)]
    return [*ring, ring[0]]


def petals(count):
    """A ring that comes back to one point again and again."""
    at = [[8 * math.cos(math.pi * i / count), 8 * math.sin(math.pi * i / count)] for i in range(2 * count)]
    return [place for i in range(count) for place in ([0, 0], at[2 * i], at[2 * i + 1])] + [[0, 0]]


def intersects(ring):
    return {"collections": ["boxes"], "limit": 1000, "intersects": {"type": "Polygon", "coordinates": [ring]}}


def onion(count):
    """Squares around each other, none of which meet."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return {"collections": ["boxes"], "limit": 1000, "intersects": {"type": "MultiPolygon", "coordinates": [
        [[[x * i / count, y * i / count] for x, y in corners]] for i in range(1, count + 1)]}}


def condition(ring):
    return {"collections": ["boxes"], "limit": 1000, "filter-lang": "cql2-json", "filter": {
        "op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [ring]}]}}


DEEP = 10000
HOSTILE = {
    "parentheses": ({"filter": "(" * DEEP + "id='a'" + ")" * DEEP, "filter-lang": "cql2-text"}, 400, "FilterInvalid"),
    "negations": ({"filter": "NOT " * DEEP + "id='a'", "filter-lang": "cql2-text"}, 400, "FilterInvalid"),
    "sums": ({"filter": "1" + "+1" * DEEP + "=n", "filter-lang": "cql2-text"}, 400, "FilterInvalid"),
    "functions": ({"filter": "CASEI(" * DEEP + "id" + ")" * DEEP + "='a'", "filter-lang": "cql2-text"}, 400,
                  "FilterInvalid"),
    "shapes in shapes": ({"filter": "S_INTERSECTS(geometry," + "GEOMETRYCOLLECTION(" * DEEP + "POINT(0 0)" +
                          ")" * DEEP + ")", "filter-lang": "cql2-text"}, 400, "FilterInvalid"),
    "conditions in a row": ({"filter": " AND ".join(["id<>'a'"] * 50000), "filter-lang": "cql2-text"}, 400,
                            "FilterInvalid"),
    "a tree": ('{"filter-lang":"cql2-json","filter":' + '{"op":"not","args":[' * DEEP + "true" + "]}" * DEEP + "}", 400,
               "RequestBodyInvalid"),
    "a list": ({"filter-lang": "cql2-json", "filter": {"op": "in", "args": [{"property": "n"}, [*range(100000)]]}}, 400,
               "FilterInvalid"),
    "a long list": ({"filter-lang": "cql2-json", "filter": {"op": "in", "args": [{"property": "n"}, [*range(10**6)]]}},
                    413, "ContentTooLarge"),
    "a pattern": ({"filter": "id LIKE '" + "%a" * 5000 + "b'", "filter-lang": "cql2-text"}, 400, "FilterInvalid"),
    "many fields": ({"fields": {"include": [f"properties.p{i}" for i in range(50000)]}}, 400, "QueryParameterInvalid"),
    "a field in fields": ({"fields": {"include": ["a." * 100000 + "b"]}}, 400, "QueryParameterInvalid"),
    "much sorting": ({"sortby": [{"field": f"p{i}", "direction": "asc"} for i in range(20000)]}, 400,
                     "QueryParameterInvalid"),
    "many ids": ({"ids": [f"i{i}" for i in range(90000)]}, 400, "QueryParameterInvalid"),
    "a box": ({"bbox": [1] * 200000}, 400, "QueryParameterInvalid"),
    "a token": ({"token": "A" * 500000}, 400, "QueryParameterInvalid"),
    "positions": (intersects([[i, 1] for i in range(10**5)]), 413, "ContentTooLarge"),
    "a star": (intersects(star(500)), 400, "QueryParameterInvalid"),
    "petals": (intersects(petals(300)), 400, "QueryParameterInvalid"),
    "an onion": (onion(4000), 400, "QueryParameterInvalid"),
    "a star of a filter": (condition(star(500)), 400, "FilterInvalid"),
    "a long star": (condition(star(20000)), 400, "FilterInvalid"),
}


@pytest.fixture(name="other")
def other_fixture(server):  # noqa: F811
    """Somebody else, who searches all the time and must be served."""
    stop, answers = threading.Event(), []

    def search():
        with requests.Session() as session:
            while not stop.is_set():
                answers.append(session.get(server[1].url + "/search?limit=1", timeout=30).status_code)

    thread = threading.Thread(target=search)
    thread.start()
    yield
    stop.set()
    thread.join()
    assert answers and set(answers) == {200}


@pytest.mark.parametrize("name", HOSTILE)
def test_searches_that_cost_too_much_are_refused(filled, other, name):  # noqa: F811
    body, status, code = HOSTILE[name]
    text = body if isinstance(body, str) else json.dumps(body)
    assert filled("POST", "/search", status, data=text).json()["code"] == code


@pytest.mark.parametrize("ask", [intersects, condition])
@pytest.mark.parametrize("ring", [star(5), star(9), petals(6), [[-9, -4], [9, 4], [9, -4], [-9, 4], [-9, -4]]],
                         ids=["star 5", "star 9", "petals", "a bow tie"])
def test_shapes_that_cross_themselves_a_little_are_repaired(filled, ask, ring):
    shape = shapely.make_valid(shapely.Polygon(ring))
    expected = {f["id"] for f in filled("POST", "/search", 200, {"collections": ["boxes"], "limit": 1000}).json()[
        "features"] if shapely.intersects(shape, shapely.geometry.shape(f["geometry"]))}
    found = {f["id"] for f in filled("POST", "/search", 200, ask(ring)).json()["features"]}
    assert found == expected and 0 < len(found) < 200


ASSETS = {f"a{i}": {"href": f"https://example.org/{i}.tif"} for i in range(100000)}
ITEMS = {
    "digits": (json.dumps(item("x", "boxes", own=0)).replace('"own": 0', '"own": ' + "1" * 10**7), 400, "StacInvalid"),
    "a number too large": (json.dumps(item("x", "boxes", own=0)).replace('"own": 0', '"own": 1e999999'), 400,
                           "StacInvalid"),
    "assets": (json.dumps(item("x", "boxes", assets=ASSETS)), 400, "StacInvalid"),
    "links": (json.dumps(item("x", "boxes", links=[{"rel": "x", "href": "y"}] * 100000)), 400, "StacInvalid"),
    "depth": (json.dumps(item("x", "boxes", own=0)).replace('"own": 0', '"own": ' + "[" * 10**5 + "]" * 10**5), 400,
              "RequestBodyInvalid"),
    "bytes": (json.dumps(item("x", "boxes", own="x" * 17000000)), 413, "ContentTooLarge"),
}


@pytest.mark.parametrize("name", ITEMS)
def test_items_that_are_too_much_are_refused(filled, other, name):  # noqa: F811
    text, status, code = ITEMS[name]
    assert filled("POST", "/collections/boxes/items", status, data=text).json()["code"] == code


def test_many_properties_are_kept(filled):
    """What is large but sound comes back as it was, and its collection can still be asked for what it has."""
    filled("POST", "/collections", 201, collection("wide"))
    properties = {"datetime": "2020-01-01T00:00:00Z", **{f"p{i}": i for i in range(20000)}}
    filled("POST", "/collections/wide/items", 201, item("w", "wide", properties=properties))
    assert filled("GET", "/collections/wide/items/w", 200).json()["properties"] == properties
    assert filled("GET", "/search?collections=wide&filter=p19999=19999", 200).json()["features"][0]["id"] == "w"
    assert "properties" in filled("GET", "/collections/wide/queryables", 200).json()
