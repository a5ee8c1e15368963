"""Running one command and measuring it: wall time, CPU time, peak resident memory of all its processes.

The command is started by a small fresh interpreter (this file as a script): a child inherits its parent's high-water
mark of memory, and the benchmark itself holds large arrays.
"""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass
class Sample:
    wall: float   # seconds
    cpu: float    # seconds, user and system, all processes
    rss: float    # bytes: the largest process by the kernel's count, or the largest sum over all of them that was seen
    status: int
    output: str   # standard output and error


def _processes(pid):
    pids = [pid]
    for one in pids:
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return pids


def tree_rss(pid):
    """Resident bytes of a process and its descendants; pages that they share count in each."""
    total = 0
    for one in _processes(pid):
        try:
            total += int(pathlib.Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
        except (OSError, ValueError, IndexError):
            continue
    return total


def tree_memory(pid):
    """Proportional bytes of a process and its descendants: what they share counts once."""
    total = 0
    for one in _processes(pid):
        try:
            told = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            total += 1024 * int(told.split("\nPss:")[1].split()[0])
        except (OSError, ValueError, IndexError):
            continue
    return total


def tree_seconds(pid):
    """CPU seconds of a process and its descendants so far."""
    total = 0
    for one in _processes(pid):
        try:
            total += sum(map(int, pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        except (OSError, ValueError, IndexError):
            continue
    return total / os.sysconf("SC_CLK_TCK")


class _Watch(threading.Thread):
    """Samples the memory of a process tree until stopped."""

    def __init__(self, pid, interval=0.01):
        super().__init__(daemon=True)
        self.pid, self.interval, self.peak, self.stopped = pid, interval, 0, threading.Event()

    def run(self):
        while not self.stopped.wait(self.interval):
            self.peak = max(self.peak, tree_rss(self.pid))

    def stop(self):
        self.stopped.set()
        self.join()
        return self.peak


def run(command, watch=False, cwd=None):
    """Runs the command to its end, in the folder cwd. watch: sample the whole tree while it runs, too."""
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    with tempfile.NamedTemporaryFile("r") as report:
        starter = [sys.executable, "-S", os.path.abspath(__file__), report.name, "watch" if watch else "-", *command]
        done = subprocess.run(starter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=env, cwd=cwd, check=False)
        figures = json.loads(report.read() or "null")
    output = done.stdout.decode(errors="replace")
    if figures is None:
        raise RuntimeError(f"cannot start {command[0]}: {output}")
    return Sample(output=output, **figures)


def _main():
    report, watch, *command = sys.argv[1:]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    watcher = _Watch(process.pid) if watch == "watch" else None
    if watcher:
        watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = max(usage.ru_maxrss * 1024, watcher.stop() if watcher else 0)
    pathlib.Path(report).write_text(json.dumps({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": peak,
                                                "status": process.returncode}))


if __name__ == "__main__":
    _main()
