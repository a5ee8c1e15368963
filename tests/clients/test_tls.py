"""HTTPS by certificate files: everything that goes over plain HTTP goes over it, and the certificate changes while
connections go on. An authority of the test signs the certificates."""

import datetime
import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import BINARY, twincube, until
from test_request_heads import BAD, BAD_BODIES, CHUNKED, GOOD, assert_refused, read_answer

ADD = {"process": {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}}}
NOW = datetime.datetime.now(datetime.timezone.utc)


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def certificate(subject, key, issuer, issuer_key, days=(-1, 30), names=()):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    made = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number(),
                                   NOW + datetime.timedelta(days[0]), NOW + datetime.timedelta(days[1]))
    made = made.add_extension(x509.BasicConstraints(not names, None), critical=True)
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


class Authority:
    """Certificates of this machine, and where they lie."""

    def __init__(self, folder):
        import ipaddress

        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file, self.certificate_file, self.key_file = (folder / name for name in ("ca.pem", "server.pem",
                                                                                      "key.pem"))
        own = certificate("authority", self.key, "authority", self.key)
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))
        self.names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]

    def make(self, **options):
        """A certificate and its key, as PEM, with the serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate("server", key, "authority", self.key, names=self.names, **options)
        return made.public_bytes(serialization.Encoding.PEM), pem_key(key), made.serial_number

    def put(self, pem, key):
        self.certificate_file.write_bytes(pem)
        self.key_file.write_bytes(key)


class Server:
    def __init__(self, folder):
        self.authority = Authority(folder)
        pem, key, self.serial = self.authority.make()
        self.authority.put(pem, key)
        twincube("user", "add", "carol", "--data", folder / "data", input="a password\n")
        self.log = folder / "log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--tls-certificate",
                 self.authority.certificate_file, "--tls-key", self.authority.key_file],
                stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        assert self.url.startswith("https://127.0.0.1:"), self.log.read_text()
        self.port = urlsplit(self.url).port
        self.api = self.url + "/openeo/1.3"
        self.session = requests.Session()
        self.session.verify = str(self.authority.file)
        self.session.trust_env = False  # else $REQUESTS_CA_BUNDLE wins
        token = self.session.get(self.api + "/credentials/basic", auth=("carol", "a password"), timeout=30).json()
        self.session.headers["Authorization"] = "Bearer basic//" + token["access_token"]

    def connect(self, **versions):
        context = ssl.create_default_context(cafile=self.authority.file)
        for name, version in versions.items():
            setattr(context, name, version)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def serial_now(self):
        with self.connect() as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(True)).serial_number

    def reload(self, sign):
        """Has the files read again; waits for what the log says of it."""
        seen = len(self.log.read_text())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: sign in self.log.read_text()[seen:])
        return self.log.read_text()[seen:]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("tls"))
    yield running
    running.session.close()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=60) == 0, running.log.read_text()
    running.process.stdout.close()


def test_links_say_https(server):
    answer = server.session.get(server.url + "/.well-known/openeo", timeout=30)
    assert all(version["url"].startswith(server.url) for version in answer.json()["versions"])
    links = server.session.get(server.api + "/", timeout=30).json()["links"]
    assert all(link["href"].startswith(("https://", "http://www.opengis.net")) for link in links)


def test_the_python_client_connects(server, monkeypatch):
    import openeo

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.authority.file))
    connection = openeo.connect(server.url, auto_validate=False).authenticate_basic("carol", "a password")
    assert connection.execute(ADD["process"]) == 3


def test_strangers_to_the_authority_refuse(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.url, timeout=30)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(server.url.replace("https", "http"), timeout=30)
    assert server.session.get(server.url, timeout=30).status_code == 200


def test_versions(server):
    old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    for version, name in ((old, "TLSv1.2"), (new, "TLSv1.3")):
        with server.connect(minimum_version=version, maximum_version=version) as connection:
            assert connection.version() == name
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain, pytest.raises(OSError):
        context.wrap_socket(plain)


def test_bodies_and_files_come_through_whole(server):
    body = os.urandom(20 << 20)  # streamed, piece by piece, both ways
    assert server.session.put(server.api + "/files/a.bin", data=body, timeout=60).status_code == 200
    answer = server.session.get(server.api + "/files/a.bin", timeout=60)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(body).digest()
    answer = server.session.get(server.api + "/files/a.bin", headers={"Range": "bytes=5000000-15000000"}, timeout=60)
    assert answer.status_code == 206 and answer.content == body[5000000:15000001]
    chunked = server.session.put(server.api + "/files/b.bin", timeout=60,
                                 data=(body[at:at + 12345] for at in range(0, 1 << 20, 12345)))
    assert chunked.status_code == 200
    assert server.session.get(server.api + "/files/b.bin", timeout=60).content == body[:chunked.json()["size"]]
    graph = {"process": {"description": "x" * (12 << 20), **ADD["process"]}}  # kept in memory whole
    assert server.session.post(server.api + "/result", json=graph, timeout=60).json() == 3
    refused = server.session.post(server.api + "/result", data=b"x" * (17 << 20), timeout=60)
    assert refused.status_code == 413 and refused.json()["code"] == "ContentTooLarge"


def test_many_requests_on_one_connection(server):
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30,
                                             context=ssl.create_default_context(cafile=server.authority.file))
    for i in range(300):
        path, wanted = (("/openeo/1.3/", 200), ("/openeo/1.3/none", 404), ("/openeo/1.3/processes", 200))[i % 3]
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == wanted and json.loads(answer.read())
    connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_no_request_is_answered_like_the_rest(server, version):
    bad = {**BAD, **{name: (CHUNKED + body, *rest) for name, (body, *rest) in BAD_BODIES.items()}}
    for name, (head, status, code) in bad.items():
        print(name)
        with server.connect(minimum_version=version, maximum_version=version) as connection:
            with connection.makefile("rb") as stream:
                connection.sendall(GOOD + head)
                assert read_answer(stream)[0] == 200
                assert_refused(read_answer(stream), status, code)


def test_requests_that_come_together_are_all_answered(server):
    """More than a read takes: what TLS has decrypted already makes no socket readable."""
    request = b"GET /openeo/1.3/conformance HTTP/1.1\r\nHost: localhost\r\nX-Pad: " + b"p" * 3000 + b"\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(request * 50)
        got = b""
        while got.count(b"HTTP/1.1 200") < 50 or not got.endswith(b"}"):
            got += connection.recv(65536) or pytest.fail("closed early")


def test_results_by_signed_links_and_events(server):
    job = server.session.post(server.api + "/jobs", json=ADD, timeout=30).headers["OpenEO-Identifier"]
    with server.session.get(f"{server.api}/jobs/{job}/events", stream=True, timeout=30) as events:
        assert server.session.post(f"{server.api}/jobs/{job}/results", timeout=30).status_code == 202
        heard = events.text
    assert '"finished"' in heard
    results = server.session.get(f"{server.api}/jobs/{job}/results", timeout=30).json()
    (asset,) = results["assets"].values()
    assert asset["href"].startswith(server.url)
    assert requests.get(asset["href"], verify=str(server.authority.file), timeout=30).json() == 3


def test_a_certificate_changes_while_connections_go_on(server):
    old = server.serial_now()
    lasting = server.connect()
    request = b"GET /openeo/1.3/conformance HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def ask():
        lasting.sendall(request)
        answer = http.client.HTTPResponse(lasting)
        answer.begin()
        return json.loads(answer.read())["conformsTo"]

    assert ask()
    pem, key, new = server.authority.make()
    job = server.session.post(server.api + "/jobs", json=ADD, timeout=30).headers["OpenEO-Identifier"]
    with server.session.get(f"{server.api}/jobs/{job}/events", stream=True, timeout=30) as events:
        server.authority.put(pem, key)
        server.reload("the settings were read again")
        assert server.serial_now() == new != old
        assert ask()
        server.session.post(f"{server.api}/jobs/{job}/results", timeout=30)
        assert '"finished"' in events.text
    lasting.close()


@pytest.mark.parametrize("spoil, why", [
    (lambda pem, key, other: (b"", key), "the file is empty"),
    (lambda pem, key, other: (b"nonsense", key), "no certificate in PEM form"),
    (lambda pem, key, other: (pem[:len(pem) // 2], key), "no certificate in PEM form"),
    (lambda pem, key, other: (pem, b"nonsense"), "no private key in PEM form"),
    (lambda pem, key, other: (pem, other), "the key is not that of the certificate"),
])
def test_broken_files_leave_the_old_certificate(server, spoil, why):
    good = server.authority.certificate_file.read_bytes(), server.authority.key_file.read_bytes()
    before = server.serial_now()
    pem, key, _ = server.authority.make()
    server.authority.put(*spoil(pem, key, server.authority.make()[1]))
    assert why in server.reload("the settings stay as they were")
    assert server.serial_now() == before and server.session.get(server.url, timeout=30).status_code == 200
    start = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", server.log.parent / "other",
                            "--tls-certificate", server.authority.certificate_file, "--tls-key",
                            server.authority.key_file], capture_output=True, text=True, timeout=60, check=False)
    assert start.returncode == 1 and why in start.stderr and start.stderr.startswith("ServerConfigInvalid: ")
    server.authority.put(*good)
    server.reload("the settings were read again")


def test_a_certificate_that_is_over_is_warned_of(server):
    good = server.authority.certificate_file.read_bytes(), server.authority.key_file.read_bytes()
    server.authority.put(*server.authority.make(days=(-30, -1))[:2])
    assert "not valid today" in server.reload("the settings were read again")
    server.authority.put(*good)
    server.reload("the settings were read again")


def test_half_of_the_options_is_refused(tmp_path):
    for option in ("--tls-certificate", "--tls-key"):
        done = subprocess.run([BINARY, "serve", "--data", tmp_path, option, tmp_path / "none"], capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == 2 and "goes with the other" in done.stderr


def test_slow_handshakes_and_heads_are_cut_off(server):
    """Both at once, as they take their ten seconds."""
    started = time.monotonic()
    shy = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    shy.sendall(b"\x16\x03\x01\x02")
    slow = server.connect()
    slow.sendall(b"GET / HT")
    for connection in (shy, slow):
        try:
            assert not connection.recv(100).startswith(b"HTTP")
        except (ssl.SSLError, ConnectionResetError):
            pass  # closed without TLS's own goodbye
    assert time.monotonic() - started > 5
    shy.close()
    slow.close()
