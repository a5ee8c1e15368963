#!/usr/bin/env python3
"""Serves a folder's files by ranges, each answer so many milliseconds late, on one thread: web_host.py FOLDER MS.

Prints its address. A name "a~17.tif" is the file a.tif: as many files as are wanted of one. GET /requests tells how
many requests there were, and how many bytes went out.
"""
import asyncio
import hashlib
import pathlib
import re
import sys

files, told = {}, {"requests": 0, "bytes": 0}


def content(folder, name):
    """(bytes, ETag) or None."""
    plain = re.sub(r"~\d+", "", name)
    path = folder / plain
    if plain not in files and path.is_file() and path.resolve().is_relative_to(folder):
        body = path.read_bytes()
        files[plain] = body, hashlib.sha1(body).hexdigest()
    return files.get(plain)


def answer(folder, name, headers):
    if name == "requests":
        return b"200 OK", b"", f"{told['requests']} {told['bytes']}".encode()
    told["requests"] += 1
    found = content(folder, name)
    if found is None:
        return b"404 Not Found", b"", b""
    body, etag = found
    more = f'ETag: "{etag}{name}"\r\nAccept-Ranges: bytes\r\n'
    asked = re.search(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    if not asked:
        return b"200 OK", more.encode(), body
    first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
    more += f"Content-Range: bytes {first}-{last}/{len(body)}\r\n"
    return b"206 Partial Content", more.encode(), body[first:last + 1]


class Connection(asyncio.Protocol):
    def __init__(self, folder, late):
        self.folder, self.late, self.read = folder, late, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.read += data
        while b"\r\n\r\n" in self.read:
            head, self.read = self.read.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            asyncio.get_running_loop().call_later(self.late, self.send, first.split()[0],
                                                  first.split()[1].lstrip("/"), headers)

    def send(self, method, name, headers):
        status, more, body = answer(self.folder, name, headers)
        told["bytes"] += len(body)
        length = f"Content-Length: {len(body)}\r\n\r\n".encode()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + more + length + (b"" if method == "HEAD" else body))


async def serve(folder, late):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(folder, late), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1]).resolve(), float(sys.argv[2]) / 1000))
