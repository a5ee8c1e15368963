"""Results published as collections: seen by everybody at once, loaded as other collections are, kept when their job is
gone, and taken back by their owner alone."""

import io
import json
import sqlite3

import numpy
import pystac
import pystac.extensions.datacube
import pystac.extensions.projection
import pystac_client
import pytest
import rasterio
import requests

from conftest import until
from test_server_api import Server, add_user, assert_error
from test_stac_documents import faults
from test_uploaded_files import numbers, put, raster

PUBLIC = {"public": True, "title": "Two dates", "license": "CC-BY-4.0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def server(tmp_path_factory, folder):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    server = Server(data, "--workers", "1", "--publish", str(folder)).login()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def values():
    return [numbers(0, 4, 5), numbers(0, 4, 5, seed=3)]


@pytest.fixture(scope="module")
def job(server, values):
    """A job of two files, on two dates."""
    graph = {}
    for i, (day, value) in enumerate(zip(("20200305", "20200306"), values, strict=True)):
        put(server, f"in_{day}.tif", raster(value))
        graph[f"load{i}"] = {"process_id": "load_uploaded_files",
                             "arguments": {"paths": [f"in_{day}.tif"], "format": "GTiff"}}
        graph[f"save{i}"] = {"process_id": "save_result", "result": i == 0, "arguments": {
            "data": {"from_node": f"load{i}"}, "format": "GTiff", "options": {"filename_prefix": f"day{i}"}}}
    return finished(server, graph)


def finished(server, graph):
    job = server.create(graph)
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, "finished", "error")
    assert server.status(job) == "finished", server.call("GET", f"/jobs/{job}/logs").text
    return job


def loaded(server, collection):
    graph = {"load": {"process_id": "load_collection", "arguments": {"id": collection}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}}}
    answer = server.result(graph)
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as file:
        return file.read()


def root(server):
    return server.api.split("/openeo")[0].rstrip("/")


def as_user(server, name):
    other = Server.__new__(Server)
    other.api, other.session = server.api, requests.Session()
    return other.login(name)


def test_a_job_becomes_a_collection_of_the_server(server, folder, job, values):
    made = server.call("PUT", "/collections/two-days", {"job": job, **PUBLIC})
    assert made.status_code == 201, made.text
    assert made.headers["Location"].endswith("/collections/two-days")
    document = server.call("GET", "/collections/two-days").json()
    assert document["title"] == "Two dates" and document["license"] == "CC-BY-4.0"
    assert document["extent"]["temporal"]["interval"] == [["2020-03-05T00:00:00Z", "2020-03-06T00:00:00Z"]]
    assert document["providers"][0]["processing:expression"]["format"] == "openeo"
    assert document["cube:dimensions"]["t"]["extent"] == document["extent"]["temporal"]["interval"][0]
    assert "two-days" in [c["id"] for c in server.call("GET", "/collections").json()["collections"]]
    items = list(pystac_client.Client.open(root(server) + "/stac").search(collections=["two-days"]).items())
    assert len(items) == 2
    found = {}
    for item in items:
        [asset] = item.assets.values()
        with rasterio.open(io.BytesIO(requests.get(asset.href, timeout=60).content)) as file:
            found[item.datetime.day] = file.read(1)
        [band] = asset.to_dict()["bands"]
        assert band["statistics"]["maximum"] == pytest.approx(float(found[item.datetime.day].max()))
        assert item.properties["processing:software"].keys() == {"twincube"}
    assert numpy.array_equal(found[5], values[0]) and numpy.array_equal(found[6], values[1])
    bob = as_user(server, "bob")
    for who in (server, bob):
        assert numpy.array_equal(loaded(who, "two-days"), values)

    derived = finished(server, {
        "load": {"process_id": "load_collection", "arguments": {"id": "two-days"}},
        "save": {"process_id": "save_result", "result": True,
                 "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}})
    assert server.call("PUT", "/collections/again", {"job": derived, **PUBLIC}).status_code == 201
    links = server.call("GET", "/collections/again").json()["links"]
    [source] = [link["href"] for link in links if link["rel"] == "derived_from"]
    assert source.endswith("/collections/two-days")
    assert server.call("DELETE", f"/jobs/{derived}").status_code == 204
    assert numpy.array_equal(loaded(bob, "again"), values)

    own = finished(server, {
        "load": {"process_id": "load_stac", "arguments": {"url": f"{server.api}/jobs/{job}/results"}},
        "save": {"process_id": "save_result", "result": True,
                 "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}})
    assert server.call("PUT", "/collections/own", {"job": own, **PUBLIC}).status_code == 201
    document = server.call("GET", "/collections/own")
    assert job not in document.text and "derived_from" not in document.text
    assert server.call("DELETE", "/collections/own").status_code == 204

    assert_error(bob.call("DELETE", "/collections/again"), 403, "PermissionsInsufficient")
    for name in ("again", "two-days"):
        assert server.call("DELETE", "/collections/" + name).status_code == 204
        assert_error(server.call("GET", "/collections/" + name), 404, "CollectionNotFound")
    assert not list(folder.iterdir())
    assert requests.get(asset.href, timeout=60).status_code == 404


@pytest.mark.parametrize(("name", "body", "status", "code"), [
    ("x", {"job": None, "public": True}, 400, "RequestBodyInvalid"), ("x", {"public": 1}, 400, "RequestBodyInvalid"),
    ("x", {"public": None}, 400, "RequestBodyInvalid"), ("x", {"job": "none", "public": True}, 404, "JobNotFound"),
    (".x", {"public": True}, 400, "RequestBodyInvalid"), ("x:y", {"public": True}, 400, "RequestBodyInvalid"),
    ("x" * 101, {"public": True}, 400, "RequestBodyInvalid"),
])
def test_what_is_not_published(server, folder, job, name, body, status, code):
    assert_error(server.call("PUT", "/collections/" + name, {"job": job, **body}), status, code)
    assert not list(folder.iterdir())


def test_names_are_taken_once_and_jobs_are_their_owner_s(server, folder, job):
    bob = as_user(server, "bob")
    assert_error(bob.call("PUT", "/collections/mine", {"job": job, **PUBLIC}), 404, "JobNotFound")
    assert server.call("PUT", "/collections/mine", {"job": job, **PUBLIC}).status_code == 201
    assert_error(server.call("PUT", "/collections/mine", {"job": job, **PUBLIC}), 409, "StacConflict")
    assert (folder / "mine" / ".owner").exists()
    for name in (".owner", "..%2fmine%2f.owner", "none.tif"):
        assert requests.get(f"{root(server)}/published/mine/{name}", timeout=60).status_code == 404
    assert server.call("DELETE", "/collections/mine").status_code == 204
    assert_error(server.call("DELETE", "/collections/mine"), 404, "CollectionNotFound")


def test_what_has_no_date_has_that_of_its_making(server):
    value = numbers(0, 4, 5)
    put(server, "still.tif", raster(value))
    graph = {"load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["still.tif"], "format": "GTiff"}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}}}
    job = finished(server, graph)
    answer = server.call("PUT", "/collections/still", {"job": job, "public": True})
    assert answer.status_code == 201, answer.text
    for items in (f"{root(server)}/stac/collections/still/items", f"{server.api}/collections/still/items"):
        feature, = requests.get(items, timeout=60).json()["features"]
        properties = feature["properties"]
        assert properties["datetime"] == properties["processing:datetime"]
        assert "start_datetime" not in properties and "published:" not in json.dumps(feature)
    assert numpy.array_equal(loaded(server, "still").squeeze(), numpy.asarray(value).squeeze())
    assert server.call("DELETE", "/collections/still").status_code == 204


def published_by(graph, collection, source, node="publish"):
    """The graph with a node that publishes what `source` gives."""
    return {**{name: {k: v for k, v in one.items() if k != "result"} for name, one in graph.items()},
            node: {"process_id": "export_collection", "result": True,
                   "arguments": {"data": {"from_node": source}, "collection": collection}}}


def saved(path, format="GTiff"):
    return {"load": {"process_id": "load_uploaded_files", "arguments": {"paths": [path], "format": "GTiff"}},
            "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": format}},
            "title": {"process_id": "stac_modify", "arguments": {
                "data": {"from_node": "save"}, "changes": {"properties": {"title": "as published"}}}}}


def test_a_graph_publishes_and_adds(server, folder, job, values):
    finished(server, published_by(saved("in_20200305.tif"), "grown", "title"))
    finished(server, published_by(saved("in_20200306.tif"), "grown", "title"))
    client = pystac_client.Client.open(root(server) + "/stac")
    items = list(client.search(collections=["grown"]).items())
    assert len({item.id for item in items}) == 2 and all(i.properties["title"] == "as published" for i in items)
    [interval] = client.get_collection("grown").extent.temporal.intervals
    assert [end.strftime("%Y-%m-%d") for end in interval] == ["2020-03-05", "2020-03-06"]
    assert numpy.array_equal(loaded(as_user(server, "bob"), "grown"), values)
    document = server.call("GET", "/collections/grown").json()
    assert document["providers"][0]["processing:expression"]["format"] == "openeo"

    bob = as_user(server, "bob")
    put(bob, "in_20200306.tif", raster(values[1]))
    graph = published_by(saved("in_20200306.tif"), "grown", "title")
    assert_error(bob.result(graph), 501, "FeatureUnsupported")  # a job publishes
    other = bob.create(graph)
    bob.call("POST", f"/jobs/{other}/results")
    bob.wait(other, "finished", "error")
    [said] = [e for e in bob.call("GET", f"/jobs/{other}/logs").json()["logs"] if e["level"] == "error"]
    assert said["code"] == "PermissionsInsufficient" and said["path"][0]["node_id"] == "publish"
    assert len(list((folder / "grown").glob("*.tif"))) == 2
    for id in ("a/b", ".x"):
        errors = server.call("POST", "/validation", {"process_graph": published_by(
            saved("in_20200305.tif"), id, "title")}).json()["errors"]
        assert [e["code"] for e in errors] == ["ProcessParameterInvalid"], errors
    assert server.call("DELETE", "/collections/grown").status_code == 204
    paths = server.call("GET", "/api").json()["paths"]["/collections/{collection_id}"]
    assert {"get", "put", "delete"} <= set(paths)


def test_published_bytes_count_when_their_job_is_gone(tmp_path, values):
    published = tmp_path / "published"
    published.mkdir()
    data = tmp_path / "data"
    data.mkdir()
    add_user(data, "alice")
    server = Server(data, "--workers", "1", "--publish", str(published), "--user-results", "1M").login()
    put(server, "in_20200305.tif", raster(values[0]))
    job = finished(server, published_by(saved("in_20200305.tif"), "kept", "title"))

    def used():
        room = server.call("GET", "/me").json()["storage"]["results"]
        return room["quota"] - room["free"]

    [file] = (published / "kept").glob("*.tif")
    size = sum(asset["file:size"] for asset in server.call("GET", f"/jobs/{job}/results").json()["assets"].values())
    assert used() == size  # counted once
    assert server.call("DELETE", f"/jobs/{job}").status_code == 204
    until(lambda: used() == file.stat().st_size)
    assert server.call("DELETE", "/collections/kept").status_code == 204
    assert used() == 0 and server.stop() == 0


def test_without_a_folder_nobody_publishes(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path, "--workers", "1").login()
    assert_error(server.call("PUT", "/collections/x", {"job": "j", "public": True}), 405, "MethodNotAllowed")
    assert server.stop() == 0


# ---- the option of a job ---------------------------------------------------------------------------------------------

def job_with(server, graph, **fields):
    job = server.create(graph, **fields)
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, "finished", "error")
    return job, server.call("GET", f"/jobs/{job}/logs").json()["logs"]


def loads(path):
    return {k: {**v, "result": k == "save"} for k, v in saved(path).items() if k != "title"}


def test_a_job_publishes_by_its_option(server, job, values):
    option = {"collection": "optional", "public": True, "title": "By an option", "license": "CC0-1.0"}
    first, logs = job_with(server, loads("in_20200305.tif"), publish=option)
    assert "the results are in collection 'optional' now" in [entry["message"] for entry in logs]
    assert not [entry for entry in logs if entry["level"] == "warning"]
    assert server.call("GET", f"/jobs/{first}").json()["publish"] == option
    document = requests.get(f"{server.api}/collections/optional", timeout=60).json()
    assert document["title"] == "By an option" and document["license"] == "CC0-1.0"
    job_with(server, loads("in_20200306.tif"), job_options={"publish": "optional"})
    assert numpy.array_equal(loaded(as_user(server, "bob"), "optional"), values)
    assert server.call("POST", f"/jobs/{first}/results").status_code == 202  # once more: its items are replaced
    server.wait(first, "finished", "error")
    items = requests.get(f"{root(server)}/stac/collections/optional/items", timeout=60).json()["features"]
    assert len(items) == 2 and numpy.array_equal(loaded(server, "optional"), values)

    default = {**loads("in_20200305.tif")}
    process = {"process": {"process_graph": default, "default_job_options": {"publish": "by-process"}}}
    made = server.call("POST", "/jobs", process)
    assert made.status_code == 201, made.text
    assert server.call("GET", f"/jobs/{made.headers['OpenEO-Identifier']}").json()["publish"] == "by-process"
    names = [row["name"] for row in server.call("GET", "/processing_parameters").json()["create_job_parameters"]]
    assert "publish" in names
    assert server.call("DELETE", "/collections/optional").status_code == 204


def test_what_a_published_item_tells(server, job):
    """STAC's own schemas take it, pystac's extensions read it, and it is what the file and the job say."""
    graph = loads("in_20200305.tif")
    for name in ("netCDF", "Zarr"):
        graph[name] = {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": name}}
    made, _ = job_with(server, graph, publish={"collection": "forms", "public": True})
    document = requests.get(f"{root(server)}/stac/collections/forms", timeout=60).json()
    items = requests.get(f"{root(server)}/stac/collections/forms/items", timeout=60).json()["features"]
    assert sorted(item["id"].split(made)[1] for item in items) == [".nc", ".tif", ".zarr.zip"]
    assert [faults(one) for one in (document, *items)] == 4 * [[]]
    for item in map(pystac.Item.from_dict, items):
        with rasterio.open(io.BytesIO(raster(numbers(0, 4, 5)))) as file:
            projection = pystac.extensions.projection.ProjectionExtension.ext(item)
            assert projection.code == f"EPSG:{file.crs.to_epsg()}"
            if item.id.endswith(".tif"):
                assert projection.shape == list(file.shape) and projection.transform[:6] == list(file.transform)[:6]
        dimensions = pystac.extensions.datacube.DatacubeExtension.ext(item).dimensions
        assert {kind.dim_type for kind in dimensions.values()} == {"temporal", "bands", "spatial"}
        assert item.properties["created"] == item.properties["processing:datetime"] == item.properties["updated"]
        assert item.properties["processing:expression"]["expression"]["process_graph"].keys() == graph.keys()
        [band] = item.assets["data"].extra_fields["bands"]
        assert band["statistics"]["mean"] == pytest.approx(float(numbers(0, 4, 5).mean()))
    assert server.call("DELETE", "/collections/forms").status_code == 204


def test_an_option_without_public_is_for_the_user_alone(server, job):
    job_with(server, loads("in_20200305.tif"), publish="quiet")
    assert_error(requests.get(f"{server.api}/collections/quiet", timeout=60), 404, "CollectionNotFound")
    assert server.call("GET", "/collections/quiet").status_code == 200
    refused = {"title": "x", "process": {"process_graph": loads("in_20200305.tif")},
               "publish": {"collection": "quiet", "public": True}}
    assert_error(server.call("POST", "/jobs", refused), 409, "StacConflict")
    assert server.call("DELETE", "/collections/quiet").status_code == 204


@pytest.mark.parametrize(("option", "status", "code"), [
    (5, 400, "RequestBodyInvalid"), ({}, 400, "RequestBodyInvalid"), (["x"], 400, "RequestBodyInvalid"),
    ({"collection": "a/b"}, 400, "RequestBodyInvalid"), (".x", 400, "RequestBodyInvalid"),
    ({"collection": "x", "public": "yes"}, 400, "RequestBodyInvalid"),
    ({"collection": "x", "titel": "y"}, 400, "RequestBodyInvalid"), ({"collection": "x", "title": 5}, 400,
                                                                      "RequestBodyInvalid"),
    ("of-bob", 403, "PermissionsInsufficient")])
def test_a_wrong_option_is_refused_at_once(server, job, option, status, code):
    bob = as_user(server, "bob")
    put(bob, "in_20200305.tif", raster(numbers(0, 4, 5)))
    if option == "of-bob":
        job_with(bob, loads("in_20200305.tif"), publish={"collection": "of-bob", "public": True})
    body = {"process": {"process_graph": loads("in_20200305.tif")}, "job_options": {"publish": option}}
    answer = server.call("POST", "/jobs", body)
    assert_error(answer, status, code)
    assert "publish" in answer.json()["message"]
    plain = server.create(loads("in_20200305.tif"))
    assert_error(server.call("PATCH", f"/jobs/{plain}", {"publish": option}), status, code)
    if option == "of-bob":
        assert bob.call("DELETE", "/collections/of-bob").status_code == 204


# ---- once, whatever happens ------------------------------------------------------------------------------------------

@pytest.fixture
def locked():
    """Takes a database's lock for writing; `release` gives it back."""
    held = []

    def lock(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        held.append(connection)
        return connection

    yield lock
    for connection in held:
        connection.close()


@pytest.mark.parametrize(("way", "is_told"), [("option", False), ("process", True)])
def test_who_is_killed_at_the_end_of_a_job_publishes_once(tmp_path, values, locked, way, is_told):
    """Killed where its files are in place, before the catalogue knows of them, or when that does and the job's row does
    not: the job runs again, and what it publishes is there once."""
    published, data = tmp_path / "published", tmp_path / "data"
    published.mkdir()
    data.mkdir()
    add_user(data, "alice")
    options = ("--workers", "1", "--publish", str(published))
    server = Server(data, *options).login()
    put(server, "in_20200305.tif", raster(values[0]))
    put(server, "in_20200306.tif", raster(values[1]))
    job_with(server, loads("in_20200306.tif"), publish={"collection": "once", "public": True})
    catalogue = locked(data / "catalogue.sqlite")
    if way == "option":
        job = server.create(loads("in_20200305.tif"), publish="once")
    else:
        job = server.create(published_by(saved("in_20200305.tif"), "once", "title"))
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    until(lambda: len(list((published / "once").glob("*.tif"))) == 2)
    if is_told:
        store = locked(data / "server.sqlite")
        catalogue.execute("ROLLBACK")
        until(lambda: len(items_of(data)) == 2)
    assert len(items_of(data)) == 1 + is_told
    server.kill()
    catalogue.close()
    if is_told:
        store.close()
    server = Server(data, *options).login()
    server.wait(job, "finished", "error")
    assert server.status(job) == "finished", server.call("GET", f"/jobs/{job}/logs").text
    assert len(items_of(data)) == 2 and len(list((published / "once").iterdir())) == 3  # and whose it is
    assert numpy.array_equal(loaded(server, "once"), values)
    assert server.stop() == 0


def items_of(data):
    connection = sqlite3.connect(data / "catalogue.sqlite", timeout=30)
    found = connection.execute("SELECT id FROM items").fetchall()
    connection.close()
    return found
