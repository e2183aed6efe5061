"""The two ends of a slow link, and the process between them; as root, in a network namespace.

PYTHONPATH=tests unshare -n python -m bench.tunnel MBIT DELAY: prints the pids of a process in the
namespace of the server's end and of one at the client's, and forwards until stdin ends. Every
packet waits DELAY seconds and for its turn at MBIT/s, in a queue of 1,000 packets (netem's own).
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque

from bench.link import CLIENT, SERVER

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
QUEUE, PACKET = 1000, 1500
DEVICE = "wire"


def main(rate: str, delay: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        far = subprocess.Popen(
            ["unshare", "-n", sys.executable, "-m", "bench.tunnel", "far", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
        )
        theirs.close()
        near = open_end(SERVER, CLIENT)
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
        other = array.array("i", ancillary[0][2])[0]
        print(os.getpid(), far.pid, flush=True)
        try:
            forward({near: other, other: near}, float(rate) * 1e6 / 8, float(delay))
        finally:
            far.communicate()


def far_end(descriptor: str) -> None:
    """Open the client's end, hand it over, and hold its namespace until stdin ends."""
    end = open_end(CLIENT, SERVER)
    with socket.socket(fileno=int(descriptor)) as sock:
        rights = array.array("i", [end])
        sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    sys.stdin.read()


def open_end(address: str, peer: str) -> int:
    """Make a tun device with an address in this namespace; return its descriptor."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    for words in (
        f"addr add {address} peer {peer} dev {DEVICE}",
        f"link set dev {DEVICE} mtu {PACKET} txqueuelen {QUEUE} up",
        "link set dev lo up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    return end


def forward(ends: dict[int, int], rate: float, delay: float) -> None:
    """Carry packets from each end to the other, `rate` in bytes a second, until stdin ends."""
    queues: dict[int, deque[tuple[float, bytes]]] = {end: deque() for end in ends}
    free = dict.fromkeys(ends, 0.0)  # when the line has sent what it has
    while True:
        due = [queue[0][0] for queue in queues.values() if queue]
        wait = max(0.0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([0, *ends], [], [], wait)
        if 0 in ready:
            return
        now = time.monotonic()
        for end, other in ends.items():
            if end in ready:
                free[end] = _take(end, queues[end], free[end], now, (rate, delay))
            queue = queues[end]
            while queue and queue[0][0] <= now:
                os.write(other, queue.popleft()[1])


def _take(
    end: int,
    queue: deque[tuple[float, bytes]],
    free: float,
    now: float,
    line: tuple[float, float],
) -> float:
    """Read what is there; return when the line will be free again."""
    rate, delay = line
    for _ in range(64):
        try:
            packet = os.read(end, 2 * PACKET)
        except BlockingIOError:
            break
        # what has left the line, but is under way, is no longer in its queue
        if free - now > QUEUE * PACKET / rate:
            continue
        free = max(free, now) + len(packet) / rate
        queue.append((free + delay, packet))
    return free


if __name__ == "__main__":
    if sys.argv[1] == "far":
        far_end(sys.argv[2])
    else:
        main(*sys.argv[1:])
