"""A web server that publishes process definitions, well or badly, as a test wants it."""

import http.server
import json
import threading
import time


class Page:
    """An answer: a document, or bytes; with a status, headers, a pause before it and one between its bytes."""

    def __init__(self, content=b"", status=200, headers=None, delay=0, drip=0):
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.status, self.headers, self.delay, self.drip = status, headers or {}, delay, drip


class Publisher:
    """`pages` by path, or "POST PATH" and "DELETE PATH"; `asked` has the headers of each request, by path."""

    def __init__(self):
        self.pages, self.asked = {}, {}
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.answer(self, self.path)

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                publisher.answer(self, "POST " + self.path)

            def do_DELETE(self):
                publisher.answer(self, "DELETE " + self.path)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.root = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def publish(self, path, *page, **options):
        """The address of a page that stands there from now on."""
        self.pages[path] = page[0] if page and isinstance(page[0], Page) else Page(*page, **options)
        return self.root + path

    def count(self, path):
        return len(self.asked.get(path, []))

    def answer(self, request, path):
        self.asked.setdefault(path, []).append(dict(request.headers))
        page = self.pages.get(path, Page({"code": "NotFound"}, 404))
        page = page(request) if callable(page) else page
        time.sleep(page.delay)
        is_known = page.status == 200 and "ETag" in page.headers and (
            request.headers.get("If-None-Match") == page.headers["ETag"])
        try:
            request.send_response(304 if is_known else page.status)
            for name, value in page.headers.items():
                request.send_header(name, value)
            if is_known:
                request.end_headers()
                return
            if "Content-Length" not in page.headers:
                request.send_header("Content-Length", str(len(page.content)))
            request.end_headers()
            if not page.drip:
                request.wfile.write(page.content)
            for byte in page.content if page.drip else b"":
                request.wfile.write(bytes([byte]))
                request.wfile.flush()
                time.sleep(page.drip)
        except OSError:
            pass  # nobody wants the rest

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
