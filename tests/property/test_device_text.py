"""NVRTC takes the text of device kernels: every row, type and no-data value, and the kernels of 500 random plans.

What the text computes is compared with the CPU's engine in tests/unit/hpc_device_text.c, which writes it here. Nothing
is run on a device.
"""

import ctypes
import importlib.util
import os
import pathlib
import re
import subprocess

import pytest

import maker
import subject as subjects

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
OPTIONS = [b"--gpu-architecture=compute_80", b"--fmad=false", b"--Ofast-compile=max", b"-w"]


@pytest.fixture(scope="module")
def nvrtc():
    spec = importlib.util.find_spec("nvidia.cuda_nvrtc")
    libraries = [file for folder in (spec.submodule_search_locations if spec else ())
                 for file in pathlib.Path(folder).glob("lib/libnvrtc.so.*")]
    if not libraries:
        pytest.skip("the package nvidia-cuda-nvrtc-cu12 is not there")
    return ctypes.CDLL(str(libraries[0]))


def compile_text(nvrtc, text):
    """The status, and what the compiler says."""
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, b"kernels.cu", 0, None, None) == 0
    status = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), (ctypes.c_char_p * len(OPTIONS))(*OPTIONS))
    assert nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)) == 0
    log = ctypes.create_string_buffer(size.value)
    assert nvrtc.nvrtcGetProgramLog(program, log) == 0
    assert nvrtc.nvrtcDestroyProgram(ctypes.byref(program)) == 0
    return status, log.value.decode()


def test_nvrtc_compiles_every_row_and_plan(nvrtc, tmp_path):
    unit = BINARY.parent / "unit" / "test_hpc_device_text"
    if not unit.exists():
        pytest.skip(f"{unit} is not built")
    path = tmp_path / "kernels.cu"
    subprocess.run([unit, "--text"], env={**os.environ, "TWINCUBE_DEVICE_TEXT": str(path)}, check=True, timeout=300)
    text = path.read_bytes()
    assert text.count(b"\nKERNEL(") > 1200
    status, log = compile_text(nvrtc, text)
    assert status == 0, log[:4000]
    begun = text[:text.index(b"\nKERNEL(")]
    assert compile_text(nvrtc, begun + b"\nKERNEL(k) { NO_SUCH_NAME }")[0] != 0


def test_nvrtc_compiles_what_explain_prints(nvrtc, subject, world):
    """Graphs from requests to text: their modules, each begun once, as one."""
    begun, kernels = "", []
    for seed in range(40):
        graph, _ = maker.Maker(seed, world).make()
        try:
            text = subject.call("explain", graph, "--cuda")
        except subjects.Failure as failure:
            assert failure.code == "FeatureUnsupported"
            continue
        begun, *rest = re.split(r"(?=^#undef T\n(?:#.*\n)+(?:TABLE.*\n)*KERNEL)", text, flags=re.MULTILINE)
        assert "does not run on a device" not in text
        kernels += [re.sub(r"\bs(\d+)_v(\d+)", rf"g{seed}_\1_\2", kernel) for kernel in rest]
    assert len(kernels) > 40
    status, log = compile_text(nvrtc, (begun + "".join(kernels)).encode())
    assert status == 0, log[:4000]
