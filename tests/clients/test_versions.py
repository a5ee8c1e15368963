"""openEO 1.3 and 1.2, side by side from one table of routes: what differs, and that links stay within a version."""

import openeo
import pytest
import requests

from conftest import DEMO_PATTERNS, PASSWORD, USER

VERSIONS = {"1.3.0": "/openeo/1.3", "1.2.0": "/openeo/1.2"}
LISTS = ["/", "/conformance", "/collections", "/collections/VERSIONED", "/collections/VERSIONED/queryables", "/jobs",
         "/processes", "/file_formats", "/me"]


@pytest.fixture(scope="module")
def url(running, catalogue, demo):
    catalogue.add("VERSIONED", demo, *DEMO_PATTERNS)
    return running.url


@pytest.fixture(scope="module")
def token(url):
    answer = requests.get(url + "/openeo/1.3/credentials/basic", auth=(USER, PASSWORD), timeout=30)
    return {"Authorization": "Bearer basic//" + answer.json()["access_token"]}


def hrefs(document):
    """The addresses of all links, wherever they stand."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "href":
                yield value
            yield from hrefs(value)
    if isinstance(document, list):
        for item in document:
            yield from hrefs(item)


def test_all_versions_are_listed_and_fit_for_production(url):
    for path in ("/.well-known/openeo", "/openeo/.well-known/openeo", "/"):
        versions = requests.get(url + path, timeout=30).json()["versions"]
        assert [(v["api_version"], v["url"], v["production"]) for v in versions] == [
            (number, url + root, True) for number, root in VERSIONS.items()]


@pytest.mark.parametrize("number", VERSIONS)
def test_each_version_speaks_for_itself(url, number):
    base = url + VERSIONS[number]
    root = requests.get(base + "/", timeout=30).json()
    assert root["api_version"] == number and root["type"] == "Catalog" and root["production"] is True
    classes = requests.get(base + "/conformance", timeout=30).json()["conformsTo"]
    assert root["conformsTo"] == classes and len(set(classes)) == len(classes)
    own = [c for c in classes if c.startswith("https://api.openeo.org/1.")]
    assert all(c.split("/")[3] == number for c in own) and f"https://api.openeo.org/{number}" in own
    assert requests.get(base + "/api", timeout=30).json()["info"]["version"] == number


@pytest.mark.parametrize("number", VERSIONS)
def test_links_stay_within_the_version(url, token, number):
    base = url + VERSIONS[number]
    seen = 0
    for path in LISTS:
        document = requests.get(base + path, headers=token, timeout=30)
        assert document.status_code == 200, document.text
        for href in hrefs(document.json()):
            if href.startswith(url) and ".well-known" not in href and not href.startswith(url + "/stac"):
                assert href == base or href.startswith(base + "/"), (path, href)
                seen += 1
    assert seen > 10


def test_both_versions_list_the_same_endpoints(url):
    first, second = (requests.get(url + root + "/", timeout=30).json()["endpoints"] for root in VERSIONS.values())
    assert first == second


def test_what_came_with_1_3(url, token):
    graph = {"process": {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}}}
    new, old = (requests.post(url + root + "/result", json=graph, headers=token, timeout=60)
                for root in VERSIONS.values())
    assert new.json() == old.json() == 3
    assert new.headers["OpenEO-Identifier"] and "OpenEO-Identifier" not in old.headers
    again = requests.post(url + "/openeo/1.3/result", json=graph, headers=token, timeout=60)
    assert again.headers["OpenEO-Identifier"] != new.headers["OpenEO-Identifier"]
    new, old = (requests.get(url + root + "/processes", timeout=30).json() for root in VERSIONS.values())
    assert new["version"] and "version" not in old and new["processes"] == old["processes"]


@pytest.mark.parametrize("path", ["/openeo/1.1/", "/openeo/1.4/jobs", "/openeo/1.30/", "/openeo/2.0", "/openeo/1.2.0/"])
def test_other_versions_are_told_apart_from_what_is_not_there(url, path):
    answer = requests.get(url + path, timeout=30)
    assert answer.status_code == 404 and answer.json()["code"] == "UnsupportedApiVersion"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert requests.get(url + "/openeo/1.3/nothing", timeout=30).json()["code"] == "NotFound"


@pytest.mark.parametrize("number", VERSIONS)
def test_the_python_client_connects(url, number):
    connection = openeo.connect(url + VERSIONS[number]).authenticate_basic(USER, PASSWORD)
    assert str(connection.capabilities().api_version()) == number
    newest = openeo.connect(url)
    assert str(newest.capabilities().api_version()) == max(VERSIONS)
    assert newest.root_url.rstrip("/") == url + VERSIONS[max(VERSIONS)]
