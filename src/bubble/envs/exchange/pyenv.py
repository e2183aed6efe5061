"""Taking over from pyenv: what lies below its root, and what of that bubble can use as it is.

Nothing is copied or moved, and nothing below pyenv's root is changed: interpreters and
environments are registered where they lie, as `bubble python adopt` and `bubble adopt` do it.
The tree is pyenv's and pyenv-virtualenv's:

    versions/3.11.7/               an interpreter
    versions/3.11.7/envs/site/     an environment; versions/site is a link to it
    versions/site/                 one of older versions of pyenv-virtualenv, by its pyvenv.cfg
    versions/3.11 -> 3.11.7        an alias
    version                        the global selection
"""

from __future__ import annotations

import os
import stat

from bubble.envs.knowing.locate import of_path, require_name_free
from bubble.envs.knowing.placing import is_environment
from bubble.envs.making import adopt as environments
from bubble.model.errors import BubbleError
from bubble.model.name import is_name
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable, shell_word
from bubble.pythons.adopting import adopt as pythons
from bubble.pythons.installed.store import installations
from bubble.selection.pin import canonical, pin
from bubble.selection.registry import of_name
from bubble.system.version_file import read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.model.key import Key
    from bubble.system.machine import Machine
    from bubble.system.version_file import Entry

ADOPTED, KNOWN, LEFT, PINNED = "adopted", "known", "left", "pinned"
_CONDA = ("anaconda", "miniconda", "miniforge", "mambaforge", "micromamba")


class Item(Record):
    """One thing of pyenv's, and what became of it.

    `kind` is "python", "environment", "alias", "other" or "global"; `path` is absolute. `action`
    is ADOPTED, KNOWN (it was already), LEFT or PINNED, `detail` what it is here, or why it was
    left. `key` is an interpreter's, None where there is none.
    """

    kind: str
    name: str
    path: str
    action: str
    detail: str
    key: Key | None = None


def find_root(env: Mapping[str, str]) -> str:
    """Return pyenv's root (absolute): PYENV_ROOT, or ~/.pyenv; BubbleError(usage) without one."""
    root = os.path.expanduser(env.get("PYENV_ROOT", "")) or f"{env.get('HOME', '')}/.pyenv"
    root = os.path.normpath(root)
    if os.path.isabs(root) and os.path.isdir(root):
        return root
    raise BubbleError(
        "usage",
        f"there is no pyenv at {printable(root, 500)}",
        hint="set PYENV_ROOT to the directory that has pyenv's versions in it",
    )


def take_over(root: str, machine: Machine, *, dry_run: bool = False) -> tuple[Item, ...]:
    """Adopt what lies below pyenv's `root`, and return what became of each thing.

    The interpreters first, then the environments, then the global selection, if bubble has none.
    What can't be adopted is left, with the reason, and ends nothing. `dry_run` changes nothing
    (interpreters are run, to see what they are). Raises BubbleError(permission) when the versions
    can't be listed, and what a store that can't be written raises.
    """
    found = _Tree(root)
    items: list[Item] = list(found.left)
    for name, path in found.pythons:
        items.append(_take_python(name, path, machine, items, dry_run=dry_run))
    for name, path in found.environments:
        items.append(_take_environment(name, path, machine, items, dry_run=dry_run))
    selection = _take_global(f"{root}/version", machine, items, dry_run=dry_run)
    return (*items, *([selection] if selection else []))


class _Tree:
    """What lies below a root, sorted: pairs of a name and an absolute path, and what is neither."""

    def __init__(self, root: str) -> None:
        self.pythons: list[tuple[str, str]] = []
        self.left: list[Item] = []
        self._versions = f"{root}/versions"
        self._links: list[tuple[str, str]] = []
        self._environments: list[tuple[str, str]] = []
        for name in _listed(self._versions):
            self._sort(name, f"{self._versions}/{name}")
        self._resolve_links()
        # the one that versions/NAME leads to has the first claim to the name
        linked = {os.path.realpath(path) for _, path in self._links}
        self.environments = sorted(
            self._environments, key=lambda pair: os.path.realpath(pair[1]) not in linked
        )

    def _sort(self, name: str, path: str) -> None:
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            broken = "it is a link to nothing" if os.path.islink(path) else _reason(error)
            self._leave(name, path, broken)
            return
        if not stat.S_ISDIR(mode):
            return  # as for pyenv, a file there is no version
        if os.path.islink(path) and self._is_inside(os.path.realpath(path)):
            self._links.append((name, path))
        elif os.path.isdir(f"{path}/conda-meta") or name.startswith(_CONDA):
            self._leave(name, path, "a conda distribution, which only conda can manage")
        elif is_environment(path):
            self._environments.append((name, path))
        else:
            self.pythons.append((name, path))
            inside = f"{path}/envs"
            try:
                names = _listed(inside)
            except BubbleError as error:
                self._leave(f"{name}/envs", inside, error.message)
                return
            self._environments += [(n, f"{inside}/{n}") for n in names]

    def _resolve_links(self) -> None:
        names = {os.path.realpath(path): name for name, path in self._environments}
        for name, path in self._links:
            target = os.path.realpath(path)
            if names.get(target) == name:
                continue  # pyenv-virtualenv's own link to it
            shown = os.path.relpath(target, os.path.realpath(self._versions))
            self._leave(name, path, f"another name of {printable(shown)}", kind="alias")

    def _is_inside(self, path: str) -> bool:
        return path.startswith(f"{os.path.realpath(self._versions)}/")

    def _leave(self, name: str, path: str, reason: str, kind: str = "other") -> None:
        self.left.append(Item(kind=kind, name=name, path=path, action=LEFT, detail=reason))


def _take_python(
    name: str, path: str, machine: Machine, items: list[Item], *, dry_run: bool
) -> Item:
    """Adopt one interpreter; a name that holds none is the owner's to mend, and said so."""
    item = Item(kind="python", name=name, path=path, action=ADOPTED, detail="")
    if not os.access(path, os.R_OK | os.X_OK):
        return item.replace(action=LEFT, detail="its directory can't be read")
    if not pythons.executable_at(path):
        return item.replace(action=LEFT, detail="there is no interpreter in it")
    try:
        key, found = pythons.identify(path, machine)
        known = pythons.require_free(key, found, machine)
        twin = next((i for i in items if i.key == key and i.action != LEFT), None)
        if twin is not None and not known:  # a dry run: it would be there by now
            theirs = pythons.executable_at(twin.path)
            known = os.path.realpath(theirs) == os.path.realpath(found.executable)
            if not known:
                return item.replace(action=LEFT, detail=f"{key.name} is that of {twin.path}")
        if not dry_run:
            pythons.adopt(path, machine)
    except BubbleError as error:
        if error.kind not in {"probe", "usage", "request", "store"}:
            raise
        return item.replace(action=LEFT, detail=error.message)
    return item.replace(action=KNOWN if known else ADOPTED, detail=key.name, key=key)


def _take_environment(
    name: str, path: str, machine: Machine, items: list[Item], *, dry_run: bool
) -> Item:
    """Register one environment under its name, or by its path where bubble has no such names."""
    layout = machine.layout
    item = Item(kind="environment", name=name, path=path, action=ADOPTED, detail="")
    known = of_path(path, layout)
    if known is not None and known.path == path:
        item = item.replace(action=KNOWN)
        called = known.name
    else:
        called = name if is_name(name) else ""
    try:
        environments.examine(path, "/", layout)
        if called:
            _require_unclaimed(called, path, items)
            require_name_free(called, path, layout)
        if not dry_run:
            environments.adopt(path, "/", layout, called)
    except BubbleError as error:
        if error.kind not in {"environment", "in_use"}:
            raise
        return item.replace(action=LEFT, detail=error.message)
    reason = "" if is_name(name) else f" ({printable(name)} can't be a name here)"
    return item.replace(detail=called or f"known by its path{reason}")


def _require_unclaimed(name: str, path: str, items: list[Item]) -> None:
    """Raise BubbleError(in_use) when another environment of this root has got the name."""
    for item in items:
        if item.kind == "environment" and item.name == name and item.action != LEFT:
            raise BubbleError(
                "in_use",
                f"{name} is the name of the environment at {printable(item.path, 500)}",
                hint=f"bubble adopt {shell_word(path)} --name NAME",
            )


def _take_global(path: str, machine: Machine, items: list[Item], *, dry_run: bool) -> Item | None:
    """Make pyenv's global selection bubble's, where bubble has none; what bubble can't mean stays.

    One thing that can't be meant doesn't hold up the others, as pyenv passes over what is missing.
    """
    item = Item(kind="global", name="version", path=path, action=LEFT, detail="")
    try:
        entries = read_python_version(path)
        mine = read_python_version(machine.layout.global_pin)
    except BubbleError as error:
        return item.replace(detail=error.message)
    if not entries:
        return None
    wanted: list[str] = []
    strange: list[str] = []
    for entry in entries:
        text = _meant(entry, machine, items)
        (wanted if text else strange).append(text or printable(entry.text))
    said = ", ".join(wanted)
    if mine is not None:
        here = ", ".join(printable(entry.text) for entry in mine) or "system"
        same = [entry.text for entry in mine] == wanted
        detail = said if same else f"bubble's global selection is set: {here}"
        return item.replace(action=KNOWN if same else LEFT, detail=detail)
    if strange:
        said += f" (nothing here satisfies {', '.join(strange)})"
    if wanted and not dry_run:
        os.makedirs(machine.layout.home, exist_ok=True)
        pin(machine.layout.global_pin, [parse_request(text) for text in wanted])
    return item.replace(action=PINNED if wanted else LEFT, detail=said.strip())


def _meant(entry: Entry, machine: Machine, items: list[Item]) -> str:
    """Return the request that means what an entry of pyenv's means, "" when nothing does."""
    text = entry.text
    taken = [item for item in items if item.action != LEFT]
    for item in taken:
        if item.name == text and item.key is not None:
            return canonical(parse_request(item.key.name))
    try:
        request = parse_request(text)
    except BubbleError:
        return ""
    if request.kind == "system":
        return text
    if request.kind == "name":
        new = any(item.kind == "environment" and item.name == text for item in taken)
        return text if new or of_name(machine.layout, text) else ""
    keys = [i.key for i in installations(machine.layout)] + [i.key for i in taken if i.key]
    fits = request.is_python and any(request.matches(key, machine.platform) for key in keys)
    return canonical(request) if fits else ""


def _listed(directory: str) -> list[str]:
    """Return the names in a directory, none when it isn't there; BubbleError(permission).

    Numbers in them count as such: 3.9 comes before 3.10.
    """
    try:
        return sorted(os.listdir(directory), key=_order)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BubbleError(
            "permission",
            f"{printable(directory, 500)} can't be listed: {_reason(error)}",
            hint="make it readable for this user, then try again",
        ) from None


def _order(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = name.replace("-", ".").split(".")
    return [(int(p) if p.isascii() and p.isdigit() else 1 << 30, p) for p in parts], name


def _reason(error: OSError) -> str:
    return (error.strerror or "it can't be read").lower()
