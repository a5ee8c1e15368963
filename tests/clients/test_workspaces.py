"""Workspaces: made, listed, changed and removed; results exported to them as a STAC catalogue that stays."""

import json

import numpy
import pystac
import pytest
import rasterio
import rasterio.warp
import requests

from test_server_api import Server, add_user, assert_error, run
from test_uploaded_files import numbers, put, raster


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("workspaces")


@pytest.fixture(scope="module")
def server(tmp_path_factory, root):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    server = Server(data, "--workers", "1", "--workspaces", str(root), "--user-files", "2M").login()
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def nothing_is_left(server, root):
    yield
    for workspace in server.call("GET", "/workspaces").json()["workspaces"]:
        assert server.call("DELETE", "/workspaces/" + workspace["id"]).status_code == 204
    assert [p for p in root.glob("*/*")] == []


def make(server, **fields):
    answer = server.call("POST", "/workspaces", {"intent": "create", **fields})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].endswith("/workspaces/" + answer.headers["OpenEO-Identifier"])
    return answer.headers["OpenEO-Identifier"]


def export(workspace, merge=None, format="GTiff", path="in.tif", **options):
    return {
        "load": {"process_id": "load_uploaded_files", "arguments": {"paths": [path], "format": "GTiff"}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": format,
                                                            "options": options}},
        "export": {"process_id": "export_workspace", "result": True,
                   "arguments": {"data": {"from_node": "save"}, "workspace": workspace, "merge": merge}}}


def folder(root, workspace):
    [found] = root.glob("*/" + workspace)
    return found


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_workspace_s_life(server):
    providers = requests.get(server.api + "/workspace_providers").json()["providers"]
    assert list(providers) == ["folder"] and providers["folder"]["intents"] == ["create"]
    first = make(server, title="A", description="B", type="Folder")
    second = make(server, type=None)
    assert server.call("GET", "/workspaces/" + first).json() == {
        "id": first, "title": "A", "description": "B", "type": "folder", "status": "ready"}
    listing = server.call("GET", "/workspaces").json()
    assert sorted(w["id"] for w in listing["workspaces"]) == sorted([first, second]) and listing["links"] == []
    page = server.call("GET", "/workspaces?limit=1").json()
    [link] = page["links"]
    rest = server.session.get(link["href"]).json()
    assert {w["id"] for w in page["workspaces"] + rest["workspaces"]} == {first, second} and rest["links"] == []
    assert server.call("PATCH", "/workspaces/" + first, {"title": "C"}).status_code == 204
    changed = server.call("GET", "/workspaces/" + first).json()
    assert (changed["title"], changed["description"]) == ("C", "B")
    assert_error(server.call("PATCH", "/workspaces/" + first, {}), 400, "NoDataForUpdate")
    assert server.call("DELETE", "/workspaces/" + first).status_code == 204
    for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
        assert_error(server.call(method, "/workspaces/" + first, body), 404, "NotFound")


@pytest.mark.parametrize(("body", "status", "code"), [
    ({}, 400, "RequestBodyInvalid"), ({"intent": "other"}, 400, "RequestBodyInvalid"),
    ({"intent": "register", "type": "folder", "url": "file:///etc", "parameters": {}}, 501, "FeatureUnsupported"),
    ({"intent": "create", "type": "S3"}, 400, "RequestBodyInvalid"),
    ({"intent": "create", "title": 5}, 400, "RequestBodyInvalid"), ([1], 400, "RequestBodyInvalid"),
])
def test_what_cannot_be_made(server, body, status, code):
    assert_error(server.call("POST", "/workspaces", body), status, code)


def test_so_many_and_no_more(server):
    for _ in range(32):
        make(server)
    assert_error(server.call("POST", "/workspaces", {"intent": "create"}), 400, "StorageQuotaExceeded")


def test_without_a_folder_there_are_none(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path).login()
    assert server.call("GET", "/workspace_providers").json() == {"providers": {}}
    assert server.call("GET", "/workspaces").json() == {"workspaces": [], "links": []}
    assert_error(server.call("POST", "/workspaces", {"intent": "create"}), 501, "FeatureUnsupported")
    listed = [endpoint["path"] for endpoint in server.call("GET", "/").json()["endpoints"]]
    assert "/files" in listed and not any(path.startswith("/workspace") for path in listed)
    assert not any(path.startswith("/workspace") for path in server.call("GET", "/api").json()["paths"])
    assert server.stop() == 0


def test_a_job_s_results_stay(server, root):
    values = numbers(0, 4, 5)
    put(server, "in.tif", raster(values))
    workspace = make(server)
    job = server.create(export(workspace))
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, "finished", "error")
    assert server.status(job) == "finished", server.call("GET", f"/jobs/{job}/logs").text
    assert len(server.call("GET", f"/jobs/{job}/results").json()["assets"]) == 1
    assert server.call("DELETE", f"/jobs/{job}").status_code == 204
    there = folder(root, workspace)
    assert files(there) == ["export/catalog.json", "export/result.json", "export/result.tif"]
    with rasterio.open(there / "export" / "result.tif") as file:
        numpy.testing.assert_array_equal(file.read(1), values)
    catalogue = pystac.Catalog.from_file(str(there / "export" / "catalog.json"))
    [item] = catalogue.get_items()
    [asset] = item.assets.values()
    assert asset.get_absolute_href() == str(there / "export" / "result.tif")
    assert asset.media_type.startswith("image/tiff")
    assert asset.extra_fields["file:size"] == (there / "export" / "result.tif").stat().st_size
    with rasterio.open(asset.get_absolute_href()) as file:
        west, south, east, north = rasterio.warp.transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    numpy.testing.assert_allclose(item.bbox, [west, south, east, north], atol=1e-4)
    assert item.properties["proj:code"] == "EPSG:32632"
    again = server.result(export(workspace))  # a synchronous request: another catalogue
    assert again.status_code == 200 and again.headers["Content-Type"].startswith("image/tiff")
    assert len(files(there)) == 6 and (there / "export-2" / "result.tif").exists()


def test_results_are_merged(server, root):
    put(server, "in.tif", raster(numbers(0, 4, 5)))
    put(server, "in_20200305.tif", raster(numbers(0, 4, 5, seed=3)))
    workspace = make(server)
    for format, path in (("GTiff", "in.tif"), ("GTiff", "in_20200305.tif"), ("netCDF", "in.tif"), ("JSON", "in.tif")):
        answer = server.result(export(workspace, "/a//b", format, path))
        assert answer.status_code == 200, answer.text
    there = folder(root, workspace) / "a" / "b"
    assert files(there) == sorted(["catalog.json", "result.json", "result.tif", "result-2.json", "result-2.tif",
                                   "result-3.json", "result-3.nc", "result-4.json", "result-4.data.json"])
    items = list(pystac.Catalog.from_file(str(there / "catalog.json")).get_items())
    assert sorted(i.id for i in items) == ["result", "result-2", "result-3", "result-4"]
    [dated] = [i for i in items if i.id == "result-2"]
    assert dated.datetime.strftime("%Y-%m-%d") == "2020-03-05"
    assert json.loads((there / "result-4.data.json").read_text())
    assert not list(there.glob(".*"))


def modified(workspace, *changes):
    """The export of a result whose item is changed, and an export of the result as it was."""
    nodes = export(workspace, "changed")
    nodes["plain"] = {**nodes["export"], "arguments": {**nodes["export"]["arguments"], "merge": "plain"}}
    del nodes["plain"]["result"]
    for i, change in enumerate(changes):
        nodes[f"change{i}"] = {"process_id": "stac_modify",
                               "arguments": {"data": nodes["export"]["arguments"]["data"], "changes": change}}
        nodes["export"]["arguments"]["data"] = {"from_node": f"change{i}"}
    return nodes


def merge_patched(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge_patched(target.get(name), value)
    return target


def test_items_are_changed(server, root):
    put(server, "in.tif", raster(numbers(0, 4, 5)))
    workspace = make(server)
    first = {"properties": {"title": "\u00e9t\u00e9", "datetime": "2020-03-05T12:00:00Z", "start_datetime": None,
                            "end_datetime": None, "n": {"a": 1, "b": [1.5, None, {"c": None}]}},
             "assets": {"data": {"title": "numbers", "roles": ["data", "reflectance"], "data_type": None}},
             "custom": {"kept": True, "gone": 2}}
    second = {"properties": {"title": "later", "n": {"a": None, "d": 2}}, "custom": {"gone": None}}
    answer = server.result(modified(workspace, first, second))
    assert answer.status_code == 200, answer.text
    there = folder(root, workspace)
    plain, changed = (json.loads((there / name / "result.json").read_text()) for name in ("plain", "changed"))
    assert "custom" not in plain and "title" not in plain["properties"] and plain["properties"]["datetime"] is None
    expected = merge_patched(merge_patched(plain, first), second)
    assert changed == expected and changed["properties"]["n"] == {"b": [1.5, None, {"c": None}], "d": 2}
    [item] = pystac.Catalog.from_file(str(there / "changed" / "catalog.json")).get_items()
    assert item.datetime.isoformat() == "2020-03-05T12:00:00+00:00"
    with rasterio.open(item.assets["data"].get_absolute_href()) as file, \
            rasterio.open(there / "plain" / "result.tif") as same:
        numpy.testing.assert_array_equal(file.read(), same.read())


def test_dates_that_are_taken_away_are_null(server, root):
    put(server, "in_20200305.tif", raster(numbers(0, 4, 5)))
    workspace = make(server)
    nodes = modified(workspace, {"properties": {"datetime": None, "start_datetime": None, "end_datetime": None}})
    nodes["load"]["arguments"]["paths"] = ["in_20200305.tif"]
    assert server.result(nodes).status_code == 200
    there = folder(root, workspace)
    plain, changed = (json.loads((there / name / "result.json").read_text()) for name in ("plain", "changed"))
    assert plain["properties"]["datetime"] == "2020-03-05T00:00:00Z"
    assert [changed["properties"][n] for n in ("datetime", "start_datetime", "end_datetime")] == [None] * 3


def test_changes_that_cannot_be(server, root):
    put(server, "in.tif", raster(numbers(0, 2, 2)))
    workspace = make(server)
    for change in ({"id": "x"}, {"links": []}, {"bbox": None}, {"properties": None}, {"properties": {"datetime": "no"}},
                   {"assets": {"data": None}}, {"assets": {"other": {"href": "x"}}}, {"stac_extensions": {"a": 1}},
                   {"assets": {"data": {"href": "/etc/passwd"}}}, {"big": "x" * (1 << 20)}):
        answer = server.result(modified(workspace, change))
        assert_error(answer, 400, "ProcessParameterInvalid")
        assert "changes" in answer.json()["message"]
    nodes = modified(workspace, {"title": "x"})
    nodes["change0"]["arguments"]["data"] = {"from_node": "load"}  # nothing was saved
    assert_error(server.result(nodes), 400, "ProcessParameterInvalid")
    nodes = modified(workspace, {"title": "x"})
    del nodes["export"], nodes["plain"]
    nodes["change0"]["result"] = True  # goes nowhere
    assert_error(server.result(nodes), 501, "FeatureUnsupported")
    assert files(folder(root, workspace)) == []


def test_several_files_go_together(server, root):
    put(server, "in.tif", raster(numbers(3, 4, 5), names=("a", "b", "c")))
    workspace = make(server)
    nodes = export(workspace, "all")
    nodes["save"]["arguments"]["options"] = {"separate_bands": True}
    job = server.create(nodes)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error")
    assert server.status(job) == "finished", server.call("GET", f"/jobs/{job}/logs").text
    assert len(list((folder(root, workspace) / "all").glob("*.tif"))) == 3
    assert len(list(pystac.Catalog.from_file(str(folder(root, workspace) / "all" / "catalog.json")).get_items())) == 3


def test_what_cannot_be_exported(server, root):
    put(server, "in.tif", raster(numbers(0, 4, 5)))
    workspace = make(server)
    there = folder(root, workspace)
    for other in ("w-none", "..", ".", "", workspace + "/x", "../" + workspace):
        assert_error(server.result(export(other)), 400, "ProcessParameterInvalid")
    for merge in ("..", "../x", "a/../b", "a\\b", "/", "x" * 300):
        assert_error(server.result(export(workspace, merge)), 400, "FilePathInvalid")
    (there / "link").symlink_to("/tmp")
    (there / "file").write_text("x")
    for merge in ("link", "link/a", "file", "file/a"):
        assert_error(server.result(export(workspace, merge)), 400, "FilePathInvalid")
    nodes = export(workspace)
    nodes["export"]["arguments"]["data"] = {"from_node": "load"}  # nothing was saved
    assert_error(server.result(nodes), 400, "ProcessParameterInvalid")
    assert files(there) == ["file"]
    assert server.call("GET", "/jobs").json()["jobs"] is not None
    put(server, "big.tif", raster(numpy.random.default_rng(1).random((350, 350))))  # 1 MB of 2 MB
    assert server.result(export(workspace, "q", path="big.tif")).status_code == 200
    assert server.session.delete(server.api + "/files/in.tif").status_code == 204
    answer = server.result(export(workspace, "q", path="big.tif"))
    answer = server.result(export(workspace, "q", path="big.tif")) if answer.status_code == 200 else answer
    assert_error(answer, 400, "StorageQuotaExceeded")


def test_workspaces_are_their_owner_s(server, root):
    put(server, "in.tif", raster(numbers(0, 2, 2)))
    workspace = make(server)
    bob = Server.__new__(Server)
    bob.api, bob.session = server.api, requests.Session()
    bob.login("bob")
    put(bob, "in.tif", raster(numbers(0, 2, 2)))
    mine = make(bob)
    assert [w["id"] for w in bob.call("GET", "/workspaces").json()["workspaces"]] == [mine]
    for method in ("GET", "PATCH", "DELETE"):
        assert_error(bob.call(method, "/workspaces/" + workspace, {"title": "x"} if method == "PATCH" else None), 404,
                     "NotFound")
    assert_error(bob.result(export(workspace)), 400, "ProcessParameterInvalid")
    assert bob.result(export(mine)).status_code == 200
    assert files(folder(root, workspace)) == [] and len(files(folder(root, mine))) == 3
    assert bob.call("DELETE", "/workspaces/" + mine).status_code == 204


def test_the_command_line(tmp_path):
    (tmp_path / "in.tif").write_bytes(raster(numbers(0, 3, 3)))
    (tmp_path / "w" / "mine").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "graph.json").write_text(json.dumps(export("mine", "here")))
    done = run("run", str(tmp_path / "graph.json"), "--files", str(tmp_path), "--workspaces", str(tmp_path / "w"),
               "--data", str(tmp_path / "data"), "-o", str(tmp_path / "out") + "/")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "w" / "mine" / "here") == ["catalog.json", "result.json", "result.tif"]
