"""What a source tree on this machine says about its dependencies: what a resolver reads of it."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.projects.requirements import read_requirements, told
from bubble.projects.toml import read_document
from bubble.system.files import fast_sha256
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.requirements import File
    from bubble.projects.toml import Document

_LARGEST = 1 << 20  # bytes of a file that a build reads
_MOST = 200  # trees that one bubble may lead to
# of [project], what is not built but written down (PEP 621)
_STATIC = ("name", "requires-python", "dependencies", "dynamic")
# of [tool], what no build back end takes dependencies from
_UNRELATED = frozenset({
    "bandit", "basedpyright", "black", "bubble", "bumpversion", "cibuildwheel", "codespell",
    "commitizen", "coverage", "deptry", "django-stubs", "djlint", "flake8", "interrogate",
    "isort", "mypy", "nox", "pydocstyle", "pylint", "pyrefly", "pyright", "pytest", "pyupgrade",
    "refurb", "ruff", "semantic_release", "tox", "towncrier", "ty", "uv", "vulture", "yapf",
})  # fmt: skip
# of [tool.uv], what doesn't change which packages are found
_UV_UNRELATED = frozenset({
    "add-bounds", "build-backend", "cache-dir", "cache-keys", "compile-bytecode",
    "concurrent-builds", "concurrent-downloads", "concurrent-installs", "default-groups",
    "dev-dependencies", "link-mode", "managed", "native-tls", "offline", "package", "preview",
    "preview-features", "publish-url", "check-url", "python-downloads", "python-preference",
    "required-version", "trusted-publishing", "keyring-provider", "http-proxy", "https-proxy",
    "no-proxy", "system-certs", "no-cache", "allow-insecure-host", "pypy-install-mirror",
    "python-install-mirror", "python-downloads-json-url", "dependency-groups",
})  # fmt: skip
_SOURCES = ("setup.py", "setup.cfg")


def metadata_of(path: str) -> tuple[object, tuple[str, ...]]:
    """Return what says how a tree (absolute path) is installed where it lies, JSON-ready.

    Its commands and entry points, its version, where its modules are; and the files that were
    read. Raises BubbleError(manifest) for what can't be.
    """
    trees = Trees()
    pyproject = read_document(f"{path}/pyproject.toml")
    if pyproject is not None:
        trees.files.append(pyproject.path)
    found = [_told(_at(pyproject, "project")), trees.build(path, pyproject)]
    return found, tuple(trees.files)


class Trees:
    """The source trees that one bubble leads to, each looked at once.

    `files` are the absolute paths of all that was read.
    """

    def __init__(self) -> None:
        self.known: dict[str, object] = {}
        self.files: list[str] = []

    def look(self, path: str, *, extras: bool = True) -> object:
        """Return what decides about packages at a path (absolute), JSON-ready.

        A directory's metadata, as far as it is written down, else all that its build may read;
        an archive's name and size; None for nothing. `extras`: the optional dependencies count.
        Raises BubbleError(manifest) for what can't be read.
        """
        if not os.path.exists(path):
            return None
        path = os.path.realpath(path)
        if path in self.known:
            return ["seen", list(self.known).index(path)]
        if len(self.known) == _MOST:
            what = f"the requirements lead to more than {_MOST} directories"
            raise BubbleError("manifest", what, hint="name fewer of them")
        self.known[path] = None
        if os.path.isdir(path):
            return _told(self._directory(path, extras=extras))
        if os.path.isfile(path):
            # its bytes are checked at every sync, by the hash in the lock
            return ["archive", os.path.basename(path), os.path.getsize(path)]
        return None

    def has_sources(self, path: str) -> bool:
        """Whether [tool.uv.sources] of the project at a path (absolute) says where things are."""
        pyproject = read_document(f"{path}/pyproject.toml")
        return bool(_at(pyproject, "tool", "uv", "sources"))

    def settings(self, root: str) -> object:
        """Return what uv's own settings for a directory say about packages, JSON-ready.

        Those of the nearest `uv.toml` or [tool.uv] upwards, where uv itself finds them.
        """
        from bubble.system.directory import upwards

        for directory in upwards(root):
            try:
                own = read_document(f"{directory.rstrip('/')}/uv.toml")
                pyproject = read_document(f"{directory.rstrip('/')}/pyproject.toml")
            except BubbleError:
                if directory == root:
                    raise
                continue  # which no resolver can read either
            if own is not None:
                self.files.append(own.path)
                return _decisive(own.entries, _UV_UNRELATED)
            tool = _at(pyproject, "tool", "uv")
            if isinstance(tool, dict) and pyproject is not None:
                self.files.append(pyproject.path)
                return _decisive(tool, _UV_UNRELATED)
        return None

    def _directory(self, path: str, *, extras: bool) -> object:
        pyproject = read_document(f"{path}/pyproject.toml")
        if pyproject is not None:
            self.files.append(pyproject.path)
        project = _at(pyproject, "project")
        said = project if isinstance(project, dict) else {}
        lines = [line for line in _list(said.get("dependencies")) if isinstance(line, str)]
        own = canonical_name(str(said.get("name", "")))
        extras = extras or any(
            canonical_name(line.partition("[")[0].strip()) == own for line in lines
        )
        found: dict[str, object] = {key: said.get(key) for key in _STATIC}
        if isinstance(found["dynamic"], list):
            found["dynamic"] = [n for n in found["dynamic"] if "dependencies" in str(n)]
        if extras:
            found["extras"] = said.get("optional-dependencies")
        found["sources"] = self._sources(path, pyproject)
        dynamic = found["dynamic"] or not said
        if dynamic:
            found["build"] = self.build(path, pyproject)
        return found

    def _sources(self, path: str, pyproject: Document | None) -> object:
        """Return where [tool.uv.sources] finds dependencies, with what lies there."""
        sources = _at(pyproject, "tool", "uv", "sources")
        found = []
        for name, value in sorted(sources.items()) if isinstance(sources, dict) else ():
            for source in value if isinstance(value, list) else [value]:
                where = source.get("path") if isinstance(source, dict) else None
                if isinstance(where, str) and "\0" not in where:
                    found.append([name, source, self.look(os.path.join(path, where))])
                elif isinstance(source, dict) and source.get("workspace") is True:
                    found.append([name, source, self._member(path, name)])
                else:
                    found.append([name, source])
        return found

    def _member(self, path: str, name: str) -> object:
        """Return what a member of the workspace that a directory is in says."""
        import glob

        from bubble.system.directory import upwards

        for directory in upwards(path):
            pyproject = read_document(f"{directory.rstrip('/')}/pyproject.toml")
            members = _at(pyproject, "tool", "uv", "workspace", "members")
            for pattern in sorted(filter(_is_near, map(str, _list(members)))):
                for place in sorted(glob.iglob(os.path.join(glob.escape(directory), pattern))):
                    member = read_document(f"{place}/pyproject.toml")
                    called = _at(member, "project", "name")
                    if isinstance(called, str) and canonical_name(called) == canonical_name(name):
                        return self.look(place)
            if members is not None:
                return None
        return None

    def build(self, path: str, pyproject: Document | None) -> object:
        """Return what a build may take its answers from, where they aren't written down."""
        tool = _at(pyproject, "tool")
        found: dict[str, object] = {
            "system": _at(pyproject, "build-system"),
            "tool": (_decisive(tool, _UNRELATED) if isinstance(tool, dict) else None) or None,
        }
        for name in _SOURCES:
            found[name] = self._file(f"{path}/{name}")
        for name in _named(pyproject):
            files: dict[str, File] = {}
            place = os.path.normpath(os.path.join(path, name))
            if os.path.isfile(place) or os.path.lexists(place):
                read_requirements(place, path, files)
            self.files += files
            found[name] = [[told(line.text) for line in file.lines] for file in files.values()]
        return found

    def _file(self, path: str) -> str:
        """Return a digest of a file's text, whatever the ends of its lines; "" for none."""
        try:
            data = read_regular(path, _LARGEST)
        except BubbleError as error:
            raise BubbleError("manifest", error.message, hint="mend the file") from None
        if data is None:
            return ""
        self.files.append(path)
        return fast_sha256(data.replace(b"\r\n", b"\n"))


def _named(pyproject: Document | None) -> list[str]:
    """Return the files that a build back end takes dependencies from, as they are written."""
    dynamic = _at(pyproject, "tool", "setuptools", "dynamic")
    said = dynamic if isinstance(dynamic, dict) else {}
    optional = said.get("optional-dependencies")
    tables = [said.get("dependencies"), *(optional.values() if isinstance(optional, dict) else ())]
    hook = _at(pyproject, "tool", "hatch", "metadata", "hooks", "requirements_txt")
    tables += (
        [{"file": hook.get("files") or hook.get("filename")}] if isinstance(hook, dict) else []
    )
    extras = hook.get("optional-dependencies") if isinstance(hook, dict) else None
    tables += [{"file": names} for names in extras.values()] if isinstance(extras, dict) else []
    found: list[str] = []
    for table in tables:
        names = table.get("file") if isinstance(table, dict) else None
        found += [str(name) for name in (names if isinstance(names, list) else [names]) if name]
    return sorted({name for name in found if "\0" not in name})


def _is_near(pattern: str) -> bool:
    """Whether a pattern of a workspace's members can't lead through half of a disk."""
    parts = pattern.split("/")
    return ".." not in parts and "\0" not in pattern and sum("*" in part for part in parts) < 4


def _decisive(table: Mapping[str, object], unrelated: frozenset[str]) -> object:
    return _told({key: value for key, value in table.items() if key not in unrelated})


def _told(value: object) -> object:
    """Return a value without the secrets of addresses in it."""
    if isinstance(value, dict):
        return {key: _told(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return told(value) if isinstance(value, str) else value


def _at(document: Document | None, *keys: str) -> object:
    value: object = document.entries if document else None
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
