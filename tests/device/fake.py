"""Running the program with the fake driver."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
LIBRARIES = BINARY.parent / "fake_device"


def twincube(*arguments, **options):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=240, **options)


def run_with_fake(arguments, fake=True, **surroundings):
    """`surroundings` are variables of the environment, most of them the fake's: see fake/fake_device.h."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TWINCUBE_NVRTC")}
    if fake:
        environment["LD_LIBRARY_PATH"] = str(LIBRARIES)
    environment.update({name: str(value) for name, value in surroundings.items()})
    return twincube(*arguments, env=environment)
