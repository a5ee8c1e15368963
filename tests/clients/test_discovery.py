"""What clients find out before they ask for anything: links, lists and their pages, media types, ways to log in."""

import openeo
import pytest
import requests

from conftest import DEMO_PATTERNS

SLASHED = "COPERNICUS/S2/a"
NAMES = ["A", SLASHED, "queryables/B", "Z"]


@pytest.fixture(scope="module")
def api(running, catalogue, demo):
    for name in NAMES:
        catalogue.add(name, demo, *DEMO_PATTERNS)
    return running.api


def links(document, relation):
    return [link for link in document["links"] if link["rel"] == relation]


def get(url):
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_collection_leads_somewhere(api, name):
    document = get(f"{api}/collections/{name}").json()
    assert document["id"] == name and document["cube:dimensions"] and document["summaries"]
    (self_link,) = links(document, "self")
    assert get(self_link["href"]).json()["id"] == name
    (queryables,) = links(document, "http://www.opengis.net/def/rel/ogc/1.0/queryables")
    answer = get(queryables["href"])
    assert queryables["type"] == answer.headers["Content-Type"] == "application/schema+json"
    assert answer.json()["$id"] == queryables["href"] and "datetime" in answer.json()["properties"]
    (parent,) = links(document, "parent")
    catalogue = get(parent["href"]).json()
    assert catalogue["type"] == "Catalog" and catalogue["stac_version"]
    assert self_link["href"] in [child["href"] for child in links(catalogue, "child")]


def test_a_slash_may_be_escaped(api):
    escaped = SLASHED.replace("/", "%2F")
    assert get(f"{api}/collections/{escaped}").json()["id"] == SLASHED
    assert get(f"{api}/collections/{escaped}/queryables").json()["type"] == "object"
    assert requests.get(f"{api}/collections/COPERNICUS/S2", timeout=30).json()["code"] == "CollectionNotFound"


def test_clients_open_an_id_with_slashes(running, api):
    connection = openeo.connect(running.url)
    assert connection.describe_collection(SLASHED)["id"] == SLASHED
    assert SLASHED in [c["id"] for c in connection.list_collections()]


def test_the_list_is_brief(api):
    for document in get(f"{api}/collections").json()["collections"]:
        assert "cube:dimensions" not in document and "summaries" not in document
        assert not [name for name in document["stac_extensions"] if "/datacube/" in name]
        assert document["extent"]["spatial"]["bbox"] and links(document, "self")


def pages(url, key):
    while url:
        page = get(url).json()
        yield page[key]
        following = links(page, "next")
        url = following[0]["href"] if following else None


def test_processes_come_at_once(api):
    """The JavaScript client asks for fifty and builds graphs from the first page alone."""
    whole = get(f"{api}/processes").json()["processes"]
    assert get(f"{api}/processes?limit=3").json()["processes"] == whole and len(whole) > 100


@pytest.mark.parametrize(("path", "key"), [("/collections", "collections")])
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_lists_come_in_pages(api, path, key, limit):
    whole = [entry["id"] for entry in get(api + path).json()[key]]
    found = list(pages(f"{api}{path}?limit={limit}", key))
    assert all(len(page) == limit for page in found[:-1]) and 0 < len(found[-1]) <= limit
    assert [entry["id"] for page in found for entry in page] == whole
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "limit=1.5"])
@pytest.mark.parametrize("path", ["/collections", "/processes"])
def test_a_wrong_limit_is_refused(api, path, query):
    answer = requests.get(f"{api}{path}?{query}", timeout=30)
    assert answer.status_code == 400 and answer.json()["code"] == "QueryParameterInvalid"


def test_what_is_empty_is_not_offered(api):
    root = get(api + "/").json()
    listed = {endpoint["path"] for endpoint in root["endpoints"]}
    assert "/collections/{collection_id}" in listed
    assert "/credentials/oidc" not in listed
    assert ("/udf_runtimes" in listed) == bool(get(api + "/udf_runtimes").json())


def test_the_root_is_a_stac_catalogue(api):
    root = get(api + "/").json()
    classes = root["conformsTo"]
    assert classes == get(api + "/conformance").json()["conformsTo"]
    assert {"https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/collections"} <= set(classes)
    assert links(root, "self") and links(root, "root") and links(root, "data")
    (description,) = links(root, "service-desc")
    answer = get(description["href"])
    assert answer.headers["Content-Type"] == description["type"]
    document = answer.json()
    assert document["openapi"].startswith("3.0") and document["servers"] == [{"url": api}]
    assert {(path, method.upper()) for path,
            item in document["paths"].items() for method in item if method != "parameters"} == {
        (endpoint["path"], method) for endpoint in root["endpoints"] for method in endpoint["methods"]
    }


def test_without_a_provider_the_ways_to_log_in_are_told(running):
    connection = openeo.connect(running.url)
    with pytest.raises(Exception, match="authenticate_basic"):
        connection.authenticate_oidc()
