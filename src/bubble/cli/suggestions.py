"""What was probably meant by a word that bubble doesn't have: pyenv's, conda's, uv's, or a slip.

Spelling alone never proposes what takes something away: who mistypes must be able to type what is
offered without a thought. A command that does is offered only for another tool's word for it.
"""

from __future__ import annotations

from shlex import quote

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_MEANT = "did you mean: "
_LONGEST = 80  # characters of a word that is worth comparing
# what throws away or overwrites, or says yes to that
DESTROYS = frozenset(
    {
        *("remove", "gc", "cache prune", "python uninstall", "kernel remove"),
        *("--all", "--fix", "--force", "--prune", "--reinstall", "--repair", "--uninstall"),
        *("--unset", "--yes", "-f", "-y"),
    }
)
# another tool's words → the command that does the same here
_WORDS = {
    # pyenv and its plugins
    "versions": "bubble python list --installed",
    "version": "bubble current",
    "version-name": "bubble current",
    "version-origin": "bubble current",
    "version-file": "bubble explain",
    "prefix": "bubble python find VERSION",
    "latest": "bubble python find VERSION",
    "root": "bubble python dir",
    "shims": "bubble whence CMD",
    "commands": "bubble --help",
    "hooks": "bubble --help",
    "virtualenv": "bubble create NAME -p VERSION",
    "virtualenvs": "bubble list",
    "virtualenv-init": "bubble init --install --hook",
    "virtualenv-prefix": "bubble info NAME",
    "virtualenv-delete": "bubble remove NAME",
    "python versions": "bubble python list --installed",
    "python root": "bubble python dir",
    "python path": "bubble python find VERSION",
    "python latest": "bubble python find VERSION",
    "ls": "bubble list",
    "ls-remote": "bubble python list --available",
    "list-all": "bubble python list --available",
    # conda, virtualenvwrapper, pipx
    "env": "bubble list",
    "env create": "bubble import environment.yml",
    "env remove": "bubble remove NAME",
    "env export": "bubble export",
    "env update": "bubble sync",
    "config": "bubble doctor",
    "settings": "bubble doctor",
    "plugins": "bubble --help",
    "lsvirtualenv": "bubble list",
    "rmvirtualenv": "bubble remove NAME",
    "cdvirtualenv": "bubble info NAME",
    "where": "bubble python find VERSION",
    "trust": "bubble adopt DIR",
    "tree": "bubble info .venv",
    "uninstall": "bubble python uninstall VERSION",
    "cache clean": "bubble cache prune",
    "self version": "bubble self info",
    "self upgrade": "bubble self update",
    "envs": "bubble list",
    "env-list": "bubble list",
    "mkvirtualenv": "bubble create NAME",
    "workon": "bubble activate NAME",
    "clean": "bubble gc --dry-run",
    "prune": "bubble gc --dry-run",
    "search": "bubble python list --available",
    "outdated": "bubble python list",
    "copy": "bubble clone ENV NEW",
    "cp": "bubble clone ENV NEW",
    "move": "bubble rename NAME NEW",
    "mv": "bubble rename NAME NEW",
    "show": "bubble info ENV",
    "status": "bubble current",
    "switch": "bubble use VERSION",
    "delete": "bubble remove ENV",
    "rm": "bubble remove ENV",
    "python rm": "bubble python uninstall VERSION",
    "python remove": "bubble python uninstall VERSION",
    "python delete": "bubble python uninstall VERSION",
    # uv, poetry, pip
    "venv": "bubble create",
    "add": "bubble run .venv pip install PACKAGE",
    "pip": "bubble run .venv pip",
    "sync": "bubble run .venv pip install -r requirements.txt",
    "freeze": "bubble export",
    "lock": "bubble export",
    "pin": "bubble use VERSION",
    "python pin": "bubble use VERSION",
    "tool": "bubble create NAME PACKAGE",
    "python show": "bubble python find VERSION",
}
# command → another tool's option → what does the same here
_OPTIONS = {
    "create": {
        "--file": "-r FILE",
        "-f": "-r FILE",
        "-n": "bubble create NAME",
        "--name": "bubble create NAME",
        "--clone": "bubble clone ENV NEW",
        "--seed": "leave it out: pip is there unless --no-pip",
    },
    "python install": {
        "-k": "leave it out: nothing is built, so nothing is kept",
        "-l": "bubble python list --all-versions",
        "--list": "bubble python list --all-versions",
    },
    "init": {"--path": "bubble init --install"},
}


def command(asked: str, known: Iterable[str], groups: Collection[str], argument: str = "") -> str:
    """Return the hint for `asked`, one or two words: the command that it was meant for, or "".

    `known` are all commands, `groups` the first words of those that have two, `argument` is what
    stood behind.
    """
    import difflib

    if len(asked) > _LONGEST or asked.startswith("-"):
        return ""
    if asked == "install" and argument and not _is_python(argument):
        shown = printable(argument, _LONGEST)
        return (
            f"a package, into this project's environment: bubble run .venv pip install "
            f"{quote(shown)}; a Python: bubble python install VERSION"
        )
    for words in (f"{asked} {argument}", asked):
        if words in _WORDS:
            return _MEANT + _WORDS[words]
    group = asked.partition(" ")[0]
    commands = list(known)
    meant = {words: words for words in (*commands, *groups)}
    # of several groups with the same last word, the first one in the table
    meant |= {w.rpartition(" ")[2]: w for w in reversed(commands) if " " in w} | meant
    if group in groups:
        meant = {words: words for words in meant if words.startswith(f"{group} ")}
    if asked in meant:
        return f"{_MEANT}bubble {meant[asked]}"
    safe = [words for words, full in meant.items() if full not in DESTROYS]
    close = difflib.get_close_matches(asked, safe, 1, 0.75)
    return f"{_MEANT}bubble {meant[close[0]]}" if close else ""


def option(asked: str, command: str, known: Collection[str]) -> str:
    """Return the hint for an option that `command` (its words) doesn't have, or ""."""
    import difflib

    if len(asked) > _LONGEST:
        return ""
    if asked in _OPTIONS.get(command, {}):
        said = _OPTIONS[command][asked]
        return said if said.startswith("leave") else _MEANT + said
    same = [name for name in known if name.replace("-", "") == asked.replace("-", "")]
    safe = [name for name in known if name not in DESTROYS]
    close = same or difflib.get_close_matches(asked, safe, 1, 0.75)
    return _MEANT + close[0] if close else ""


def are_pythons(arguments: Iterable[str]) -> bool:
    """Whether the words behind `install` or `uninstall` are options and Pythons, not packages."""
    words = [word for word in arguments if not word.startswith("-")]
    return all(_is_python(word.partition(":")[0].removesuffix("-dev")) for word in words)


def _is_python(text: str) -> bool:
    from bubble.model.request import parse_request

    try:
        request = parse_request(text)
    except BubbleError:
        return False
    return request.is_python


def commands() -> tuple[str, ...]:
    """Return every command line that another tool's word can lead to."""
    return tuple(dict.fromkeys(_WORDS.values()))
