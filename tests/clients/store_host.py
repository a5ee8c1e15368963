"""Stores on loopback to which exports go: WebDAV and S3, as far as writing goes.

    with StoreHost(tokens={"secret"}) as host:                 # WebDAV: PUT, MKCOL, DELETE, GET, conditions
    with StoreHost(buckets=True, keys={"ID": ("secret", None)}) as host:   # S3, with signatures of version 4
        host.refuse = lambda method, path, number: 507         # the status of a refusal, or "reset", "silent"; None
"""

import hashlib
import threading
import urllib.parse

import remote_host
import s3_host


class StoreHost(s3_host.S3Host):
    def __init__(self, buckets=False, keys=None, tokens=(), **more):
        super().__init__({}, keys, **more)
        self.buckets, self.tokens = buckets, tokens
        self.folders = {""}
        self.refuse = lambda method, path, number: None
        self.done = []  # (method, path, status)
        self.released = threading.Event()

    def __enter__(self):
        made = super().__enter__()
        self.server.RequestHandlerClass = Handler
        return made

    def __exit__(self, *more):
        self.released.set()
        super().__exit__(*more)

    def admitted(self, handler, body):
        if self.tokens:
            return handler.headers["Authorization"] in {"Bearer " + token for token in self.tokens}
        asked = urllib.parse.urlsplit(handler.path)
        return not self.keys or self.is_signed(handler, asked, handler.command, hashlib.sha256(body).hexdigest())


class Handler(remote_host.Handler):
    def answer_any(self):
        host = self.server.host
        path = urllib.parse.unquote(self.path.lstrip("/"))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with host.lock:
            fault = host.refuse(self.command, path, len(host.done))
            status, content = self.change(host, path, body) if fault in (None, "lost") else (fault, b"")
            host.done.append((self.command, path, status))
        if fault == "silent":
            host.released.wait(60)
        if fault in ("reset", "lost", "silent"):
            self.close_connection = True
            self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, not an end
            self.connection.close()
            return
        self.send_response(status)
        if status == 200 and self.command == "GET":
            self.send_header("ETag", remote_host.etag_of(content))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = do_MKCOL = answer_any

    def change(self, host, path, body):
        if not host.admitted(self, body):
            return 403, b""
        there = host.files.get(path)
        if self.command == "GET":
            return (200, there) if there is not None else (404, b"")
        if self.command == "DELETE":
            if path.endswith("/"):
                host.folders.discard(path.rstrip("/"))
            return (204 if host.files.pop(path, None) is not None or path.endswith("/") else 404), b""
        parent = path.rstrip("/").rpartition("/")[0]
        if not host.buckets and parent not in host.folders:
            return 409, b""
        if self.command == "MKCOL":
            taken = path.rstrip("/") in host.folders
            host.folders.add(path.rstrip("/"))
            return (405 if taken else 201), b""
        if self.headers.get("If-None-Match") == "*" and there is not None:
            return 412, b""
        if self.headers.get("If-Match") not in (None, there is not None and remote_host.etag_of(there)):
            return 412, b""
        host.files[path] = body
        return 201, b""
