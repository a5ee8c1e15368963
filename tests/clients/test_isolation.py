"""What is one user's is nobody else's: every endpoint of the capabilities, with another user's token, with a token that
is none, and without one.

A placeholder that is not known here fails the test: say in `Alice` how she gets such a thing.
"""

import re

import numpy
import pytest
import requests

from test_server_api import ADD, FILE, Server, add_user, graph
from test_uploaded_files import raster

# Whoever asks is answered; all other endpoints want a token.
PUBLIC = re.compile(r"/|/conformance|/file_formats|/collections.*|/processes|/validation|/service_types|/udf_runtimes"
                    r"|/processing_parameters|/workspace_providers|/credentials/(basic|oidc)|/api|/health")
# Made anew for who asks, whoever has one of the same name.
OWN_NAMES = {"/files/{path}", "/process_graphs/{process_graph_id}"}
SIGNED = re.compile(r'/[0-9]{10}/[^"]*|"expires":"[^"]*"|expires=[0-9]+&signature=[^"]*')
BODIES = {"POST": {"process": {"process_graph": ADD}, "title": "taken over", "intent": "create"},
          "PATCH": {"title": "taken over"}, "PUT": {"process_graph": ADD, "description": "taken over"}}


class Alice:
    """The owner of one thing of each kind; the value of each placeholder."""

    def __init__(self, server):
        self.server = server
        self.made = {}

    def __getitem__(self, placeholder):
        if placeholder not in self.made:
            self.made[placeholder] = getattr(self, "make_" + placeholder)()
        return self.made[placeholder]

    def make_job_id(self):
        job = self.server.create(FILE, title="alice's")
        assert self.server.call("POST", f"/jobs/{job}/results").status_code == 202
        self.server.wait(job, "finished")
        return job

    def make_path(self):
        answer = self.server.session.put(self.server.api + "/files/alice/secret.bin", data=b"hers", timeout=60)
        assert answer.status_code == 200
        return "alice/secret.bin"

    def make_process_graph_id(self):
        answer = self.server.call("PUT", "/process_graphs/alices_sum", {"process_graph": ADD})
        assert answer.status_code == 200, answer.text
        return "alices_sum"

    def make_service_id(self):
        picture = raster(numpy.ones((4, 4), "uint8"), west=0, north=4, resolution=1, crs="EPSG:4326")
        self.server.session.put(self.server.api + "/files/map.tif", data=picture, timeout=60)
        loaded = graph("load_uploaded_files", paths=["map.tif"], format="GTiff")
        answer = self.server.call("POST", "/services", {"type": "xyz", "process": {"process_graph": loaded}})
        assert answer.status_code == 201, answer.text
        return answer.headers["OpenEO-Identifier"]

    def make_workspace_id(self):
        answer = self.server.call("POST", "/workspaces", {"intent": "create", "title": "alice's"})
        assert answer.status_code == 201, answer.text
        return answer.headers["OpenEO-Identifier"]

    def make_collection_id(self):
        return "none"

    def make_item_id(self):
        return "none"

    def things(self):
        """What her endpoints say of her things, but for what changes by itself."""
        kept = {}
        for endpoint in self.server.call("GET", "/").json()["endpoints"]:
            if "GET" in endpoint["methods"] and "{" in endpoint["path"]:
                answer = self.server.call("GET", fill(endpoint["path"], self))
                if answer.status_code == 200:  # links are signed anew each time, for a while
                    kept[endpoint["path"]] = SIGNED.sub("", answer.text)
        assert "/jobs/{job_id}/results" in kept and "/files/{path}" in kept
        return kept


def fill(path, owner):
    return re.sub(r"\{(\w+)\}", lambda match: owner[match.group(1)], path)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    server = Server(data, "--workers", "1", "--workspaces", str(tmp_path_factory.mktemp("workspaces"))).login()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def alice(server):
    return Alice(server)


@pytest.fixture(scope="module")
def calls(server, alice):
    """(method, path of the capabilities, path of alice's thing), those that remove last."""
    endpoints = server.call("GET", "/").json()["endpoints"]
    all_calls = [(m, e["path"], fill(e["path"], alice)) for e in endpoints for m in e["methods"]]
    assert len(all_calls) > 20 and ("DELETE", "/jobs/{job_id}") in [c[:2] for c in all_calls]
    return sorted(all_calls, key=lambda call: call[0] == "DELETE")


def ask(server, session, method, path):
    body = BODIES.get(method)
    return session.request(method, server.api + path, json=body, timeout=60)


def stranger(token=None):
    session = requests.Session()
    session.trust_env = False
    if token:
        session.headers["Authorization"] = "Bearer " + token
    return session


@pytest.fixture(scope="module")
def bob(server):
    token = stranger().get(server.api + "/credentials/basic", auth=("bob", "a long password")).json()["access_token"]
    return stranger("basic//" + token)


@pytest.mark.parametrize("token", [None, "basic//forged", "forged", "oidc/none/forged"])
def test_who_is_nobody_gets_nothing(server, alice, calls, token):
    before = alice.things()
    for method, pattern, path in calls:
        answer = ask(server, stranger(token), method, path)
        if PUBLIC.fullmatch(pattern):
            assert answer.status_code < 500, (method, pattern)
        else:
            assert answer.status_code in ((401,) if token is None else (401, 403)), (method, pattern, answer.text)
            assert answer.json()["code"] in ("AuthenticationRequired", "TokenInvalid", "AuthenticationSchemeInvalid")
    assert alice.things() == before


def test_another_user_sees_and_changes_nothing(server, alice, bob, calls):
    before = alice.things()
    mine = [value for value in alice.made.values() if value != "none"]
    assert len(mine) >= 2
    for method, pattern, path in calls:
        answer = ask(server, bob, method, path)
        assert answer.status_code < 500, (method, pattern, answer.text)
        if not PUBLIC.fullmatch(pattern) and "{" in pattern and method != "PUT" and pattern not in OWN_NAMES:
            assert answer.status_code == 404, (method, pattern, answer.text)
        if "{" not in pattern:  # a list, or what bob makes for himself
            assert not any(thing in answer.text for thing in mine), (method, pattern)
    assert alice.things() == before


def test_names_that_bob_takes_are_his_own(server, alice, bob, calls):
    before = alice.things()
    for pattern in OWN_NAMES & {c[1] for c in calls}:
        path = fill(pattern, alice)
        assert bob.get(server.api + path).status_code in (200, 404)
        assert ask(server, bob, "PUT", path).status_code == 200
        assert bob.get(server.api + path).content != server.session.get(server.api + path).content
        assert bob.delete(server.api + path).status_code == 204
    assert alice.things() == before


def test_streams_are_their_owner_s_too(server, alice, bob):
    path = f"/jobs/{alice['job_id']}/events"
    assert ask(server, bob, "GET", path).status_code == 404
    assert ask(server, stranger(), "GET", path).status_code == 401
    assert ask(server, stranger(), "GET", path + "?expires=99999999999&signature=forged").status_code in (401, 403)
