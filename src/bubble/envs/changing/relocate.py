"""Moving an environment: every place in it that names where it lies, rewritten.

Scripts (`#!` lines and the sh form of long ones), activation scripts, `pyvenv.cfg`, `.pth` files
and what else editable installs leave, kernel specs, links, and the RECORD lines of what was
rewritten. Each is rewritten in its own language (`path_rewriter`). Byte-compiled files keep the
old path as a mere label, which the import system corrects as it loads them.
"""

from __future__ import annotations

import os
import re
from functools import partial

from bubble.envs.changing.path_rewriter import PLAIN, PathRewriter
from bubble.envs.knowing.editables import site_packages, split_entry, traces
from bubble.envs.making.activation import QUOTES, prompt_text
from bubble.model.quoting import quoted
from bubble.model.record import Record
from bubble.system.files import link_atomic, names_in, read_text, unlink_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[str], str]

_LARGEST = 1 << 22  # bytes of a text that is rewritten
# what an environment's `'''exec'` line names may be bare, or quoted as pip, distlib, uv and we do
_EXEC = re.compile(
    r"#!/bin/sh\n'''exec' (?P<program>\"[^\n]*?\"|'(?:[^'\n]|'\"'\"'|'\\'')*'|[^'\"\n ]+)"
    r'(?P<options>(?: -[^ \n]*)*) "\$0" "\$@"\n\' \'\'\'\n'
)
_SHEBANG = re.compile(r"#![ \t]*(?P<program>/[^\n]*?/bin/[^/ \n]+)(?P<options>(?: -[^\n]*)?)\n")
_UNNAMED = re.compile(r"#![ \t]*/usr/bin/env[ \t]+python[\d.]*[ \t]*\n")
_LONGEST_LINE = 126  # bytes of a `#!` line: the kernel takes 127 before Linux 5.1, macOS more
_LEFTOVER = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.tmp")  # of `write_atomic` and `link_atomic`


class _Own(Record):
    """The environment's own interpreter `python` (absolute), and which scripts get it besides."""

    python: str
    unnamed: bool
    interpreter: str


def relocate(
    root: str,
    old: str,
    new: str,
    *,
    projects: tuple[tuple[str, str], ...] = (),
    unnamed: bool = False,
    interpreter: str = "",
) -> tuple[str, ...]:
    """Rewrite the environment that lies at `root` from `old` to `new` (all absolute).

    `projects` are pairs of other directories that moved along, as a project with its `.venv`
    does: editable installs name them. `unnamed`: scripts that run whatever `python` PATH has, as
    tools that pack environments leave them, get the environment's own, and so do those that run
    `interpreter` (absolute), on which it stands. Returns the rewritten files, relative to `root`.
    Files are replaced, never written in place: they may be hard links of another environment's.
    """
    rewriter = PathRewriter(((old, new), *projects))
    own = _Own(python=f"{new}/bin/python", unnamed=unnamed, interpreter=interpreter)
    work: list[tuple[str, Change]] = []
    inside = traces(root)
    for path in inside:
        if os.path.islink(f"{root}/{path}"):
            _relink(root, path, rewriter, old, new)
        else:
            work.append((path, _language(path, rewriter, old, new)))
    if kernels := _kernels(root):
        from bubble.envs.kernel import relocate_text

        work += [(path, partial(relocate_text, pairs=rewriter.pairs)) for path in kernels]
    for path in _in_bin(root):
        if os.path.islink(f"{root}/{path}"):
            _relink(root, path, rewriter, old, new)
        else:
            work.append((path, partial(_script, path, rewriter, own)))
    # what `path_of` reads comes last: until then, whoever was killed here starts again
    work.sort(key=lambda item: item[0] == "bin/activate")
    changed = [path for path, change in work if _rewrite(root, path, change)]
    for path in changed:
        if path.endswith(".py"):  # a copy may be as old and as long, to the second and the byte
            _forget_bytecode(root, path)
    changed += ["pyvenv.cfg"] if _rewrite(root, "pyvenv.cfg", rewriter.configuration) else []
    _mend_records(root, set(changed), rewriter)
    return tuple(changed)


def rename_prompt(root: str, old: str, new: str) -> None:
    """Let the activation scripts of the environment at `root` show another prompt."""
    old, new = prompt_text(old), prompt_text(new)
    for name, quoting in QUOTES.items():
        forms = [(quoting(f"({old}) "), quoting(f"({new}) ")), (quoting(old), quoting(new))]
        if PLAIN.fullmatch(old) and PLAIN.fullmatch(new):
            forms.append((f"({old})", f"({new})"))
        _rewrite(root, f"bin/{name}", partial(_prompted, forms))
    before, after = f"\nprompt = {old}\n", f"\nprompt = {new}\n"
    _rewrite(root, "pyvenv.cfg", lambda text: text.replace(before, after))


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
        program, _, _ = split_script(read_text(f"{root}/{path}", 4096) or "")
        directory, name = os.path.split(program)
        if name.startswith(("python", "pypy")) and os.path.basename(directory) == "bin":
            return os.path.dirname(directory)
    return ""


def _is_own(root: str, directory: str) -> bool:
    """Whether a directory below `root` isn't reached through a link that leads out of it."""
    return f"{os.path.realpath(directory)}/".startswith(f"{os.path.realpath(root)}/")


def _in_bin(root: str) -> list[str]:
    if not _is_own(root, f"{root}/bin"):
        return []
    with os.scandir(f"{root}/bin") as entries:
        return sorted(f"bin/{e.name}" for e in entries if not e.is_dir(follow_symlinks=False))


def _kernels(root: str) -> list[str]:
    kernels = "share/jupyter/kernels"
    return [f"{kernels}/{name}/kernel.json" for name in names_in(f"{root}/{kernels}")]


def _language(path: str, rewriter: PathRewriter, old: str, new: str) -> Change:
    """Return what rewrites a file of site-packages, by its name."""
    if path.endswith(".pth"):
        directory = os.path.dirname(path)
        places = {"before": f"{old}/{directory}", "after": f"{new}/{directory}"}
        return partial(rewriter.path_file, **places)
    if path.endswith(".json"):
        return rewriter.json
    return rewriter.python if path.endswith(".py") else rewriter.lines


def _rewrite(root: str, inside: str, change: Change) -> bool:
    """Replace a text in `root` by what `change` makes of it; False for no text, or no change."""
    path = f"{root}/{inside}"
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return False
    if len(data) == _LARGEST or b"\0" in data[:4096]:
        return False
    fresh = change(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if fresh == data or not _is_own(root, os.path.dirname(path)):
        return False
    write_atomic(path, fresh, os.stat(path).st_mode & 0o777)
    return True


def _forget_bytecode(root: str, inside: str) -> None:
    directory, name = os.path.split(f"{root}/{inside}")
    cache = f"{directory}/__pycache__"
    if _is_own(root, cache):
        for compiled in names_in(cache):
            if compiled.startswith(f"{name.removesuffix('.py')}."):
                unlink_quietly(f"{cache}/{compiled}")


def _relink(root: str, inside: str, rewriter: PathRewriter, old: str, new: str) -> None:
    """Let a link lead where it led: it may be relative, and lead out of the environment."""
    path = f"{root}/{inside}"
    target = os.readlink(path)
    directory = os.path.dirname(inside)
    led = os.path.normpath(os.path.join(f"{old}/{directory}", target))
    leads = rewriter.path(target if os.path.isabs(target) else led)
    if os.path.isabs(target):
        is_right = leads == target
    else:
        is_right = leads == os.path.normpath(f"{new}/{directory}/{target}")
    if not is_right and _is_own(root, os.path.dirname(path)):
        link_atomic(leads, path)


def _script(path: str, rewriter: PathRewriter, own: _Own, text: str) -> str:
    if own.unnamed and (found := _UNNAMED.match(text)):
        text = f"{_header(own.python, '').rstrip()}\n{text[found.end() :]}"
    name = path.removeprefix("bin/")
    if name in QUOTES:
        return rewriter.shell(text, QUOTES[name])
    program, options, body = split_script(text)
    is_base = program != "" and program == own.interpreter
    moved = own.python if is_base else rewriter.path(program)
    head = text.removesuffix(body) if moved == program else _header(moved, options)
    spoken = program or (text[:2] == "#!" and text.partition("\n")[0]) or ""
    is_python = any(word in os.path.basename(spoken) for word in ("python", "pypy"))
    if is_python or name.endswith(".py"):
        return head + rewriter.python(body)
    return head + (rewriter.shell(body, quoted) if spoken.endswith("sh") else rewriter.text(body))


def split_script(text: str) -> tuple[str, str, str]:
    """Return the interpreter that a script names, its options, and the rest of the script."""
    found = _EXEC.match(text)
    if found:
        program = found["program"]
        if program[:1] == "'":
            program = program[1:-1].replace("'\"'\"'", "'").replace("'\\''", "'")
        return program.removeprefix('"').removesuffix('"'), found["options"], text[found.end() :]
    found = _SHEBANG.match(text)
    if found:
        return found["program"], found["options"], text[found.end() :]
    return "", "", text


def _header(program: str, options: str) -> str:
    """Return the lines that run a script by `program`: a `#!` takes no space and no length."""
    line = f"#!{program}{options}"
    if " " not in program and len(os.fsencode(line)) <= _LONGEST_LINE:
        return f"{line}\n"
    quoted = "'" + program.replace("'", "'\"'\"'") + "'"
    return f"#!/bin/sh\n'''exec' {quoted}{options} \"$0\" \"$@\"\n' '''\n"


def _prompted(pairs: list[tuple[str, str]], text: str) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "PROMPT" in line or "PS1" in line or "prompt" in line:
            for before, after in pairs:
                if before in line:
                    lines[number] = line.replace(before, after)
                    break
    return "\n".join(lines)


def _mend_records(root: str, changed: set[str], rewriter: PathRewriter) -> None:
    """Take the hashes of rewritten files out of the RECORDs, which list them, and old paths."""
    if not changed:
        return
    for directory in site_packages(root):
        listed = {os.path.relpath(path, directory) for path in changed}
        for name in names_in(f"{root}/{directory}"):
            record = f"{root}/{directory}/{name}/RECORD"
            text = read_text(record, 1 << 26) if name.endswith(".dist-info") else None
            if text is None:
                continue
            fresh = "".join(f"{_recorded(line, listed, rewriter)}\n" for line in text.splitlines())
            if fresh != text and _is_own(root, os.path.dirname(record)):
                write_atomic(
                    record,
                    fresh.encode("utf-8", "surrogateescape"),
                    os.stat(record).st_mode & 0o777,
                )


def _recorded(line: str, listed: set[str], rewriter: PathRewriter) -> str:
    path, rest = split_entry(line)
    if path in listed:
        return f"{line.removesuffix(rest)},,"
    if path.startswith("/"):  # flit names scripts so, which `listed` has by their relative paths
        moved = rewriter.path(path)
        return line if moved == path else f"{_field(moved)},,"
    return line


def _field(text: str) -> str:
    """Return one field of a CSV line."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text
