"""load_stac from other hosts through a server: the openEO client's own load_stac, a job, the rule that holds for all, a
fetcher that dies. Workers have no network (test_confinement.py); what they read of other hosts, the fetcher brings."""

import signal
import subprocess
import time

import numpy as np
import openeo
import pytest
import requests
import xarray

from conftest import BINARY, PASSWORD, USER, twincube
from remote_host import Fault, RemoteHost
from test_remote_files import item, put, raster
from test_remote_zarr import publish
from test_zarr_input import values


@pytest.fixture(scope="module")
def host():
    with RemoteHost() as host:
        yield host


@pytest.fixture(scope="module")
def silent():
    with RemoteHost() as host:
        yield host


@pytest.fixture(scope="module")
def served(host, silent, tmp_path_factory):
    data = tmp_path_factory.mktemp("served")
    twincube("user", "add", USER, "--data", data, input=PASSWORD + "\n")
    process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--remote",
                                host.url + "open/", "--remote", silent.url, "--remote-cache", "8M", "--workers", "2"],
                               stdout=subprocess.PIPE, text=True)
    process.data = data
    process.url = process.stdout.readline().strip()
    yield process
    process.terminate()
    assert process.wait(timeout=20) == 0
    assert not list((data / "remote").iterdir())


@pytest.fixture(scope="module")
def connection(served):
    return openeo.connect(served.url).authenticate_basic(USER, PASSWORD)


def download(cube, path):
    cube.download(path)
    with xarray.open_dataset(path, mask_and_scale=False) as file:
        return file["B1"].values


def code_of(connection, url):
    with pytest.raises(openeo.rest.OpenEoApiError) as refused:
        connection.datacube_from_process("load_stac", url=url).execute()
    return refused.value.code, refused.value.message


def test_the_client_loads_what_lies_elsewhere(host, connection, tmp_path):
    values, host.files["open/a.tif"] = raster(1)
    url = put(host, "open/i.json", item("a", {"B1": "a.tif"}))
    assert np.array_equal(download(connection.load_stac(url), tmp_path / "a.nc")[0], values[0])
    job = connection.load_stac(url).create_job(out_format="netCDF")
    job.start_and_wait(print=lambda _: None, max_poll_interval=0.5, connection_retry_interval=0.5)
    assert np.array_equal(download(connection.load_stac(url), tmp_path / "b.nc")[0], values[0])
    whole = [asked for path, asked, _ in host.requests if path == "open/a.tif"]
    assert len(whole) == len(set(whole)), "what is in the cache is asked for again"


def test_workers_read_zarr_of_other_hosts(host, connection, tmp_path):
    data = values("<i4")
    url = publish(host, tmp_path, 3, data, "open/zarr/")
    connection.datacube_from_process("load_stac", url=url).download(tmp_path / "z.nc")
    with xarray.open_dataset(tmp_path / "z.nc", mask_and_scale=False) as file:
        assert np.array_equal(file["data"].values, data)


def test_the_rule_is_the_operators(host, connection):
    host.files["closed/a.tif"] = host.files.get("open/a.tif") or raster(1)[1]
    put(host, "closed/i.json", item("a", {"B1": "a.tif"}))
    before = len(host.requests)
    for url in (host.url + "closed/i.json", "http://127.0.0.1:1/x.json", "http://169.254.169.254/latest/meta-data",
                "https://localhost/x.json", host.url + "open/../closed/i.json", host.url + "open/%2e%2e/closed/i.json"):
        code, message = code_of(connection, url)
        assert code == "PermissionsInsufficient" and "url" in message, (url, message)
    assert len(host.requests) == before
    for href in ("file:///etc/passwd", "/vsicurl/http://x/a.tif"):
        assert code_of(connection, put(host, "open/j.json", item("a", {"B1": href})))[0] == "FeatureUnsupported"
    host.always["open/moved.json"] = Fault("redirect", host.url + "closed/i.json")
    assert code_of(connection, host.url + "open/moved.json")[0] == "PermissionsInsufficient"


def test_uploaded_documents_may_name_what_is_allowed(host, served, connection, tmp_path):
    values, host.files["open/u.tif"] = raster(2)
    for name, place in (("u.json", "open/u.tif"), ("v.json", "closed/a.tif")):
        url = f"{served.url}openeo/1.3/files/{name}"
        answer = requests.put(url, json=item("a", {"B1": host.url + place}), headers={
            "Authorization": connection.auth.bearer and f"Bearer {connection.auth.bearer}"}, timeout=10)
        assert answer.status_code == 200, answer.text
    cube = connection.datacube_from_process("load_stac", url="u.json").save_result("netCDF")
    assert np.array_equal(download(cube, tmp_path / "u.nc")[0], values[0])
    assert code_of(connection, "v.json")[0] == "PermissionsInsufficient"


def test_the_cache_is_bounded_and_says_so(host, served, connection, tmp_path):
    for seed in range(8):  # eight of 0.7 MB, one after the other
        values, host.files[f"open/{seed}.tif"] = raster(seed, compress="none")
        url = put(host, f"open/{seed}.json", item("a", {"B1": f"{seed}.tif"}))
        assert np.array_equal(download(connection.load_stac(url), tmp_path / "c.nc")[0], values[0])
    assert sum(file.stat().st_blocks * 512 for file in (served.data / "remote").iterdir()) <= 8 << 20
    host.files["open/large.tif"] = raster(9, size=2500, compress="none")[1]  # 12 MB
    code, message = code_of(connection, put(host, "open/large.json", item("a", {"B1": "large.tif"})))
    assert "kept" in message, (code, message)


def children(pid):
    """pid by name."""
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return {name: int(number) for number, name in (line.split(None, 1) for line in listed.stdout.splitlines())}


def test_a_fetcher_that_dies_is_replaced(host, served, connection, tmp_path):
    values, host.files["open/k.tif"] = raster(3)
    url = put(host, "open/k.json", item("a", {"B1": "k.tif"}))
    for _ in range(3):
        old = children(served.pid)["twincube-fetch"]
        subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(old)], check=True)
        end = time.monotonic() + 60
        while children(served.pid).get("twincube-fetch", old) == old:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert np.array_equal(download(connection.load_stac(url), tmp_path / "k.nc")[0], values[0])


def test_a_job_whose_host_is_silent_can_be_cancelled(host, connection):
    host.always["open/silent.json"] = Fault("silent", 60)
    job = connection.datacube_from_process("load_stac", url=host.url + "open/silent.json").create_job(validate=False)
    job.start()
    end = time.monotonic() + 60
    while host.count("open/silent.json") == 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    job.stop()
    while job.status() != "canceled":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_silent_host_keeps_nobody_from_the_others(host, silent, connection, tmp_path):
    names = [f"{number}.json" for number in range(60)]  # more than are asked for at once
    silent.always = {name: Fault("silent", 60) for name in names}
    url = put(host, "open/many.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "x",
                                       "links": [{"rel": "item", "href": silent.url + name} for name in names]})

    def load_other(number):
        values, host.files[f"open/o{number}.tif"] = raster(20 + number)
        other = put(host, f"open/o{number}.json", item("a", {"B1": f"o{number}.tif"}))
        start = time.monotonic()
        cube = connection.datacube_from_process("load_stac", url=other)
        assert np.array_equal(download(cube, tmp_path / "o.nc")[0], values[0])
        return time.monotonic() - start

    alone = load_other(0)
    job = connection.datacube_from_process("load_stac", url=url).create_job(validate=False)
    job.start()
    end = time.monotonic() + 60
    while silent.active < 20:
        assert time.monotonic() < end, job.status()
        time.sleep(0.05)
    beside = load_other(1)
    job.stop()
    assert beside < 5 + 2 * alone, "it waited until a request to the silent host was given up, after 8 s"


def test_strangers_make_the_server_ask_nobody(host, served):
    before = len(host.requests)
    answer = requests.post(served.url + "openeo/1.3/validation", timeout=30, json={"process_graph": {
        "l": {"process_id": "load_stac", "arguments": {"url": host.url + "open/i.json"}, "result": True}}})
    assert [error["code"] for error in answer.json()["errors"]] == ["FeatureUnsupported"]
    assert len(host.requests) == before
