"""SIGHUP: a running server takes its settings anew, or keeps them all where one of them is wrong."""

import itertools
import json
import signal
import threading

import pytest
import requests

from conftest import until
from test_request_log import ADD, Server

PROVIDER = '[[oidc]]\nid = "{0}"\ntitle = "{0}"\nissuer = "http://127.0.0.1:9/{0}"\naudience = ["a"]\n'
READ, KEPT = "the settings were read again", "the settings stay as they were"


class Reloading(Server):
    def __init__(self, folder):
        self.config = folder / "twincube.toml"
        self.config.write_text("")
        super().__init__(folder, "--config", self.config, "--threads", "1")

    def settings(self, text, sign=READ):
        """Has the server read these settings; what its log says."""
        self.config.write_text(text, encoding="utf-8")
        seen = len(self.log.read_text())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: sign in self.log.read_text()[seen:])
        return self.log.read_text()[seen:]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Reloading(tmp_path_factory.mktemp("reload"))
    yield running
    running.stop()


def test_the_tariff(server):
    assert server.call("GET", "/").json().get("billing", {}).get("currency") is None
    for currency in ("EUR", "USD"):
        assert "tariff has changed" in server.settings(f'tariff = "currency={currency},cpu-hour=3600000000"\n')
        assert server.call("GET", "/").json().get("billing", {}).get("currency") == currency
        answer = server.call("POST", "/result", json=ADD)
        assert float(answer.headers["OpenEO-Costs"]) > 0
    job = server.call("POST", "/jobs", json=ADD).headers["OpenEO-Identifier"]
    server.call("POST", f"/jobs/{job}/results")
    until(lambda: server.call("GET", f"/jobs/{job}").json()["status"] not in ("queued", "running"))
    told = server.call("GET", f"/jobs/{job}").json()
    assert told["status"] == "finished" and told["costs"] > 0
    server.settings("")
    assert server.call("GET", "/").json().get("billing", {}).get("currency") is None
    assert float(server.call("POST", "/result", json=ADD).headers.get("OpenEO-Costs", 0)) == 0


def test_room_for_files(server):
    server.settings('user-files = "1M"\n')
    assert server.call("GET", "/me").json()["storage"]["quota"] == 1 << 20
    body = b"x" * (2 << 20)
    refused = server.call("PUT", "/files/a", data=body)
    assert refused.json()["code"] in ("FileSizeExceeded", "StorageQuotaExceeded")
    server.settings('user-files = "3M"\n')
    assert server.call("PUT", "/files/a", data=body).status_code == 200
    server.settings("")


def test_times_and_queues(server):
    wait = {"process": {"process_graph": {"w": {"process_id": "lft_scalar_field", "arguments": {
        "shape": [16, 16, 16], "m2": -4, "lambda": 8, "seed": 1, "configurations": 100000}},
        "r": {"process_id": "reduce_dimension", "result": True, "arguments": {
            "data": {"from_node": "w"}, "dimension": "configuration", "reducer": {"process_graph": {"m": {
                "process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}}}}}
    server.settings("request-time = 1\nuser-jobs = 1\n")
    answer = server.call("POST", "/result", json=wait)
    assert answer.json()["code"] == "RequestTimeout"
    jobs = [server.call("POST", "/jobs", json=wait).headers["OpenEO-Identifier"] for _ in range(3)]
    answers = [server.call("POST", f"/jobs/{job}/results") for job in jobs]
    assert answers[-1].json()["code"] == "TooManyRequests" or answers[-1].status_code >= 400
    for job in jobs:
        server.call("DELETE", f"/jobs/{job}/results")
    server.settings("job-time = 1\n")
    assert server.call("POST", f"/jobs/{jobs[0]}/results").status_code == 202
    until(lambda: server.call("GET", f"/jobs/{jobs[0]}").json()["status"] not in ("queued", "running"))
    logs = server.call("GET", f"/jobs/{jobs[0]}/logs").json()["logs"]
    assert any("1 s that a job may take" in entry["message"] for entry in logs)
    server.settings("")
    assert server.call("POST", f"/jobs/{jobs[2]}/results").status_code == 202
    assert server.call("DELETE", f"/jobs/{jobs[2]}").status_code == 204


def test_providers_come_and_go(server):
    def providers():
        answer = server.call("GET", "/credentials/oidc")
        return [provider["id"] for provider in answer.json()["providers"]] if answer.ok else None

    assert providers() is None
    assert "other OpenID Connect providers" in server.settings(PROVIDER.format("one"))
    assert providers() == ["one"]
    assert "other OpenID Connect" not in server.settings(PROVIDER.format("one") + "# the same")
    path = server.folder / "providers.json"
    path.write_text(json.dumps({"providers": [{"id": "two", "title": "2", "issuer": "http://127.0.0.1:9",
                                               "audience": ["a"]}]}))
    server.settings(f'oidc = "{path}"')
    assert providers() == ["two"]
    path.write_text(path.read_text().replace("two", "three"))
    assert "other OpenID Connect" in server.settings(f'oidc = "{path}"')
    assert providers() == ["three"]
    server.settings("no-basic = true\n" + PROVIDER.format("one") + PROVIDER.format("four"))
    assert providers() == ["one", "four"]
    assert server.call("GET", "/me").json()["code"] == "AuthenticationSchemeInvalid"
    server.settings("")
    assert providers() is None and server.call("GET", "/me").status_code == 200


def test_one_error_and_nothing_changes(server):
    server.settings('tariff = "currency=EUR,cpu-hour=1"\n')
    for text, why in (("jobs = 0", ":1: jobs wants"), ("tariff = 'nonsense'", ":1: tariff"), ("a = [", ":1: "),
                      ("tls-certificate = 'x'", "goes with the other"), ("no-basic = true", "wants oidc"),
                      ('tls-certificate = "x"\ntls-key = "y"', "TLS cannot be switched"),
                      ('oidc = "/none"', "No such file"),
                      (PROVIDER.format("x") + "magic = 1", ":6: oidc[0].magic")):
        text = 'log-level = "error"\nuser-files = "5M"\n' * (not text.startswith(("jobs", "tariff", "a ="))) + text
        why = why if not text.startswith("log-level") else why.replace(":1:", ":3:").replace(":6:", ":8:")
        assert why in server.settings(text, KEPT)
        assert server.call("GET", "/").json().get("billing", {}).get("currency") == "EUR"
        assert server.call("GET", "/me").json()["storage"]["quota"] == 10 << 30
    server.settings("")


def test_what_cannot_change_is_named(server):
    told = server.settings('jobs = 2\nlisten = "127.0.0.1:1"\nkeep-results = 3\n')
    assert "warning: settings: jobs cannot change" in told and "settings: keep-results has changed" in told
    assert "listen" not in told  # the command line wins over the file, still
    assert "settings: jobs cannot change" not in server.settings("")


def test_a_storm_of_reloads_disturbs_nobody(server):
    """Settings that are read by everybody change all the time."""
    texts = itertools.cycle(['tariff = "currency=EUR,cpu-hour=1"\n' + PROVIDER.format("one"), PROVIDER.format("two"),
                             ""])
    stop, wrong = threading.Event(), []

    def ask():
        with requests.Session() as session:
            session.headers.update(server.session.headers)
            while not stop.is_set():
                for method, path, body in (("GET", "/", None), ("GET", "/credentials/oidc", None), ("GET", "/me", None),
                                           ("POST", "/result", ADD), ("GET", "/conformance", None)):
                    answer = session.request(method, server.api + path, json=body, timeout=30)
                    if answer.status_code != 200 and path != "/credentials/oidc":
                        wrong.append((path, answer.text))

    def stranger():
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.get(server.api + "/me", headers={"Authorization": "Bearer oidc/one/abc"}, timeout=30)
                if answer.status_code not in (403, 429, 503):
                    wrong.append(answer.text)

    threads = [threading.Thread(target=target) for target in (ask, ask, stranger)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        server.settings(next(texts))
    stop.set()
    for thread in threads:
        thread.join(timeout=60)
    assert not wrong
    server.settings("")
