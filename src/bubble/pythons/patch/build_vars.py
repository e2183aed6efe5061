"""The build's own account of how it was built, made true here: text in, text out.

Standalone builds say `/install` for their prefix and name the compilers of the machine that made
them (`clang`, `/tools/llvm/bin/llvm-ar`, a cross gcc). Whatever compiles an extension module
believes them: unpatched, that fails with `clang: No such file`, or with gcc refusing a flag.
The old prefix is taken from the file itself, so that builds of other makers are relocated too.
"""

from __future__ import annotations

import json
import re
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


# how it was configured, and what only a build of Python itself uses: tools stay as they were
_RECORDS = frozenset(("CONFIG_ARGS", "LLVM_PROF_FILE", "LLVM_PROF_MERGER"))
# prefixes that other programs live in as well: there, only what is surely Python's is moved
_SYSTEM = ("/usr", "/usr/local")
_TOOLS = {
    "clang": "cc",
    "clang++": "c++",
    "gcc": "cc",
    "g++": "c++",
    "ar": "ar",
    "gcc-ar": "ar",
    "llvm-ar": "ar",
    "nm": "nm",
    "llvm-nm": "nm",
    "ranlib": "ranlib",
    "llvm-ranlib": "ranlib",
    "readelf": "readelf",
    "llvm-readelf": "readelf",
    "objcopy": "objcopy",
    "llvm-objcopy": "objcopy",
}
# a word that is a tool: any directory, any target triple (`x86_64-linux-gnu-`, `musl-`), a version
_TOOL = re.compile(
    r"(?<!\S)(?P<directory>/\S*/)?(?P<target>(?:[a-z0-9_.]+-){1,4}?)??"
    r"(?P<name>clang\+\+|clang|gcc-ar|gcc|g\+\+|(?:llvm-)?(?:ar|nm|ranlib|readelf|objcopy))"
    r"(?:-[0-9.]+)?(?!\S)"
)
# flags that name directories of the building machine, or that only clang (or its linker) takes
_FLAG = re.compile(
    r"(?<![^\s\"'])(?:-isysroot\s*[^\s\"']+|--sysroot[=\s][^\s\"']+|-[IL]/tools(?:/[^\s\"']*)?"
    r"|-fdebug-default-version=\d|-fuse-ld=lld[^\s\"']*|-flto=thin|-Qunused-arguments"
    r"|-Werror=unguarded-availability-new|-fprofile-instr-[^\s\"']+|--?target[=\s][^\s\"']+"
    r"|--?rtlib=[^\s\"']+|-Wl,-mllvm[^\s\"']*|-mllvm\s+[^\s\"']+)(?![^\s\"'])[ \t]?"
)
_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)([ \t]*=[ \t]*)(.*)$", re.MULTILINE)
_PC_EMBEDDED = re.compile(r"^Libs:(?=.* -lpython)(?!.*-Wl,-rpath)", re.MULTILINE)
_PC_PREFIX = re.compile(r"^prefix=(/.*?)[ \t]*$", re.MULTILINE)


def patch_sysconfigdata(text: str, prefix: str) -> str:
    """Return a `_sysconfigdata_*.py` with the variables put right for `prefix`."""
    return rewrite_sysconfigdata(text, lambda variables: patch_variables(variables, prefix))


def rewrite_sysconfigdata(text: str, change: Callable[[dict[str, object]], object]) -> str:
    """Return a `_sysconfigdata_*.py` with what `change` makes of its variables.

    Unchanged if nothing is to change, or if the file is not one literal assignment to
    `build_time_vars` (PyPy's computes its own).
    """
    import ast

    head, found, literal = text.partition("build_time_vars = ")
    if not found or any(line and line[0] != "#" for line in head.splitlines()):
        return text
    try:
        variables = ast.literal_eval(literal)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if not isinstance(variables, dict):
        return text
    patched = change(variables)
    if patched == variables or not isinstance(patched, dict):
        return text
    rows = "".join(f" {name!r}: {value!r},\n" for name, value in patched.items())
    return f"{head}build_time_vars = {{\n{rows}}}\n"


def patch_sysconfig_json(text: str, prefix: str) -> str:
    """Return a `_sysconfig_vars_*.json` (Python ≥ 3.14) with the variables put right."""
    return rewrite_json(text, lambda variables: patch_variables(variables, prefix))


def patch_build_details(text: str, prefix: str) -> str:
    """Return a `build-details.json` (PEP 739) with `prefix` for the base prefix it names."""

    def moved(details: dict[str, object]) -> dict[str, object]:
        old = details.get("base_prefix")
        if not isinstance(old, str) or not old.startswith("/"):
            return details  # relative to the file: true wherever it lies
        result = _move_paths(details, old.rstrip("/"), prefix)
        assert isinstance(result, dict)
        return result

    return rewrite_json(text, moved)


def patch_variables(variables: dict[str, object], prefix: str) -> dict[str, object]:
    """Return sysconfig's build-time variables with the prefix and the tools put right."""
    old = variables.get("prefix")
    move = _mover(old, prefix) if isinstance(old, str) else None
    patched = {}
    for name, value in variables.items():
        new = value
        if isinstance(value, str) and value:
            new = value if name in _RECORDS else native_tools(value)
            new = move(new) if move else new
        patched[name] = new
    return patched


def unpatched_variables(variables: dict[str, object], prefix: str) -> dict[str, object]:
    """Return variables that were put right for one place as they are for `prefix`, plainly written.

    What that place's path made necessary, its quotes for a shell, goes with it.
    """
    old = variables.get("prefix")
    if not isinstance(old, str) or not old.startswith("/"):
        return variables
    plain = {
        name: unquoted(value, old.rstrip("/")) if isinstance(value, str) else value
        for name, value in variables.items()
    }
    return patch_variables(plain, prefix)


def unquoted(text: str, path: str) -> str:
    """Return a text in which a path is as it is, not as a shell needs it at each place."""
    for spelled in (shlex.quote(path), _quoted(path, "'"), _quoted(path, '"')):
        text = text.replace(spelled, path)
    return text


def patch_makefile(text: str, prefix: str) -> str:
    """Return `config-*/Makefile` with the prefix and the tools put right in its assignments."""
    found = re.search(r"^prefix=[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    # make's own escapes; a name with spaces is beyond make, but readers of the file take it
    escaped = prefix.replace("$", "$$").replace("#", "\\#")
    move = _mover(found[1], escaped) if found and found[1] != escaped else None

    def line(match: re.Match[str]) -> str:
        name, equals, value = match.groups()
        value = value if name in _RECORDS else native_tools(value)
        return f"{name}{equals}{move(value) if move else value}"

    return _ASSIGNMENT.sub(line, text)


def patch_pc(text: str) -> str:
    """Return a pkg-config file of `lib/pkgconfig` that finds its prefix by where it lies.

    What is linked with libpython by it runs this one, wherever that lies.
    """
    found = _PC_PREFIX.search(text)
    if found:
        text = _paths(found[1]).sub("${prefix}", _PC_PREFIX.sub("prefix=", text))
        text = text.replace("prefix=", "prefix=${pcfiledir}/../..", 1)
        text = _PC_EMBEDDED.sub("Libs: -Wl,-rpath,${libdir}", text)
    return drop_flags(text)


def native_tools(value: str) -> str:
    """Return a command line with this system's tools (`cc`, `ar`, …) and without foreign flags."""
    if "clang" not in value and "-" not in value and "/tools/" not in value:
        return value
    kept = drop_flags(value)
    return _TOOL.sub(_native, kept if kept == value else kept.rstrip())


def drop_flags(text: str) -> str:
    """Return `text` without the flags that mean nothing outside of the building machine."""
    return _FLAG.sub("", text)


def _native(match: re.Match[str]) -> str:
    directory, target, name = match.group("directory", "target", "name")
    is_foreign = bool(target) or name.startswith(("clang", "llvm-"))
    if is_foreign or (directory or "").startswith("/tools/"):
        return _TOOLS[name]
    return match[0]  # whoever built this wanted the native one that it names


def _mover(old: str, new: str) -> Callable[[str], str] | None:
    """Return what replaces the prefix `old` by `new` in one variable's value."""
    old = old.rstrip("/") or "/"
    if not old.startswith("/") or old in (new, "/"):
        return None
    pattern = _paths(old)
    shared = re.compile(rf"{re.escape(old)}(?:/(?:include|lib|share)(?:/\S*)?)?")

    def move(value: str) -> str:
        if old not in value or (old in _SYSTEM and not shared.fullmatch(value)):
            return value
        if value.startswith(old) and not re.search(r"\s", value.removeprefix(old)):
            return pattern.sub(lambda _: new, value)  # a path, not a command line
        return _move_in_command(value, pattern, new)

    return move


def _paths(old: str) -> re.Pattern[str]:
    """Match `old` as whole components at the start of an absolute path, behind a flag too."""
    start = r"(?:(?<![\w./~+-])|(?<=-[BFIL])(?<![\w./~+]-[BFIL]))"
    return re.compile(rf"{start}{re.escape(old)}(?![\w.+~-])")


def _move_in_command(value: str, pattern: re.Pattern[str], new: str) -> str:
    """Replace in a command line, quoted as the shell needs it at that place."""
    parts, end, quote = [], 0, ""
    for match in pattern.finditer(value):
        between = value[end : match.start()]
        quote = _quote_after(between, quote)
        parts += [between, _quoted(new, quote)]
        end = match.end()
    return "".join(parts) + value[end:]


def _quote_after(text: str, quote: str) -> str:
    """Return which quotes (`'`, `"` or none) are open behind `text`, with `quote` open before."""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote != "'":
            next(characters, "")
        elif character == quote:
            quote = ""
        elif character in "'\"" and not quote:
            quote = character
    return quote


def _quoted(path: str, quote: str) -> str:
    if quote == "'":
        return path.replace("'", "'\"'\"'")
    if quote == '"':
        return re.sub(r'([\\"$`])', r"\\\1", path)
    return shlex.quote(path)


def rewrite_json(text: str, change: Callable[[dict[str, object]], dict[str, object]]) -> str:
    """Return the text of a JSON object with what `change` makes of it; other texts as they are."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(content, dict):
        return text
    patched = change(content)
    return text if patched == content else json.dumps(patched, indent=2) + "\n"


def _move_paths(value: object, old: str, new: str) -> object:
    if isinstance(value, dict):
        return {name: _move_paths(item, old, new) for name, item in value.items()}
    if isinstance(value, list):
        return [_move_paths(item, old, new) for item in value]
    if isinstance(value, str) and (value == old or value.startswith(f"{old}/")):
        return new + value.removeprefix(old)
    return value
