"""An OpenID Connect provider that lies on demand: discovery, keys and user info, tokens as a test wants them.

It answers from its attributes, which a test changes at any time; `asked` counts the requests by path."""

import collections
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "https://eo.example.org"


def new_key(algorithm):
    if algorithm[:2] in ("RS", "PS"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm[:2] == "ES":
        return ec.generate_private_key({"ES256": ec.SECP256R1, "ES384": ec.SECP384R1,
                                        "ES512": ec.SECP521R1}[algorithm]())
    return ed25519.Ed25519PrivateKey.generate()


def make_certificate(file, address="127.0.0.1", hours=1):
    """A certificate of an address that signs itself, and its key, in one file. Negative hours: it ended then."""
    key = new_key("ES256")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a provider of the tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=100))
            .not_valid_after(now + datetime.timedelta(hours=hours)).add_extension(here, False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True).sign(key, hashes.SHA256()))
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) +
                     key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))


class FakeProvider:
    def __init__(self, certificate=None):
        self.keys = {}  # kid: (algorithm, private key)
        self.users = {}  # opaque token: claims, or a status
        self.discovery = {}  # what differs in the document
        self.open = threading.Event()  # while it is not set, nobody is answered
        self.open.set()
        self.broken = None  # path: bytes that come instead
        self.asked = collections.Counter()
        self.certificate = certificate  # file with its key: TLS
        self.server = None
        self.port = 0
        self.add_key("first", "RS256")
        self.start()

    def add_key(self, kid, algorithm):
        self.keys[kid] = (algorithm, new_key(algorithm))

    def start(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked[self.path] += 1
                provider.open.wait(60)
                status, body = provider.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, authorization):
        if self.broken and path in self.broken:
            return 200, self.broken[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({"issuer": self.issuer, "jwks_uri": self.issuer + "/keys",
                                    "userinfo_endpoint": self.issuer + "/me", **self.discovery}).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [self.public(kid) for kid in self.keys]}).encode()
        if path == "/me":
            known = self.users.get(authorization.removeprefix("Bearer "), 401)
            return (known, b"") if isinstance(known, int) else (200, json.dumps(known).encode())
        return 404, b""

    def public(self, kid):
        algorithm, key = self.keys[kid]
        document = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
        return {**document, "kid": kid, "use": "sig", "alg": algorithm}

    def claims(self, **changed):
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "u-1", "aud": AUDIENCE, "iat": now, "exp": now + 300,
                  "name": "Ada Lovelace", **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid="first", headers=None, key=None, algorithm=None, **changed):
        known, own = self.keys.get(kid, ("RS256", None))
        return jwt.encode(self.claims(**changed), key or own, algorithm or known, {"kid": kid, **(headers or {})})

    def settings(self, **changed):
        return {"id": "fake", "title": "A provider of the tests", "issuer": self.issuer, "audience": [AUDIENCE],
                "scopes": ["openid"], **changed}
