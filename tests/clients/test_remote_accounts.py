"""Other hosts that want to know who reads: S3 with signatures, bearer tokens, users with passwords. What an account has
goes below its own prefix and nowhere else."""

import base64
import json
import signal
import subprocess
import time

import numpy as np
import openeo
import pytest
import requests

from conftest import BINARY, PASSWORD, USER, twincube
from remote_host import Fault, RemoteHost
from s3_host import EMPTY, S3Host, signature
from test_remote_files import item, load, put, raster, refusal

KEYS = {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)}


class Bucket:
    """What load() of test_remote_files wants of a host: the prefix that may be asked."""
    url = "s3://scenes/"


def accounts(folder, **table):
    """Options for a file of one account; secrets, in files of their own, are members that end in _file."""
    lines = ["[[remote]]"]
    for name, value in table.items():
        if name.endswith("_file"):
            (folder / name).write_text(value + "\n")
            value = str(folder / name)
        lines.append(f"{name} = {json.dumps(value)}")
    (folder / "accounts.toml").write_text("\n".join(lines))
    return "--remote-accounts", str(folder / "accounts.toml")


def s3_account(folder, host, **more):
    (name, (secret, session)), = host.keys.items()
    if session:
        more["session_file"] = session
    return accounts(folder, url="s3://scenes/", endpoint=host.url, key_id=name, secret_file=secret, **more)


def test_the_signatures_checked_here_are_those_of_the_specification():
    headers = {"host": "examplebucket.s3.amazonaws.com", "range": "bytes=0-9", "x-amz-content-sha256": EMPTY,
               "x-amz-date": "20130524T000000Z"}  # the example "GET Object" of the specification
    assert signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "GET", "/test.txt", "", headers, sorted(headers),
                     "20130524T000000Z", "us-east-1") == \
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


@pytest.mark.parametrize("session, region", [(None, "us-east-1"), ("FwoGZXIvYXdzE+/=", "eu-central-1")])
def test_pixels_of_a_bucket_that_wants_signatures(tmp_path, session, region):
    values, file = raster(1, size=1200, compress="none")  # several ranges
    key = "2020/a b+c%41#ü.tif"
    keys = {"AKIDEXAMPLE": (KEYS["AKIDEXAMPLE"][0], session)}
    with S3Host({f"scenes/{key}": file}, keys, region) as host:
        put(host, "scenes/stac/i.json", item("a", {"B1": f"s3://scenes/{key}"}))
        put(host, "scenes/stac/c.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "x",
                                         "links": [{"rel": "item", "href": "./i.json"}]})
        url = "s3://scenes/stac/c.json"
        found = load(tmp_path, Bucket, url, *s3_account(tmp_path, host, region=region))
        assert np.array_equal(found["B1"][0], values[0])
        assert host.count(f"scenes/{key}") > 1


def test_keys_that_are_wrong_are_told(tmp_path):
    with S3Host({}, KEYS) as host:
        put(host, "scenes/i.json", item("a", {"B1": "a.tif"}))
        options = s3_account(tmp_path, host)
        host.keys = {"AKIDEXAMPLE": ("another", None)}
        said = refusal(tmp_path, "s3://scenes/i.json", [], *options)
        assert "PermissionsInsufficient" in said and "s3://scenes/i.json" in said and "wJalr" not in said


def test_a_bucket_that_everybody_may_read(tmp_path):
    values, file = raster(2)
    with S3Host({"scenes/a.tif": file}) as host:
        put(host, "scenes/i.json", item("a", {"B1": "a.tif"}))
        options = accounts(tmp_path, url="s3://scenes/", endpoint=host.url)
        assert np.array_equal(load(tmp_path, Bucket, "s3://scenes/i.json", *options)["B1"][0], values[0])
        for url in ("s3://other/i.json", "s3://scenes/../other/i.json", "s3://scenes/", "s3://Scenes/i.json",
                    "s3://scenes2/i.json"):
            assert "PermissionsInsufficient" in refusal(tmp_path, url, [], *options), url
        assert "FileNotFound" in refusal(tmp_path, "s3://scenes/none.json", [], *options)


def bearer(token, seen):
    def admits(handler):
        seen.append(handler.headers["Authorization"])
        return None if seen[-1] == token else 401
    return admits


def test_a_token_goes_below_its_prefix_and_nowhere_else(tmp_path):
    values, file = raster(3)
    seen, others = [], []
    with RemoteHost({"in/a.tif": file}) as host, RemoteHost({"a.tif": file}) as other:
        host.admits = bearer("Bearer abc.def", seen)
        other.admits = lambda handler: others.append(handler.headers["Authorization"])
        url = put(host, "in/i.json", item("a", {"B1": "a.tif"}))
        options = accounts(tmp_path, url=host.url + "in/", token_file="abc.def")
        assert np.array_equal(load(tmp_path, host, url, *options)["B1"][0], values[0])
        assert set(seen) == {"Bearer abc.def"}
        put(host, "out.json", item("a", {"B1": "in/a.tif"}))
        seen.clear()
        assert "PermissionsInsufficient" in refusal(tmp_path, host.url + "out.json", [host.url], *options)
        assert seen == [None]
        host.always["in/a.tif"] = Fault("redirect", other.url + "a.tif")  # as doors of storage do
        done = load(tmp_path, other, url, "--remote", host.url, *options)
        assert np.array_equal(done["B1"][0], values[0])
        assert others and set(others) == {None}
        host.always["in/a.tif"] = Fault("redirect", "/elsewhere.tif")
        seen.clear()
        refusal(tmp_path, url, [host.url], *options)
        assert seen[-1] is None and seen[0] == "Bearer abc.def"


def test_a_door_leads_to_the_hosts_that_its_account_names(tmp_path):
    values, file = raster(5, compress="none")
    seen = []
    with RemoteHost({}) as door, RemoteHost({"a.tif": file}) as pool:
        door.admits = bearer("Bearer abc.def", [])
        pool.admits = lambda handler: seen.append(handler.headers["Authorization"])
        url = put(door, "i.json", item("a", {"B1": "a.tif"}))
        options = accounts(tmp_path, url=door.url, token_file="abc.def", redirects=["*.example.org", "localhost"])
        door.always["a.tif"] = Fault("redirect307", f"http://localhost:{pool.port}/a.tif?authz=m")
        assert np.array_equal(load(tmp_path, door, url, *options)["B1"][0], values[0])
        assert len(seen) > 1 and set(seen) == {None}
        seen.clear()
        for host in ("127.0.0.2", "localhost.example.com", "[::1]"):
            door.always["a.tif"] = Fault("redirect307", f"http://{host}:{pool.port}/a.tif")
            assert "PermissionsInsufficient" in refusal(tmp_path, url, [door.url], *options), host
        assert not seen


def test_a_user_with_a_password(tmp_path):
    values, file = raster(4)
    with RemoteHost({"a.tif": file}) as host:
        host.admits = bearer("Basic " + base64.b64encode(b"me:a pass:word").decode(), [])
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        assert "PermissionsInsufficient" in refusal(tmp_path, url, [host.url])
        options = accounts(tmp_path, url=host.url, user="me", password_file="a pass:word")
        assert np.array_equal(load(tmp_path, host, url, *options)["B1"][0], values[0])


@pytest.mark.parametrize("table, word", [
    ({"url": "http://example.org/", "token_file": "x"}, "https"), ({"url": "s3://b"}, "s3://BUCKET"),
    ({"url": "s3://bucket/", "token_file": "x"}, "key_id"), ({"url": "s3://bucket/", "key_id": "x"}, "together"),
    ({"url": "https://example.org/", "user": "x"}, "together"), ({"url": "https://example.org/", "keys": "x"}, "keys"),
    ({"url": "https://example.org/", "region": "x"}, "token_file"), ({"endpoint": "https://x"}, "wanted"),
    ({"url": "s3://bucket/", "endpoint": "https://x/y"}, "endpoint"),
    ({"url": "https://example.org/", "token_file": ""}, "line"),
    ({"url": "https://example.org/", "redirects": ["a b"]}, "redirects"),
    ({"url": "s3://bucket/", "redirects": ["a"]}, "redirects")], ids=str)
def test_accounts_that_make_no_sense(tmp_path, table, word):
    done = subprocess.run([BINARY, "run", *accounts(tmp_path, **table), "x.json"], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 2 and word in done.stderr and "accounts.toml:" in done.stderr, done.stderr


def test_a_server_reads_with_its_accounts_and_takes_new_tokens(tmp_path):
    values, file = raster(5)
    seen = []
    with RemoteHost({"a.tif": file}) as host:
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        put(host, "j.json", item("a", {"B1": "a.tif"}))
        host.admits = bearer("Bearer first", seen)
        accounts(tmp_path, url=host.url, token_file="first")
        (tmp_path / "data").mkdir()
        twincube("user", "add", USER, "--data", tmp_path / "data", input=PASSWORD + "\n")
        process = subprocess.Popen(
            [BINARY, "serve", "--config", tmp_path / "accounts.toml", "--listen", "127.0.0.1:0", "--data",
             tmp_path / "data", "--workers", "1", "--log-level", "info"], stdout=subprocess.PIPE,
            stderr=(tmp_path / "log").open("w"), text=True)
        try:
            address = process.stdout.readline().strip()
            client = openeo.connect(address).authenticate_basic(USER, PASSWORD)
            client.datacube_from_process("load_stac", url=url).download(tmp_path / "a.nc")
            host.admits = bearer("Bearer second", seen)
            with pytest.raises(openeo.rest.OpenEoApiError, match="PermissionsInsufficient"):
                client.datacube_from_process("load_stac", url=host.url + "j.json").download(tmp_path / "b.nc")
            (tmp_path / "token_file").write_text("second\n")
            process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 60
            while "the settings were read again" not in (tmp_path / "log").read_text():
                assert time.monotonic() < end
                time.sleep(0.05)
            client.datacube_from_process("load_stac", url=host.url + "j.json").download(tmp_path / "b.nc")
            command = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
            assert "second" not in command
        finally:
            process.terminate()
            assert process.wait(timeout=20) == 0
        assert {"Bearer first", "Bearer second"} == set(seen)
        assert requests.get(host.url + "i.json", timeout=10).status_code == 401
