"""A pack on a node of Slurm: sbcast carries it, srun unpacks it once and runs in it.

Slurm is Debian's, unpacked into a root without any Python, with munge and a network of its own: a
controller and a node, which a plain user asks for.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from support.debian_roots import LIBRARIES, USER
from support.foreign_roots import unpacked
from support.namespace import PREFIX
from support.needs import FULL_ONLY, LINUX_ONLY, ROOT_ONLY, needs
from support.packs import Packing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]

PACKAGES = (
    *("slurmd", "slurmctld", "slurm-client", "munge", "base-files", "bash", "coreutils", "dash"),
    *("grep", "gzip", "hostname", "libc-bin", "procps", "sed", "tar", "util-linux", *LIBRARIES),
)
# an address that isn't the loopback's, or the resolver finds no name (AI_ADDRCONFIG)
ENTER = r"""
ip link set lo up
ip link add e0 type veth peer name e1
ip addr add 10.77.0.1/24 dev e0
ip link set e0 up
ip link set e1 up
hostname n1
for place in proc dev sys tmp run; do mkdir -p "$0/$place"; done
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount --rbind /sys "$0/sys"
mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
mount -t tmpfs tmpfs "$0/run"
exec chroot "$0" /bin/sh /srv/cluster.sh
"""
CLUSTER = r"""
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
mkdir -p /etc/munge /var/lib/munge /var/log/munge /run/munge /var/spool/slurm /etc/slurm
chmod 700 /etc/munge /var/lib/munge /var/log/munge
printf 'root:x:0:0::/root:/bin/sh\nsomebody:x:USER:USER::/tmp:/bin/sh\n' >/etc/passwd
printf 'root:x:0:\nsomebody:x:USER:\n' >/etc/group
printf '127.0.0.1 localhost\n10.77.0.1 n1\n' >/etc/hosts
head -c 1024 /dev/urandom >/etc/munge/munge.key
chmod 400 /etc/munge/munge.key
# as its packages' set-up would
for name in slurmd slurmctld slurmstepd; do ln -s $name-wlm /usr/sbin/$name; done
munged --foreground --force 2>/tmp/munged.log &
slurmctld -D 2>/tmp/slurmctld.log &
slurmd -D 2>/tmp/slurmd.log &
cd /tmp
setpriv --reuid USER --regid USER --clear-groups salloc --nodes 1 sh -e /srv/job.sh
status=$?
[ $status = 0 ] || cat /tmp/*.log >&2
exit $status
"""
CONFIGURATION = """\
ClusterName=here
SlurmctldHost=n1(10.77.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
StateSaveLocation=/var/spool/slurm/controller
SlurmdSpoolDir=/var/spool/slurm/node
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SelectType=select/linear
SchedulerType=sched/builtin
MpiDefault=none
ReturnToService=2
MessageTimeout=90
NodeName=n1 NodeAddr=10.77.0.1 CPUs=1 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP
"""
# the lines of docs/how-to/cluster.md
JOB = """
sbcast /srv/train.tar.gz /tmp/train.tar.gz
srun --ntasks-per-node=1 sh -c 'mkdir /tmp/train && tar xf /tmp/train.tar.gz -C /tmp/train'
srun /tmp/train/bin/alpha
srun /tmp/train/bin/python -c 'import alpha, os; print(os.getuid(), alpha.__file__)'
"""


@FULL_ONLY
@ROOT_ONLY
@needs("ip", "unshare")
def test_slurm_carries_a_pack_to_its_node_and_runs_in_it(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    root = unpacked(f"{tmp_path}/root", "bookworm", PACKAGES).path
    packing = Packing(bubble, str(tmp_path / "made"))
    os.makedirs(f"{root}/srv", exist_ok=True)
    os.makedirs(f"{root}/etc/slurm", exist_ok=True)
    shutil.copy(packing.pack(), f"{root}/srv/train.tar.gz")
    packing.vanish()
    texts = {
        "srv/cluster.sh": CLUSTER.replace("USER", str(USER)),
        "srv/job.sh": JOB,
        "etc/slurm/slurm.conf": CONFIGURATION,
    }
    for name, text in texts.items():
        with open(f"{root}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run(
        [*PREFIX, "-nupf", "sh", "-ec", ENTER, root],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    minor = packing.version.rpartition(".")[0]
    module = f"/tmp/train/lib/python{minor}/site-packages/alpha/__init__.py"
    assert done.stdout.splitlines() == ["alpha 1.0", f"{USER} {module}"]
