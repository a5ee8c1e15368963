"""Simulators' kernels on the fake device, and on the CPU where it fails."""

import re
import subprocess

import pytest

import fake
from fake import run_with_fake


def science_check(tmp_path, **surroundings):
    done = run_with_fake([], program=fake.BINARY.parent / "science_check",
                         TWINCUBE_FAKE_REPORT=tmp_path / "report", **surroundings)
    counts = dict(line.split() for line in (tmp_path / "report").read_text().splitlines())
    assert int(counts["left_behind"]) == 0
    return done, counts


def test_science_kernels_are_the_cpus(tmp_path):
    done, counts = science_check(tmp_path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\w+) +(\S+) of (\S+) ", done.stdout, re.M)
    assert rows and all(float(deviation) <= float(bound) for _, deviation, bound in rows)
    assert int(counts["launches:0"]) >= 2 * len(rows)


@pytest.mark.parametrize("failure", ["cuLaunchKernel:2", "cuMemAlloc_v2:2:2", "cuModuleLoadData:1",
                                     "cuMemcpyDtoHAsync_v2:1", "cuStreamCreate:1", "cuModuleGetFunction:2:500"])
def test_what_fails_is_told(tmp_path, failure):
    done, _ = science_check(tmp_path, TWINCUBE_FAKE_FAIL=failure)
    assert done.returncode == 1 and "science_check: saxpy: " in done.stderr and "CUDA error" in done.stderr


def test_memory_has_its_ceiling(tmp_path):
    done, _ = science_check(tmp_path, TWINCUBE_FAKE_MEMORY=100000)
    assert done.returncode == 1 and "do not fit the" in done.stderr


def test_a_text_that_does_not_compile_is_told(tmp_path):
    done, _ = science_check(tmp_path, PATH="/nowhere")
    assert done.returncode == 1 and "do not compile" in done.stderr
