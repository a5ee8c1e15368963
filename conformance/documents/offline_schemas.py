"""Answers requests for STAC and GeoJSON schemas from a folder laid out as host/path (see schema_cache.sh).

Import it, or run Python with it on the path, with STAC_SCHEMAS=FOLDER. Everything else on those hosts is a 404.
"""

import io
import os
import pathlib
import urllib.request
from urllib.parse import urlparse

import requests

FOLDER = pathlib.Path(os.environ["STAC_SCHEMAS"])
HOSTS = {"schemas.stacspec.org", "stac-extensions.github.io", "geojson.org", "proj.org"}
asked = []


def lookup(url):
    """None where the host is not ours; the text, or "" where the schema is not there."""
    parts = urlparse(url)
    if parts.hostname not in HOSTS:
        return None
    path = FOLDER / parts.hostname / parts.path.strip("/")
    asked.append((url, path.is_file()))
    return path.read_text() if path.is_file() else ""


_send, _urlopen = requests.Session.send, urllib.request.urlopen


def send(self, request, **options):
    text = lookup(request.url)
    if text is None:
        return _send(self, request, **options)
    response = requests.Response()
    response.status_code, response.url, response.request = (200 if text else 404), request.url, request
    response._content, response.encoding = text.encode(), "utf-8"
    response.headers["Content-Type"] = "application/json"
    return response


def urlopen(url, *arguments, **options):
    address = url if isinstance(url, str) else url.full_url
    text = lookup(address)
    if text is None:
        return _urlopen(url, *arguments, **options)
    if not text:
        raise urllib.error.HTTPError(address, 404, "not in the cache", {}, io.BytesIO())
    body = io.BytesIO(text.encode())
    body.headers, body.status, body.url = {}, 200, address
    body.info = lambda: body.headers
    return body


requests.Session.send = send
urllib.request.urlopen = urlopen
