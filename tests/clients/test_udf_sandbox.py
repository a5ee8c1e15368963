"""Scripts that want more than they may have: files, network, programs, processes, memory, time, disk."""

import json
import os
import pathlib
import signal
import subprocess
import textwrap

import pytest

from conftest import BINARY, until
from cube_tools import chain, failure, run


def graph(body, data=1):
    code = "import os\n\ndef apply_datacube(cube, context):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return chain(("run_udf", {"data": data, "udf": code, "runtime": "Python"}))


ATTEMPTS = {
    "shadow": "open('/etc/shadow').read()",
    "passwd": "open('/etc/passwd').read()",
    "store": "open({secret!r}).read()",
    "list": "os.listdir({folder!r})",
    "write beside": "open('/tmp/udf-was-here', 'w')",
    "write above": "open('../escaped', 'w')",
    "neighbours": "os.listdir('..')",
    "link": "os.symlink('/etc/shadow', 'link')",
    "socket": "__import__('socket').create_connection(('127.0.0.1', 80))",
    "unix socket": "__import__('socket').socketpair()",
    "name": "__import__('socket').getaddrinfo('example.org', 80)",
    "fork": "os.fork()",
    "bomb": "[os.fork() for _ in range(1000)]",
    "exec": "os.execv('/bin/sh', ['sh', '-c', 'true'])",
    "exec itself": "os.execv(__import__('sys').executable, ['python3', '-c', '1'])",
    "program": "__import__('subprocess').run(['/bin/true'])",
    "kill the host": "os.kill(os.getppid(), 9)",
    "kill all": "os.kill(-1, 9)",
    "trace": "open('/proc/%d/mem' % os.getppid(), 'rb')",
    "its own environment": "open('/proc/self/environ').read()",
    "root": "os.setuid(0)",
    "mount": "1 / __import__('ctypes').CDLL(None).mount(b'a', b'/tmp', b'tmpfs', 0, None) and 1 / 0",
    "pass a file": "c = __import__('ctypes'); c.CDLL(None, use_errno=True).sendmsg(3, None, 0); "
                   "1 / (c.get_errno() - 1)",
    "written code": "__import__('mmap').mmap(-1, 4096, prot=7)",
}


def test_nothing_else_is_there(tmp_path):
    secret = tmp_path / "server.sqlite"
    secret.write_text("secret")
    lines = ["found = {}"]
    for name, attempt in ATTEMPTS.items():
        attempt = attempt.format(secret=str(secret), folder=str(tmp_path)) if "{" in attempt else attempt
        lines += ["try:", f"    {attempt}", f"    found[{name!r}] = 'done'", "except BaseException as error:",
                  f"    found[{name!r}] = type(error).__name__"]
    found = run(tmp_path, graph("\n".join(lines + ["return found"])))
    done = {name: what for name, what in found.items()
            if what not in ("PermissionError", "gaierror", "ZeroDivisionError", "FileNotFoundError")}
    assert set(found) == set(ATTEMPTS) and not done, done
    assert not pathlib.Path("/tmp/udf-was-here").exists()


def test_a_folder_of_its_own(tmp_path):
    body = """
        import tempfile
        with tempfile.NamedTemporaryFile('w+') as file:
            file.write('kept for a while')
            file.seek(0)
            text = file.read()
        open('left', 'w').write('x')
        return [text, os.getcwd(), dict(os.environ)]
        """
    text, folder, environment = run(tmp_path, graph(body))
    assert text == "kept for a while"
    assert not pathlib.Path(folder).exists(), "it goes with the interpreter"
    assert set(environment) <= {"HOME", "TMPDIR", "PATH", "LANG", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                "MKL_NUM_THREADS", "LD_LIBRARY_PATH", "LC_CTYPE"}


def test_memory_is_bounded(tmp_path):
    body = """
        import mmap
        import numpy
        try:
            numpy.ones(4 << 30, dtype='uint8')
        except MemoryError:
            pass
        mmap.mmap(-1, 4 << 30)
        """
    message = failure(tmp_path, graph(body))
    assert "Cannot allocate memory" in message or "MemoryError" in message, message


def test_the_disk_is_bounded(tmp_path):
    """By files with a name and by those without one together, and each of them."""
    message = failure(tmp_path, graph("""
        import time
        kept = []
        for i in range(3):
            kept.append(open(f'f{i}', 'w+b'))
            if i < 2:
                os.unlink(f'f{i}')
            kept[-1].write(bytes(100 << 20))
            kept[-1].flush()
        while True:
            time.sleep(1)
        """))
    assert "wrote more than 256 MiB" in message, message
    message = failure(tmp_path, graph("open('f', 'wb').truncate(1 << 40)"))
    assert "File too large" in message, message


def test_a_file_without_a_name_counts_once(tmp_path):
    """However often it is open; and what has gone does not count."""
    assert run(tmp_path, graph("""
        import mmap
        import time
        for i in range(2):
            with open('f', 'w+b') as file:
                os.unlink('f')
                others = [os.dup(file.fileno()) for _ in range(5)]
                file.write(bytes(150 << 20))
                file.flush()
                mapped = mmap.mmap(file.fileno(), 4096)
                time.sleep(0.5)
                mapped.close()
                for other in others:
                    os.close(other)
        return 1
        """)) == 1


MAPPED = """
    import mmap
    import time
    with open('f', 'w+b') as file:
        os.unlink('f')
        file.truncate(100 << 20)
        mapped = mmap.mmap(file.fileno(), 4096)
    os.closerange(5, 128)
    while True:
        time.sleep(1)
    """
DEEP = """
    import time
    os.makedirs('moved-0/full')
    open('moved-1', 'w').close()
    place = os.open('.', os.O_RDONLY)
    for i in range(400):
        name = 'deep' * 50
        os.mkdir(name, dir_fd=place)
        place, above = os.open(name, os.O_RDONLY, dir_fd=place), place
        os.close(above)
        os.mkdir('beside', dir_fd=place)
        os.close(os.open('file', os.O_WRONLY | os.O_CREAT, dir_fd=place))
    while True:
        time.sleep(1)
    """


@pytest.mark.parametrize("body", [MAPPED, DEEP], ids=["mapped", "deep"])
def test_nothing_is_hidden_on_the_disk(tmp_path, monkeypatch, body):
    """What cannot be counted ends the interpreter, and all of it goes."""
    monkeypatch.setenv("TMPDIR", str(make_place(tmp_path)))
    message = failure(tmp_path, graph(body))
    assert "hides some" in message, message
    assert not list(tmp_path.glob("place/*")), "no folder is left"


def test_what_is_printed_is_bounded(tmp_path):
    (tmp_path / "graph.json").write_text(json.dumps(graph(
        "for i in range(100000):\n    print('x' * 1000)\nprint('y' * (64 << 20))\nos.write(1, b'z' * 1000)\nreturn 1")))
    done = subprocess.run([BINARY, "run", tmp_path / "graph.json", "--data", tmp_path], capture_output=True, text=True,
                          timeout=60, check=True)
    assert done.stdout == "1\n" and len(done.stderr) < 200_000 and "the rest is left out" in done.stderr


@pytest.mark.parametrize("body", ["while True:\n    pass", "import signal\nsignal.signal(2, signal.SIG_IGN)\n"
                                  "signal.signal(15, signal.SIG_IGN)\nimport time\ntime.sleep(1000)"])
def test_a_script_that_never_ends_is_ended(tmp_path, body):
    (tmp_path / "graph.json").write_text(json.dumps(graph("open('begun', 'w')\n" + body)))
    process = subprocess.Popen([BINARY, "run", tmp_path / "graph.json", "--data", tmp_path], text=True,
                               stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(make_place(tmp_path))})
    until(lambda: list(tmp_path.glob("place/*/*/begun")))
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert "RequestTimeout" in message, message
    assert not list(tmp_path.glob("place/*")), "no folder is left"


def make_place(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    for folder in (place, *place.parents[:3]):
        folder.chmod(0o755)
    return place


def test_an_interpreter_that_ends_is_told(tmp_path):
    assert "with status 7" in failure(tmp_path, graph("os._exit(7)"))
    assert "signal 11" in failure(tmp_path, graph("import ctypes\nctypes.string_at(0)"))


def test_it_cannot_pretend_to_answer(tmp_path):
    """What comes over the socket is a stranger's: too long, of no kind, cut off."""
    for frame in ("struct.pack('=II', 3, 0xffffffff)", "struct.pack('=II', 99, 0)",
                  "struct.pack('=II', 3, 4) + b'abcd'", "b'\\x03'"):
        message = failure(tmp_path, graph(f"import struct\nos.write(3, {frame})\nos._exit(0)"))
        assert message.startswith(("ProcessParameterInvalid", "Internal", "ProcessGraphInvalid")), (frame, message)
