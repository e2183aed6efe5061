"""Adopting: an interpreter that something else installed, made known to the store.

Nothing is copied. The store gets a directory with a receipt and `bin/`, whose links point at the
interpreter's own commands; a link's last step is absolute, so that the interpreter finds its
home. What it points at belongs to whoever made it, and removing it here removes the links.
"""

from __future__ import annotations

import os
import time

import bubble
from bubble.model.errors import BubbleError
from bubble.model.key import Key
from bubble.model.text import printable, shell_word
from bubble.pythons.adopting.commands import is_pythons, own_directory
from bubble.pythons.installed import store
from bubble.pythons.probing.probe import probe
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.probing.probe import Probe
    from bubble.system.machine import Machine


def adopt(path: str, machine: Machine) -> Installation:
    """Register the interpreter at `path`, an executable or the prefix above its `bin`.

    Adopting the same one again refreshes its links. Raises BubbleError(usage, probe) when it is
    no interpreter or a virtual environment, (store) when the key is already installed.
    """
    key, found = identify(path, machine)
    prefix = machine.layout.python(str(key))
    with store.key_lock(machine.layout, str(key), machine.env):
        sweep(machine.layout)
        require_free(key, found, machine)
        with Staging(machine.layout, prefix) as staging:
            _link_commands(staging.path, found)
            os.mkdir(f"{staging.path}/.bubble")
            store.write_receipt(staging.path, _receipt(key, found))
            with store.changing(machine.layout, machine.platform):
                staging.publish()
    return store.Installation(key=key, prefix=prefix)


def identify(path: str, machine: Machine) -> tuple[Key, Probe]:
    """Return what the interpreter at `path` is; runs it, changes nothing, raises as `adopt`."""
    executable = executable_at(os.path.abspath(os.path.expanduser(path)))
    if not executable:
        raise BubbleError(
            "usage",
            f"there is no interpreter at {printable(path)}",
            hint="give the path of an interpreter, or of the directory above its bin",
        )
    found = probe(executable, env=machine.env, imports=())
    if found.is_virtual:
        raise BubbleError(
            "usage",
            f"{printable(path)} belongs to a virtual environment",
            hint="adopt what it was made from: "
            f"bubble python adopt {shell_word(found.base_prefix)}",
        )
    if os.path.realpath(executable).startswith(os.path.realpath(machine.layout.pythons) + "/"):
        raise BubbleError(
            "usage", f"{printable(path)} is in the store already", hint="bubble python list"
        )
    key = Key(
        implementation=found.implementation,
        version=found.version,
        variant=found.variant,
        platform=found.platform,
    )
    return key, found


def require_free(key: Key, found: Probe, machine: Machine) -> bool:
    """Return whether the store has this very interpreter; raise if it has another of its key."""
    present = store.installation_at(machine.layout, str(key))
    if present and not _is_same(present, found):
        raise BubbleError(
            "store",
            f"{key.name} is already installed, from {store.read_receipt(present.prefix).origin}",
            hint="to have only the other one, take this away first: "
            f"bubble python uninstall {key.name}",
        )
    return present is not None


def executable_at(path: str, *first: str) -> str:
    """Return the interpreter at `path` (absolute), its own path or the prefix of one; or "".

    Of several in a prefix, `first` names those that are preferred, then come the plain names, and
    where an `altinstall` left none of those, the newest minor.
    """
    candidates = [path]
    if os.path.isdir(path):
        names = (*first, "python3", "python", *_minors(f"{path}/bin"), "pypy3", "graalpy")
        candidates = [f"{path}/bin/{name}" for name in names]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return ""


def _minors(directory: str) -> list[str]:
    """Return the names like `python3.12` in a directory, the highest first."""
    names = os.listdir(directory) if os.path.isdir(directory) else ()
    minors = (name.removeprefix("python3.") for name in names if name.startswith("python3."))
    return [f"python3.{n}" for n in sorted(map(int, filter(str.isdecimal, minors)), reverse=True)]


def _is_same(present: Installation, found: Probe) -> bool:
    return present.is_adopted and store.read_receipt(present.prefix).prefix == found.prefix


def _link_commands(root: str, found: Probe) -> None:
    """Link everything of the interpreter's own `bin`; of a shared one, what has its version."""
    os.mkdir(f"{root}/bin")
    own = own_directory(found.executable)
    directory = own or os.path.dirname(found.executable)
    executable = f"{own}/{os.path.basename(found.executable)}" if own else found.executable
    if not os.access(executable, os.X_OK):
        executable = os.path.realpath(found.executable)
    commands = {
        name: f"{directory}/{name}"
        for name in sorted(os.listdir(directory))
        if own or _belongs(name, found)
    }
    if not own:  # there, the plain names may be another version's
        commands |= _plain_pips(directory, found)
        commands |= dict.fromkeys(("python3", "python"), executable)
    for name in (f"python{found.version.minor}", "python3", "python"):
        commands.setdefault(name, executable)
    for name, source in commands.items():
        if os.path.isfile(source) and os.access(source, os.X_OK):
            os.symlink(source, f"{root}/bin/{name}")


def _belongs(name: str, found: Probe) -> bool:
    """Whether a command of a shared directory is this version's own: `python3.11`, `pip3.11`."""
    return is_pythons(name) and name.partition("-")[0].endswith(found.version.minor)


def _plain_pips(directory: str, found: Probe) -> dict[str, str]:
    """Return `pip` and `pip3` and the paths that they mean: this version's, by name or `#!`."""
    candidates = [f"pip{found.version.minor}", "pip3", "pip"]
    for name in candidates:
        source = f"{directory}/{name}"
        if os.access(source, os.X_OK) and (name == candidates[0] or _runs_by(source, found)):
            return dict.fromkeys(("pip", "pip3"), source)
    return {}


def _runs_by(script: str, found: Probe) -> bool:
    """Whether a script's first line names this interpreter."""
    with open(script, "rb") as file:
        words = file.readline(300).removeprefix(b"#!").split()
    return bool(words) and os.path.realpath(words[0]) == os.fsencode(
        os.path.realpath(found.executable)
    )


def _receipt(key: Key, found: Probe) -> store.Receipt:
    return store.Receipt(
        key=str(key),
        origin=found.executable,
        sha256="",
        build="",
        flavour="adopted",
        manifest_sha256="",
        installed_at=int(time.time()),
        bubble=bubble.__version__,
        prefix=found.prefix,
        executable=found.executable,
    )
