"""Moving an environment: every place in it that names where it lies, rewritten.

Scripts (`#!` lines and the sh form of long ones), activation scripts, `pyvenv.cfg`, `.pth` files
and what else editable installs leave, kernel specs, links, and the RECORD lines of what was
rewritten. Byte-compiled files keep the old path as a mere label, which the import system corrects
as it loads them.
"""

from __future__ import annotations

import os
import re
from functools import partial
from urllib.parse import quote

from bubble.envs.making.activation import QUOTES, prompt_text
from bubble.system.files import link_atomic, read_text, unlink_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Pairs = tuple[tuple[str, str], ...]

_LARGEST = 1 << 22  # bytes of a text that is rewritten
# what an environment's `'''exec'` line names may be bare, or quoted as pip, distlib, uv and we do
_EXEC = re.compile(
    rb"#!/bin/sh\n'''exec' (?P<program>\"[^\"\n]*\"|'(?:[^'\n]|'\"'\"'|'\\'')*'|[^'\"\n ]+)"
    rb'(?P<options>(?: -[^ \n]*)*) "\$0" "\$@"\n\' \'\'\'\n'
)
_SHEBANG = re.compile(rb"#![ \t]*(?P<program>/[^\n]*?/bin/[^/ \n]+)(?P<options>(?: -[^\n]*)?)\n")
_LONGEST_LINE = 126  # bytes of a `#!` line: the kernel takes 127 before Linux 5.1, macOS more
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)  # means itself, inside any quotes and outside
_LEFTOVER = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.tmp")  # of `write_atomic` and `link_atomic`
_EDITABLE = (".pth", ".egg-link")


def relocate(
    root: str, old: str, new: str, *, projects: tuple[tuple[str, str], ...] = ()
) -> tuple[str, ...]:
    """Rewrite the environment that lies at `root` from `old` to `new` (all absolute).

    `projects` are pairs of other directories that moved along, as a project with its `.venv`
    does: editable installs name them. Returns the rewritten files, relative to `root`. Files are
    replaced, never written in place: they may be hard links of another environment's.
    """
    pairs = ((old, new), *projects)
    everywhere = _replacer(pairs, os.fsencode, lambda text: quote(text).encode())
    work = [(path, everywhere) for path in (*_in_site_packages(root), *_elsewhere(root))]
    for path in _in_bin(root):
        if os.path.islink(f"{root}/{path}"):
            _relink(f"{root}/{path}", pairs)
        else:
            work.append((path, partial(_script, path, pairs)))
    # what `path_of` reads comes last: until then, whoever was killed here starts again
    work.sort(key=lambda item: item[0] == "bin/activate")
    changed = [path for path, change in work if _rewrite(root, path, change)]
    changed += ["pyvenv.cfg"] if _rewrite(root, "pyvenv.cfg", everywhere) else []
    _forget_hashes(root, set(changed))
    return tuple(changed)


def rename_prompt(root: str, old: str, new: str) -> None:
    """Let the activation scripts of the environment at `root` show another prompt."""
    old, new = prompt_text(old), prompt_text(new)
    for name, quoting in QUOTES.items():
        forms = [(quoting(f"({old}) "), quoting(f"({new}) ")), (quoting(old), quoting(new))]
        if _PLAIN.fullmatch(old) and _PLAIN.fullmatch(new):
            forms.append((f"({old})", f"({new})"))
        pairs = [(os.fsencode(before), os.fsencode(after)) for before, after in forms]
        _rewrite(root, f"bin/{name}", partial(_prompted, pairs))
    before, after = os.fsencode(f"\nprompt = {old}\n"), os.fsencode(f"\nprompt = {new}\n")
    _rewrite(root, "pyvenv.cfg", lambda data: data.replace(before, after))


def clear_leftovers(root: str) -> None:
    """Remove the halves of files that a killed `relocate` left; the caller holds the lock."""
    places = [root, f"{root}/bin"]
    for packages in site_packages(root):
        directory = f"{root}/{packages}"
        places.append(directory)
        places += [f"{directory}/{n}" for n in os.listdir(directory) if n.endswith(".dist-info")]
    for place in filter(partial(_is_own, root), places):
        for name in os.listdir(place):
            if _LEFTOVER.fullmatch(name):
                unlink_quietly(f"{place}/{name}")


def path_of(root: str) -> str:
    """Return where the environment that lies at `root` thinks that it lies, or ""."""
    import shlex

    for line in (read_text(f"{root}/bin/activate") or "").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if name == "VIRTUAL_ENV" and equals:
            try:
                words = shlex.split(value)
            except ValueError:
                continue
            if len(words) == 1 and os.path.isabs(words[0]):
                return os.path.normpath(words[0])
    for path in _in_bin(root):
        program, _, _ = _program((read_text(f"{root}/{path}", 4096) or "").encode(errors="replace"))
        directory, name = os.path.split(os.fsdecode(program))
        if name.startswith(("python", "pypy")) and os.path.basename(directory) == "bin":
            return os.path.dirname(directory)
    return ""


def site_packages(root: str) -> list[str]:
    """Return the `site-packages` directories of an environment, relative to it."""
    try:
        names = sorted(os.listdir(f"{root}/lib"))
    except OSError:
        return []
    found = [f"lib/{name}/site-packages" for name in names]
    return [path for path in found if os.path.isdir(f"{root}/{path}")]


def _is_own(root: str, directory: str) -> bool:
    """Whether a directory below `root` isn't reached through a link that leads out of it."""
    return f"{os.path.realpath(directory)}/".startswith(f"{os.path.realpath(root)}/")


def _in_bin(root: str) -> list[str]:
    if not _is_own(root, f"{root}/bin"):
        return []
    with os.scandir(f"{root}/bin") as entries:
        return sorted(f"bin/{e.name}" for e in entries if not e.is_dir(follow_symlinks=False))


def _in_site_packages(root: str) -> list[str]:
    found = []
    for directory in site_packages(root):
        for name in sorted(os.listdir(f"{root}/{directory}")):
            path = f"{directory}/{name}"
            if name.endswith(_EDITABLE) or (name.startswith("__editable__") and "." in name):
                found.append(path)
            elif name.endswith(".dist-info"):
                found.append(f"{path}/direct_url.json")
    return found


def _elsewhere(root: str) -> list[str]:
    kernels = f"{root}/share/jupyter/kernels"
    names = sorted(os.listdir(kernels)) if os.path.isdir(kernels) else []
    return [f"share/jupyter/kernels/{name}/kernel.json" for name in names]


def _rewrite(root: str, inside: str, change: Callable[[bytes], bytes]) -> bool:
    """Replace a text in `root` by what `change` makes of it; False for no text, or no change."""
    path = f"{root}/{inside}"
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return False
    if len(data) == _LARGEST or b"\0" in data[:4096]:
        return False
    fresh = change(data)
    if fresh == data or not _is_own(root, os.path.dirname(path)):
        return False
    write_atomic(path, fresh, os.stat(path).st_mode & 0o777)
    return True


def _relink(path: str, pairs: Pairs) -> None:
    target = os.readlink(path)
    for old, new in pairs:
        if target.startswith(f"{old}/"):
            link_atomic(new + target[len(old) :], path)
            return


def _replacer(pairs: Pairs, *encodings: Callable[[str], bytes]) -> Callable[[bytes], bytes]:
    """Return a function that replaces paths as wholes, all of them in one pass."""
    known = {encode(old): encode(new) for encode in encodings for old, new in reversed(pairs)}
    longest_first = sorted(known, key=len, reverse=True)
    pattern = re.compile(_whole(b"|".join(map(re.escape, longest_first))))
    return lambda data: pattern.sub(lambda found: known[found[0]], data)


def _whole(pattern: bytes) -> bytes:
    """Match only whole path components: `/x/env2` isn't `/x/env`, nor is `/mnt/x/env`."""
    return rb"(?<![\w.-])(?:" + pattern + rb")(?![\w.-])"


def _script(path: str, pairs: Pairs, data: bytes) -> bytes:
    name = path.removeprefix("bin/")
    if name in QUOTES:
        return _activation(data, pairs[0], QUOTES[name])
    replace = _replacer(pairs, os.fsencode)
    program, options, body = _program(data)
    moved = replace(program)
    return replace(data) if moved == program else _header(moved, options) + replace(body)


def _activation(data: bytes, pair: tuple[str, str], quoting: Callable[[str], str]) -> bytes:
    """Replace the path, and quote it where it wasn't, unless it needs no quotes either."""
    old, new = map(os.fsencode, pair)
    quoted, fresh = (os.fsencode(quoting(path)) for path in pair)
    pattern = re.compile(
        b"|".join((re.escape(quoted), re.escape(b'"' + old + b'"'), _whole(re.escape(old))))
    )
    plain = _PLAIN.fullmatch(pair[1]) is not None

    def put(found: re.Match[bytes]) -> bytes:
        if found[0] != old:
            return fresh
        around = data[found.start() - 1 : found.start()] + data[found.end() : found.end() + 1]
        return fresh if not plain and around in {b"=\n", b" \n", b"=;", b" ;"} else new

    return pattern.sub(put, data)


def _program(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the interpreter that a script names, its options, and the rest of the script."""
    found = _EXEC.match(data)
    if found:
        program = found["program"]
        if program[:1] == b"'":
            program = program[1:-1].replace(b"'\"'\"'", b"'").replace(b"'\\''", b"'")
        return program.strip(b'"'), found["options"], data[found.end() :]
    found = _SHEBANG.match(data)
    if found:
        return found["program"], found["options"], data[found.end() :]
    return b"", b"", data


def _header(program: bytes, options: bytes) -> bytes:
    """Return the lines that run a script by `program`: a `#!` takes no space and no length."""
    line = b"#!" + program + options
    if b" " not in program and len(line) <= _LONGEST_LINE:
        return line + b"\n"
    quoted = b"'" + program.replace(b"'", b"'\"'\"'") + b"'"
    return b"#!/bin/sh\n'''exec' " + quoted + options + b" \"$0\" \"$@\"\n' '''\n"


def _prompted(pairs: list[tuple[bytes, bytes]], data: bytes) -> bytes:
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        if b"PROMPT" in line or b"PS1" in line or b"prompt" in line:
            for before, after in pairs:
                if before in line:
                    lines[number] = line.replace(before, after)
                    break
    return b"\n".join(lines)


def _forget_hashes(root: str, changed: set[str]) -> None:
    """Take the hashes of rewritten files out of the RECORDs, which list them."""
    if not changed:
        return
    for directory in site_packages(root):
        listed = {os.path.relpath(path, directory) for path in changed}
        for name in sorted(os.listdir(f"{root}/{directory}")):
            record = f"{root}/{directory}/{name}/RECORD"
            text = read_text(record, 1 << 26) if name.endswith(".dist-info") else None
            if text is None:
                continue
            fresh = "".join(f"{_without_hash(line, listed)}\n" for line in text.splitlines())
            if fresh != text and _is_own(root, os.path.dirname(record)):
                write_atomic(
                    record,
                    fresh.encode("utf-8", "surrogateescape"),
                    os.stat(record).st_mode & 0o777,
                )


def _without_hash(line: str, listed: set[str]) -> str:
    path, _, _ = line.partition(",")
    return f"{path},," if path in listed else line
