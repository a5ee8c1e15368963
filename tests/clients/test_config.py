"""The configuration file: what it says holds, what is wrong is told with its line; table, help and example agree."""

import re
import signal
import subprocess
import tomllib

import pytest
import requests

from conftest import BINARY, ROOT, twincube

PROVIDER = '[[oidc]]\nid = "p"\ntitle = "P"\nissuer = "https://p.example"\naudience = ["a"]\n'


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "twincube.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def options_of_help():
    return set(re.findall(r"^  --([a-z-]+)", twincube("serve", "--help"), re.M)) - {"help", "config"}


def test_example_help_and_readme_are_in_step():
    example = (ROOT / "server" / "deploy" / "twincube.toml").read_text("utf-8")
    assert example == twincube("config", "example"), "write it anew: twincube config example"
    settings = example.split("## Providers as tables")[0]
    assert set(re.findall(r"^# ([a-z-]+) = ", settings, re.M)) == options_of_help()
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"serve (?:\w+ )?--([a-z-]+)", readme)) <= options_of_help() | {"config"}


def test_the_example_means_the_defaults(written):
    example = twincube("config", "example")
    with_all = re.sub(r"^# (?=[a-z-]+ = )", "", example.split("## Providers as tables")[0], flags=re.M)
    assert set(tomllib.loads(with_all)) == options_of_help()
    plain = tomllib.loads(twincube("config", "check", written(example)))
    assert plain == tomllib.loads(twincube("config", "check", written("")))
    assert plain["memory"] == "2G" and plain["jobs"] == 1 and "tariff" not in plain
    # Where an option has a default the example shows it.
    for key, value in plain.items():
        assert tomllib.loads(with_all)[key] == value


def test_the_providers_of_the_example_are_good(written, tmp_path):
    tables = twincube("config", "example").split("Tables stand behind all other keys.\n")[1]
    tables = re.sub(r"^# ?", "", tables, flags=re.M)
    for secret in re.findall(r"/etc/twincube/(\S+)\"", tables):
        (tmp_path / secret).write_text("a secret\n")
    tables = tables.replace("/etc/twincube/", f"{tmp_path}/")
    holds = twincube("config", "check", written("refresh = true\n" + tables))
    assert "providers by tables, 1 of them" in holds and "[[federation]]: tables, 1 of them" in holds


def test_check_prints_what_holds(written):
    path = written('memory = 1073741824\nrequest-time = 90\njob-time = "2d"\nstac = ["/a", "/b é"]\nverbose = true\n'
                   'trust-proxy = "10.0.0.0/8"\n')
    holds = tomllib.loads(twincube("config", "check", path))
    assert holds == tomllib.loads(twincube("config", "check", written(""))) | tomllib.loads(
        'memory = 1073741824\nrequest-time = 90\njob-time = "2d"\nstac = ["/a", "/b é"]\nverbose = true\n'
        'trust-proxy = "10.0.0.0/8"')


@pytest.mark.parametrize("text, line, part", [
    ("federation = 'x'", 1, "federation[0] wants ID=URL"),
    ("federation = ['a=https://a.example', 'a=https://b.example']", 1, "federation[1].id: is another one's"),
    ("federation = ['twincube=https://a.example']", 1, "federation[0].id: wants letters"),
    ("federation = ['a|b=https://a.example']", 1, "federation[0].id: wants letters"),
    ("federation = ['a=ftp://a.example']", 1, "federation[0].url: wants an address"),
    ("federation = ['a=https://me:word@a.example']", 1, "federation[0].url: wants an address"),
    ("federation = 5", 1, "federation wants ID=URL"),
    ('[[federation]]\nid = "a"', 1, "federation[0].url: is wanted"),
    ('[[federation]]\nid = "a"\nurl = "http://a.example"\ntoken_file = "/t"', 3, "https, or http where no token"),
    ('[[federation]]\nid = "a"\nurl = "https://a.example"\n[[federation]]\nurls = 1', 5,
     "federation[1].urls: there is no such setting"),
    ('[[federation]]\nid = "a"\nurl = "https://a.example"\nresult_size = "big"', 4, "wants a size"),
    ('[[federation]]\nid = "a"\nurl = "https://a.example"\njob_size = "big"', 4, "wants a size"),
    ('[[federation]]\nid = "a"\nurl = "https://a.example"\naliases = {A = "X", B = "X"}', 4, "two names"),
    ('[[federation]]\nid = "a"\nurl = "https://a.example"\naliases = {"b|c" = "d"}', 4, "wants names, without | and /"),
    ("memory = lots", 1, "not 'lots'"),
    ('\nmemory = "lots"', 2, "memory wants a size such as 512M"),
    ("memory = true", 1, "memory wants a size"),
    ("memory = 1", 1, "memory wants a size"),
    ("memory = 2.5", 1, "memory wants a size"),
    ("# a\nmemroy = '1G'", 2, "no setting 'memroy'"),
    ("config = 'x'", 1, "no setting 'config'"),
    ("help = true", 1, "no setting 'help'"),
    ("[server]\nlisten = 'x'", 1, "no setting 'server'"),
    ("listen = 8080", 1, "listen wants a text"),
    ("listen = ''", 1, "listen wants a text"),
    ("jobs = 1\njobs = 2", 2, "line 1"),
    ("jobs = 0", 1, "number from 1 to 64"),
    ("jobs = 65", 1, "number from 1 to 64"),
    ("jobs = '2'", 1, "number from 1 to 64"),
    ("verbose = 1", 1, "verbose wants true or false"),
    ("verbose = 'yes'", 1, "verbose wants true or false"),
    ("request-time = '5 parsecs'", 1, "request-time wants a time"),
    ("request-time = 0", 1, "request-time wants a time"),
    ("stac = ['/a', 3]", 1, "stac wants texts"),
    ("process-namespace = ['https://a.example/',\n\n 'ftp://x/']", 1, "process-namespace"),
    ("remote = 'https://a.example/?x'", 1, "remote"),
    ("trust-proxy = ['10.0.0.0/8',\n 'nowhere']", 1, "trust-proxy wants ADDRESS"),
    ("public-url = 'ftp://x'", 1, "public-url wants an http or https address"),
    ("tariff = 'cpu-hour=1'", 1, "wants a currency"),
    ("oidc = 3", 1, "oidc wants a text"),
    ("oidc = []", 1, "oidc wants an array of 1 to 16"),
    ("no-basic = true", 1, "no-basic wants oidc"),
    (PROVIDER + "clok_skew = 1", 6, "oidc[0].clok_skew: there is no such setting"),
    (PROVIDER + "user_info = 'perhaps'", 6, "oidc[0].user_info"),
    (PROVIDER + "[[oidc.rules]]\nroles = ['user']", 6, "oidc[0].rules[0] wants an entitlement"),
    (PROVIDER + "[[oidc.rules]]\nentitlement = 'e'\nroles = [\n'king']", 8, "oidc[0].rules[0].roles"),
    (PROVIDER + PROVIDER, 6, "has the id or the issuer"),
    (PROVIDER + "[[oidc.default_clients]]\nid = 'c'\ngrant_types = ['magic']", 8, "no such grant type"),
    ('listen = "\\q"', 1, "backslash"),
])
def test_what_is_wrong_is_told_with_its_line(written, text, line, part):
    path = written(text)
    done = run("config", "check", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{path}:{line}: ") and part in done.stderr and done.stderr.count("\n") == 1
    if text.startswith("memory") or "jobs = 2" in text:
        done = run("serve", "--config", path)
        assert done.returncode == 1 and done.stderr.startswith(f"ServerConfigInvalid: {path}:{line}: ")


def test_what_is_no_file_and_what_is_no_command(tmp_path):
    assert run("config", "check", tmp_path / "none").returncode == 1
    for wrong in (["config"], ["config", "check"], ["config", "check", "a", "b"], ["config", "guess"],
                  ["serve", "--config"], ["serve", "--jobs", "0"], ["serve", "--no-basic"]):
        assert run(*wrong).returncode == 2
    done = run("serve", "--jobs", "0")
    assert done.stderr.startswith('twincube serve: --jobs wants a number from 1 to 64, not 0\n')


def test_the_command_line_wins_over_the_file(written, tmp_path):
    path = written(f'listen = "127.0.0.1:1"\ndata = "{tmp_path}/data"\ntariff = "currency=EUR,cpu-hour=2"\n'
                   f'public-url = "https://one.example"\n{PROVIDER}')
    with subprocess.Popen([BINARY, "serve", "--config", path, "--listen", "127.0.0.1:0", "--public-url",
                           "https://two.example/"], stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        try:
            told = requests.get(url + "openeo/1.3/", timeout=30).json()
            assert told["billing"]["currency"] == "EUR"
            data = [link["href"] for link in told["links"] if link["rel"] == "data"]
            assert data and all(href.startswith("https://two.example/") for href in data)
            providers = requests.get(url + "openeo/1.3/credentials/oidc", timeout=30).json()["providers"]
            assert [provider["id"] for provider in providers] == ["p"]
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
