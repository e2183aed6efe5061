"""Git's working trees: what they were made of, read from their files; and whether they can go.

`origin_of` runs nothing. `unsaved` lets git compare, and a repository's own configuration can make
git run programs (hooks, filters, a file-system monitor): it is started without any configuration
but the repository's, and not at all where that says more than git itself writes into it.
"""

from __future__ import annotations

import os
import re

from bubble.model.record import Record
from bubble.system.files import names_in, read_text
from bubble.system.git_link import path_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECTION = re.compile(r'\[\s*(?P<name>[\w.-]+)(?:\s+"(?P<sub>(?:[^"\\]|\\.)*)")?\s*\]')
_SCP = re.compile(r"(?P<host>(?:\w+@)?[^/:@]+):(?P<path>(?!//)\w[^:]*)")  # git-fetch(1), GIT URLS
_NOT_IN_URLS = re.compile(r"[^!-~]+|[\"<>\\^`{|}]+")  # RFC 3986
_LARGEST = 1 << 20  # bytes of a configuration
_DEEPEST = 5  # symbolic references that lead to others
# what git writes into a repository's configuration by itself, and what runs nothing
_HARMLESS = {
    "core": {
        *("repositoryformatversion", "filemode", "bare", "logallrefupdates", "symlinks"),
        *("ignorecase", "precomposeunicode", "autocrlf", "eol", "longpaths"),
    },
    "remote": {"url", "pushurl", "fetch", "tagopt", "promisor", "partialclonefilter", "prune"},
    "branch": {"remote", "merge", "rebase", "description"},
    "extensions": {"partialclone", "objectformat"},
    "user": {"name", "email"},
    "pull": {"rebase", "ff"},
}
_OPTIONS = (
    *("--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs"),
    *(
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.untrackedCache=false",
    ),
    *("-c", "core.attributesFile=/dev/null", "-c", "core.excludesFile=/dev/null"),
    *("-c", "protocol.allow=never", "-c", "status.showUntrackedFiles=all"),
)
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "LC_ALL": "C",
}
# what builds and imports leave in a working tree, whether it is ignored or not
_MADE = re.compile(
    r"(?:^|/)(?:__pycache__|\.eggs|[^/]+\.egg-info)/|\.py[co]$"
    r"|^build/(?:__editable__\.|cp\d|lib|temp|bdist)|(?:^|/)pip-delete-this-directory\.txt$"
)


class Origin(Record):
    """Where a working tree came from: `url` as an installer takes it, `commit` in hex."""

    url: str
    commit: str


def origin_of(tree: str) -> Origin | None:
    """Return the remote and the commit of a working tree (absolute), None where one isn't known.

    The remote is `origin`, else the first, as pip has it. The URL may hold credentials.
    """
    directory = _directory(tree)
    commit = _head(directory) if directory else ""
    url = _remote(tree, directory) if commit else ""
    return Origin(url=url, commit=commit) if url else None


def unsaved(tree: str, git: str, *, within: str = "") -> str:
    """Return what would be lost with a working tree (absolute): a phrase, "" for nothing.

    `git` is the program's path; without it ("") nothing can be told, and that is said. A remote
    that lies in the directory `within` goes with it. Conservative: what isn't known to be
    elsewhere, is not.
    """
    directory = f"{tree}/.git"
    if os.path.islink(directory) or not os.path.isdir(directory):
        return "it belongs to a repository elsewhere"
    if why := _odd(directory):
        return why
    url = _remote(tree, directory)
    if not url:
        return "its repository has no remote"
    if within and url.startswith(f"file://{within}/"):
        return "its remote lies beside it"
    if not git:
        return "there is no git to compare it"
    return _compared(tree, directory, git)


def _odd(directory: str) -> str:
    """Return why git isn't asked about a repository, or can't know: "" for an ordinary one."""
    text = read_text(f"{directory}/config", _LARGEST) or ""
    if len(text) >= _LARGEST or "\\\n" in text or "\\\r" in text:
        return "its configuration isn't one that git wrote, with which git isn't started"
    for section, _, key, _ in _configuration(directory):
        if key not in _HARMLESS.get(section, ()):
            return f"its configuration has {section}.{key}, with which git isn't started"
    stashed = os.path.lexists(f"{directory}/refs/stash") or "refs/stash" in _packed(directory)
    oddities = (
        (os.path.lexists(f"{directory}/commondir"), "it belongs to a repository elsewhere"),
        (names_in(f"{directory}/worktrees"), "other working trees belong to its repository"),
        (names_in(f"{directory}/modules"), "it has submodules, which aren't looked at"),
        (stashed, "it has stashed changes"),
        (
            os.path.lexists(f"{directory}/objects/info/alternates"),
            "a part of its repository lies elsewhere",
        ),
    )
    return next((said for is_so, said in oddities if is_so), "")


def _compared(tree: str, directory: str, git: str) -> str:
    changed = _ask(git, tree, directory, "status", "--porcelain", "-z", "--ignore-submodules=all")
    if changed is None:
        return "git can't read it"
    names = [entry for entry in changed.split("\0") if entry]
    # what was renamed is followed by its old name, which has no state before it
    if left := [n for n in names if not (n.startswith("?? ") and _MADE.search(n[3:]))]:
        more = ", …" if left[1:] else ""
        return f"it has changes that aren't committed ({left[0][3:] or left[0]}{more})"
    hidden = _ask(git, tree, directory, "ls-files", "-v", "-z") or ""
    if any(entry[0] == "S" or entry[0].islower() for entry in hidden.split("\0") if entry):
        return "git was told not to look at some of its files"
    tags = [f"^{c}" for ref, c in _packed(directory).items() if ref.startswith("refs/tags/")]
    ahead = _ask(
        git, tree, directory, "rev-list", "--max-count=1", "--branches", "HEAD", "--stdin",
        "--not", "--remotes", given="\n".join([*tags, ""]),
    )  # fmt: skip
    if ahead is None:
        return "git can't read it"
    return "it has commits that weren't pushed" if ahead.strip() else ""


def _ask(git: str, tree: str, directory: str, *words: str, given: str = "") -> str | None:
    """Return what git says, None where it fails."""
    import subprocess

    where = (f"--git-dir={directory}", f"--work-tree={tree}")
    try:
        done = subprocess.run(
            [git, *_OPTIONS, *where, *words],
            env={**_ALONE, "PATH": os.path.dirname(git)},
            cwd=tree,
            input=os.fsencode(given),
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return None if done.returncode else os.fsdecode(done.stdout)


def _directory(tree: str) -> str:
    """Return the repository of a working tree: its `.git`, or where that file says that it is."""
    path = f"{tree}/.git"
    return path if os.path.isdir(path) else path_in(path, "gitdir:")


def _common(directory: str) -> str:
    """Return the directory that a linked working tree's repository shares with the others."""
    return path_in(f"{directory}/commondir") or directory


def _head(directory: str) -> str:
    text = (read_text(f"{directory}/HEAD", 8192) or "").strip()
    for _ in range(_DEEPEST):
        if not text.startswith("ref: "):
            break
        name = text.removeprefix("ref: ").strip()
        if not name.startswith("refs/") or ".." in name or "\0" in name:
            return ""
        common = _common(directory)
        text = (
            read_text(f"{directory}/{name}", 8192)
            or read_text(f"{common}/{name}", 8192)
            or _packed(common).get(name, "")
        ).strip()
    return text if _COMMIT.fullmatch(text) else ""


def _packed(directory: str) -> dict[str, str]:
    """Return name → commit of what is in `packed-refs`."""
    lines = (read_text(f"{directory}/packed-refs", 1 << 24) or "").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line[:1] not in {"#", "^"} and " " in line)
    return {name.strip(): commit for commit, name in pairs if _COMMIT.fullmatch(commit)}


def _remote(tree: str, directory: str) -> str:
    """Return the URL of the remote `origin`, else of the first, as an installer takes it."""
    from urllib.parse import quote

    found: dict[str, str] = {}
    for section, sub, key, value in _configuration(_common(directory)):
        if (section, key) == ("remote", "url") and value:
            found.setdefault(sub, value)
    url = found.get("origin") or next(iter(found.values()), "")
    if re.match(r"\w+://", url):  # git takes a space as well, and pip writes it
        return _NOT_IN_URLS.sub(lambda found: quote(found[0], errors="surrogateescape"), url)
    path = os.path.normpath(os.path.join(tree, url))
    if url and os.path.exists(path):
        return f"file://{quote(path, errors='surrogateescape')}"
    scp = _SCP.fullmatch(url)
    return f"ssh://{scp['host']}/{scp['path']}" if scp else ""


def _configuration(directory: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield section, subsection, key and value of a repository's configuration (git-config(1))."""
    section = sub = ""
    text = (
        (read_text(f"{directory}/config", _LARGEST) or "").replace("\r\n", "\n").replace("\\\n", "")
    )
    for line in text.split("\n"):
        rest = line.strip()
        found = _SECTION.match(rest)
        if found:
            section, _, old_style = found["name"].lower().partition(".")
            sub = re.sub(r"\\(.)", r"\1", found["sub"] or "") or old_style
            rest = rest[found.end() :].strip()
        if not rest or rest[0] in "#;":
            continue
        key, _, value = rest.partition("=")
        yield section, sub, key.strip().lower(), _value(value)


def _value(text: str) -> str:
    """Return a configuration's value without its quotes, escapes and comment."""
    said, is_quoted, escaped = "", False, False
    for character in text.strip():
        if escaped:
            said += {"n": "\n", "t": "\t", "b": "\b"}.get(character, character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character in "#;" and not is_quoted:
            break
        else:
            said += character
    return said.strip()
