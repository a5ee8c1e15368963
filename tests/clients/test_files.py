"""/files: uploads, downloads, ranges, the list, quotas, and paths that lead nowhere else."""

import calendar
import contextlib
import hashlib
import http.client
import os
import pathlib
import socket
import sqlite3
import threading
import time

import pytest
import requests

from test_server_api import ADD, Server, add_user, assert_error, run

MIB = 1 << 20


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    return data


@pytest.fixture(scope="module")
def server(data):
    server = Server(data, "--workers", "1", "--user-files", "40M").login()
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def nothing_is_left(server):
    yield
    for file in listed(server):
        delete(server, requests.utils.quote(file["path"]))
    wait_for(lambda: not list((server.data / "tmp").glob("upload-*")))
    root = server.data / "files"
    assert not root.exists() or not [e for folder in root.iterdir() for e in folder.iterdir()]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def put(server, path, body, **options):
    return server.session.put(f"{server.api}/files/{path}", data=body, timeout=60, **options)


def get(server, path, **headers):
    return server.session.get(f"{server.api}/files/{path}", headers=headers, timeout=60)


def delete(server, path):
    return server.session.delete(f"{server.api}/files/{path}", timeout=60)


def listed(server, query=""):
    return server.call("GET", "/files" + query).json()["files"]


def raw(server, method, path, body=b"", length=None, token=True):
    """A request whose path is sent as it stands: status and JSON."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    with contextlib.closing(connection):
        connection.putrequest(method, "/openeo/1.2" + path, skip_accept_encoding=True)
        if token:
            connection.putheader("Authorization", server.session.headers["Authorization"])
        connection.putheader("Content-Length", str(len(body) if length is None else length))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, requests.models.complexjson.loads(text) if text else None


def pieces(total, step=64 * 1024):
    """A body without a length, and what it holds."""
    for start in range(0, total, step):
        yield bytes((start // step) % 251 for _ in range(1)) * min(step, total - start)


# ---- a file's life ----


def test_a_file_comes_and_goes(server):
    body = os.urandom(3 * MIB + 17)
    before = time.time()
    answer = put(server, "borders/europe.bin", body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == listed(server)[0]
    assert answer.json()["path"] == "borders/europe.bin" and answer.json()["size"] == len(body)
    modified = calendar.timegm(time.strptime(answer.json()["modified"], "%Y-%m-%dT%H:%M:%SZ"))
    assert abs(modified - before) < 60
    got = get(server, "borders/europe.bin")
    assert got.content == body and got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Access-Control-Allow-Origin"] == "*" and "ETag" in got.headers["Access-Control-Expose-Headers"]
    assert got.headers["ETag"] == answer.headers["ETag"]
    head = server.session.head(server.api + "/files/borders/europe.bin")
    assert head.content == b"" and int(head.headers["Content-Length"]) == len(body)
    again = put(server, "borders/europe.bin", b"less")
    assert again.json()["size"] == 4 and again.headers["ETag"] != answer.headers["ETag"]
    assert get(server, "borders/europe.bin").content == b"less"
    answer = delete(server, "borders/europe.bin")
    assert answer.status_code == 204 and answer.content == b""
    assert listed(server) == []
    assert_error(get(server, "borders/europe.bin"), 404, "FileNotFound")
    assert_error(delete(server, "borders/europe.bin"), 404, "FileNotFound")


def test_nothing_was_uploaded_yet(tmp_path):
    add_user(tmp_path, "alice")
    fresh = Server(tmp_path).login()
    assert fresh.call("GET", "/files").json() == {"files": [], "links": []}
    assert_error(get(fresh, "a"), 404, "FileNotFound")
    assert_error(delete(fresh, "a"), 404, "FileNotFound")
    assert fresh.stop() == 0


def test_bodies_of_every_length_and_kind(server):
    for size in (0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 17 * MIB):
        body = hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1)
        assert put(server, "a", body[:size]).json()["size"] == size
        assert get(server, "a").content == body[:size]
    for total in (0, 5, 300_000, 20 * MIB):
        assert put(server, "b", pieces(total)).json()["size"] == total  # chunked
        assert get(server, "b").content == b"".join(pieces(total))
    assert put(server, "c", (bytes([i % 256]) for i in range(3000))).json()["size"] == 3000  # a byte a chunk
    assert get(server, "c").content == bytes(i % 256 for i in range(3000))
    assert put(server, "d", b"x" * MIB, headers={"Expect": "100-continue"}).json()["size"] == MIB


def test_a_long_body_is_never_in_memory(server):
    process = pathlib.Path("/proc") / str(server.process.pid)
    if "libasan" in (process / "maps").read_text():
        pytest.skip("memory is not measured under the address sanitizer")

    def resident():
        return int((process / "status").read_text().split("VmRSS:")[1].split()[0]) // 1024

    most = [resident()]
    before = most[0]

    def watched():
        for piece in pieces(39 * MIB, MIB):
            most.append(resident())
            yield piece

    assert put(server, "long", watched()).status_code == 200
    assert max(most) < before + 8, f"{before} MiB before, {max(most)} MiB while 39 MiB came"


@pytest.mark.parametrize(
    "path",
    ["a b.tif", "europe/österreich/münster.shp", "2020-01-01T00:00:00.nc", "it's", 'q"uote', "a+b&c=d?e#f", "...",
     "..a",
     ".zgroup", "100%", "日本/データ.nc", "x" * 255, "a/" * 15 + "b"],
)
def test_names(server, path):
    quoted = requests.utils.quote(path)
    answer = put(server, quoted, path.encode())
    assert answer.status_code == 200, answer.text
    assert answer.json()["path"] == path and [f["path"] for f in listed(server)] == [path]
    assert get(server, quoted).content == path.encode()
    assert delete(server, quoted).status_code == 204


def test_slashes_do_not_count_and_may_be_encoded(server):
    for path in ("a/b/c", "/a//b///c/", "a%2Fb/c", "//a/b%2Fc"):
        assert raw(server, "PUT", "/files/" + path, b"1")[1]["path"] == "a/b/c"
    assert len(listed(server)) == 1


@pytest.mark.parametrize(
    "path",
    ["..", ".", "../x", "a/../b", "a/./b", "a/..", "%2e%2e/x", "%2E%2E%2Fx", "..%2f..%2fserver.sqlite", "a%00b",
     "a%0Ab",
     "a%1Fb", "a%5Cb", "..%5C..%5Cx", "a%7Fb", "%ff", "a%C0%AFb", "%ZZ", "a%", "x" * 256, "a/" * 16 + "b",
     "/".join(["y" * 200] * 6), "z" * 5000, "%2F", "%2F%2F"],
)
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "DELETE"])
def test_paths_that_are_none(server, method, path):
    status, body = raw(server, method, "/files/" + path, b"x" if method == "PUT" else b"")
    assert status == 400
    assert body is None if method == "HEAD" else body["code"] == "FilePathInvalid"
    assert listed(server) == []


def test_folders_and_files(server):
    assert put(server, "a/b/c", b"1").status_code == 200
    assert_error(get(server, "a"), 400, "FileOperationUnsupported")
    assert_error(get(server, "a/b/"), 400, "FileOperationUnsupported")
    assert_error(delete(server, "a/b"), 400, "FileOperationUnsupported")
    assert_error(put(server, "a/b", b"2"), 400, "FilePathInvalid")
    assert_error(put(server, "a/b/c/d", b"2"), 400, "FilePathInvalid")
    assert_error(put(server, "a/b/c/d/e/f", b"2"), 400, "FilePathInvalid")
    assert_error(get(server, "a/b/c/d"), 404, "FileNotFound")
    assert_error(delete(server, "a/b/c/d"), 404, "FileNotFound")
    assert [f["path"] for f in listed(server)] == ["a/b/c"] and get(server, "a/b/c").content == b"1"
    assert put(server, "a/x", b"1").status_code == 200
    assert delete(server, "a/b/c").status_code == 204
    assert_error(get(server, "a/b"), 404, "FileNotFound")  # the empty folder is gone, its parent is not
    assert put(server, "a/b", b"now a file").status_code == 200


def test_links_are_never_followed(server):
    assert put(server, "real/file", b"1").status_code == 200
    [root] = (server.data / "files").iterdir()
    secret = server.data / "secret"
    secret.mkdir()
    (secret / "key").write_text("k")
    (root / "out").symlink_to(secret)
    (root / "key").symlink_to(secret / "key")
    (root / "real" / "self").symlink_to("file")
    os.mkfifo(root / "pipe")
    for path in ("key", "out/key", "real/self", "pipe"):
        assert_error(get(server, path), 404, "FileNotFound")
    assert_error(put(server, "out/new", b"2"), 400, "FilePathInvalid")
    assert [f["path"] for f in listed(server)] == ["real/file"]
    assert put(server, "key", b"3").status_code == 200  # in place of the link, not through it
    assert (secret / "key").read_text() == "k" and [e.name for e in secret.iterdir()] == ["key"]
    for path in ("out", "real/self", "pipe"):
        (root / path).unlink()


# ---- the list ----


def test_pages(server):
    names = sorted(f"p/{i % 7}/ü{i}" for i in range(23))
    for name in names:
        assert put(server, requests.utils.quote(name), b"1").status_code == 200
    assert [f["path"] for f in listed(server)] == names
    found, url = [], server.api + "/files?limit=5"
    while url:
        page = server.session.get(url).json()
        assert 0 < len(page["files"]) <= 5
        found += [f["path"] for f in page["files"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert found == names
    assert len(listed(server, "?limit=23")) == 23 and server.call("GET", "/files?limit=23").json()["links"] == []
    for bad in ("0", "-1", "x", "1;2"):
        assert_error(server.call("GET", "/files?limit=" + bad), 400, "QueryParameterInvalid")
    assert_error(server.call("GET", "/files?after=%00"), 400, "QueryParameterInvalid")


# ---- ranges and conditions ----


def test_ranges(server):
    body = bytes(range(256)) * 40
    put(server, "r", body)
    for text, first, last in (("0-0", 0, 0), ("10-19", 10, 19), ("10000-", 10000, 10239), ("-5", 10235, 10239),
                              ("0-99999", 0, 10239)):
        answer = get(server, "r", Range="bytes=" + text)
        assert answer.status_code == 206 and answer.content == body[first:last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/10240"
    assert_error(get(server, "r", Range="bytes=10240-"), 416, "RangeNotSatisfiable")
    tag = get(server, "r").headers["ETag"]
    assert get(server, "r", **{"Range": "bytes=0-1", "If-Range": tag}).status_code == 206
    assert get(server, "r", **{"Range": "bytes=0-1", "If-Range": '"other"'}).content == body


def test_a_part_is_not_taken_for_the_whole(server):
    put(server, "p", b"whole")
    for body in (b"part", b""):
        answer = put(server, "p", body, headers={"Content-Range": "bytes 0-3/5"})
        assert_error(answer, 400, "FileOperationUnsupported")
    assert get(server, "p").content == b"whole"


def test_the_end_of_the_server_cuts_an_upload(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path).login()
    slow = Slow(server, "late", 20 * MIB)
    slow.socket.sendall(b"1" * MIB)
    wait_for(lambda: list((tmp_path / "tmp").glob("upload-*")))
    assert server.stop() == 0
    slow.close()
    assert not list((tmp_path / "tmp").glob("upload-*")) and not list((tmp_path / "files").glob("*/*"))


def test_what_is_unchanged_is_not_sent_again(server):
    tag = put(server, "e", b"1").headers["ETag"]
    for known in (tag, f'"x", {tag}', "W/" + tag, "*"):
        answer = get(server, "e", **{"If-None-Match": known})
        assert answer.status_code == 304 and answer.content == b"" and answer.headers["ETag"] == tag
    put(server, "e", b"2")
    assert get(server, "e", **{"If-None-Match": tag}).content == b"2"


def test_headers_of_private_replies(server):
    put(server, "h", b"<script>")
    answer = get(server, "h")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "private" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"] == "attachment"
    for path in ("/files", "/jobs", "/me", "/files/nothing"):
        assert server.call("GET", path).headers["Cache-Control"] == "no-store"
    token = requests.get(server.api + "/credentials/basic", auth=("bob", "a long password"))
    assert token.ok and token.headers["Cache-Control"] == "no-store"


# ---- room ----


def test_a_file_past_the_quota(server):
    status, body = raw(server, "PUT", "/files/big", length=40 * MIB + 1)  # the body never comes
    assert (status, body["code"]) == (400, "FileSizeExceeded")
    answer = put(server, "big", pieces(41 * MIB))  # of unknown length
    assert_error(answer, 400, "FileSizeExceeded")
    assert put(server, "big", pieces(40 * MIB)).status_code == 200


def test_files_past_the_quota(server):
    assert put(server, "one", pieces(30 * MIB)).status_code == 200
    status, body = raw(server, "PUT", "/files/two", length=10 * MIB + 1)
    assert (status, body["code"]) == (400, "StorageQuotaExceeded")
    assert_error(put(server, "two", pieces(10 * MIB + 1)), 400, "StorageQuotaExceeded")
    assert put(server, "one", pieces(35 * MIB)).status_code == 200  # in place of itself
    assert put(server, "two", pieces(5 * MIB)).status_code == 200
    assert_error(put(server, "three", b"1"), 400, "StorageQuotaExceeded")
    assert sum(f["size"] for f in listed(server)) == 40 * MIB


class Slow:
    """An upload that has sent its head and waits."""

    def __init__(self, server, path, length):
        host, port = server.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        token = server.session.headers["Authorization"]
        self.socket.sendall(f"PUT /openeo/1.2/files/{path} HTTP/1.1\r\nHost: h\r\nAuthorization: {token}\r\n"
                            f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n".encode())
        self.answer = self.socket.recv(4096)

    def finish(self, body):
        self.socket.sendall(body)
        return int(self.socket.makefile("rb").readline().split()[1])

    def close(self):
        self.socket.close()


def test_uploads_at_a_time(server):
    slow = [Slow(server, f"s{i}", 20 * MIB) for i in range(8)]
    assert all(b" 100 " in s.answer for s in slow)
    assert_error(put(server, "ninth", b"1"), 429, "TooManyRequests")
    body = b"7" * (20 * MIB)
    results = []
    threads = [threading.Thread(target=lambda s=s: results.append(s.finish(body))) for s in slow[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for s in slow:
        s.close()
    assert 1 <= results.count(200) <= 2 and set(results) == {200, 400}
    assert sum(f["size"] for f in listed(server)) <= 40 * MIB
    wait_for(lambda: put(server, "ninth", b"").status_code == 200)


def test_a_client_that_hangs_up_leaves_nothing(server):
    slow = Slow(server, "gone", 20 * MIB)
    slow.socket.sendall(b"1" * MIB)
    wait_for(lambda: list((server.data / "tmp").glob("upload-*")))
    assert listed(server) == []
    slow.close()
    wait_for(lambda: not list((server.data / "tmp").glob("upload-*")))
    assert listed(server) == []


def test_a_client_whose_end_comes_with_its_last_bytes_leaves_nothing(server):
    slow = Slow(server, "gone", 20 * MIB)
    slow.socket.sendall(b"1" * MIB)
    wait_for(lambda: list((server.data / "tmp").glob("upload-*")))
    time.sleep(0.2)  # all of it is read
    slow.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    slow.socket.sendall(b"1")
    slow.close()
    wait_for(lambda: not list((server.data / "tmp").glob("upload-*")))
    assert listed(server) == []


def test_other_requests_go_on_while_a_body_trickles(server):
    slow = Slow(server, "slow", 100)
    assert server.result(ADD).json() == 3
    assert slow.finish(b"1" * 100) == 200
    slow.close()


# ---- whose they are ----


def test_users_see_their_own(server):
    bob = requests.Session()
    bob.trust_env = False
    token = bob.get(server.api + "/credentials/basic", auth=("bob", "a long password")).json()["access_token"]
    bob.headers["Authorization"] = "Bearer basic//" + token
    put(server, "mine", b"alice's")
    assert bob.get(server.api + "/files").json()["files"] == []
    assert_error(bob.get(server.api + "/files/mine"), 404, "FileNotFound")
    assert_error(bob.delete(server.api + "/files/mine"), 404, "FileNotFound")
    assert bob.put(server.api + "/files/mine", data=b"bob's").status_code == 200
    assert get(server, "mine").content == b"alice's" and bob.get(server.api + "/files/mine").content == b"bob's"
    for method, path in (("GET", ""), ("GET", "/mine"), ("PUT", "/mine"), ("DELETE", "/mine")):
        assert_error(requests.request(method, server.api + "/files" + path), 401, "AuthenticationRequired")
    assert raw(server, "PUT", "/files/mine", length=10 * MIB, token=False)[0] == 401
    assert bob.delete(server.api + "/files/mine").status_code == 204


def test_who_is_removed_takes_the_files_along(server):
    add_user(server.data, "carol")
    carol = Server.__new__(Server)
    carol.api, carol.session = server.api, requests.Session()
    carol.login("carol")
    assert put(carol, "old/file", b"1").status_code == 200
    assert run("user", "remove", "carol", "--data", str(server.data)).returncode == 0
    assert_error(put(carol, "more", b"1"), 403, "TokenInvalid")
    add_user(server.data, "carol")
    carol.login("carol")
    assert listed(carol) == []
    assert put(carol, "new", b"2").status_code == 200
    with sqlite3.connect(server.data / "server.sqlite") as store:
        wait_for(lambda: store.execute("SELECT count(*) FROM dropped_folders").fetchone() == (0,))
    assert [f["path"] for f in listed(carol)] == ["new"]
    assert delete(carol, "new").status_code == 204


# ---- the end of the process ----


def test_what_was_killed_is_whole_or_not_there(tmp_path):
    add_user(tmp_path, "alice")
    old, new = b"old" * 100_000, b"new!" * 2_000_000
    for round in range(6):
        server = Server(tmp_path).login()
        assert put(server, "file", old).status_code == 200

        def upload(server=server):
            with contextlib.suppress(requests.RequestException):
                put(server, "file", pieces_of(new))

        thread = threading.Thread(target=upload)
        thread.start()
        time.sleep(0.004 * round)
        server.kill()
        thread.join()
        server = Server(tmp_path).login()
        assert get(server, "file").content in (old, new)
        assert [f["path"] for f in listed(server)] == ["file"]
        assert not list((tmp_path / "tmp").glob("upload-*"))
        assert server.stop() == 0


def pieces_of(body, step=1 << 18):
    for start in range(0, len(body), step):
        yield body[start:start + step]


def test_the_account_tells_what_is_left(server):
    def storage():
        account = server.call("GET", "/me").json()
        assert account["budget"] is None
        return account["storage"]

    whole = {"free": 40 * MIB, "quota": 40 * MIB}
    assert storage() == {**whole, "files": whole}
    put(server, "a/b", bytes(3 * MIB))
    put(server, "c", bytes(5))
    left = {"free": 37 * MIB - 5, "quota": 40 * MIB}
    assert storage() == {**left, "files": left}
    put(server, "a/b", b"")
    assert storage()["free"] == 40 * MIB - 5
    assert run("user", "rights", "alice", "--results", "1M", "--data", str(server.data)).returncode == 0
    try:
        assert storage() == {"free": 41 * MIB - 5, "quota": 41 * MIB, "results": {"free": MIB, "quota": MIB},
                             "files": {"free": 40 * MIB - 5, "quota": 40 * MIB}}
    finally:
        assert run("user", "rights", "alice", "--data", str(server.data)).returncode == 0


# ---- clients ----


def test_the_python_client(server, tmp_path):
    import openeo

    connection = openeo.connect(server.url, auto_validate=False).authenticate_basic("alice", "a long password")
    assert connection.capabilities().supports_endpoint("/files/{path}", "PUT")
    source = tmp_path / "münster a.bin"
    source.write_bytes(os.urandom(300_000))
    file = connection.upload_file(source, target="europe/münster a.bin")
    assert file.metadata["size"] == 300_000 and connection.upload_file(source).path.name == source.name
    assert sorted(str(f.path) for f in connection.list_files()) == ["europe/münster a.bin", "münster a.bin"]
    target = connection.get_file("europe/münster a.bin").download(tmp_path / "back.bin")
    assert target.read_bytes() == source.read_bytes()
    source.write_bytes(b"new")
    assert file.upload(source).metadata["size"] == 3
    file.delete()
    assert [str(f.path) for f in connection.list_files()] == ["münster a.bin"]
