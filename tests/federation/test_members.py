"""One federation of two servers of ours, rustac and stac-fastapi, all on this machine: every item once and in order,
whoever has it; and who is missing when one is killed in the middle of a search. `tests/run federation` installs what
it wants (tests/federation/requirements.txt)."""

import datetime
import json
import pathlib
import socket
import subprocess
import sys

import pytest
import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from conftest import twincube, until  # noqa: E402
from test_server_api import Server  # noqa: E402

pytest.importorskip("rustac", reason="rustac is not installed: tests/run federation")
pytest.importorskip("stac_fastapi.api", reason="stac-fastapi is not installed: tests/run federation")

NAMES = {"own": "OWN", "far": "far|FAR", "rust": "rust|RUST", "fast": "fast|FAST"}
DAYS = range(120)  # dealt in turn


def make_items(name, days):
    start = datetime.datetime(2021, 1, 1)
    return [{"type": "Feature", "stac_version": "1.0.0", "id": f"{name}-{day:03d}", "collection": name,
             "geometry": {"type": "Point", "coordinates": [day, 10]}, "bbox": [day, 10, day, 10], "links": [],
             "assets": {}, "properties": {"datetime": (start + datetime.timedelta(days=day)).isoformat() + "Z",
                                          "eo:cloud_cover": day * 37 % 101}} for day in days]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Member:
    """A program of another make that answers at its address."""

    def __init__(self, port, command):
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers)

    def answers(self):
        assert self.process.poll() is None, "it has ended"
        try:
            return requests.get(self.url + "/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()


def ours(tmp_path_factory, name, days, *arguments):
    folder = tmp_path_factory.mktemp(name)
    (folder / "items.ndjson").write_text("\n".join(map(json.dumps, make_items(name, days))))
    twincube("catalogue", "load", "--data", folder / "data", folder / "items.ndjson")
    return Server(folder / "data", *arguments)


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    folder = tmp_path_factory.mktemp("members")
    (folder / "rust.ndjson").write_text("\n".join(map(json.dumps, reversed(make_items("RUST", DAYS[2::4])))))
    (folder / "fast.json").write_text(json.dumps(make_items("FAST", DAYS[3::4])))
    port = free_port()
    rust = Member(port, ["rustac", "serve", "-a", f"127.0.0.1:{port}", "--use-duckdb", "false", "--create-collections",
                         folder / "rust.ndjson"])
    port = free_port()
    fast = Member(port, [sys.executable, pathlib.Path(__file__).with_name("fastapi_member.py"), folder / "fast.json",
                         str(port)])
    yield rust, fast
    rust.stop()
    fast.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, members):
    far = ours(tmp_path_factory, "FAR", DAYS[1::4])
    places = {"far": far.url + "/openeo/1.3", "rust": members[0].url, "fast": members[1].url}
    server = ours(tmp_path_factory, "OWN", DAYS[0::4],
                  *(part for name, url in places.items() for part in ("--federation", f"{name}={url}")))
    until(lambda: all(name in server.call("GET", "/collections").text for name in NAMES.values()))
    yield server
    assert server.stop() == 0
    assert far.stop() == 0


def pages(server, **body):
    while body is not None:
        page = requests.post(server.url + "/stac/search", json=body, timeout=60).json()
        yield page
        body = next((link["body"] for link in page["links"] if link["rel"] == "next"), None)


def day_of(item):
    return int(item["id"].split("-")[1])


@pytest.mark.parametrize("limit", [7, 50, 1000])
def test_every_item_comes_once_and_in_order(server, limit):
    found = [item for page in pages(server, limit=limit) for item in page["features"]]
    names = list(NAMES.values())
    assert [(day_of(i), i["collection"]) for i in found] == [(day, names[day % 4]) for day in reversed(DAYS)]


def test_another_order_and_a_filter(server):
    by_cover = [{"field": "properties.eo:cloud_cover", "direction": "asc"}]
    found = [item for page in pages(server, limit=9, sortby=by_cover, **{
        "filter": "eo:cloud_cover BETWEEN 20 AND 60", "filter-lang": "cql2-text"}) for item in page["features"]]
    covers = [item["properties"]["eo:cloud_cover"] for item in found]
    assert covers == sorted(day * 37 % 101 for day in DAYS if 20 <= day * 37 % 101 <= 60)
    assert {item["collection"] for item in found} == set(NAMES.values())


def test_one_is_killed_in_the_middle(server, members):
    rest = pages(server, limit=10)
    found = next(rest)["features"]
    members[0].stop()
    missing = []
    for page in rest:
        found += page["features"]
        missing += page.get("federation:missing", [])
    assert set(missing) == {"rust"}
    days = [day_of(item) for item in found]
    assert len(set(days)) == len(days) and {day for day in DAYS if day % 4 != 2} <= set(days)
    others = [day for day in days if day % 4 != 2]
    assert others == sorted(others, reverse=True)
