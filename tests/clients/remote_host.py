"""A web server on loopback that serves a dict of files by ranges, and misbehaves where it is told to.

    with RemoteHost({"a.tif": bytes}) as host:
        host.url + "a.tif"
        host.faults["a.tif"] = [Fault("status", 503), None, …]   # of the requests for it, in turn; then none

Every request is noted: host.requests has (path, Range or None, If-Range or None), host.times (path, seconds).
"""

import functools
import gzip
import hashlib
import http.server
import threading
import time
from dataclasses import dataclass


@dataclass
class Fault:
    kind: str  # see Handler.misbehave
    value: object = None


@functools.lru_cache(maxsize=64)
def etag_of(body):
    return '"' + hashlib.sha1(body).hexdigest() + '"'


class RemoteHost:
    def __init__(self, files=None, validator="etag", ranges=True, latency=0):
        self.files = dict(files or {})
        self.faults, self.always = {}, {}
        self.validator, self.ranges, self.latency = validator, ranges, latency
        self.date = "Tue, 03 Mar 2020 10:00:00 GMT"
        self.requests, self.times = [], []
        self.pages = {}  # path -> function of the query: (status, body), for APIs; status None: served as a file is
        self.methods = {}  # method -> function of handler and path: (status, body), for what is no GET
        self.admits = None  # function of the handler: None, or the status of a refusal
        self.lock = threading.Lock()
        self.active = self.most_active = 0

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.host = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def name_of(self, path):
        return path

    def count(self, name):
        return sum(1 for path, _, _ in self.requests if path == name)

    def fault(self, name):
        with self.lock:
            queue = self.faults.get(name)
            return queue.pop(0) if queue else self.always.get(name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def headers_of(self, body, status, length, more=()):
        host = self.server.host
        self.send_response(status)
        if host.validator == "etag":
            self.send_header("ETag", etag_of(body))
        elif host.validator == "weak":
            self.send_header("ETag", "W/" + etag_of(body))
        elif host.validator == "date":
            self.send_header("Last-Modified", host.date)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        host = self.server.host
        with host.lock:
            host.active += 1
            host.most_active = max(host.most_active, host.active)
        try:
            time.sleep(host.latency)
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with host.lock:
                host.active -= 1

    do_PROPFIND = do_HEAD = do_GET

    def answer(self):
        host = self.server.host
        path, _, query = self.path.lstrip("/").partition("?")
        path = host.name_of(path)
        with host.lock:
            host.requests.append((path, self.headers.get("Range"), self.headers.get("If-Range")))
            host.times.append((path, time.monotonic()))
        refusal = host.admits(self) if host.admits else None
        if refusal:
            return self.plain(refusal, b"<Error/>")
        if self.command in host.methods:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = host.methods[self.command](self, path)
            return self.plain(status, b"" if self.command == "HEAD" else body)
        made = None
        if path in host.pages:
            status, made = host.pages[path](query)
            if status is not None:
                return self.plain(status, made)
        fault = host.fault(path)
        if fault and self.misbehave(fault, path, made):
            return None
        if made is None and path not in host.files:
            return self.plain(404, b"not here")
        return self.serve(host.files.get(path, made))

    def plain(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def wanted(self, body):
        """The asked range as (start, end), or None for all."""
        asked = self.headers.get("Range")
        if not self.server.host.ranges or not asked:
            return None
        etag = etag_of(body)
        condition = self.headers.get("If-Range")
        if condition and condition not in (etag, self.server.host.date):
            return None
        first, last = asked.removeprefix("bytes=").split("-")
        return int(first), min(int(last) + 1, len(body))

    def serve(self, body, shorten=0, shift=0, lie=0):
        span = self.wanted(body)
        if span is None:
            self.headers_of(body, 200, len(body))
            self.wfile.write(body[:len(body) - shorten])
        else:
            start, end = span
            self.headers_of(body, 206, end - start + lie,
                            [("Content-Range", f"bytes {start + shift}-{end - 1 + shift}/{len(body)}")])
            self.wfile.write(body[start:end - shorten])
        if shorten or lie:
            self.close_connection = True

    def misbehave(self, fault, path, made=None):
        """True: that was the answer."""
        host = self.server.host
        body = host.files.get(path, made or b"")
        if fault.kind == "status":
            self.plain(fault.value, b"no")
        elif fault.kind == "later":  # (status, seconds)
            self.send_response(fault.value[0])
            self.send_header("Retry-After", str(fault.value[1]))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault.kind == "reset":
            self.close_connection = True
            self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, not an end
            self.connection.close()
        elif fault.kind == "short":
            self.serve(body, shorten=100)
        elif fault.kind == "long":  # promises more than it sends
            self.serve(body, lie=100)
        elif fault.kind == "shifted":  # other bytes than were asked for
            self.serve(body, shift=fault.value)
        elif fault.kind == "drip":
            self.headers_of(body, 200, len(body))
            for byte in body[:200]:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
        elif fault.kind == "silent":
            time.sleep(fault.value)
            self.close_connection = True
        elif fault.kind == "gzip":
            packed = gzip.compress(body)
            self.headers_of(body, 200, len(packed), [("Content-Encoding", "gzip")])
            self.wfile.write(packed)
        elif fault.kind in ("redirect", "redirect307"):
            self.send_response(307 if fault.kind == "redirect307" else 302)
            self.send_header("Location", fault.value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault.kind == "become":  # from now on the content is another one
            host.files[path] = fault.value
            return False
        else:
            raise ValueError(fault.kind)
        return True
