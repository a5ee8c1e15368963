"""Stores on loopback to which exports go: WebDAV and S3, as far as writing goes.

    with StoreHost(tokens={"secret"}) as host:                 # WebDAV: PUT, MKCOL, DELETE, GET, conditions
    with StoreHost(buckets=True, keys={"ID": ("secret", None)}) as host:   # S3, with signatures of version 4, and parts
        host.leads = lambda method, path: "http://…"           # a redirect (307), or None
        host.refuse = lambda method, path, number: 507         # the status of a refusal, or "reset", "silent"; None
"""

import hashlib
import re
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
        self.leads = lambda method, path: None
        self.uploads = {}  # id -> {number of a part: body}
        self.seen = []  # values of Authorization
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
        path, _, query = self.path.lstrip("/").partition("?")
        path, query = urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with host.lock:
            host.seen.append(self.headers["Authorization"])
            whole = path + "".join(f"?{name}={value}" for name, value in query.items() if name == "partNumber")
            fault, led = host.refuse(self.command, whole, len(host.done)), host.leads(self.command, path)
            if led:
                status, content = 307, b""
            elif fault not in (None, "lost"):
                status, content = fault, b""
            elif host.buckets and query:
                status, content = self.change_upload(host, path, query, body)
            else:
                status, content = self.change(host, path, body)
            host.done.append((self.command, whole, status))
        if fault == "silent":
            host.released.wait(60)
        if fault in ("reset", "lost", "silent"):
            self.close_connection = True
            self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, not an end
            self.connection.close()
            return
        self.send_response(status)
        if led:
            self.send_header("Location", led)
        if status == 200 and self.command in ("GET", "PUT"):
            self.send_header("ETag", remote_host.etag_of(content or body))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_MKCOL = answer_any

    def change_upload(self, host, path, query, body):
        """Uploads in parts, as "Multipart upload" of S3 has them: parts count only when their upload is complete."""
        if not host.admitted(self, body):
            return 403, b""
        if self.command == "POST" and "uploads" in query:
            name = f"{len(host.done)}/+ of {path}"
            host.uploads[name] = {}
            return 200, (f"<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId>{name}</UploadId>"
                         "</InitiateMultipartUploadResult>").encode()
        parts = host.uploads.get(query["uploadId"])
        if parts is None:
            return 404, b""
        if self.command == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, b""
        del host.uploads[query["uploadId"]]
        if self.command == "DELETE":
            return 204, b""
        told = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag>", body.decode())
        bodies = [parts[number] for number in sorted(parts)]
        if told != [(str(n + 1), remote_host.etag_of(part)) for n, part in enumerate(bodies)]:
            return 200, b"<Error><Code>InvalidPart</Code></Error>"
        if any(len(part) < 5 << 20 for part in bodies[:-1]):
            return 200, b"<Error><Code>EntityTooSmall</Code></Error>"
        host.files[path] = b"".join(bodies)
        return 200, b'<CompleteMultipartUploadResult><ETag>"x-2"</ETag></CompleteMultipartUploadResult>'

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
