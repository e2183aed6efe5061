"""What is installed in an environment, as its metadata says it: nothing is run.

The lines are those of `pip freeze` (PEP 610 for what came from a URL), with one difference: an
editable install from a repository is exported as its directory. Credentials are left out.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from bubble.envs.knowing.editables import site_packages
from bubble.model.record import Record
from bubble.model.urls import published
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_HEADERS = 1 << 16  # bytes of a metadata file within which its name and version stand
_VERSIONING = {".git": "Git", ".hg": "Mercurial", ".svn": "Subversion", ".bzr": "Bazaar"}


class Distribution(Record):
    """One installed distribution.

    `name` and `version` are as its metadata has them, `metadata` is the absolute path of its
    `.dist-info` or `.egg-info`. `url` is what it was installed from if that was no index, without
    credentials; `fragment` is what belongs behind its `#`. `project` is the absolute directory of
    an editable install. `hidden` says that there were credentials.
    """

    name: str
    version: str
    metadata: str
    url: str = ""
    fragment: str = ""
    project: str = ""
    hidden: bool = False

    @property
    def canonical(self) -> str:
        """The name as PEP 503 compares it."""
        return canonical_name(self.name)

    @property
    def requirement(self) -> str:
        """The requirement that installs the same again."""
        if self.project:
            return f"-e {self.project}"
        if self.url:
            return f"{self.name} @ {self.url}" + (f"#{self.fragment}" if self.fragment else "")
        return f"{self.name}=={self.version}"

    @property
    def comment(self) -> str:
        """What `pip freeze` says above the line, or ""."""
        if not self.project:
            return ""
        versioning = _versioning(self.project)
        how = (
            f"{versioning} install, exported as its directory"
            if versioning
            else ("install with no version control")
        )
        return f"# Editable {how} ({self.name}=={self.version})"


def distributions(root: str) -> list[Distribution]:
    """Return what is installed in the environment at `root` (absolute), by name.

    What the interpreter's own site-packages lend to it is not in it. Metadata that can't be read
    counts as nothing; of two with one name, the first on the path counts.
    """
    found: dict[str, Distribution] = {}
    for directory in site_packages(root):
        for distribution in _in_directory(f"{root}/{directory}"):
            found.setdefault(distribution.canonical, distribution)
    return [found[name] for name in sorted(found)]


def exported(root: str) -> list[Distribution]:
    """Return what `pip freeze` would list: without pip, and what builds packages before 3.12."""
    unwanted = {"pip"}
    if any(_minor(directory) < 12 for directory in site_packages(root)):
        unwanted |= {"setuptools", "distribute", "wheel"}
    return [d for d in distributions(root) if d.canonical not in unwanted]


def canonical_name(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)


def _in_directory(directory: str) -> Iterator[Distribution]:
    for name in sorted(os.listdir(directory)):
        path = f"{directory}/{name}"
        if name.endswith(".dist-info"):
            yield from _read(path, f"{path}/METADATA")
        elif name.endswith(".egg-info"):
            yield from _read(path, f"{path}/PKG-INFO" if os.path.isdir(path) else path)
        elif name.endswith(".egg-link"):
            yield from _linked(path)


def _linked(path: str) -> Iterator[Distribution]:
    """Read what `setup.py develop` left: the directory, whose `.egg-info` has the rest."""
    project = (read_text(path) or "").partition("\n")[0].strip()
    try:
        names = [name for name in sorted(os.listdir(project)) if name.endswith(".egg-info")]
    except OSError:
        return
    for name in names[:1]:
        for distribution in _read(f"{project}/{name}", f"{project}/{name}/PKG-INFO"):
            yield distribution.replace(project=project)


def _read(path: str, headers: str) -> Iterator[Distribution]:
    text = (read_text(headers, _HEADERS) or "").replace("\r\n", "\n")
    fields: dict[str, str] = {}
    for line in text.partition("\n\n")[0].split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.lower(), value.strip())
    if "name" in fields and "version" in fields:
        found = Distribution(name=fields["name"], version=fields["version"], metadata=path)
        source = read_text(f"{path}/direct_url.json")
        yield found if source is None else _from_url(found, source)


def _from_url(found: Distribution, text: str) -> Distribution:
    """Add what PEP 610 says: where it came from."""
    import json

    try:
        data = json.loads(text)
        return found.replace(**_direct(data))
    except (ValueError, KeyError, TypeError, AttributeError):
        return found


def _direct(data: dict[str, Any]) -> dict[str, Any]:
    url, hidden = published(data["url"])
    if data.get("dir_info", {}).get("editable"):
        return {"project": unquote(urlsplit(url).path)}
    fragments: list[str] = []
    if vcs := data.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    elif archive := data.get("archive_info"):
        hashes = [f"{name}={value}" for name, value in archive.get("hashes", {}).items()]
        fragments += [archive["hash"]] if archive.get("hash") else hashes[:1]
    if data.get("subdirectory"):
        fragments.append(f"subdirectory={data['subdirectory']}")
    return {"url": url, "hidden": hidden, "fragment": "&".join(fragments)}


def _versioning(directory: str) -> str:
    """Return the version control system that a directory is under, or ""."""
    while directory.startswith("/") and directory != "/":
        for name, system in _VERSIONING.items():
            if os.path.lexists(f"{directory}/{name}"):
                return system
        directory = os.path.dirname(directory)
    return ""


def _minor(directory: str) -> int:
    """Return the minor version of `lib/python3.11t/site-packages`; 0 if it isn't in its name."""
    digits = directory.split("/")[1].rpartition(".")[2].rstrip("t")
    return int(digits) if digits.isdigit() else 0
