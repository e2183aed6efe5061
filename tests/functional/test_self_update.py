"""`self update` from a server that does what servers and those between do: as before, or updated.

The release is of a few KB (`support.small_release`): its bubble is a double, so the operation is
called here. tests/real/test_install_script.py updates a real one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.program.origin import INSTALLER, Origin, said_by
from bubble.program.update import go_back, update
from support.fault_handlers import Resource, hang_up, portal, status
from support.fault_server import serve
from support.machines import Machine
from support.needs import needs
from support.small_release import ARCHIVE, WHEEL, small_release

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout
    from support.fault_handlers import Handler

FILES = {
    "the script": "install.sh",
    "the interpreter": ARCHIVE.replace("+", "%2B"),
    "the wheel": WHEEL.format(version="2.0"),
}
FAULTS = ("another's bytes", "a portal's page", "cut", "nothing", "404", "500")


def answered(kind: str, data: bytes) -> Handler | Resource:
    answers: dict[str, Handler | Resource] = {
        "another's bytes": Resource(data[:-1] + bytes([data[-1] ^ 1])),
        "a portal's page": portal,
        "cut": Resource(data, cut=len(data) // 2, ranges=False),
        "nothing": hang_up,
        "404": status(404, b"no"),
        "500": status(500, b"no"),
    }
    return answers[kind]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with version 1.0, and a network."""
    machine = Machine(str(tmp_path), small_release(f"{tmp_path}/release"))
    assert machine.run("--no-init").returncode == 0
    machine.has("curl", "sleep")
    return machine


def origin(machine: Machine) -> Origin:
    """Return what version 1.0 would know of itself."""
    launcher, prefix = f"{machine.home}/.local/bin/bubble", f"{machine.home}/.local/lib/bubble"
    version = said_by(launcher, "version")
    return Origin(
        kind=INSTALLER, root=f"{prefix}/versions/{version}", launcher=launcher, prefix=prefix,
        version=version, previous=said_by(launcher, "previous"),
    )  # fmt: skip


@needs("curl")
@pytest.mark.parametrize("what", FILES)
def test_what_a_network_does_to_an_update_is_told_and_leaves_the_version_before(
    what: str, machine: Machine, layout: Layout, tmp_path: Path
) -> None:
    new = f"{tmp_path}/new"
    before = machine.everything()
    env = machine.env(BUBBLE_HTTP_RETRIES="0")
    for kind in FAULTS:
        with serve(new) as server:
            small_release(new, version="2.0", url=server.url, base=server.url)
            with open(f"{new}/{FILES[what].replace('%2B', '+')}", "rb") as file:
                server.put(f"/{FILES[what]}", answered(kind, file.read()))
            with pytest.raises(BubbleError) as caught:
                update(origin(machine), server.url, layout, env, show=False)
        assert caught.value.kind in {"download", "http"}, (kind, caught.value)
        assert caught.value.hint
        assert machine.everything() == before, kind
        assert machine.bubble("--version").stdout == "bubble 1.0\n"
        assert not os.path.exists(f"{layout.home}/update")


@needs("curl")
def test_a_slow_network_brings_an_update_and_the_way_back(
    machine: Machine, layout: Layout, tmp_path: Path
) -> None:
    new = f"{tmp_path}/new"
    with serve(new) as server:
        small_release(new, version="2.0", url=server.url, base=server.url)
        for name in FILES.values():
            with open(f"{new}/{name.replace('%2B', '+')}", "rb") as file:
                data = file.read()
            server.put(f"/{name}", Resource(data, rate=2.0 * len(data)))
        update(origin(machine), server.url, layout, machine.env(), show=False)
    assert machine.bubble("--version").stdout == "bubble 2.0\n"
    go_back(origin(machine))
    assert machine.bubble("--version").stdout == "bubble 1.0\n"
