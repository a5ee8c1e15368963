"""OpenID Connect against a provider that lies: tokens of every kind that must be refused, and those that must not."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

import pytest
import requests
from conftest import until
from fake_provider import AUDIENCE, FakeProvider, make_certificate, new_key
from test_result_sizes import field
from test_server_api import PASSWORD, Server, add_user, assert_error, run

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
PAUSE = 1  # seconds between two questions for a provider's keys


def write_settings(folder, *providers):
    file = folder / "oidc.json"
    file.write_text(json.dumps({"providers": list(providers)}))
    return str(file)


@pytest.fixture(scope="module")
def provider():
    provider = FakeProvider()
    for algorithm in ALGORITHMS[1:]:
        provider.add_key(algorithm, algorithm)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def server(provider, tmp_path_factory):
    data = tmp_path_factory.mktemp("oidc")
    add_user(data, "alice")
    rules = [{"entitlement": "urn:mace:egi.eu:group:vo.example.org:role=admin#aai.egi.eu", "roles": ["operator"]},
             {"entitlement": "urn:mace:egi.eu:group:vo.example.org", "results": "3M"},
             {"entitlement": "/openeo/large", "results": "7M"}]
    settings = write_settings(data, provider.settings(pause_seconds=PAUSE, clock_skew=10, rules=rules))
    server = Server(data, "--oidc", settings).login()
    server.session.headers.pop("Authorization")
    yield server
    assert server.stop() == 0


def me(server, token, prefix="oidc/fake/", method="GET", path="/me"):
    return requests.request(method, server.api + path, headers={"Authorization": f"Bearer {prefix}{token}"})


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data,
                                                       bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


# ---- what is good ----


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signatures(server, provider, algorithm):
    token = provider.token("first" if algorithm == "RS256" else algorithm)
    answer = me(server, token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "Ada Lovelace" and answer.json()["roles"] == ["user"]
    assert me(server, token, prefix="").json() == answer.json()
    header, payload, signature = token.split(".")
    flipped = base64.urlsafe_b64decode(signature + "==")
    flipped = b64(flipped[:-1] + bytes([flipped[-1] ^ 1]))
    assert_error(me(server, f"{header}.{payload}.{flipped}"), 403, "TokenInvalid")
    assert_error(me(server, f"{header}.{payload}.{b64(b'')}"), 403, "TokenInvalid")
    other = b64({**provider.claims(), "sub": "u-2"})
    assert_error(me(server, f"{header}.{other}.{signature}"), 403, "TokenInvalid")


def test_a_user_is_issuer_and_subject(server, provider):
    first, again = me(server, provider.token()).json(), me(server, provider.token(name="Ada King")).json()
    assert first["user_id"] == again["user_id"] and again["name"] == "Ada King"
    other = me(server, provider.token(sub="u-2", name=None, email="u2@example.org")).json()
    assert other["user_id"] != first["user_id"] and other["name"] == "u2@example.org"
    nameless = me(server, provider.token(sub="u-3", name=None)).json()
    assert nameless["name"] == nameless["user_id"]
    for user in (first, other, nameless):
        assert user["user_id"].startswith("fake.") and len(user["user_id"]) <= 64
    strange = me(server, provider.token(sub="u-4", name="a\nb\x7f" + "é" * 200)).json()["name"]
    assert strange.startswith("a b é") and "\n" not in strange and len(strange.encode()) <= 128


def test_jobs_are_their_owners(server, provider):
    job = {"process": {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}}}
    headers = {"Authorization": "Bearer oidc/fake/" + provider.token()}
    made = requests.post(server.api + "/jobs", json=job, headers=headers)
    assert made.status_code == 201, made.text
    path = "/jobs/" + made.headers["OpenEO-Identifier"]
    assert me(server, provider.token(), path=path).status_code == 200
    assert_error(me(server, provider.token(sub="u-9"), path=path), 404, "JobNotFound")


def test_list(server, provider):
    listed = requests.get(server.api + "/credentials/oidc").json()["providers"]
    assert listed == [{"id": "fake", "issuer": provider.issuer, "title": "A provider of the tests",
                       "scopes": ["openid"]}]
    for version, times in (("1.2", 0), ("1.3", 1)):
        document = requests.get(f"{server.url}/openeo/{version}/").json()
        assert [c for c in document["conformsTo"] if "authentication/jwt" in c] == [
            "https://api.openeo.org/1.3.0/authentication/jwt"] * times
        assert {"/credentials/oidc", "/credentials/basic"} <= {e["path"] for e in document["endpoints"]}


def test_our_own_tokens_without_prefix(server):
    token = requests.get(server.api + "/credentials/basic", auth=("alice", PASSWORD)).json()["access_token"]
    for prefix in ("basic//", ""):
        assert me(server, token, prefix=prefix).json()["user_id"] == "alice"


# ---- what is not ----


def test_algorithms_that_sign_nothing(server, provider):
    claims = b64(provider.claims())
    public = json.dumps(provider.public("first"))
    for name in ("none", "None", "NONE", ""):
        for signature in ("", b64(b"x")):
            token = f"{b64({'alg': name, 'kid': 'first'})}.{claims}.{signature}"
            assert_error(me(server, token), 403, "TokenInvalid")
    from cryptography.hazmat.primitives import serialization

    pem = provider.keys["first"][1].public_key().public_bytes(serialization.Encoding.PEM,
                                                              serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, public.encode(), b""):
        head = f"{b64({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'})}.{claims}"
        signature = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        assert_error(me(server, f"{head}.{b64(signature)}"), 403, "TokenInvalid")


def test_keys_of_others(server, provider):
    stranger = new_key("RS256")
    assert_error(me(server, provider.token(key=stranger)), 403, "TokenInvalid")
    # The key's own algorithm counts, and a key that the token brings along does not.
    assert_error(me(server, provider.token(algorithm="RS512")), 403, "TokenInvalid")
    import jwt

    own = jwt.get_algorithm_by_name("RS256").to_jwk(stranger.public_key(), as_dict=True)
    assert_error(me(server, provider.token(key=stranger, headers={"jwk": own})), 403, "TokenInvalid")
    assert_error(me(server, provider.token(headers={"crit": ["b64"], "b64": True})), 403, "TokenInvalid")
    for kind in ("logout+jwt", "dpop+jwt", "secevent+jwt"):
        assert_error(me(server, provider.token(headers={"typ": kind})), 403, "TokenInvalid")
    assert me(server, provider.token(headers={"typ": "at+jwt"})).status_code == 200


# Functions are given the time when the token is made, which may be long after this is read.
BAD_CLAIMS = {
    "expired": {"exp": lambda now: now - 11},
    "no end": {"exp": None},
    "end is text": {"exp": lambda now: str(now + 300)},
    "not yet": {"nbf": lambda now: now + 300},
    "from the future": {"iat": lambda now: now + 300},
    "nbf is text": {"nbf": "now"},
    "other issuer": {"iss": "http://127.0.0.1:1"},
    "issuer is longer": {"iss": "ISSUER/x"},
    "no issuer": {"iss": None},
    "other audience": {"aud": "https://elsewhere.example.org"},
    "other audiences": {"aud": ["a", "b"]},
    "no audience": {"aud": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject too long": {"sub": "x" * 256},
    "bound to a key": {"cnf": {"jkt": "x"}},
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_bad_claims(server, provider, case):
    import jwt

    now = int(time.time())
    changed = {name: claim(now) if callable(claim) else claim for name, claim in BAD_CLAIMS[case].items()}
    if str(changed.get("iss", "")).startswith("ISSUER"):
        changed["iss"] = changed["iss"].replace("ISSUER", provider.issuer)
    algorithm, key = provider.keys["first"]
    payload = json.dumps(provider.claims(**changed)).encode()
    token = jwt.PyJWS().encode(payload, key, algorithm, {"kid": "first"})
    for prefix in ("oidc/fake/", ""):
        assert_error(me(server, token, prefix=prefix), 403, "TokenInvalid")


def test_clock_skew(server, provider):
    now = int(time.time())
    for good in ({"exp": now - 5}, {"nbf": now + 5}, {"iat": now + 5}, {"exp": now + 300.5}, {"aud": ["x", AUDIENCE]},
                 {"iss": provider.issuer + "/"}):
        assert me(server, provider.token(**good)).status_code == 200, good


def test_bad_forms(server, provider):
    token = provider.token()
    for text, code in (("oidc/other/" + token, "AuthenticationSchemeInvalid"),
                       ("oidc//" + token, "AuthenticationSchemeInvalid"),
                       ("basic/x/" + token, "AuthenticationSchemeInvalid"),
                       ("oidc/" + token, "AuthenticationSchemeInvalid"),
                       ("oidc/fake/", "TokenInvalid"), ("basic//" + token, "TokenInvalid"),
                       ("a.b.c", "TokenInvalid"), ("e.b.c", "TokenInvalid"), ("e..", "TokenInvalid"),
                       (token + ".", "TokenInvalid"), (token + "=", "TokenInvalid"),
                       ("oidc/fake/e" + "A" * 20000 + ".e.e", "TokenInvalid")):
        assert_error(requests.get(server.api + "/me", headers={"Authorization": "Bearer " + text}), 403, code)
    deep = b64(b'{"alg":' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert_error(me(server, f"{deep}.{b64({})}.{b64(b'x')}"), 403, "TokenInvalid")
    twice = b64(b'{"alg":"RS256","alg":"none"}')
    assert_error(me(server, f"{twice}.{b64({})}.{b64(b'x')}"), 403, "TokenInvalid")


# ---- keys come and go ----


def test_rotated_keys(server, provider):
    assert me(server, provider.token()).status_code == 200
    time.sleep(PAUSE + 0.1)
    provider.add_key("second", "ES256")
    assert me(server, provider.token("second")).status_code == 200
    # Keys that do not exist: the provider is not asked more than once a pause.
    before, started = provider.asked["/keys"], time.monotonic()
    for kid in range(20):
        assert_error(me(server, provider.token(f"none-{kid}", key=new_key("ES256"), algorithm="ES256")), 403,
                     "TokenInvalid")
    assert provider.asked["/keys"] - before <= 1 + (time.monotonic() - started) / PAUSE
    time.sleep(PAUSE + 0.1)
    gone = provider.keys.pop("second")
    provider.add_key("third", "ES256")
    assert me(server, provider.token("third")).status_code == 200
    provider.keys["second"] = gone
    token = provider.token("second")
    del provider.keys["second"]
    assert_error(me(server, token), 403, "TokenInvalid")


# ---- opaque tokens ----


def test_opaque_tokens(server, provider):
    provider.users["opaque-1"] = {"sub": "u-1", "name": "Ada Lovelace"}
    provider.users["opaque-2"] = {"name": "nobody"}
    provider.users["opaque-3"] = 500
    asked = provider.asked["/me"]
    first = me(server, "opaque-1").json()
    assert first["user_id"] == me(server, provider.token()).json()["user_id"]
    for prefix in ("oidc/fake/", "", "oidc/fake/"):
        assert me(server, "opaque-1", prefix=prefix).json() == first
    assert provider.asked["/me"] == asked + 1  # remembered
    for _ in range(3):
        assert_error(me(server, "opaque-0"), 403, "TokenInvalid")
    assert provider.asked["/me"] == asked + 2
    for token in ("opaque-2", "opaque-3"):
        assert_error(me(server, token), 503, "InfrastructureBusy")
    assert_error(me(server, "a token\twith blanks"), 403, "TokenInvalid")


def test_guessing_opaque_tokens_is_limited(tmp_path, provider):
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, provider.settings()))
    codes = [me(server, f"guess-{i}").status_code for i in range(13)]
    assert codes[0] == 403 and codes[-1] == 429
    assert me(server, provider.token()).status_code == 200
    assert server.stop() == 0


# ---- rights ----


def test_rights(server, provider):
    entitled = "urn:mace:egi.eu:group:vo.example.org:role=admin#aai.egi.eu"
    answer = me(server, provider.token(eduperson_entitlement=[entitled, "urn:other"])).json()
    assert answer["roles"] == ["user", "operator"]
    assert answer["storage"]["results"] == {"free": 3 << 20, "quota": 3 << 20}
    answer = me(server, provider.token(groups="/openeo/large")).json()
    assert answer["roles"] == ["user"] and answer["storage"]["results"]["quota"] == 7 << 20
    answer = me(server, provider.token(groups=["/openeo", 3, None])).json()
    assert answer["roles"] == ["user"] and "results" not in answer["storage"]


def test_rights_of_users_with_passwords(server):
    def account():
        token = requests.get(server.api + "/credentials/basic", auth=("alice", PASSWORD)).json()["access_token"]
        return me(server, token, prefix="basic//").json()

    data = ("--data", str(server.data))
    assert account()["roles"] == ["user"] and "results" not in account()["storage"]
    assert run("user", "rights", "alice", "--operator", "--results", "5M", *data).returncode == 0
    assert account()["roles"] == ["user", "operator"]
    assert account()["storage"]["results"] == {"free": 5 << 20, "quota": 5 << 20}
    assert run("user", "rights", "alice", *data).returncode == 0
    assert account()["roles"] == ["user"] and "results" not in account()["storage"]
    assert run("user", "rights", "nobody", *data).returncode == 1
    for wrong in (["add", "x", "--operator"], ["list", "--results", "5M"], ["rights"],
                  ["rights", "a", "--results", "x"]):
        assert run("user", *wrong, *data).returncode == 2


def test_room_for_results_is_the_users_own(server, provider):
    def run_job(**claims):
        headers = {"Authorization": "Bearer oidc/fake/" + provider.token(sub="room", **claims)}
        made = requests.post(server.api + "/jobs", json={"process": {"process_graph": field(200, 10)}}, headers=headers)
        path = server.api + "/jobs/" + made.headers["OpenEO-Identifier"]
        requests.post(path + "/results", headers=headers)
        for _ in range(3000):
            status = requests.get(path, headers=headers).json()["status"]
            if status in ("error", "finished"):
                return status, requests.get(path + "/results", headers=headers).json()
            time.sleep(0.02)
        raise AssertionError(status)

    member = {"groups": "urn:mace:egi.eu:group:vo.example.org"}  # 3 MiB; a result has 3.2 MB
    status, answer = run_job(**member)
    assert status == "error" and answer["code"] == "StorageQuotaExceeded"
    assert run_job(groups="/openeo/large")[0] == "finished"
    assert run_job(groups="/openeo/large")[0] == "finished"
    status, answer = run_job(groups="/openeo/large")
    assert status == "error" and answer["code"] == "StorageQuotaExceeded"
    headers = {"Authorization": "Bearer oidc/fake/" + provider.token(sub="room", groups="/openeo/large")}
    storage = requests.get(server.api + "/me", headers=headers).json()["storage"]["results"]
    assert storage["quota"] == 7 << 20 and storage["free"] < (7 << 20) - 6400000
    assert run_job()[0] == "finished"  # without the group: no limit here


def test_only_who_is_entitled(tmp_path, provider):
    rules = [{"entitlement": "members"}]
    settings = provider.settings(users="entitled", rules=rules, required_scopes=["openeo"],
                                 entitlement_claims=["realm_access.roles"], user_info="never")
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, settings), "--no-basic")
    member = {"realm_access": {"roles": ["members"]}}
    assert me(server, provider.token(scope="openid openeo", **member)).json()["roles"] == ["user"]
    assert me(server, provider.token(scp=["openid", "openeo"], **member)).status_code == 200
    for claims in (member, {"scope": "openeos", **member}, {"scope": "openeo"},
                   {"scope": "openeo", "groups": ["members"]}):
        assert_error(me(server, provider.token(**claims)), 403, "PermissionsInsufficient")
    assert_error(me(server, "opaque-1"), 403, "TokenInvalid")
    # Without passwords.
    assert "/credentials/basic" not in [e["path"] for e in requests.get(server.api + "/").json()["endpoints"]]
    assert_error(requests.get(server.api + "/credentials/basic", auth=("a", "b")), 404, "NotFound")
    assert_error(me(server, "x", prefix="basic//"), 403, "AuthenticationSchemeInvalid")
    assert server.stop() == 0


def test_claims_of_the_user_info(tmp_path, provider):
    settings = provider.settings(user_info="always", users="entitled", rules=[{"entitlement": "members"}],
                                 clients=["a-client"])
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, settings))
    good, other = provider.token(azp="a-client"), provider.token(client_id="a-client", sub="u-2")
    provider.users |= {good: {"sub": "u-1", "groups": ["members"]}, other: {"sub": "u-3", "groups": ["members"]}}
    assert me(server, good).json()["roles"] == ["user"]
    assert_error(me(server, other), 403, "TokenInvalid")  # the answer is about somebody else
    provider.users[other] = {"sub": "u-2", "groups": ["guests"]}
    stranger = provider.token(azp="b-client")
    provider.users[stranger] = {"sub": "u-1", "groups": ["members"]}
    assert_error(me(server, stranger), 403, "TokenInvalid")
    assert_error(me(server, provider.token(azp=None)), 403, "TokenInvalid")
    assert server.stop() == 0


def test_a_taken_name(tmp_path, provider):
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, provider.settings()))
    user = me(server, provider.token(sub="z")).json()["user_id"]
    assert_error(requests.get(server.api + "/credentials/basic", auth=(user, "!")), 403, "CredentialsInvalid")
    assert run("user", "remove", user, "--data", str(tmp_path)).returncode == 0
    add_user(tmp_path, user)
    assert_error(me(server, provider.token(sub="z")), 403, "PermissionsInsufficient")
    assert server.stop() == 0


# ---- a provider that is not there ----


def test_provider_down(tmp_path):
    provider = FakeProvider()
    token = provider.token()
    provider.stop()
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, provider.settings(pause_seconds=0)))
    answer = me(server, token)
    assert "Retry-After" in answer.headers
    assert "provider 'fake' cannot be reached" in assert_error(answer, 503, "InfrastructureBusy")["message"]
    assert requests.get(server.api + "/").status_code == 200
    provider.start()
    assert me(server, token).status_code == 200  # it is asked again
    provider.stop()
    assert me(server, token).status_code == 200  # the keys are known
    assert_error(me(server, "opaque"), 503, "InfrastructureBusy")
    assert token not in (tmp_path / "server.log").read_text()
    assert server.stop() == 0


@pytest.mark.parametrize("lie", ["issuer", "keys elsewhere", "no json", "no set", "huge", "nothing there", "slow"])
def test_provider_that_lies(tmp_path, lie):
    provider = FakeProvider()
    if lie == "issuer":
        provider.discovery = {"issuer": "https://elsewhere.example.org"}
    elif lie == "keys elsewhere":
        provider.discovery = {"jwks_uri": "file:///etc/passwd"}
    elif lie == "no json":
        provider.broken = {"/.well-known/openid-configuration": b"<html>"}
    elif lie == "no set":
        provider.broken = {"/keys": b"[]"}
    elif lie == "huge":
        provider.broken = {"/keys": b'{"keys": [' + b" " * 400000 + b"]}"}
    elif lie == "nothing there":
        provider.discovery = {"jwks_uri": provider.issuer + "/nothing"}
    else:
        provider.open.clear()
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, provider.settings()))
    if lie == "slow":  # light requests do not wait; it does
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(me, server, provider.token())
            until(lambda: sum(provider.asked.values()))
            assert requests.get(server.api + "/conformance").status_code == 200
            assert not waiting.done()
            provider.open.set()
            assert waiting.result().status_code == 200
    else:
        assert_error(me(server, provider.token()), 503, "InfrastructureBusy")
    assert server.stop() == 0
    provider.stop()


def test_many_wait_for_a_slow_provider(tmp_path):
    """However many bring tokens while the provider hangs: others are served."""
    providers = [FakeProvider() for _ in range(5)]
    settings = [provider.settings(id=f"fake{i}") for i, provider in enumerate(providers)]
    for provider in providers:
        provider.open.clear()
    server = Server(tmp_path, "--oidc", write_settings(tmp_path, *settings))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(me, server, providers[i % 5].token(), prefix="") for i in range(20)]
        until(lambda: sum(answer.done() for answer in waiting) >= 18)  # two may wait
        assert requests.get(server.api + "/conformance").status_code == 200
        for provider in providers:
            provider.open.set()
        codes = [answer.result().status_code for answer in waiting]
    assert sorted(codes) == 2 * [200] + 18 * [503]
    assert server.stop() == 0
    for provider in providers:
        provider.stop()


def test_tls(tmp_path):
    """A provider whose certificate nobody vouches for is none, until the operator names its authority; nor is one whose
    certificate is over, or another's."""
    certificate, over, another = (tmp_path / f"{name}.pem" for name in ("certificate", "over", "another"))
    make_certificate(certificate)
    make_certificate(over, hours=-1)
    make_certificate(another, address="127.0.0.2")
    for shown, trusted, status in ((certificate, None, 503), (certificate, certificate, 200), (over, over, 503),
                                   (another, another, 503)):
        provider = FakeProvider(shown)
        more = {"ca_file": str(trusted)} if trusted else {}
        server = Server(tmp_path, "--oidc", write_settings(tmp_path, provider.settings(**more)))
        assert me(server, provider.token()).status_code == status, (shown, trusted)
        assert server.stop() == 0
        provider.stop()


# ---- settings ----


WRONG = {
    "audience": {"audience": []},
    "issuer": {"issuer": "http://example.org"},
    "issuer wants": {"issuer": "ftp://127.0.0.1"},
    "id": {"id": "with/slash"},
    "audiance": {"audiance": ["x"]},
    "scopes": {"scopes": ["email"]},
    "default_clients[0].grant_types": {"default_clients": [{"id": "x", "grant_types": ["password"]}]},
    "default_clients[0].redirect_urls": {"default_clients": [{"id": "x", "grant_types": ["implicit"]}]},
    "user_info": {"user_info": "sometimes"},
    "clock_skew": {"clock_skew": -1},
    "refresh_seconds": {"refresh_seconds": 0},
    "rules[0].roles": {"rules": [{"entitlement": "x", "roles": ["root"]}]},
    "rules[0].results": {"rules": [{"entitlement": "x", "results": "many"}]},
    "rules[0] wants": {"rules": [{"roles": ["user"]}]},
    "title": {"title": ""},
}


@pytest.mark.parametrize("place", WRONG)
def test_wrong_settings(tmp_path, place):
    good = {"id": "a", "title": "A", "issuer": "https://a.example.org", "audience": ["x"]}
    file = write_settings(tmp_path, {**good, **WRONG[place]})
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), "--oidc", file)
    assert done.returncode == 1 and done.stderr.startswith("ServerConfigInvalid: providers[0].")
    assert place.split(" ")[0] in done.stderr


def test_wrong_files(tmp_path):
    good = {"id": "a", "title": "A", "issuer": "https://a.example.org", "audience": ["x"]}
    for providers in ([], [good, good], [good] * 17):
        file = write_settings(tmp_path, *providers)
        done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), "--oidc", file)
        assert done.returncode == 1 and done.stderr.startswith("ServerConfigInvalid: providers")
    (tmp_path / "oidc.json").write_text("{\n")
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), "--oidc", file)
    assert done.returncode == 1 and "line 1" in done.stderr or "line 2" in done.stderr
    done = run("serve", "--data", str(tmp_path), "--oidc", str(tmp_path / "nothing"))
    assert done.returncode == 1 and done.stderr.startswith("FileNotFound: ")
    assert run("serve", "--data", str(tmp_path), "--no-basic").returncode == 2
    assert run("serve", "--data", str(tmp_path), "--trust-proxy", "1.2.3.4/33").returncode == 2
