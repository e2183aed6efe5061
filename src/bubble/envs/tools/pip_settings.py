"""What the user's configuration says to pip: its files and variables, as pip itself reads them.

bubble reads them so that they decide the same for either installer, and so that none of them sends
packages out of an environment (`target`, `user`, …). The order and the rules are those of pip's
`_internal/configuration.py` and `_internal/cli/parser.py`.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# what would install somewhere else, by another interpreter, or not at all
ELSEWHERE = {
    *("target", "prefix", "root", "user", "no-user", "python", "dry-run", "require-virtualenv"),
    *("platform", "python-version", "implementation", "abi", "dest", "requirement", "editable"),
    *("report", "download", "install-option"),
}
# said more than once, these add up; the others replace what was said before
_ADDED_UP = {"no-binary", "only-binary"}
_NAME = "pip.conf"
_LARGEST = 1 << 20  # bytes


class Setting(Record):
    """A value (never empty), and the file or variable that it comes from."""

    value: str
    origin: str

    @property
    def words(self) -> list[str]:
        """The values of an option that may be given several times."""
        return self.value.split()

    @property
    def is_true(self) -> bool:
        """Whether a switch is on, as pip reads it."""
        return self.value.lower() in {"y", "yes", "t", "true", "on", "1"}


def pip_settings(
    env: Mapping[str, str], *, prefix: str = "", command: str = "install"
) -> dict[str, Setting]:
    """Return what holds for `pip COMMAND`, by the names of pip's long options.

    `prefix` is the environment whose own `pip.conf` counts (absolute, "" for none). Options that
    would lead elsewhere (ELSEWHERE) are left out. Raises BubbleError(usage) for a file that pip
    could not read either.
    """
    sections: dict[str, dict[str, Setting]] = {"global": {}, command: {}}
    for path in _files(env, prefix):
        for section, key, value in _read(path):
            if section in sections:
                sections[section][key] = Setting(value=value, origin=path)
    found: dict[str, Setting] = {}
    for settings in (*sections.values(), _variables(env)):
        for key, setting in settings.items():
            if not setting.value or key in ELSEWHERE:
                continue
            if key in _ADDED_UP and key in found:
                value = f"{found[key].value},{setting.value}"
                found[key] = setting.replace(value=value)
            else:
                found[key] = setting
    return found


def as_variables(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return the variables that say the same to pip, and that no file is to be read."""
    variables = {f"PIP_{key.upper().replace('-', '_')}": s.value for key, s in settings.items()}
    return {**variables, "PIP_CONFIG_FILE": os.devnull}


def _files(env: Mapping[str, str], prefix: str) -> Iterator[str]:
    """Yield the files that pip reads, the weakest first; they need not be there."""
    own = env.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return
    if own:
        yield own
    yield from _machines(env)
    if not (own and os.path.exists(own)):
        home = env.get("HOME") or os.path.expanduser("~")
        yield f"{home}/.pip/{_NAME}"
        yield f"{_users(env, home)}/{_NAME}"
    if prefix:
        yield f"{prefix}/{_NAME}"


def _machines(env: Mapping[str, str]) -> Iterator[str]:
    import sys

    if sys.platform == "darwin":
        yield f"/Library/Application Support/pip/{_NAME}"
        return
    for directory in (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        if directory:
            yield f"{directory}/pip/{_NAME}"
    yield f"/etc/{_NAME}"


def _users(env: Mapping[str, str], home: str) -> str:
    import sys

    if sys.platform == "darwin":
        directory = f"{home}/Library/Application Support/pip"
        return directory if os.path.isdir(directory) else f"{home}/.config/pip"
    return f"{env.get('XDG_CONFIG_HOME') or f'{home}/.config'}/pip"


def _variables(env: Mapping[str, str]) -> dict[str, Setting]:
    return {
        name[4:].lower().replace("_", "-"): Setting(value=value, origin=name)
        for name, value in env.items()
        if name.startswith("PIP_") and name not in {"PIP_CONFIG_FILE", "PIP_VERSION", "PIP_HELP"}
    }


def _read(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, option and value of a file; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_LARGEST)
    except OSError:  # pip passes over what it can't open, too
        return
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(text, path)
    except Error as error:
        raise BubbleError(
            "usage",
            f"pip's configuration {printable(path, 500)} can't be read: "
            f"{printable(str(error).partition(chr(10))[0])}",
            hint="mend it: pip config debug shows which files count",
        ) from None
    for section in parser.sections():
        for name, value in parser.items(section):
            key = name.lower().replace("_", "-").removeprefix("--")
            yield section, key, value or ""
