"""NVRTC of the package nvidia-cuda-nvrtc-cu12, which needs no device."""

import ctypes
import importlib.util
import pathlib

import pytest

OPTIONS = [b"--gpu-architecture=compute_80", b"--fmad=false", b"-w"]
FRONT_END = b"-dlto"  # no code is made: what is wrong with names, types and templates is found


def load_nvrtc():
    """The library; skips the test where the package is not there."""
    spec = importlib.util.find_spec("nvidia.cuda_nvrtc")
    libraries = [file for folder in (spec.submodule_search_locations if spec else ())
                 for file in pathlib.Path(folder).glob("lib/libnvrtc.so.*")]
    if not libraries:
        pytest.skip("the package nvidia-cuda-nvrtc-cu12 is not there")
    return ctypes.CDLL(str(libraries[0]))


def compile_text(nvrtc, text, *more):
    """The status, what the compiler says, and the PTX that it makes, if it is to."""
    options = (*OPTIONS, *more)
    program = ctypes.c_void_p()

    def told(what):
        size = ctypes.c_size_t()
        assert getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) == 0
        room = ctypes.create_string_buffer(size.value)
        assert getattr(nvrtc, f"nvrtcGet{what}")(program, room) == 0
        return room.value.decode()

    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, b"kernels.cu", 0, None, None) == 0
    status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    answer = status, told("ProgramLog"), told("PTX") if status == 0 and FRONT_END not in more else ""
    assert nvrtc.nvrtcDestroyProgram(ctypes.byref(program)) == 0
    return answer
