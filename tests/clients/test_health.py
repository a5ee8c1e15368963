"""What an operator's tools ask: /health and /metrics."""

import re

import requests


def numbers(running):
    """The lines of /metrics as {name with labels: number}."""
    reply = requests.get(running.url + "/metrics", timeout=20)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in reply.text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+', line) for line in lines)
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_health(running):
    for path in ("/health", "/openeo/1.3/health"):
        reply = requests.get(running.url + path, timeout=20)
        assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_metrics_count_what_was_asked(running):
    name = 'twincube_http_requests_total{method="GET",route="/collections",status="2xx"}'
    none = 'twincube_http_requests_total{method="",route="",status="4xx"}'
    before = numbers(running)
    for _ in range(3):
        requests.get(running.url + "/openeo/1.3/collections", timeout=20)
    requests.get(running.url + "/nowhere", timeout=20)
    after = numbers(running)
    assert after[name] - before.get(name, 0) >= 3
    assert after[none] - before.get(none, 0) >= 1
    count = "twincube_http_request_seconds_count"
    assert after[count] - before[count] >= 5  # the first reading of the metrics is one
    assert after['twincube_http_request_seconds_bucket{le="+Inf"}'] == after[count]
    assert after["process_resident_memory_bytes"] > 1e6
    assert after["twincube_workers"] >= after["twincube_workers_busy"] >= 0
    assert after['twincube_jobs{status="queued"}'] >= 0


def test_metrics_are_not_told_through_a_proxy(running):
    reply = requests.get(running.url + "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=20)
    assert (reply.status_code, reply.json()["code"]) == (403, "PermissionsInsufficient")
