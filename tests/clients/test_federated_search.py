"""One search over this server and other STAC APIs: every item once and in order, whoever has it, and who is missing."""

import datetime

import numpy as np
import pystac_client
import pytest
import rasterio
import requests
from rasterio.transform import from_origin

from conftest import twincube, until
from publisher import Publisher
from stac_provider import StacProvider
from test_server_api import Server

DAYS = range(36)  # dealt in turn


def add_scenes(data, folder, name, days):
    for day in days:
        when = datetime.date(2021, 1, 1) + datetime.timedelta(days=day)
        with rasterio.open(folder / f"{name}_{when:%Y%m%d}_B04.tif", "w", driver="GTiff", dtype="uint8", count=1,
                           height=2, width=2, crs="EPSG:4326", transform=from_origin(day % 180, 10, .1, .1)) as file:
            file.write(np.ones((2, 2), "uint8"), 1)
    twincube("catalogue", "add", "--data", data, "--id", name, folder)


@pytest.fixture(scope="module")
def odd_one():
    provider = StacProvider("ODD", DAYS[2::3])
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def far_data(tmp_path_factory):
    data = tmp_path_factory.mktemp("far")
    add_scenes(data, tmp_path_factory.mktemp("scenes"), "FAR", DAYS[1::3])
    return data


@pytest.fixture(scope="module")
def own_data(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    add_scenes(data, tmp_path_factory.mktemp("own"), "OWN", DAYS[0::3])
    return data


def is_known(server, *backends):
    states = server.session.get(server.url + "/openeo/1.3/").json()["federation"]
    names = server.call("GET", "/collections").text
    return all(states[b]["status"] == "online" and f'"{b}|' in names for b in backends)


@pytest.fixture(scope="module")
def server(own_data, far_data, odd_one):
    """With another of our servers beside it, and the one of another make."""
    far = Server(far_data)
    config = own_data / "twincube.toml"
    config.write_text(f'federation = [{{ id = "far", url = "{far.url}/openeo/1.3" }}, '
                      f'{{ id = "odd", url = "{odd_one.root}" }}]\n')
    server = Server(own_data, "--config", str(config))
    server.far = far
    yield server
    assert server.stop() == 0
    far.stop()


@pytest.fixture
def odd(server, odd_one):
    """All are there, and the odd one does as it should."""
    odd_one.mode = None
    odd_one.bodies.clear()
    until(lambda: is_known(server, "far", "odd"))
    return odd_one


def search(server, status=200, **body):
    answer = requests.post(server.url + "/stac/search", json=body, timeout=60)
    assert answer.status_code == status, answer.text
    return answer.json()


def pages(server, **body):
    """All pages of a search, each by the link of the one before."""
    document = search(server, **body)
    while True:
        yield document
        following = [link for link in document["links"] if link["rel"] == "next"]
        if not following:
            return
        document = search(server, **following[0]["body"])


def name_of(day):
    return ("OWN", "far|FAR", "odd|ODD")[day % 3]


def day_of(item):
    when = datetime.datetime.fromisoformat(item["properties"]["datetime"].rstrip("Z").split(".")[0])
    return (when - datetime.datetime(2021, 1, 1)).days


@pytest.mark.parametrize("limit", [1, 5, 12, 100])
def test_every_item_comes_once_and_in_order(server, odd, limit):
    found = [item for page in pages(server, limit=limit) for item in page["features"]]
    assert [(day_of(i), i["collection"]) for i in found] == [(day, name_of(day)) for day in reversed(DAYS)]


def test_a_client_sees_one_catalogue(server, odd):
    client = pystac_client.Client.open(server.url + "/stac")
    assert {c.id for c in client.get_collections()} >= {"OWN", "far|FAR", "odd|ODD"}
    items = list(client.search(limit=7, sortby="+id").items())
    assert len(items) == len(DAYS) and [i.id for i in items] == sorted(i.id for i in items)
    some = list(client.search(collections=["odd|ODD", "OWN"], limit=7, max_items=9).items())
    assert [i.collection_id for i in some] == ["odd|ODD", "OWN"] * 4 + ["odd|ODD"]
    named = client.get_collection("far|FAR")
    assert sorted(day_of(i.to_dict()) for i in named.get_items()) == list(DAYS[1::3])


def test_an_item_of_elsewhere(server, odd):
    found = search(server, collections=["odd|ODD"], limit=1)["features"][0]
    links = {link["rel"]: link["href"] for link in found["links"]}
    self = f"{server.url}/stac/collections/odd%7CODD/items/{found['id']}"
    assert links["self"] == self and links["canonical"] == f"{odd.root}/collections/ODD/items/{found['id']}"
    assert links["license"] == f"{odd.root}/collections/ODD/items/licence.txt"
    assert found["assets"]["data"]["href"] == f"{odd.root}/collections/ODD/items/data/35.tif"
    assert found["federation:backends"] == ["odd"] and found["properties"]["odd:number"] == 35
    assert requests.get(self, timeout=30).json() == found
    assert requests.get(self + "x", timeout=30).json()["code"] == "NotFound"
    few = search(server, collections=["odd|ODD"], limit=1, fields={"include": ["id", "properties.odd:number"]})
    assert few["features"][0]["properties"] == {"odd:number": 35} and "assets" not in few["features"][0]


def test_what_is_asked_there(server, odd):
    asked = {"bbox": [0, 0, 50, 50], "datetime": "2020-01-01T00:00:00Z/..",
             "sortby": [{"field": "properties.odd:number", "direction": "asc"}]}
    found = [i for page in pages(server, limit=50, **asked) for i in page["features"]]
    assert [i["properties"].get("odd:number") for i in found] == [None] * 24 + list(DAYS[2::3])
    assert odd.bodies[0] == {"limit": 50, **asked}
    assert odd.bodies[1] == {"limit": 50, **asked, "token": "4"}
    odd.bodies.clear()
    search(server, limit=50, query={"eo:cloud_cover": {"lt": 2}})
    latest = [{"field": "properties.datetime", "direction": "desc"}]
    assert odd.bodies == [{"limit": 50, "query": {"eo:cloud_cover": {"lt": 2}}, "sortby": latest}]


@pytest.mark.parametrize("condition, wanted", [
    ("collection = 'far|FAR'", {1}), ("collection IN ('odd|ODD', 'OWN')", {0, 2}), ("collection <> 'far|FAR'", {0, 2}),
    ("collection = 'FAR'", set()), ("collection = 'ODD' OR collection = 'near|ODD'", set()),
    ("NOT (collection IN ('OWN', 'odd|ODD'))", {1}), ("'odd|ODD' = collection AND eo:cloud_cover < 2", {2}),
    ("collection LIKE '%|%'", {1, 2}), ("CASEI(collection) = CASEI('FAR|far')", {1}), ("collection > 'a'", {1, 2}),
    ("collection BETWEEN 'A' AND 'g'", {0, 1}), ("collection IN ('far|FAR', 'odd|ODD') AND id > 'G'", {2}),
    ({"op": "in", "args": [{"property": "collection"}, ["far|FAR", "none"]]}, {1}),
], ids=str)
def test_collections_in_filters_go_by_their_names_here(server, odd, condition, wanted):
    """Whether a filter is sent (far takes it, in its own names) or judged here (odd does not)."""
    found = [i for page in pages(server, limit=50, filter=condition) for i in page["features"]]
    assert {i["collection"] for i in found} == {name_of(kind) for kind in wanted}
    few = isinstance(condition, str) and "cloud" in condition
    assert len(found) == (sum(day % 7 < 2 for day in DAYS[2::3]) if few else 12 * len(wanted))
    by_name = [{"field": "collection", "direction": "desc"}, {"field": "datetime", "direction": "asc"}]
    again = [i for page in pages(server, limit=7, filter=condition, sortby=by_name) for i in page["features"]]
    assert again == sorted(found, key=lambda i: ("ofO".index(i["collection"][0]), day_of(i)))


def test_what_was_missing_comes_when_it_is_back(server, odd):
    rest = pages(server, limit=4)
    days = [day_of(i) for i in next(rest)["features"]]
    odd.mode = "broken"
    page = next(rest)
    assert page["federation:missing"] == ["odd"] and all(day_of(i) % 3 != 2 for i in page["features"])
    days += [day_of(i) for i in page["features"]]
    odd.mode = None
    until(lambda: is_known(server, "odd"))
    for page in rest:
        days += [day_of(i) for i in page["features"]]
    assert sorted(days) == list(DAYS)


def test_nobody_waits_for_one_that_is_silent(server, odd):
    odd.mode = "silent"
    page = search(server, limit=10)
    assert page["federation:missing"] == ["odd"]
    assert [day_of(i) for i in page["features"]] == [d for d in reversed(DAYS) if d % 3 != 2][:10]


def test_one_that_fails_again_and_again_is_spared(server, odd):
    odd.mode = "broken"
    for _ in range(2):
        assert search(server, limit=50)["federation:missing"] == ["odd"]
    odd.bodies.clear()
    assert search(server, limit=50)["federation:missing"] == ["odd"] and odd.bodies == [], "it is not asked"
    odd.mode = None
    until(lambda: "federation:missing" not in search(server, limit=50))
    assert len(odd.bodies) == 1, "and that once, when it is asked again"


def test_next_pages_stay_with_their_host(server, odd):
    other = Publisher()
    odd.mode, odd.foreign = "foreign", other.publish("/search", {"features": []})
    found = [i for page in pages(server, collections=["odd|ODD"], limit=3) for i in page["features"]]
    assert len(found) in (3, 4) and not other.asked
    odd.mode = "hostile"
    document = search(server, limit=3)
    assert len(document["features"]) == 3 and "federation:missing" not in document


def test_tokens_are_ours_alone(server, odd):
    token = next(link for link in search(server, limit=1)["links"] if link["rel"] == "next")["body"]["token"]
    for wrong in (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "x", "e30", token[4:], token + "AAAA"):
        document = search(server, 400, limit=1, token=wrong)
        assert document["code"] == "QueryParameterInvalid", wrong


@pytest.fixture(scope="module")
def beside_a_plain_one(tmp_path_factory):
    """A server of ours beside an API that neither sorts nor filters."""
    data, provider = tmp_path_factory.mktemp("data"), StacProvider("PLAIN", DAYS[1::2], plain=True)
    add_scenes(data, tmp_path_factory.mktemp("own"), "OWN", DAYS[0:8:2])
    server = Server(data, "--federation", f"plain={provider.root}")
    until(lambda: is_known(server, "plain"))
    yield server
    assert server.stop() == 0
    provider.stop()


@pytest.mark.parametrize("limit", [3, 100])
def test_one_that_does_not_sort_is_sorted_here(beside_a_plain_one, limit):
    found = [day_of(item) for page in pages(beside_a_plain_one, limit=limit) for item in page["features"]]
    assert sorted(found) == sorted([*DAYS[0:8:2], *DAYS[1::2]])
    four_pages = found[:found.index(6)] if limit == 3 else found[:16]  # its pages have four items
    assert four_pages == sorted(four_pages, reverse=True)


@pytest.mark.parametrize("asked", [
    {"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 2]}, "filter-lang": "cql2-json"},
    {"filter": "eo:cloud_cover < 2", "filter-lang": "cql2-text"}, {"query": {"eo:cloud_cover": {"lt": 2}}}])
def test_one_that_does_not_filter_is_judged_here(beside_a_plain_one, asked):
    found = [day_of(item) for page in pages(beside_a_plain_one, limit=5, **asked) for item in page["features"]]
    assert sorted(found) == [day for day in DAYS[1::2] if day % 7 < 2]


def test_one_is_killed_in_the_middle(server, odd):
    rest = pages(server, limit=6)
    found = list(next(rest)["features"])
    assert [day_of(i) for i in found] == list(reversed(DAYS))[:6]
    server.far.kill()
    missing = []
    for page in rest:
        found += page["features"]
        missing += page.get("federation:missing", [])
    assert set(missing) == {"far"}
    days = [day_of(i) for i in found]
    assert len(set(days)) == len(days) and {d for d in DAYS if d % 3 != 1} <= set(days)
