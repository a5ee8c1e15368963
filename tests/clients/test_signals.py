"""The server under nohup, and with a log that nobody reads."""

import os
import signal
import subprocess

import pytest
import requests

from test_server_api import BINARY


@pytest.fixture
def serve(tmp_path):
    """Starts servers of this test; ends those that still live."""
    started = []

    def start(*options, **settings):
        process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path), *options],
            stdout=subprocess.PIPE,
            text=True,
            **settings,
        )
        started.append(process)
        url = process.stdout.readline().strip().rstrip("/")
        assert url.startswith("http://127.0.0.1:")
        return process, url

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()


def test_a_hangup_ends_the_server_unless_it_is_ignored(serve):
    process, _ = serve(stderr=subprocess.DEVNULL)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=30) == 0
    process, url = serve(stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    assert requests.get(url, timeout=30).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_signals_that_mean_nothing_here_change_nothing(serve):
    process, url = serve(stderr=subprocess.DEVNULL)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE):
        process.send_signal(number)
        assert requests.get(url, timeout=30).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_a_log_that_nobody_reads_holds_nobody_up(serve):
    unread, log = os.pipe()
    try:
        process, url = serve("--verbose", stderr=log)
        os.close(log)
        with requests.Session() as session:
            for _ in range(1500):  # a line each of some sixty bytes: more than the pipe takes
                assert session.get(url + "/openeo/1.2/no/such/path/at/all", timeout=30).status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        os.close(unread)
