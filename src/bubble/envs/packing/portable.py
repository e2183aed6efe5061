"""Files that name where they lie, made so that they are right wherever a pack is unpacked.

Scripts start the interpreter beside themselves; sysconfig's variables are put right by the module
that has them, when it is imported; pkg-config's files lead from where they lie already. What can't
be told by its kind is found by the bytes of the old place in it, and named.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mmap
import os
import re
from functools import partial

from bubble.envs.changing.relocate import split_script
from bubble.envs.knowing.editables import split_entry
from bubble.model.record import Record
from bubble.pythons.patch import build_vars, scripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bubble.pythons.pack.member import Member

PLACEHOLDER = "/install"  # upstream's own, which installers replace
_SCRIPT = 1 << 20  # bytes: what is larger in bin is a program
_METADATA = re.compile(r"(?P<site>lib/[^/]+/(?:site|dist)-packages/)(?P<info>[^/]+\.dist-info)/")
# what installers note of the machine that they ran on
_NOTES = frozenset({"uv_cache.json", "uv_build.json"})
# behind the literal: where the interpreter lies is where its prefix is, in or under an environment
_FOLLOWING = """
def _follow():
    import re
    import sys
    here = sys.base_prefix
    plain = re.fullmatch(r"[\\w@%%+=:,./-]+", here)
    quoted = here if plain else "'" + here.replace("'", "'\\\\''") + "'"
    old = re.compile(r"(?:(?<![\\w./~+-])|(?<=-[BFIL]))%(old)s(?![\\w.+~-])")
    for name, value in build_time_vars.items():
        if isinstance(value, str) and %(old)r in value:
            alone = value.startswith(%(old)r) and not re.search(r"\\s", value)
            build_time_vars[name] = old.sub(lambda _: here if alone else quoted, value)


_follow()
"""


class Places(Record):
    """Where an environment lies, really and as it is `spelled`, its interpreter, and the store.

    `program` is the name of the interpreter that all scripts start, "" for the one that each names.
    """

    environment: str
    spelled: str
    interpreter: str
    store: str
    program: str = ""

    @property
    def all(self) -> tuple[bytes, ...]:
        """What no file should name: the environment, its interpreter and the store."""
        named = {self.environment, self.spelled, self.interpreter, f"{self.store}/pythons"}
        return tuple(os.fsencode(place) for place in named)


class Made(Record):
    """A file of an environment as it goes into a pack, and what in it leads outside."""

    member: Member
    outside: tuple[str, ...] = ()


def of_interpreter(name: str, member: Member, places: Places, names: frozenset[str]) -> Member:
    """Return an interpreter's file as it goes into a pack; `names` are those in its `bin`."""
    if member.target:
        return member
    if name.startswith("bin/"):
        return _script(member, places, names)
    change = _changes(name, places)
    return member if change is None else _with(member, change(_text(member)))


def _changes(name: str, places: Places) -> Callable[[str], str] | None:
    """Return what is to change in the text of a file of the standard library, None for most."""
    directory, base = os.path.split(name)
    if base == "Makefile" and "/config-" in name:
        return partial(_makefile, places=places)
    if not re.fullmatch(r"lib/[^/]+", directory):
        return None
    if base.startswith("_sysconfigdata_") and base.endswith(".py"):
        return _sysconfigdata
    if base.startswith("_sysconfig_vars_"):
        return partial(build_vars.rewrite_json, change=_unpatched)
    return _build_details if base == "build-details.json" else None


def _sysconfigdata(text: str) -> str:
    made = build_vars.rewrite_sysconfigdata(text, _unpatched)
    return made + _FOLLOWING % {"old": PLACEHOLDER} if PLACEHOLDER in made else made


def _build_details(text: str) -> str:
    """Return the file of PEP 739, in which paths may be relative: to it, and to the prefix."""
    made = build_vars.patch_build_details(text, PLACEHOLDER)
    return made.replace(f'"{PLACEHOLDER}/', '"').replace(f'"{PLACEHOLDER}"', '"../.."')


def _makefile(text: str, places: Places) -> str:
    """Return a Makefile without the prefix, nor the quotes that its path made necessary."""
    escaped = places.interpreter.replace("$", "$$").replace("#", "\\#")
    return build_vars.patch_makefile(build_vars.unquoted(text, escaped), PLACEHOLDER)


def of_environment(
    name: str, member: Member, places: Places, names: frozenset[str], sites: tuple[str, ...]
) -> Made | None:
    """Return an environment's file as it goes into a pack; None for what stays behind.

    `names` are the files of the interpreter's `bin`, `sites` the environment's site-packages.
    """
    base = os.path.basename(name)
    if name.startswith("bin/"):
        return Made(member=_script(member, places, names))
    if base.endswith(".pth") and f"{os.path.dirname(name)}/" in sites:
        return _path_file(name, member, places)
    if _METADATA.fullmatch(name.removesuffix(base)):
        if base in _NOTES:
            return None
        if base == "direct_url.json":
            return _direct(name, member)
    return Made(member=member)


def link(name: str, member: Member, places: Places) -> Member | None:
    """Return an environment's link with a relative target inside of it; None for one outside."""
    target = member.target
    for root in dict.fromkeys((places.environment, places.spelled)):
        if target.startswith(f"{root}/"):
            return member.replace(
                target=os.path.relpath(target, f"{root}/{os.path.dirname(name)}".rstrip("/"))
            )
    led = os.path.normpath(f"{os.path.dirname(name)}/{target}")
    return None if target.startswith("/") or led.startswith("..") else member


def names_any(member: Member, wanted: Sequence[bytes]) -> bool:
    """Whether one of the `wanted` paths stands in a file."""
    if member.data is not None:
        return any(place in member.data for place in wanted)
    with open(member.source, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return any(mapped.find(place) >= 0 for place in wanted)


def with_records(members: dict[str, Member], places: Places) -> dict[str, Member]:
    """Return members whose RECORDs say what is in the pack: no bytecode, and what was rewritten."""
    made = dict(members)
    for name, member in members.items():
        found = _METADATA.match(name)
        if found and name == f"{found[0]}RECORD":
            rows = _recorded(found["site"], _text(member), members, places)
            made[name] = _with(member, "".join(rows))
    return made


def _recorded(site: str, text: str, members: dict[str, Member], places: Places) -> Iterator[str]:
    for line in text.splitlines():
        spelled, rest = split_entry(line)
        path = spelled
        for root in dict.fromkeys((places.environment, places.spelled)):
            if path.startswith(f"{root}/"):  # flit names scripts so
                path = os.path.relpath(path[len(root) + 1 :], site)
        member = members.get(os.path.normpath(f"{site}{path}"))
        if member is None or path.endswith(".pyc"):
            continue
        if member.data is not None and len(rest) > 2:  # `,,` has no hash
            digest = base64.urlsafe_b64encode(hashlib.sha256(member.data).digest()).rstrip(b"=")
            rest = f",sha256={digest.decode()},{len(member.data)}"
        field = f'"{path.replace(chr(34), chr(34) * 2)}"' if set(path) & {",", '"'} else path
        yield f"{field}{rest}\n"


def _script(member: Member, places: Places, names: frozenset[str]) -> Member:
    """Return a script that runs the interpreter beside itself; programs as they are."""
    if os.stat(member.source).st_size > _SCRIPT or not member.read().startswith(b"#!"):
        return member
    text = _text(member)
    program, options, body = split_script(text)
    directory, name = os.path.split(program)
    ours = any(directory == f"{p}/bin" for p in (places.environment, places.spelled))
    if not ours and not directory.startswith(f"{places.store}/"):
        return member
    beside = places.program or (name if name in names else "python")
    return _with(member, scripts.launcher(beside, options, body))


def _path_file(name: str, member: Member, places: Places) -> Made:
    """Return a `.pth` file with paths inside of the environment relative to it."""
    lines, outside = [], []
    for text in _text(member).splitlines():
        line, path = text, text.rstrip()
        if path.startswith("/"):
            inside = next(
                (r for r in (places.environment, places.spelled) if path.startswith(f"{r}/")), ""
            )
            if inside:
                line = os.path.relpath(path[len(inside) + 1 :], os.path.dirname(name))
            else:
                outside.append(f"{name} → {path}")
        elif not path.startswith(("import ", "import\t", "#")) and path:
            led = os.path.normpath(f"{os.path.dirname(name)}/{path}")
            if led.startswith(".."):
                outside.append(f"{name} → {path}")
        lines.append(line)
    return Made(member=_with(member, "".join(f"{x}\n" for x in lines)), outside=tuple(outside))


def _direct(name: str, member: Member) -> Made | None:
    """Return where a distribution came from (PEP 610): an address; nothing of this machine's."""
    try:
        said = json.loads(_text(member))
        url, editable = str(said["url"]), bool(said.get("dir_info", {}).get("editable"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Made(member=member)
    if editable:
        project = f"{os.path.basename(os.path.dirname(name))} → {url}"
        return Made(member=member, outside=(project,))
    return None if url.startswith("file:") else Made(member=member)


def _unpatched(variables: dict[str, object]) -> dict[str, object]:
    return build_vars.unpatched_variables(variables, PLACEHOLDER)


def _text(member: Member) -> str:
    return member.read().decode("utf-8", "surrogateescape")


def _with(member: Member, text: str) -> Member:
    data = text.encode("utf-8", "surrogateescape")
    return member if data == member.read() else member.replace(source="", data=data)
