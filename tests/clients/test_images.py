"""The images of server/deploy hold the libraries that the program is linked with; systemd reads the unit."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "server" / "deploy"
BESIDES = {"proj-data", "ca-certificates",  # no library of theirs is linked
           "python3-numpy", "python3-pandas", "python3-xarray"}


def said(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def installed_by(name):
    """The packages that the last apt-get of a file installs."""
    text = (DEPLOY / name).read_text().replace("\\\n", " ")
    words = re.findall(r"apt-get install -q -y --no-install-recommends ([^&\n]*)", text)[-1]
    return set(words.split())


def linked():
    """Debian packages of the libraries that the program names, those among them that it loads when they are wanted;
    those of every system left out."""
    program = os.environ["TWINCUBE_BIN"]
    names = set(re.findall(r"NEEDED.*\[(.*)\]", said("readelf", "-d", program)))
    image = Path(program).read_bytes()
    if (start := image.find(b"\0libgdal.so.")) >= 0:
        lazy = re.match(rb"\0((lib[a-z0-9_-]+\.so\.[0-9]+\0)+)", image[start:])
        names |= {name.decode() for name in lazy[1].split(b"\0") if name}
    paths = dict(re.findall(r"(\S+) (?:\(.*\) )?=> (/\S+)", said("/sbin/ldconfig", "-p") + said("ldd", program)))
    packages = set()
    for name in names:
        if re.match(r"lib(c|m|pthread|dl|asan|ubsan|gcc_s)\.so", name):
            continue
        packages.add(package_of(os.path.realpath(paths[name])))
    return packages


def package_of(path):
    """Debian keeps some names as they were before /lib became a link to /usr/lib."""
    for name in (path, path.removeprefix("/usr")):
        if found := said("dpkg", "-S", name):
            return found.split(":")[0]
    raise AssertionError(f"no package has {path}")


def test_both_images_hold_what_the_program_is_linked_with():
    if not shutil.which("dpkg") or not shutil.which("readelf"):
        pytest.skip("needs dpkg and readelf")
    want = linked()
    assert want, "no library was found"
    assert installed_by("Containerfile") - BESIDES == want
    assert installed_by("twincube.def") - BESIDES == want


def test_unit_file():
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(["systemd-analyze", "verify", DEPLOY / "twincube.service"], capture_output=True, text=True)
    wrong = [line for line in done.stderr.splitlines() if "twincube.service" in line and "not executable" not in line]
    assert not wrong
