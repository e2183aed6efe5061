"""Activation scripts: the interpreter's own `venv` templates, with every value safely quoted.

The templates of CPython before 3.13.1 put their values inside double quotes, where a path with
a quote or a `$` breaks them (CVE-2024-9287). Here a value always leaves the double quotes that it
stands in, and is quoted for its own shell. Their faults under `set -eu` are mended, too.
"""

from __future__ import annotations

import os

from bubble.model.quoting import quoted
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SCRIPTS = ("activate", "activate.csh", "activate.fish", "Activate.ps1")
_WHERE = ("common", "posix")  # fish moved from one to the other in 3.13
# what the templates of some releases have, and what works under `set -eu` and leaves nothing
_MENDED = (
    ('"$OSTYPE"', '"${OSTYPE:-}"'),  # 3.12: dash has none
    ("hash -r 2> /dev/null\n", "hash -r 2> /dev/null || true\n"),  # fails after `set +h`
    ("        hash -r\n", "        hash -r 2> /dev/null || true\n"),  # 3.8, in bash and zsh
    ("    hash -r\n", "    hash -r 2> /dev/null || true\n"),
    ('[ -n "${_OLD_VIRTUAL_PS1:-}" ]', '[ -n "${_OLD_VIRTUAL_PS1+set}" ]'),  # an empty PS1
)
_EXPANDED = str.maketrans(dict.fromkeys("$`\\!%", "_"))
_NU = """\
# Use it as: overlay use activate.nu; leave it with: deactivate
export-env {
    let environment = @path@
    let prompt = @prompt@
    $env.VIRTUAL_ENV = $environment
    $env.VIRTUAL_ENV_PROMPT = $prompt
    $env.PATH = ($env.PATH | prepend ($environment | path join "bin"))
    hide-env --ignore-errors PYTHONHOME
}
export alias deactivate = overlay hide activate
"""


def activation_scripts(stdlib: str, path: str, prompt: str) -> dict[str, str]:
    """Return the activation scripts of an environment, by file name in its `bin`.

    `stdlib` is the absolute directory of the interpreter's standard library, `path` where the
    environment will lie. An interpreter without templates gets those that need none.
    """
    scripts = {"activate.nu": _nu(path, prompt)}
    for name in _SCRIPTS:
        found = (read_text(f"{stdlib}/venv/scripts/{where}/{name}") for where in _WHERE)
        text = next((text for text in found if text is not None), None)
        if text is not None:
            ready = name.endswith(".ps1")
            scripts[name] = text if ready else _filled(text, name, path, prompt)
    return scripts


def prompt_text(text: str) -> str:
    """Return what a prompt may show: shells run what stands in `$(…)` there, whoever quoted it.

    A directory's name is not always its user's choice: an archive or a repository brings it along.
    """
    return "".join(c if c.isprintable() else "_" for c in text.translate(_EXPANDED))


def _filled(template: str, name: str, path: str, prompt: str) -> str:
    language = os.path.splitext(name)[1][1:]
    values = {
        "__VENV_DIR__": path,
        "__VENV_NAME__": prompt,  # 3.8's csh shows it
        "__VENV_PROMPT__": prompt if _adds_parentheses(template) else f"({prompt}) ",
        "__VENV_BIN_NAME__": "bin",
        "__VENV_PYTHON__": f"{path}/bin/python",
    }
    for fault, mended in _MENDED if name == "activate" else ():
        template = template.replace(fault, mended)
    lines = []
    for line in template.splitlines():
        for placeholder, value in values.items():
            line = _replaced(line, placeholder, quoted(value, language))  # noqa: PLW2901 - one step of many
        lines.append(line)
    return "\n".join(lines) + "\n"


def _adds_parentheses(template: str) -> bool:
    """Whether a template puts the parentheses round the prompt itself, as they do since 3.13."""
    forms = ("(__VENV_PROMPT__)", '("__VENV_PROMPT__")', "(%s)")
    return any(
        "__VENV_PROMPT__" in line and any(form in line for form in forms)
        for line in template.splitlines()
    )


def _replaced(line: str, placeholder: str, literal: str) -> str:
    head, found, tail = line.partition(placeholder)
    if not found:
        return line
    inside = head.count('"') % 2 == 1
    filled = f'{head}"{literal}"' if inside else head + literal
    return filled + _replaced_rest(tail, placeholder, literal, inside=inside)


def _replaced_rest(tail: str, placeholder: str, literal: str, *, inside: bool) -> str:
    """Go on behind a placeholder, remembering whether double quotes are open."""
    rest = _replaced('"' * inside + tail, placeholder, literal)
    return rest[1:] if inside else rest


def _quote_csh(text: str) -> str:
    return quoted(text, "csh")


def _quote_fish(text: str) -> str:
    return quoted(text, "fish")


def quote_nu(text: str) -> str:
    """Quote for nu."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# the scripts that name their environment, and how a text is quoted in each
QUOTES: dict[str, Callable[[str], str]] = {
    "activate": quoted,
    "activate.csh": _quote_csh,
    "activate.fish": _quote_fish,
    "activate.nu": quote_nu,
}


def _nu(path: str, prompt: str) -> str:
    return _NU.replace("@path@", quote_nu(path)).replace("@prompt@", quote_nu(prompt))
