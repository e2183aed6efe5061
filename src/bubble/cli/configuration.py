"""The user's configuration file: found by the user's own variables, checked, put under them.

No directory of a project is ever looked into for it. What it says stands below the environment
variables: each value becomes its variable, as a `Configured` text, wherever that isn't set; so
nothing else has to know that there is such a file, and what bubble starts doesn't inherit it.
"""

from __future__ import annotations

import os
import stat

from bubble.cli.settings import BY_KEY, SETTINGS
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import Configured, printable
from bubble.system.layout import configuration_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.cli.settings import Setting

_LARGEST = 1 << 16  # bytes
_NEEDED = {
    "directory": "an absolute path in quotes (~/ is the home directory)",
    "text": "a text in quotes",
    "flag": "true or false",
    "list": 'a list of texts: ["…", "…"]',
}
# what is said with a variable alone, or elsewhere
_ELSEWHERE = {"python": "the Python for everywhere: bubble use --global VERSION"}


class Configuration(Record):
    """What the file at `path` (absolute, "" where there can be none) says, by the settings' keys.

    `lines` has the line (from 1) of each key, `unknown` a sentence for each key that is none.
    """

    path: str
    said: Mapping[str, object]
    lines: Mapping[str, int]
    unknown: tuple[str, ...] = ()

    def flag(self, key: str) -> bool:
        """Whether a setting that is true or false is on."""
        return self.said.get(key) is True

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list's texts."""
        found = self.said.get(key)
        return tuple(found) if isinstance(found, list) else ()

    def under(self, env: Mapping[str, str]) -> Mapping[str, str]:
        """Return the variables, with what the file says where they say nothing."""
        given = {
            setting.variable: Configured("1" if value is True else value)
            for setting in SETTINGS
            if setting.variable
            # a flag that is off is what it would be without
            and (value := self.said.get(setting.key, False)) is not False
            and not env.get(setting.variable)
        }
        return {**env, **given} if given else env


NOTHING = Configuration(path="", said={}, lines={})


def read(env: Mapping[str, str]) -> Configuration:
    """Return what the user's file says; raise BubbleError(configuration) where it can't be used."""
    path = configuration_file(env)
    if not path:
        return NOTHING
    from bubble.system.version_file import read_regular

    try:
        data = read_regular(path, _LARGEST)
        if data is None:
            return NOTHING.replace(path=path)
        _require_own(path)
    except OSError as error:
        raise _wrong(path, 0, (error.strerror or str(error)).lower(), "mend the file") from None
    except BubbleError as error:
        if error.kind == "configuration":
            raise
        raise BubbleError("configuration", error.message, hint="mend it, or move it away") from None
    return parse(path, data)


def parse(path: str, data: bytes) -> Configuration:
    """Return what a file's bytes say; `path` is for messages. Raises BubbleError(configuration)."""
    from bubble.projects.toml import parse_document

    try:
        document = parse_document(path, data)
    except BubbleError as error:
        hint = "mend it by hand, or move it away"
        raise BubbleError("configuration", error.message, hint=hint) from None
    values: dict[str, object] = {}
    unknown = []
    for key, value in document.entries.items():
        if key in BY_KEY:
            values[key] = checked(BY_KEY[key], value, path, document.line((key,)))
        else:
            unknown.append(_unknown(path, document.line((key,)), key))
    lines = {key: document.line((key,)) for key in values}
    return Configuration(path=path, said=values, lines=lines, unknown=tuple(unknown))


def checked(setting: Setting, value: object, path: str = "", line: int = 0) -> object:
    """Return a setting's value; raise BubbleError(configuration) for one that it can't have.

    `path` and `line` say where it was read, "" where it was typed.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    needed = _NEEDED.get(setting.kind) or (
        f"a {'whole number' if setting.kind == 'number' else 'number of seconds'} "
        f"from {setting.low:g} to {setting.high:g}"
    )
    match setting.kind:
        case "flag":
            fits = isinstance(value, bool)
        case "list":
            fits = isinstance(value, list) and all(_is_text(item) for item in value)
        case "directory":
            fits = _is_text(value) and str(value).startswith(("/", "~/"))
        case "text":
            fits = _is_text(value)
        case _:
            fits = number and setting.low <= value <= setting.high  # type: ignore[operator] # a number
            fits = fits and (setting.kind == "seconds" or isinstance(value, int))
    if not fits:
        raise _wrong(
            path, line, f"{setting.key} must be {needed}", "what each may be: bubble config list"
        )
    return value


def as_text(value: object) -> str:
    """Return a value as people read it; a list's items with blanks between."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def nearest(key: str) -> str:
    """Return the hint for a key that there isn't."""
    import difflib

    if key in _ELSEWHERE:
        return _ELSEWHERE[key]
    spelled = key.lower().replace("_", "-").removeprefix("bubble-")
    close = [spelled] if spelled in BY_KEY else difflib.get_close_matches(spelled, BY_KEY, 1)
    return f"did you mean: {close[0]}" if close else f"known: {', '.join(BY_KEY)}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _unknown(path: str, line: int, key: str) -> str:
    return f"{_at(path, line)}: “{printable(key, 80)}” is no setting; {nearest(key)}"


def _require_own(path: str) -> None:
    """Raise BubbleError(configuration) for a file that somebody else may have written."""
    found = os.stat(path)
    if found.st_uid not in {0, os.geteuid()}:
        raise _wrong(
            path,
            0,
            f"it belongs to user {found.st_uid}, so it isn't followed",
            "move it away, and write one of your own",
        )
    others = found.st_mode & stat.S_IWOTH
    if others or (found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid, found.st_uid)):
        from shlex import quote

        raise _wrong(
            path,
            0,
            "others may write to it, so it isn't followed",
            f"chmod go-w {quote(printable(path, 500))}",
        )


def _is_private(group: int, user: int) -> bool:
    """Whether a group is a user's own, as systems make one for each (with umask 002)."""
    import grp
    import pwd

    try:
        account, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    return account.pw_gid == group and set(found.gr_mem) <= {account.pw_name}


def _at(path: str, line: int) -> str:
    return f"{printable(path, 500)}, line {line}" if line else printable(path, 500)


def _wrong(path: str, line: int, what: str, hint: str) -> BubbleError:
    where = f"{_at(path, line)}: " if path else ""
    return BubbleError("configuration", f"{where}{what}", hint=hint)
