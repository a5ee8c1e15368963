"""What is no request of HTTP/1.1 is answered like everything else: JSON, CORS, an error code; then the connection ends.
On a connection's first request and on later ones, in one piece or byte by byte."""

import json
import socket
import time

import pytest

GOOD = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /openeo/1.2/validation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(*fields, line=b"GET /health HTTP/1.1", host=b"Host: x"):
    return b"\r\n".join([line, *([host] if host else []), *fields]) + b"\r\n\r\n"


BAD = {
    "no words": (b"garbage\r\n\r\n", 400, "RequestMalformed"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "RequestMalformed"),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400, "RequestMalformed"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "VersionUnsupported"),
    "HTTP/3.1": (get(line=b"GET / HTTP/3.1"), 505, "VersionUnsupported"),
    "lower case": (get(line=b"GET / http/1.1"), 400, "RequestMalformed"),
    "two blanks": (get(line=b"GET  / HTTP/1.1"), 400, "RequestMalformed"),
    "blank in the path": (get(line=b"GET /a b HTTP/1.1"), 400, "RequestMalformed"),
    "method with brackets": (get(line=b"G(T / HTTP/1.1"), 400, "RequestMalformed"),
    "no path": (get(line=b"GET health HTTP/1.1"), 400, "RequestMalformed"),
    "asterisk": (get(line=b"GET * HTTP/1.1"), 400, "RequestMalformed"),
    "CONNECT": (get(line=b"CONNECT example.org:443 HTTP/1.1"), 400, "RequestMalformed"),
    "absolute without a host": (get(line=b"GET http:///health HTTP/1.1"), 400, "RequestMalformed"),
    "absolute with a user": (get(line=b"GET http://me@there/health HTTP/1.1"), 400, "RequestMalformed"),
    "NUL in the path": (get(line=b"GET /hea\0lth HTTP/1.1"), 400, "RequestMalformed"),
    "escape in the path": (get(line=b"GET /\x1b[2J HTTP/1.1"), 400, "RequestMalformed"),
    "NUL in a value": (get(b"X-A: a\0b"), 400, "RequestMalformed"),
    "carriage return in a value": (get(b"X-A: a\rb"), 400, "RequestMalformed"),
    "DEL in a value": (get(b"X-A: a\x7fb"), 400, "RequestMalformed"),
    "line feeds alone": (GOOD.replace(b"\r", b""), 400, "RequestMalformed"),
    "a line feed alone": (get(b"X-A: a\nX-B: b"), 400, "RequestMalformed"),
    "folded field": (get(b"X-A: a\r\n b"), 400, "RequestMalformed"),
    "first field folded": (get(b"X-A: a", host=b" Host: x"), 400, "RequestMalformed"),
    "blank before the colon": (get(b"X-A : a"), 400, "RequestMalformed"),
    "no colon": (get(b"X-A"), 400, "RequestMalformed"),
    "no name": (get(b": a"), 400, "RequestMalformed"),
    "no Host": (get(host=None), 400, "RequestMalformed"),
    "two Hosts": (get(b"Host: y"), 400, "RequestMalformed"),
    "the same Host twice": (get(b"host: x"), 400, "RequestMalformed"),
    "Host with a path": (get(host=b"Host: x/y"), 400, "RequestMalformed"),
    "two lengths": (get(b"Content-Length: 0", b"Content-Length: 5"), 400, "RequestMalformed"),
    "one length twice": (get(b"Content-Length: 0", b"Content-Length: 0"), 400, "RequestMalformed"),
    "list of lengths": (get(b"Content-Length: 0, 0"), 400, "RequestMalformed"),
    "signed length": (get(b"Content-Length: +1"), 400, "RequestMalformed"),
    "negative length": (get(b"Content-Length: -1"), 400, "RequestMalformed"),
    "hexadecimal length": (get(b"Content-Length: 0x1"), 400, "RequestMalformed"),
    "empty length": (get(b"Content-Length:"), 400, "RequestMalformed"),
    "length past 64 bits": (get(b"Content-Length: 99999999999999999999999"), 413, "ContentTooLarge"),
    "length and coding": (get(b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400, "RequestMalformed"),
    "two codings": (get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400, "RequestMalformed"),
    "unknown coding": (get(b"Transfer-Encoding: gzip"), 501, "FeatureUnsupported"),
    "coding before chunked": (get(b"Transfer-Encoding: gzip, chunked"), 501, "FeatureUnsupported"),
    "chunked almost": (get(b"Transfer-Encoding: xchunked"), 501, "FeatureUnsupported"),
    "coding in HTTP/1.0": (get(b"Transfer-Encoding: chunked", line=b"GET / HTTP/1.0"), 400, "RequestMalformed"),
    "long address": (get(line=b"GET /" + b"a" * 70000 + b" HTTP/1.1"), 414, "RequestLineTooLong"),
    "long field": (get(b"X-A: " + b"a" * 70000), 431, "RequestHeadTooLarge"),
    "many short fields": (get(*[b"a:b"] * 2000), 431, "RequestHeadTooLarge"),
    "many arguments": (get(line=b"GET /?" + b"a&" * 2000 + b" HTTP/1.1"), 431, "RequestHeadTooLarge"),
    "many cookies": (get(b"Cookie: " + b"a=b;" * 2000), 431, "RequestHeadTooLarge"),
}
BAD_BODIES = {
    "no number": (b"zz\r\nabc", 400, "RequestMalformed"),
    "negative": (b"-1\r\nabc", 400, "RequestMalformed"),
    "prefixed": (b"0x3\r\nabc\r\n0\r\n\r\n", 400, "RequestMalformed"),
    "line feed": (b"3\nabc\r\n0\r\n\r\n", 400, "RequestMalformed"),
    "too large for anything": (b"fffffffffffffffff\r\n", 400, "RequestMalformed"),
    "longer than it says": (b"3\r\nabcdef\r\n0\r\n\r\n", 400, "RequestMalformed"),
    "endless extension": (b"3;" + b"a" * 5000, 400, "RequestMalformed"),
    "fields that are none": (b"3\r\nabc\r\n0\r\nno field\r\n\r\n", 400, "RequestMalformed"),
    "endless fields": (b"3\r\nabc\r\n0\r\n" + b"a: b\r\n" * 5000, 400, "RequestMalformed"),
}


def connect(running):
    host, port = running.url.rsplit("//", 1)[1].split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def read_answer(stream, method=b"GET"):
    """Status, headers by their lower case names, body; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    headers = {}
    while (field := stream.readline()) not in (b"\r\n", b""):
        name, value = field.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    size = 0 if method == b"HEAD" else int(headers.get("content-length", 0))
    return int(line.split()[1]), headers, stream.read(size)


def assert_refused(answer, status, code):
    found, headers, body = answer
    print(body)
    assert (found, json.loads(body)["code"]) == (status, code)
    assert headers["content-type"] == "application/json" and headers["access-control-allow-origin"] == "*"
    assert headers["connection"] == "close" and json.loads(body)["message"] and json.loads(body)["id"]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", ["first", "later", "behind another"])
def test_bad_head(running, name, place):
    head, status, code = BAD[name]
    with connect(running) as connection, connection.makefile("rb") as stream:
        if place == "later":
            connection.sendall(GOOD)
            assert read_answer(stream)[0] == 200
        connection.sendall(GOOD + head if place == "behind another" else head)
        if place == "behind another":
            assert read_answer(stream)[0] == 200
        assert_refused(read_answer(stream), status, code)
        assert stream.read() == b""


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_chunks(running, name):
    body, status, code = BAD_BODIES[name]
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.sendall(CHUNKED + body)
        assert_refused(read_answer(stream), status, code)
        assert stream.read() == b""


def test_bad_chunk_of_an_upload_stores_nothing(running, connection):
    head = ("PUT /openeo/1.2/files/bad-chunk.json HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {connection.auth.bearer}\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    with connect(running) as raw, raw.makefile("rb") as stream:
        raw.sendall(head + b"100000\r\n" + b"1" * 0x100000 + b"\r\n")
        time.sleep(0.3)
        raw.sendall(b"zz\r\n")
        assert_refused(read_answer(stream), 400, "RequestMalformed")
    assert "bad-chunk.json" not in [file.path for file in connection.list_files()]


def test_head_that_is_bad_has_no_body_in_its_answer(running):
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert read_answer(stream, b"HEAD")[0] == 400
        assert stream.read() == b""


def test_byte_by_byte(running):
    body = b'5;why="not"\r\n{"pro\r\n9\r\ncess":{}}\r\n0\r\nX-Check: 1\r\n\r\n'
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GOOD + CHUNKED + body + b"\r\n" + GOOD:
            connection.send(bytes([byte]))
        answers = [read_answer(stream) for _ in range(3)]
        assert [status for status, _, _ in answers] == [200, 200, 200]
        assert json.loads(answers[1][2])["errors"][0]["code"] == "ProcessGraphMissing"


@pytest.mark.parametrize("size", [150, 16 * 1024, 16 * 1024 + 1, 200 * 1024])
@pytest.mark.parametrize("pieces", ["at once", "the body later", "split within"])
def test_bodies_that_come_with_their_heads_or_later(running, connection, size, pieces):
    def post(path, start, *fields):
        body = start + b" " * (size - len(start))
        return get(b"Content-Length: %d" % size, *fields, line=b"POST " + path + b" HTTP/1.1") + body

    token = b"Authorization: Bearer " + connection.auth.bearer.encode()
    node = b'{"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": true}'
    graph = b'{"process": {"process_graph": {"a": ' + node + b"}}}"
    result = b"/openeo/1.2/result"
    good, invalid = post(result, graph, token), post(b"/openeo/1.2/validation", b'{"process": {}}')
    dropped = post(b"/health", b"{}")  # POST is none of its methods
    with connect(running) as link, link.makefile("rb") as stream:
        for request in (good + invalid + good, dropped):
            cut = {"at once": 0, "the body later": request.index(b"\r\n\r\n") + 4, "split within": size // 2}[pieces]
            link.sendall(request[:cut])
            if cut:
                time.sleep(0.02)
            link.sendall(request[cut:])
            if request is not dropped:
                answers = [read_answer(stream) for _ in range(3)]
                assert [status for status, _, _ in answers] == 3 * [200]
                assert [json.loads(body) for _, _, body in answers[::2]] == [3, 3]
                assert json.loads(answers[1][2])["errors"][0]["code"] == "ProcessGraphMissing"
        assert read_answer(stream)[0] == 405
    with connect(running) as link, link.makefile("rb") as stream:
        link.sendall(post(result, graph))
        assert read_answer(stream)[0] == 401


def test_many_at_once(running):
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.sendall(GOOD * 500 + b"nonsense\r\n" + GOOD)
        assert [read_answer(stream)[0] for _ in range(501)] == [200] * 500 + [400]
        assert stream.read() == b""


@pytest.mark.parametrize("target, path", [("http://x/health", "/health"), ("HTTPS://y:80/health", "/health"),
                                          ("http://x//health?a=1", "/health"), ("http://x", "/"), ("http://x?a", "/")])
def test_absolute_form(running, target, path):
    with connect(running) as connection, connection.makefile("rb") as stream:
        for line in (f"GET {target} HTTP/1.1", f"GET {path} HTTP/1.1"):
            connection.sendall(get(line=line.encode()))
        absolute, plain = read_answer(stream), read_answer(stream)
        assert absolute[0] == plain[0] and absolute[1]["content-type"] == plain[1]["content-type"]


@pytest.mark.parametrize("host", ["Host: elsewhere\r\n", "X-A: b\r\nHost: elsewhere\r\nX-C: d\r\n"])
def test_host_of_an_absolute_form_counts(running, host):
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.sendall(f"GET http://there:81/.well-known/openeo HTTP/1.1\r\n{host}\r\n".encode())
        status, _, body = read_answer(stream)
        assert status == 200 and json.loads(body)["versions"][0]["url"].startswith("http://there:81/")


def test_options_of_the_server_and_http_1_0(running):
    with connect(running) as connection, connection.makefile("rb") as stream:
        connection.sendall(get(line=b"OPTIONS * HTTP/1.1") + b"GET /health HTTP/1.0\r\n\r\n")
        assert [read_answer(stream)[0] for _ in range(2)] == [204, 200]
        assert stream.read() == b""


def test_no_second_request_is_smuggled(running):
    """The pairs that servers before this one may read otherwise: what follows the head is never taken for a request."""
    smuggled = GOOD.replace(b"/health", b"/smuggled")
    for fields in (b"Content-Length: 0\r\nContent-Length: %d", b"Content-Length: %d\r\nTransfer-Encoding: chunked",
                   b"Content-Length: %d\r\nTransfer-Encoding : chunked",
                   b"Content-Length: %d\r\n Transfer-Encoding: chunked",
                   b"Transfer-Encoding: chunked\r\nContent-Length: %d",
                   b"Content-Length: %d\r\nTransfer-Encoding:\x0bchunked",
                   b"Content-Length: %d\nTransfer-Encoding: chunked", b"Content-Length: 0%d\0"):
        with connect(running) as connection, connection.makefile("rb") as stream:
            head = b"POST / HTTP/1.1\r\nHost: x\r\n" + fields % len(smuggled) + b"\r\n\r\n"
            connection.sendall(head + b"0\r\n\r\n" + smuggled)
            assert_refused(read_answer(stream), 400, "RequestMalformed")
            assert stream.read() == b""


def half_closed(running, connection, graph):
    """Posts a graph and closes the own direction; (100 Continue seen, seconds) of an answer that is whole and last."""
    body = json.dumps({"process": {"process_graph": graph}}).encode()
    head = (f"POST /openeo/1.2/result HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {connection.auth.bearer}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with connect(running) as raw, raw.makefile("rb") as stream:
        raw.sendall(head + body)
        raw.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        answer, interim = read_answer(stream), 0
        while answer[0] == 100:
            answer, interim = read_answer(stream), interim + 1
        assert answer[0] == 200 and interim <= 1, answer
        assert stream.read() == b""
        return interim, time.monotonic() - begun


def test_half_closed_connection_gets_its_answer(running, connection):
    graph = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    half_closed(running, connection, graph)


def test_half_closed_connection_gets_a_late_answer(running, connection):
    """Work that is doubled until its answer begins with 100 Continue, however fast the machine is."""
    arguments = {"shape": [32, 32], "m2": 0.5, "lambda": 1, "configurations": 600, "separation": 20}
    graph = {"field": {"process_id": "lft_scalar_field", "arguments": arguments},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "field"}, "format": "netCDF"}}}
    interim, seconds = 0, 0
    while not interim and seconds < 20:
        arguments["configurations"] *= 2
        interim, seconds = half_closed(running, connection, graph)
        print(f"{arguments['configurations']}: {seconds:.2f} s, {interim} times 100 Continue")
    assert interim
