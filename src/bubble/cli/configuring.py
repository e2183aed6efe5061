"""Writing the configuration file: one key's lines change, everything else stays as it is."""

from __future__ import annotations

import os

from bubble.cli.configuration import Configuration, checked, nearest, parse
from bubble.cli.settings import BY_KEY
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.cli.settings import Setting

# begins a file that wasn't there, so that an uninstallation knows what is the user's own
MADE = "# made by bubble config set; bubble self uninstall --all takes it away\n"
_TRUTH = {"true": True, "on": True, "yes": True, "1": True}
_TRUTH |= {"false": False, "off": False, "no": False, "0": False}


def setting_of(key: str) -> Setting:
    """Return the setting of a key, spelled as in the file or as its variable."""
    known = {setting.variable: setting for setting in BY_KEY.values() if setting.variable}
    found = BY_KEY.get(key) or known.get(key)
    if found is None:
        raise BubbleError("usage", f"“{printable(key, 80)}” is no setting", hint=nearest(key))
    return found


def value_of(setting: Setting, words: Sequence[str]) -> object:
    """Return what was typed as the setting's value. Raises BubbleError."""
    if setting.kind == "list":
        return checked(setting, list(words))
    if len(words) != 1:
        raise BubbleError(
            "usage",
            f"{setting.key} has one value, and there are {len(words)}",
            hint="quote what has blanks in it",
        )
    value: object = words[0]
    if setting.kind == "flag":
        value = _TRUTH.get(words[0].lower(), words[0])
    elif setting.kind in {"seconds", "number"}:
        for read in (int, float):
            try:
                value = read(words[0])
                break
            except ValueError:
                pass
    return checked(setting, value)


def require_place(configuration: Configuration) -> None:
    """Raise BubbleError(usage) where there is no home directory that could have the file."""
    if not configuration.path:
        raise BubbleError("usage", "there is no home directory to write it to", hint="set HOME")


def write(configuration: Configuration, setting: Setting, value: object) -> str:
    """Write one setting, None to take it out; return what changed: "set", "unset" or "".

    `configuration` is what the file says now. Raises BubbleError and OSError; then nothing
    changed.
    """
    from bubble.projects.tomltext import anything
    from bubble.system.files import read_text, replace_file

    path = os.path.realpath(configuration.path)  # one that is a link stays one
    before = read_text(path, 1 << 16)
    lines = (MADE if before is None else before).splitlines(keepends=True)
    key = setting.key
    if value is None and key not in configuration.said:
        return ""
    new = [] if value is None else [f"{key} = {anything(value)}\n"]
    if key in configuration.said:
        start = configuration.lines[key] - 1
        lines[start : _end(lines, start)] = new
    else:
        at = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += "\n"
        lines[at:at] = new
    text = "".join(lines)
    found = parse(path, text.encode())  # never a file that the next command can't read
    assert found.said.get(key) == value
    os.makedirs(os.path.dirname(path), exist_ok=True)
    replace_file(path, text.encode(), 0o644 if not before else None)
    return "unset" if value is None else "set"


def _end(lines: Sequence[str], start: int) -> int:
    """Return the number of the line behind a value that begins at `start`."""
    import tomllib

    for end in range(start + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[start:end]))
        except ValueError:
            continue
        return end
    return len(lines)
