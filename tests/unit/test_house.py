"""The rules of the house, held over every module: imports, printing, errors, sizes, words."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess

import pytest

from bubble.model.errors import KINDS
from bubble.system import trouble

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "src")
# the lowest first
LAYERS = ("model", "system", "pythons", "selection", "envs", "projects", "program", "cli")
LONGEST = 400
LONGER = {
    "src/bubble/pythons/catalogue/data": "generated",
    "scripts/install.sh": "users fetch one",
}  # path's beginning → why

# who alone may import it, by the module's beginning
RESERVED = {"http": "bubble.system.http", "rich": "bubble.cli"}
# programs of their own, which print and read: what other interpreters run, a script's main
PROGRAMS = {"bubble.pythons.probing.probe_script", "bubble.pythons.catalogue.regenerate"}
# kinds that nothing raises yet, and what will
LATER: dict[str, str] = {}
ENVIRON = {"bubble.cli.main", "bubble.__main__"}
STREAMS = {"bubble.cli.output", "bubble.cli.progress", "bubble.cli.main", "bubble.__main__"}


def _modules() -> dict[str, str]:
    found = {}
    for directory, _, names in os.walk(SOURCES):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                dotted = os.path.relpath(path, SOURCES)[:-3].replace(os.sep, ".")
                found[dotted.removesuffix(".__init__")] = path
    return found


MODULES = _modules()
EACH_MODULE = pytest.mark.parametrize("module", sorted(MODULES))


@functools.cache
def _tree(module: str) -> ast.Module:
    with open(MODULES[module], encoding="utf-8") as file:
        return ast.parse(file.read(), MODULES[module])


def _imports(module: str) -> set[str]:
    """Return everything that a module imports anywhere in it: functions and type checking too."""
    found = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            assert node.module is not None
            # `from bubble import cli` imports a module that only the name tells
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _layer(module: str) -> int:
    """Return the height of a module's layer; the package itself and its entry are the top."""
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else len(LAYERS)


def test_the_search_for_modules_finds_every_layer() -> None:
    assert {module.split(".")[1] for module in MODULES if "." in module} >= {
        "model",
        "system",
        "pythons",
        "cli",
    }


@EACH_MODULE
def test_imports_go_one_way(module: str) -> None:
    ours = {name for name in _imports(module) if name.split(".")[0] == "bubble"}
    # the package's own name and version belong to no layer
    ours -= {"bubble", "bubble.__version__"}
    upwards = {name for name in ours if _layer(name) > _layer(module)}
    assert not upwards, f"{module} is below what it imports: {sorted(upwards)}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside of functions count; what only the type checker sees doesn't."""
    needs = {module: _needed(module) for module in MODULES}
    assert sum(map(len, needs.values())) > 500, "the search for imports is broken"
    assert _circle(needs) == []
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def _needed(module: str) -> set[str]:
    found, left = set(), [_tree(module).body]
    while left:
        for node in left.pop():
            match node:
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    continue
                case ast.ImportFrom(module=str(name), names=names):
                    whole = {f"{name}.{alias.name}" for alias in names}
                    found |= {name} if whole - MODULES.keys() else set()
                    found |= whole
                case ast.Import(names=names):
                    found |= {alias.name for alias in names}
            left.append(list(ast.iter_child_nodes(node)))  # type: ignore[arg-type] # any node
    return (found & MODULES.keys()) - {module}


def _circle(needs: dict[str, set[str]]) -> list[str]:
    """Return what is in circles or between them: what is left when every end is taken away."""
    left = {module: set(needed) for module, needed in needs.items()}
    while ends := {module for module, needed in left.items() if not needed & left.keys()} | {
        module for module in left if not any(module in needed for needed in left.values())
    }:
        for module in ends:
            del left[module]
    return sorted(left)


@EACH_MODULE
def test_the_http_client_and_the_terminal_library_stay_where_they_belong(module: str) -> None:
    for library, owner in RESERVED.items():
        if not (module == owner or module.startswith(owner + ".")):
            users = [name for name in _imports(module) if name.split(".")[0] == library]
            assert not users, f"only {owner} may import {library}"


@EACH_MODULE
def test_operations_neither_print_nor_read_the_process_environment(module: str) -> None:
    if module in PROGRAMS:
        return
    wrong = []
    for node in ast.walk(_tree(module)):
        match node:
            case ast.Call(func=ast.Name(id="print" | "input")):
                wrong.append(f"line {node.lineno}: print or input")
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
                if module not in ENVIRON:
                    wrong.append(f"line {node.lineno}: os.{node.attr}; take `env` as an argument")
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr" | "stdin"):
                if module not in STREAMS:
                    wrong.append(f"line {node.lineno}: sys.{node.attr}; return a result")
            case ast.ImportFrom(module="os" | "sys", names=names):
                barred = {"environ", "environb", "getenv", "stdout", "stderr", "stdin"}
                wrong += [f"line {node.lineno}: {n.name}" for n in names if n.name in barred]
    assert not wrong, f"{module}: {wrong}"


@EACH_MODULE
def test_every_module_says_what_it_is_for(module: str) -> None:
    docstring = ast.get_docstring(_tree(module))
    assert docstring, f"{module} has no docstring"
    first = docstring.partition("\n\n")[0].replace("\n", " ")
    # a usage line may follow the sentence after a colon
    assert len(first.split()) >= 2, first
    assert first.endswith((".", ":")), first


@pytest.mark.skipif(not os.path.isdir(os.path.join(ROOT, "src")), reason="needs the checkout")
def test_no_file_is_longer_than_a_sitting() -> None:
    long = {}
    for path in _project_files():
        if path.startswith(("src/", "tests/", "scripts/", "shims/", ".ci/")) and not any(
            path.startswith(head) for head in LONGER
        ):
            with open(os.path.join(ROOT, path), "rb") as file:
                content = file.read()
            if b"\0" not in content and content.count(b"\n") > LONGEST:
                long[path] = content.count(b"\n")
    assert not long, f"longer than {LONGEST} lines: {long}"


def test_every_kind_of_error_is_known_and_used() -> None:
    used = set(trouble._KINDS.values())
    for module in MODULES:
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.Call) and _name(node.func) == "BubbleError":
                kinds = _kinds(node)
                assert kinds <= KINDS, f"{module}:{node.lineno}: {kinds - KINDS} is no kind"
                used |= kinds
    assert used == KINDS - LATER.keys(), f"raised by nothing: {sorted(KINDS - used)}, or not later"


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def _kinds(call: ast.Call) -> set[str]:
    """Return the kinds that a call may raise: a literal, or those of a conditional expression.

    A kind that is computed (a variable) gives nothing: `errors.BubbleError` asserts it at run time.
    """
    given = call.args[:1] or [word.value for word in call.keywords if word.arg == "kind"]
    return {
        node.value
        for argument in given
        for node in _values(argument)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _values(expression: ast.expr) -> list[ast.expr]:
    if isinstance(expression, ast.IfExp):
        return [*_values(expression.body), *_values(expression.orelse)]
    return [expression]


# spelled so that this file isn't its own first finding
_FOREIGN = {
    "a package registry's host": re.compile(
        "|".join(
            (
                r"pypi\." + "org",
                r"registry\.npm" + "js",
                r"files\.python" + "hosted",
                r"deb\.deb" + "ian",
            )
        )
    ),
    "a workplace's path": re.compile(
        r"(?<![\w.])/" + r"work(?=/|\b(?!ing|er|s|flow))(/main|/shared|\b)"
    ),
}


def test_nothing_names_a_registry_or_the_place_where_it_was_written() -> None:
    found = []
    for path in _project_files():
        with open(os.path.join(ROOT, path), "rb") as file:
            text = file.read().decode("utf-8", "replace")
        for what, pattern in _FOREIGN.items():
            found += [f"{path}: {what}: {match[0]}" for match in pattern.finditer(text)]
    assert not found, found


@functools.cache
def _project_files() -> tuple[str, ...]:
    """Return the tracked files, or in a tree without git those below the project's directories."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [
            os.path.relpath(os.path.join(directory, name), ROOT)
            for top in ("src", "tests", "scripts", "shims", "docs", ".ci")
            for directory, _, names in os.walk(os.path.join(ROOT, top))
            for name in names
            if not name.endswith(".pyc")
        ]
    found = tuple(path for path in listed if path and os.path.isfile(os.path.join(ROOT, path)))
    assert len(found) > 20, "the search for files is broken"
    return found
