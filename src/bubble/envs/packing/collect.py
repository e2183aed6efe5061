"""What goes into a pack, by name: an interpreter's files, and an environment's among them."""

from __future__ import annotations

import errno
import fnmatch
import json
import os
import re
import stat

from bubble.envs.exchange.export import distributions
from bubble.envs.knowing.editables import site_packages
from bubble.envs.packing import portable
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import few, printable
from bubble.pythons.pack.member import Member
from bubble.system.descent import directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.pythons.installed.store import Installation

CONTENTS = "bubble-pack.json"  # what is in it, for people and for `unpack`
FORMAT = 1
# an environment's own, which its interpreter brings or which say where it lies
OWN = re.compile(
    r"pyvenv\.cfg|\.bubble.*|\.gitignore|CACHEDIR\.TAG|\.lock|lib64"
    r"|bin/(?:python|pypy|graalpy)[\w.]*|bin/activate.*|bin/Activate\.ps1|bin/deactivate.*"
)
# the shared interpreter's: it is the environment's user's now
_GUARDS = re.compile(r"(?:lib/[^/]+/EXTERNALLY-MANAGED|pip\.conf)")
_INSTALLERS = re.compile(r"bin/(?:pip|easy_install|wheel)[\d.-]*")
_TESTS = re.compile(r"(?:^|/)site-packages/(?:[^/]+/)+(?:tests?|testing_data)/")
_SITE = re.compile(r"lib/[^/]+/(?:site|dist)-packages/")


class Wish(Record):
    """What is asked for: globs of names to leave out, whether tests too, and what leads outside.

    Without `python` the packages go alone.
    """

    exclude: tuple[str, ...] = ()
    strip_tests: bool = False
    as_is: bool = False
    python: bool = True


class Pack(Record):
    """What goes into an archive: `members` by name.

    `packages` are versions by name, `naming` the files that name the place where the environment
    lies, `outside` what leads out of it, `left_out` the bytes that a wish saved.
    """

    members: dict[str, Member]
    packages: dict[str, str]
    naming: tuple[str, ...]
    outside: tuple[str, ...]
    left_out: int


def collect(environment: str, installation: Installation, wish: Wish | None = None) -> Pack:
    """Return what a pack of the environment at `environment` (absolute) has.

    `installation` is the interpreter that it stands on. Both must have been verified. Raises
    BubbleError(environment) for what can't be carried, and OSError.
    """
    wish = wish or Wish()
    names = frozenset(os.listdir(f"{installation.prefix}/bin"))
    # where it meets a virtual environment of another minor, its scripts must not start that one's
    only = f"python{installation.key.version.minor}"
    places = portable.Places(
        environment=os.path.realpath(environment),
        spelled=environment,
        interpreter=installation.prefix,
        store=_store_of(installation),
        program="" if wish.python or only not in names else only,
    )
    base = interpreter(installation) if wish.python else {}
    own, outside, naming = _environment(places, names)
    if outside and not wish.as_is:
        raise BubbleError(
            "environment",
            f"{printable(environment, 500)} has what leads out of it, and would be missing "
            f"elsewhere: {few(outside, 4)}",
            hint="install projects for real (not editable) before; or pack it as it is: --as-is",
        )
    members, left_out = _wished({**base, **own}, wish)
    members = portable.with_records(members, places)
    packages = {d.name: d.version for d in distributions(environment)}
    said = {
        "format": FORMAT,
        "python": str(installation.key),
        "interpreter": wish.python,
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }
    members[CONTENTS] = Member(data=f"{json.dumps(said, indent=1)}\n".encode())
    return Pack(
        members=members,
        packages=packages,
        naming=tuple(sorted(name for name in naming if name in members)),
        outside=outside,
        left_out=left_out,
    )


def interpreter(installation: Installation) -> dict[str, Member]:
    """Return the members of an interpreter, without what is installed in it for itself.

    Raises BubbleError(environment) for what can't be carried, and OSError.
    """
    root = installation.prefix
    places = portable.Places(
        environment=root, spelled=root, interpreter=root, store=_store_of(installation)
    )
    members = {}
    names = frozenset(os.listdir(f"{root}/bin"))
    for name, path, info in files(root):
        if _GUARDS.fullmatch(name) or name.startswith(".bubble"):
            continue
        if _SITE.match(name) or _INSTALLERS.fullmatch(name):
            continue
        member = _member(name, path, info)
        if member is None or member.target.startswith("/"):
            raise BubbleError(
                "environment",
                f"the interpreter's {printable(name, 300)} can't be carried",
                hint="bubble python verify",
            )
        members[name] = portable.of_interpreter(name, member, places, names)
    return _with_real_site(members)


def _with_real_site(members: dict[str, Member]) -> dict[str, Member]:
    """Return an interpreter's members with a link to `site-packages` for one that it is.

    An environment's packages are in the directory of that name. Debian's Python looks for its own
    in `dist-packages`, to which `site-packages` leads where it was packed.
    """
    made = dict(members)
    for name, member in members.items():
        above, base = os.path.split(name)
        if base == "site-packages" and _SITE.match(f"{above}/{member.target}/"):
            del made[name]
            made[f"{above}/{member.target}"] = Member(target=base)
    return made


def files(root: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield what isn't a directory below `root` (absolute): its name, path and status.

    Bytecode is left out: interpreters write it as they go. Raises OSError.
    """
    closed: list[str] = []
    for descent in directories(root, closed):
        below = descent.path[len(root) + 1 :]
        if "__pycache__" in below.split("/"):
            continue
        for name, _ in descent.here.files:
            path = f"{descent.path}/{name}"
            yield path[len(root) + 1 :], path, os.lstat(path)
    if closed:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), closed[0])


def _store_of(installation: Installation) -> str:
    """Return where an installation's store lies: this user's, or everybody's."""
    return os.path.dirname(os.path.dirname(installation.prefix))


def _environment(
    places: portable.Places, names: frozenset[str]
) -> tuple[dict[str, Member], tuple[str, ...], list[str]]:
    """Return an environment's members, what leads out of it, and what names its place."""
    root = places.environment
    members: dict[str, Member] = {}
    outside: list[str] = []
    naming: list[str] = []
    wanted = places.all
    sites = tuple(f"{site}/" for site in site_packages(root))
    for name, path, info in files(root):
        if name.endswith(".pyc") or OWN.fullmatch(name):
            continue
        member = _member(name, path, info)
        if member is None:
            outside.append(f"{name} (no file)")
            continue
        if member.target:
            kept = portable.link(name, member, places)
            if kept is None:
                outside.append(f"{name} → {member.target}")
            members[name] = kept or member
            continue
        made = portable.of_environment(name, member, places, names, sites)
        if made is None:
            continue
        members[name] = made.member
        outside += made.outside
        if portable.names_any(made.member, wanted):
            naming.append(name)
    return members, tuple(outside), naming


def _member(name: str, path: str, info: os.stat_result) -> Member | None:
    if stat.S_ISLNK(info.st_mode):
        return Member(target=os.readlink(path))
    if not stat.S_ISREG(info.st_mode):
        return None
    executable = bool(info.st_mode & 0o100)
    return Member(source=path, executable=executable or name.startswith("bin/"))


def _wished(members: dict[str, Member], wish: Wish) -> tuple[dict[str, Member], int]:
    """Return the members that are wanted, and the bytes of the others."""
    from bubble.pythons.pack.tar import size_of

    def unwanted(name: str) -> bool:
        if wish.strip_tests and _TESTS.search(name):
            return True
        return any(
            fnmatch.fnmatchcase(name, glob) or name.startswith(f"{glob.rstrip('/')}/")
            for glob in wish.exclude
        )

    left = {name for name in members if unwanted(name)}
    bytes_left = sum(size_of(members[name]) for name in left)
    return {name: m for name, m in members.items() if name not in left}, bytes_left


def read_contents(data: bytes) -> dict[str, object]:
    """Return what a pack's CONTENTS says. Raises BubbleError(archive)."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BubbleError(
            "archive",
            f"its {CONTENTS} is none that this bubble knows",
            hint="it was made by another version: unpack it with tar",
        )
    return said
