"""A link of 100 Mbit/s with 50 ms round trip, in network namespaces of its own.

By `tc netem` where the kernel has it; else by two tun devices, each in a namespace, and a process
between them that holds every packet back (tunnel.py): TCP is the kernel's own in both cases.
Nothing leaves the namespaces, and they end with the processes that hold them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

MBIT, ROUND_TRIP = 100, 0.050
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# a packet of Ethernet, not the 64 KiB of loopback
_NETEM = (
    "ip link set lo mtu 1500 up && tc qdisc add dev lo root netem"
    f" delay {1000 * ROUND_TRIP / 2:g}ms rate {MBIT}mbit && echo $$ && exec cat"
)


class Link:
    """The link, inside `with`: commands that run another one at either end, and what it is made of.

    RuntimeError, with the reason, where neither can be had.
    """

    def __enter__(self) -> Self:
        self._env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        self._env["PYTHONPATH"] = TESTS
        reasons = []
        tunnel = f"exec {sys.executable} -m bench.tunnel {MBIT} {ROUND_TRIP / 2}"
        for how, script, host in (("netem", _NETEM, "127.0.0.1"), ("tun", tunnel, SERVER)):
            argv = ["unshare", "-n", "sh", "-c", script]
            try:
                self._child = subprocess.Popen(
                    argv, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True,
                )  # fmt: skip
            except OSError as error:
                reasons.append(f"{how}: {error}")
                continue
            assert self._child.stdout
            pids = self._child.stdout.readline().split()
            if pids:
                self.how, self.host = how, host
                self.server, self.client = (_inside(pid) for pid in (pids[0], pids[-1]))
                return self
            _, told = self._child.communicate()
            reasons.append(f"{how}: {told.strip().splitlines()[-1] if told.strip() else 'ended'}")
        raise RuntimeError("; ".join(reasons))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()


def _inside(pid: str) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
