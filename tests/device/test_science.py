"""Simulators' kernels on the fake device, and on the CPU where it fails."""

import re

import pytest

import fake
from fake import run_with_fake
from nvrtc import FRONT_END, compile_text, load_nvrtc


def science_check(tmp_path, *arguments, **surroundings):
    done = run_with_fake(arguments, program=fake.BINARY.parent / "science_check",
                         TWINCUBE_FAKE_REPORT=tmp_path / "report", **surroundings)
    counts = dict(line.split() for line in (tmp_path / "report").read_text().splitlines())
    assert int(counts["left_behind"]) == 0
    return done, counts


def test_science_kernels_are_the_cpus(tmp_path):
    """Each row of the checks; speeds are told beside a copy's; and NVRTC, which asks more than the host's compiler,
    takes each text that they needed."""
    done, counts = science_check(tmp_path, "--speeds", 2, TWINCUBE_FAKE_TEXTS=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\w+) +(\S+) of (\S+) ", done.stdout, re.M)
    assert len(rows) > 12 and all(float(deviation) <= float(bound) for _, deviation, bound in rows)
    assert int(counts["launches:0"]) >= 2 * len(rows)
    speeds = dict(re.findall(r"^(\w+) +\S+ ms +\S+ GB/s +(\S+) % of a copy$", done.stdout, re.M))
    assert {"heatbath", "overrelax", "kick", "drift", "flow_step", "dslash_f64", "dslash_f32"} < speeds.keys()
    assert all(float(share) > 0 for share in speeds.values())
    compile_texts([file.read_bytes() for file in tmp_path.glob("*.cu")])


def compile_texts(texts):
    """All pass the front end; of one, code is made of each kernel."""
    assert len(texts) > 8
    library = load_nvrtc()
    for text in texts:
        status, log, _ = compile_text(library, text, FRONT_END)
        assert status == 0, log[:4000]
    text = min((text for text in texts if b"#define SPINS 4" in text), key=len)
    status, log, made = compile_text(library, text)
    assert status == 0, log[:4000]
    assert made.count(".entry") == text.count(b"\nSCIENCE_KERNEL(")
    assert compile_text(library, text + b"SCIENCE_KERNEL(k) { no_such_name(); }", FRONT_END)[0] != 0


@pytest.mark.parametrize("failure", ["cuLaunchKernel:2", "cuMemAlloc_v2:2:2", "cuModuleLoadData:1",
                                     "cuMemcpyDtoHAsync_v2:1", "cuStreamCreate:1", "cuModuleGetFunction:2:500"])
def test_what_fails_is_told(tmp_path, failure):
    done, _ = science_check(tmp_path, "saxpy", TWINCUBE_FAKE_FAIL=failure)
    assert done.returncode == 1 and "science_check: saxpy: " in done.stderr and "CUDA error" in done.stderr


def test_memory_has_its_ceiling(tmp_path):
    done, _ = science_check(tmp_path, "saxpy", TWINCUBE_FAKE_MEMORY=100000)
    assert done.returncode == 1 and "do not fit the" in done.stderr


def test_a_text_that_does_not_compile_is_told(tmp_path):
    done, _ = science_check(tmp_path, "saxpy", PATH="/nowhere")
    assert done.returncode == 1 and "do not compile" in done.stderr
