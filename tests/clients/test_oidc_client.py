"""The openEO Python client logs in at a real OpenID Connect provider (npm oidc-provider, on loopback) in every way that
it knows, and works with the tokens that it gets."""

import contextlib
import html.parser
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests
from test_server_api import ROOT, Server, assert_error

openeo = pytest.importorskip("openeo")
MODULES = pathlib.Path(os.environ.get("TWINCUBE_NODE", ROOT / ".cache" / "javascript"))
AUDIENCE = "https://eo.example.org"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def callback():
    return free_port()


@pytest.fixture(scope="module")
def issuer(callback):
    if not shutil.which("node") or not (MODULES / "node_modules" / "oidc-provider").exists():
        pytest.skip(f"node, or oidc-provider in {MODULES}, is not there")
    # Node looks for modules beside the script.
    script = shutil.copy(pathlib.Path(__file__).with_name("oidc_provider.mjs"), MODULES)
    process = subprocess.Popen(["node", script, AUDIENCE, f"http://localhost:{callback}/callback"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    yield url
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture(scope="module")
def server(issuer, callback, tmp_path_factory):
    data = tmp_path_factory.mktemp("oidc-client")
    grants = [DEVICE + "+pkce", "authorization_code+pkce", "refresh_token"]
    provider = {"id": "real", "title": "oidc-provider", "issuer": issuer, "audience": [AUDIENCE],
                "scopes": ["openid", "profile"],
                "default_clients": [{"id": "cli", "grant_types": grants,
                                     "redirect_urls": [f"http://localhost:{callback}/callback"]}]}
    (data / "oidc.json").write_text(json.dumps({"providers": [provider]}))
    server = Server(data, "--oidc", str(data / "oidc.json"), "--no-basic")
    yield server
    assert server.stop() == 0


@pytest.fixture
def hasty(monkeypatch):
    """Polls without the seconds between that a person needs."""
    from openeo.rest.auth import oidc

    patient = oidc.OidcDeviceAuthenticator._get_verification_info
    monkeypatch.setattr(oidc.OidcDeviceAuthenticator, "_get_verification_info",
                        lambda *a, **k: patient(*a, **k)._replace(interval=0.1))
    monkeypatch.setattr(oidc.time, "sleep", lambda _, sleep=time.sleep: sleep(0.1))


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes and what it sends."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = values["action"]
        elif tag == "input" and values.get("name"):
            self.fields[values["name"]] = values.get("value") or ""


def answer_pages(url, login):
    """What a person does in a browser: logs in and agrees, until there is nothing left to fill in."""
    browser = requests.Session()
    browser.trust_env = False
    page = browser.get(url)
    for _ in range(8):
        form = Form(page.text)
        if form.action is None:
            return page
        form.fields |= {name: login for name in ("login", "password") if name in form.fields}
        page = browser.post(urllib.parse.urljoin(page.url, form.action), data=form.fields)
    raise AssertionError(page.text)


def in_background(login):
    """A person elsewhere: follows the address in what is displayed."""

    def start(text):
        found = re.search(r"https?://[^\s'\"<>)\]]+", text)
        if found and "user_code" in found.group():
            threading.Thread(target=answer_pages, args=(found.group(), login), daemon=True).start()

    return start


def check(connection, server, name):
    account = connection.describe_account()
    assert account["name"] == name and account["user_id"].startswith("real.")
    assert connection.execute({"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2},
                                                       "result": True}}}) == 3
    return account["user_id"]


def test_client_credentials(server):
    connection = openeo.connect(server.url)
    connection.authenticate_oidc_client_credentials("service", "a secret of the tests", "real")
    user = connection.describe_account()["user_id"]
    assert connection.describe_account()["name"] == user
    again = openeo.connect(server.url).authenticate_oidc_client_credentials("service", "a secret of the tests")
    assert again.describe_account()["user_id"] == user
    # The same token as clients send it that know JSON Web Tokens.
    token = connection.auth.bearer.removeprefix("oidc/real/")
    answer = requests.get(server.url + "/openeo/1.3/me", headers={"Authorization": "Bearer " + token})
    assert answer.json()["user_id"] == user
    with pytest.raises(openeo.rest.auth.oidc.OidcException):
        openeo.connect(server.url).authenticate_oidc_client_credentials("service", "wrong", "real")


def test_device_code_and_refresh(server, hasty, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENEO_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    connection = openeo.connect(server.url)
    connection.authenticate_oidc_device(display=in_background("ada"), max_poll_time=60, store_refresh_token=True)
    user = check(connection, server, "The user ada")
    # A token that is refused makes the client get another one by the refresh token.
    good = connection.auth.bearer
    connection.auth.bearer = good[:-8] + "AAAAAAAA"
    assert connection.describe_account()["user_id"] == user
    assert connection.auth.bearer != good
    again = openeo.connect(server.url).authenticate_oidc_refresh_token()
    assert check(again, server, "The user ada") == user


def test_authorization_code_with_pkce(server, callback):
    connection = openeo.connect(server.url)
    connection.authenticate_oidc_authorization_code(
        server_address=("", callback), timeout=10,
        webbrowser_open=lambda url: threading.Thread(target=answer_pages, args=(url, "bob"), daemon=True).start())
    check(connection, server, "The user bob")


def test_opaque_tokens(server, hasty):
    users = []
    for client in ("opaque", "cli"):
        connection = openeo.connect(server.url)
        connection.authenticate_oidc_device(client_id=client, display=in_background("eve"), max_poll_time=60,
                                            use_pkce=True)
        assert (connection.auth.bearer.count(".") == 2) == (client == "cli")
        users.append(check(connection, server, "The user eve"))
    assert users[0] == users[1]


def test_nobody_else(server):
    answer = requests.get(server.api + "/me", headers={"Authorization": "Bearer oidc/real/abc"})
    assert_error(answer, 403, "TokenInvalid")
    with pytest.raises(openeo.rest.OpenEoClientException):
        openeo.connect(server.url).authenticate_basic("a", "b")
