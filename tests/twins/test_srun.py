"""Slurm starts the tasks: `srun -n 2` of a controller, a node and an authentication that this file starts for itself.

Only where Slurm is installed (slurm-wlm, munge) and this is root, which a node's daemon wants to be.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time

import pytest

from conftest import BINARY
from test_ranks import MOVED, SCALAR, launched, saved

PROGRAMS = ["munged", "mungekey", "slurmctld", "slurmd", "srun", "sinfo"]
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
SECONDS = 60

pytestmark = [pytest.mark.skipif(bool(MISSING), reason=f"there is no {', '.join(MISSING)} (slurm-wlm, munge)"),
              pytest.mark.skipif(os.getuid() != 0, reason="Slurm's node wants to be root")]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def settings(folder):
    """One node, this machine, with two tasks side by side and no control groups."""
    host, (control, node) = socket.gethostname().split(".")[0], free_ports(2)
    return f"""
ClusterName=twincube
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={control}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def daemon(folder, environment, *command):
    """In the foreground, so that it ends with the test."""
    with open(folder / f"{command[0]}.out", "wb") as out:
        with subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT) as process:
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def await_true(what, daemons, folder):
    """Asks until it is so, as long as the daemons live."""
    end = time.monotonic() + SECONDS
    while not what():
        if time.monotonic() > end or any(each.poll() is not None for each in daemons):
            pytest.fail("Slurm does not start: " + "\n".join(
                path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.*")) if path.is_file()))
        time.sleep(0.05)


@pytest.fixture(name="slurm", scope="module")
def fixture_slurm(tmp_path_factory):
    """The environment in which srun finds the controller."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir()
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # munge asks for it
    (folder / "slurm.conf").write_text(settings(folder))
    environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}
    key, place = folder / "munge" / "key", folder / "munge" / "socket"
    subprocess.run(["mungekey", "-c", "-k", key], env=environment, check=True)
    munge = ["munged", "-F", "-f", "-S", place, "--key-file", key, "--pid-file", folder / "munge" / "pid",
             "--seed-file", folder / "munge" / "seed", "--log-file", folder / "munge.log"]

    def ready():
        try:
            said = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, text=True, capture_output=True,
                                  check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return said.stdout.strip() == "idle"

    with contextlib.ExitStack() as stack:
        daemons = [stack.enter_context(daemon(folder, environment, *map(str, munge)))]
        await_true(place.exists, daemons, folder)
        for command in (["slurmctld", "-D", "-i"], ["slurmd", "-D"]):
            daemons.append(stack.enter_context(daemon(folder, environment, *command)))
        await_true(ready, daemons, folder)
        yield environment


def mpi_kinds(environment):
    said = subprocess.run(["srun", "--mpi=list"], env=environment, text=True, capture_output=True, check=False,
                          timeout=SECONDS)
    return (said.stdout + said.stderr).split()


def test_srun_has_the_bits_of_one_task(slurm, tmp_path):
    """Chains that are dealt, and one in slabs. Open MPI joins the tasks by PMIx."""
    if "pmix" not in mpi_kinds(slurm):
        pytest.skip("this Slurm has no PMIx")
    nodes = {"scalar": SCALAR, "moved": MOVED, "saved_scalar": saved("scalar"), "saved_moved": saved("moved")}
    for name in ("one", "more"):
        (tmp_path / name).mkdir()
    alone = launched(None, tmp_path, nodes, "-o", "one/")
    subprocess.run(alone, cwd=tmp_path, check=True, timeout=SECONDS)
    command = launched(None, tmp_path, nodes, "-v", "-o", "more/")
    assert command[0] == BINARY.resolve()
    result = subprocess.run(["srun", "-n", "2", "--mpi=pmix", *command], cwd=tmp_path, env=slurm, text=True,
                            capture_output=True, check=False, timeout=2 * SECONDS)
    assert result.returncode == 0, result.stdout + result.stderr
    for chains in (5, 1):
        assert f"chains: {chains}, on 2 of 2 ranks" in result.stderr, result.stderr
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["saved_moved.json", "saved_scalar.json"]
    for name in files:
        assert (tmp_path / "more" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
