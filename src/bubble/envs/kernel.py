"""Jupyter kernels of environments: registered, listed, moved and removed, without a process.

The format of kernel.json and the directories are Jupyter's
(https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs); what is written is
what ipykernel writes, and a mark of ours in the metadata. Directories that Jupyter doesn't look
into by itself (`--prefix`) are remembered in the store.
"""

from __future__ import annotations

import json
import os
import sys

from bubble.envs.knowing import placing
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, shell_word
from bubble.selection.belonging import not_itself
from bubble.selection.identity import is_itself
from bubble.system.files import names_in, read_text, temporaries, unlink_quietly, write_atomic
from bubble.system.layout import layout_from
from bubble.system.lock import Lock
from bubble.system.made import make_directories
from bubble.system.removal import set_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

SPEC = "kernel.json"
MARK = "bubble"
_LOGOS = ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_SYSTEM = ("/usr/local/share/jupyter", "/usr/share/jupyter")


class Kernel(Record):
    """A registered kernel: `path` is its directory, `python` what it runs, both absolute.

    `environment` is the path of the environment that it was registered for, by bubble's mark or
    else by its interpreter's place; `is_ours` says that the mark is there, and `identity` is the
    environment's in it; `has_variables`, that what a cell runs by `!` finds the environment.
    """

    name: str
    path: str
    python: str
    display_name: str
    environment: str
    is_ours: bool
    identity: str = ""
    has_variables: bool = False


def install_kernel(
    environment: Environment,
    env: Mapping[str, str],
    *,
    prefix: str = "",
    name: str = "",
    display_name: str = "",
) -> Kernel:
    """Register an environment with Jupyter, in the user's directory or below `prefix` (absolute).

    Again for the same environment: written anew. Raises BubbleError: environment (there is no
    ipykernel in it, or something else lies there), usage (the name is none, or another kernel
    has it), and OSError.
    """
    layout = layout_from(env)
    if os.path.isdir(environment.path) and not is_itself(environment, layout):
        raise not_itself(environment, layout)
    packages = _packages_with_ipykernel(environment)
    name = _require_name(name) if name else _name_of(environment)
    directory = f"{prefix}/share/jupyter/kernels" if prefix else f"{_user_data(env)}/kernels"
    path = f"{directory}/{name}"
    make_directories(directory, layout)
    with Lock(f"{layout.locks}/kernels"):
        _clear_leftovers(path)
        _require_free(path, environment)
        _remember(layout, directory, env)
        os.makedirs(path, exist_ok=True)
        for logo in _LOGOS:
            _copy(f"{packages}/ipykernel/resources/{logo}", f"{path}/{logo}")
        spec = {
            "argv": [
                f"{environment.path}/bin/python",
                "-Xfrozen_modules=off",  # or debuggers miss breakpoints; before 3.11 no option
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
            ],
            "display_name": display_name or f"Python {_version(packages)} ({_label(environment)})",
            "language": "python",
            "env": environment_of(environment.path),
            "metadata": {
                "debugger": True,
                MARK: {"environment": environment.path, "identity": environment.identity},
            },
        }
        _write_spec(path, spec)
    kernel = _read(path)
    assert kernel is not None
    return kernel


def kernels(layout: Layout, env: Mapping[str, str]) -> list[Kernel]:
    """Return every kernel that Jupyter finds here, and those in directories that we wrote to."""
    found: list[Kernel] = []
    for directory in dict.fromkeys([*_searched(env), *_remembered(layout)]):
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            continue
        found += [kernel for name in names if (kernel := _read(f"{directory}/{name}"))]
    return found


def read_kernel(path: str) -> Kernel | None:
    """Return the kernel in a directory (absolute); None where there is none that can be read."""
    return _read(path)


def kernels_of(environment: Environment, env: Mapping[str, str]) -> list[Kernel]:
    """Return the kernels that run an environment."""
    return [k for k in kernels(layout_from(env), env) if k.environment == environment.path]


def remove_kernels(environment: Environment, env: Mapping[str, str]) -> tuple[str, ...]:
    """Remove every kernel that runs an environment; return their directories (absolute)."""
    found = kernels_of(environment, env)
    for kernel in found:
        remove_kernel(kernel, layout_from(env))
    return tuple(kernel.path for kernel in found)


def remove_kernel(kernel: Kernel, layout: Layout) -> None:
    """Remove one kernel. Raises BubbleError(store) when something is mounted, and OSError."""
    placing.require_unmounted(kernel.path)
    try:
        remains = set_aside(layout, kernel.path)
    except FileNotFoundError:
        return
    remains.delete()


def environment_of(path: str) -> dict[str, str]:
    """Return the variables that a kernel of the environment at `path` (absolute) gets.

    What a cell runs by `!` is a shell's command: without them, Jupyter's own environment has it.
    Jupyter fills in `${…}`, and takes `$$` for `$` (string.Template).
    """
    literal = path.replace("$", "$$")
    return {"VIRTUAL_ENV": literal, "PATH": f"{literal}/bin:${{PATH}}"}


def relocated(spec: dict[str, Any], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return a kernel's spec with paths in it replaced: `pairs` of old and new, absolute."""
    from bubble.envs.changing.path_rewriter import PathRewriter

    pairs = tuple(pairs)
    plain = PathRewriter(pairs)
    templates = PathRewriter((o.replace("$", "$$"), n.replace("$", "$$")) for o, n in pairs)

    def rewritten(value: Any, rewriter: PathRewriter) -> Any:
        if isinstance(value, str):
            return rewriter.text(value)
        if isinstance(value, list):
            return [rewritten(v, rewriter) for v in value]
        if isinstance(value, dict):
            return {name: rewritten(v, rewriter) for name, v in value.items()}
        return value

    return {n: rewritten(v, templates if n == "env" else plain) for n, v in spec.items()}


def relocate_text(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a kernel.json with paths in it replaced; as it is, if none is or it is no JSON."""
    try:
        spec = json.loads(text)
    except (ValueError, RecursionError):
        return text
    fresh = relocated(spec, pairs) if isinstance(spec, dict) else spec
    return text if fresh == spec else _text(fresh)


def move_kernels(old: Environment, new: Environment, env: Mapping[str, str]) -> tuple[str, ...]:
    """Make the kernels of an environment follow it to its new path; return their directories.

    Those that run it where it was, and those that are marked as its own and run nothing. What an
    earlier bubble wrote without the environment's variables gets them.
    """
    found = kernels(layout_from(env), env)
    moved = [k for k in found if k.environment != new.path]
    moved = [k for k in moved if k.environment == old.path or _has_moved(k, new)]
    moved += [k for k in found if k.environment == new.path and k.is_ours and not k.has_variables]
    for kernel in moved:
        pairs = dict.fromkeys((kernel.environment, old.path), new.path)
        spec = relocated(_parse(kernel.path), pairs.items())
        spec["argv"] = [f"{new.path}/bin/python", *spec["argv"][1:]]
        if kernel.is_ours and not kernel.has_variables:
            spec["env"] = {**_dictionary(spec.get("env")), **environment_of(new.path)}
        if kernel.is_ours:
            spec["metadata"][MARK] = {"environment": new.path, "identity": new.identity}
            shown, was = str(spec.get("display_name", "")), f"({_label(old)})"
            if shown.endswith(was):
                spec["display_name"] = f"{shown.removesuffix(was)}({_label(new)})"
        _write_spec(kernel.path, spec)
    return tuple(kernel.path for kernel in moved)


def _label(environment: Environment) -> str:
    return environment.name or os.path.basename(environment.project or environment.path)


def _packages_with_ipykernel(environment: Environment) -> str:
    """Return the site-packages (absolute) that has ipykernel; BubbleError(environment) if none."""
    roots = [environment.path]
    configuration = (read_text(f"{environment.path}/pyvenv.cfg") or "").lower().replace(" ", "")
    if "include-system-site-packages=true" in configuration:
        real = os.path.realpath(f"{environment.path}/bin/python")
        roots.append(os.path.dirname(os.path.dirname(real)))
    for root in roots:
        for library in ("lib", "lib64"):
            for python in names_in(f"{root}/{library}"):
                packages = f"{root}/{library}/{python}/site-packages"
                if os.path.exists(f"{packages}/ipykernel_launcher.py"):
                    return packages
    title = printable(environment.title)
    pip = os.path.lexists(f"{environment.path}/bin/pip")
    raise BubbleError(
        "environment",
        f"{title} has no ipykernel",
        hint=f"bubble run {shell_word(environment.title)} pip install ipykernel"
        if pip
        else f"uv pip install --python {shell_word(environment.path)} ipykernel",
    )


def _version(packages: str) -> str:
    """Return the minor version that `…/lib/python3.12/site-packages` belongs to."""
    return os.path.basename(os.path.dirname(packages)).lstrip("pythonab").rstrip("t")


def _name_of(environment: Environment) -> str:
    letters = (c if c in _LETTERS else "-" for c in _label(environment).lower())
    name = "".join(letters).strip("-.")
    return name or "bubble"


def _require_name(name: str) -> str:
    lower = name.lower()  # Jupyter compares them so
    if not _LETTERS.issuperset(lower) or not lower.strip(".") or len(lower) > 100:
        raise BubbleError(
            "usage",
            f"“{printable(name, 80)}” can't name a kernel",
            hint="letters, digits, -, _ and . can: --name data-3.12",
        )
    return lower


def _require_free(path: str, environment: Environment) -> None:
    """Refuse a directory in which another kernel lies, or something that is none."""
    kernel = _read(path)
    if kernel is None:
        begun = os.path.isdir(path) and set(names_in(path)) <= set(_LOGOS)  # by who was killed
        if begun or not os.path.lexists(path):
            return
    elif kernel.environment == environment.path or _has_moved(kernel, environment):
        return
    runs = f", which runs {printable(kernel.python)}" if kernel else ""
    raise BubbleError(
        "usage",
        f"there is a kernel called {os.path.basename(path)} already{runs}",
        hint="give this one another name: --name NAME",
    )


def _clear_leftovers(path: str) -> None:
    """Remove the halves of files that a killed writer left; the caller holds the lock."""
    if os.path.isdir(path) and not os.path.islink(path):
        for leftover in [t for name in (SPEC, *_LOGOS) for t in temporaries(path, name)]:
            unlink_quietly(leftover)


def _has_moved(kernel: Kernel, environment: Environment) -> bool:
    """Whether a kernel was an environment's before that was moved."""
    same = kernel.identity and kernel.identity == environment.identity
    return bool(same) and not os.path.exists(kernel.python)


def _user_data(env: Mapping[str, str]) -> str:
    """Return Jupyter's data directory of this user (jupyter_core.paths.jupyter_data_dir)."""
    if env.get("JUPYTER_DATA_DIR"):
        return os.path.abspath(env["JUPYTER_DATA_DIR"])
    home = env.get("HOME") or os.path.expanduser("~")
    if sys.platform == "darwin":
        return f"{home}/Library/Jupyter"
    return f"{env.get('XDG_DATA_HOME') or f'{home}/.local/share'}/jupyter"


def _searched(env: Mapping[str, str]) -> list[str]:
    """Return the kernel directories that Jupyter searches, whatever environment it runs in."""
    extra = [d for d in env.get("JUPYTER_PATH", "").split(":") if os.path.isabs(d)]
    return [f"{d}/kernels" for d in (*extra, _user_data(env), *_SYSTEM)]


def _remember(layout: Layout, directory: str, env: Mapping[str, str]) -> None:
    if directory in _searched(env) or "\n" in directory:
        return
    known = _remembered(layout)
    if directory not in known:
        os.makedirs(layout.home, exist_ok=True)
        write_atomic(layout.kernels, os.fsencode("\n".join([*known, directory]) + "\n"))


def _remembered(layout: Layout) -> list[str]:
    lines = (read_text(layout.kernels) or "").split("\n")
    return [line for line in lines if os.path.isabs(line)]


def _read(path: str) -> Kernel | None:
    """Return the kernel in a directory, None where there is none that can be read."""
    spec = _parse(path)
    argv = spec.get("argv")
    if not isinstance(argv, list) or not argv or not isinstance(argv[0], str):
        return None
    metadata = spec.get("metadata")
    mark = metadata.get(MARK) if isinstance(metadata, dict) else None
    ours = isinstance(mark, dict) and isinstance(mark.get("environment"), str)
    bin_directory = os.path.dirname(argv[0])
    return Kernel(
        name=os.path.basename(path),
        path=path,
        python=argv[0],
        display_name=str(spec.get("display_name", "")),
        environment=mark["environment"] if ours and mark else os.path.dirname(bin_directory),
        is_ours=ours,
        identity=str(mark.get("identity", "")) if ours and mark else "",
        has_variables="VIRTUAL_ENV" in _dictionary(spec.get("env")),
    )


def _parse(path: str) -> dict[str, Any]:
    if os.path.islink(path):
        return {}
    try:
        spec = json.loads(read_text(f"{path}/{SPEC}") or "{}")
    except (ValueError, RecursionError, OSError):
        return {}
    return spec if isinstance(spec, dict) else {}


def _write_spec(path: str, spec: dict[str, Any]) -> None:
    write_atomic(f"{path}/{SPEC}", _text(spec).encode("utf-8", "surrogateescape"))


def _text(spec: dict[str, Any]) -> str:
    return f"{json.dumps(spec, indent=1)}\n"


def _dictionary(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _copy(source: str, target: str) -> None:
    try:
        with open(source, "rb") as file:
            data = file.read()
    except OSError:
        return  # a logo is an ornament
    write_atomic(target, data)
