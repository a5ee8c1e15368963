"""NVRTC takes the text of device kernels: every row, type and no-data value, the kernels of 500 random plans, and those
of up to 500 random graphs, as many as are explained in some seconds.

All pass the compiler's front end, which finds what is wrong with names, types and templates; one in eight is compiled
to PTX, which takes five times as long.

What the text computes is compared with the CPU's engine in tests/unit/hpc_device_text.c, which writes it here. Nothing
is run on a device.
"""

import concurrent.futures
import functools
import os
import pathlib
import re
import subprocess
import time

import pytest

import maker
import subject as subjects
from nvrtc import FRONT_END, compile_text, load_nvrtc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
FAST = b"--Ofast-compile=max"
GRAPHS, AT_ONCE, SECONDS = 500, 40, 15


@pytest.fixture(scope="module")
def nvrtc():
    return load_nvrtc()


@pytest.fixture(scope="module")
def rows_and_plans(tmp_path_factory):
    """The text of the unit test's kernels."""
    unit = BINARY.parent / "unit" / "test_hpc_device_text"
    if not unit.exists():
        pytest.skip(f"{unit} is not built")
    path = tmp_path_factory.mktemp("text") / "kernels.cu"
    subprocess.run([unit, "--text"], env={**os.environ, "TWINCUBE_DEVICE_TEXT": str(path)}, check=True, timeout=300)
    return path.read_text()


def pieces(text):
    """The beginning of a module, and each kernel with its names and tables."""
    return re.split(r"(?=^#undef T\n(?:#.*\n)+(?:TABLE.*\n)*KERNEL)", text, flags=re.MULTILINE)


def compile_kernels(nvrtc, begun, kernels):
    status, log, _ = compile_text(nvrtc, (begun + "".join(kernels)).encode(), FRONT_END)
    assert status == 0, log[:4000]
    status, log, _ = compile_text(nvrtc, (begun + "".join(kernels[::8])).encode(), FAST)
    assert status == 0, log[:4000]


def test_nvrtc_compiles_every_row_and_plan(nvrtc, rows_and_plans):
    begun, *kernels = pieces(rows_and_plans)
    assert len(kernels) > 1200
    compile_kernels(nvrtc, begun, kernels)
    for wrong in ("NO_SUCH_NAME", "f32 x = (i32 *)out;", "FN(op_ADD)(1);"):
        assert compile_text(nvrtc, (begun + "KERNEL(k) { " + wrong + " }").encode(), FRONT_END)[0] != 0


def test_short_arrays_stay_in_registers(nvrtc, rows_and_plans):
    """Loads, arithmetic and the median of 64: no array is left, which would lie in a thread's local memory."""
    begun, *kernels = pieces(rows_and_plans)
    short = [kernel for kernel in kernels
             if "FN(median)<64" in kernel and "far<" not in kernel and "order" not in kernel]
    assert short
    status, log, made = compile_text(nvrtc, (begun + short[0]).encode())
    assert status == 0, log[:4000]
    assert ".entry" in made and ".local" not in made
    rolled = short[0].replace("#pragma unroll", "#pragma unroll 1")
    status, _, made = compile_text(nvrtc, (begun + rolled).encode())
    assert status == 0 and ".local" in made


def kernels_of(subject, graph):
    """The text of a graph's kernels; "" for what is unsupported."""
    try:
        text = subject.call("explain", graph, "--cuda")
    except subjects.Failure as failure:
        assert failure.code == "FeatureUnsupported"
        return ""
    assert "does not run on a device" not in text
    return text


def test_nvrtc_compiles_what_explain_prints(nvrtc, subject, world, capsys):
    """Graphs from requests to text: their modules, each begun once, as one."""
    begun, kernels, graphs, end = "", {}, 0, time.monotonic() + SECONDS
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while graphs < GRAPHS and (graphs == 0 or time.monotonic() < end):
            some = [maker.Maker(seed, world).make()[0] for seed in range(graphs, graphs + AT_ONCE)]
            for text in pool.map(functools.partial(kernels_of, subject), some):
                begun, *rest = pieces(text) if text else (begun,)
                kernels.update((re.sub(r"\bs\d+_v\d+", "KERNEL_NAME", kernel), None) for kernel in rest)
            graphs += AT_ONCE
    named = [kernel.replace("KERNEL_NAME", f"g{i}") for i, kernel in enumerate(kernels)]
    with capsys.disabled():
        print(f"\n{graphs} random graphs, {len(named)} different kernels for NVRTC")
    assert len(named) > AT_ONCE
    compile_kernels(nvrtc, begun, named)
