"""What is installed in an environment, as its metadata says it: nothing is run.

The lines are those of `pip freeze` (PEP 610 for what came from a URL), with one difference: an
editable install is exported as its directory, whoever controls its versions, unless that lies in
the environment itself, as what `-e git+…` leaves. Credentials are left out.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.editables import part_of, site_packages
from bubble.model.package import canonical_name
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.files import read_text
from bubble.system.git import origin_of
from bubble.system.pyvenv_cfg import read_configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_HEADERS = 1 << 16  # bytes of a metadata file within which its name and version stand
_SHOWN = 5
_VERSIONING = {".git": "Git", ".hg": "Mercurial", ".svn": "Subversion", ".bzr": "Bazaar"}


class Distribution(Record):
    """One installed distribution.

    `name` and `version` are as its metadata has them, `metadata` is the absolute path of its
    `.dist-info` or `.egg-info`. `url` is what it was installed from if that was no index, without
    credentials; `fragment` is what belongs behind its `#`. `project` is the absolute directory of
    an editable install; `checkout` is what follows `-e` where a repository has it. `hidden` says
    that there were credentials; `damage` what is wrong with its metadata.
    """

    name: str
    version: str
    metadata: str
    url: str = ""
    fragment: str = ""
    project: str = ""
    hidden: bool = False
    checkout: str = ""
    damage: str = ""

    @property
    def canonical(self) -> str:
        """The name as PEP 503 compares it."""
        return canonical_name(self.name)

    @property
    def requirement(self) -> str:
        """The requirement that installs the same again."""
        if self.project:
            return f"-e {self.checkout or sayable(self.project)}"
        if self.url:
            return f"{self.name} @ {self.url}" + (f"#{self.fragment}" if self.fragment else "")
        return f"{self.name}=={self.version}"

    @property
    def is_local(self) -> bool:
        """Whether the requirement names a place that only this machine has."""
        said = self.checkout or self.url
        return said.removeprefix("git+").startswith("file:") or bool(self.project and not said)

    @property
    def comment(self) -> str:
        """What `pip freeze` says above the line, or ""."""
        if not self.project or self.checkout:
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
    """Return what is to be installed again: without pip, and what other tools put there with it.

    venv and virtualenv gave every environment before 3.12 setuptools and wheel, so `pip freeze`
    hides them. bubble never did: where it made the environment, somebody asked for them.
    """
    unwanted = {"pip"}
    is_ours = "bubble" in read_configuration(root)
    if not is_ours and any(_minor(directory) < 12 for directory in site_packages(root)):
        unwanted |= {"setuptools", "distribute", "wheel"}
    found = [d for d in distributions(root) if d.canonical not in unwanted]
    return [_of_repository(d, root) if d.project else d for d in found]


def warnings_of(found: Sequence[Distribution], root: str) -> tuple[str, ...]:
    """Return what to tell of an export of the environment at `root`, a line each.

    Secrets that are left out, damaged metadata, and what exists on this machine alone.
    """
    here = [d for d in found if d.is_local]
    warnings = [
        f"{d.name} was installed from a URL with credentials or a query: they are left out"
        for d in found
        if d.hidden
    ]
    warnings += [f"{printable(d.name, 80)}: {d.damage}" for d in found if d.damage]
    inside = [d.name for d in here if f"{d.project}/".startswith(f"{root}/") and not d.checkout]
    if inside:
        warnings.append(
            f"{_listed(inside)}: the directory lies in the environment, and goes with it"
        )
    if here:
        count = "1 line names a place" if len(here) == 1 else f"{len(here)} lines name places"
        warnings.append(f"{count} on this machine alone: {_listed([d.name for d in here])}")
    return tuple(warnings)


def _in_directory(directory: str) -> Iterator[Distribution]:
    for name in sorted(os.listdir(directory)):
        path = f"{directory}/{name}"
        if name.startswith("~"):
            continue  # what pip put aside, and was stopped before it deleted it
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
    damage = ""
    if not fields.get("name") or not fields.get("version"):
        name, version = _named(os.path.basename(path))
        if not version or not (os.path.isfile(headers) or os.path.isfile(f"{path}/RECORD")):
            return  # what an uninstall left
        damage = "its metadata is damaged; name and version are those of its directory"
        fields = {"name": name, "version": version}
    found = Distribution(
        name=fields["name"], version=fields["version"], metadata=path, damage=damage
    )
    source = read_text(f"{path}/direct_url.json")
    yield found if source is None else _from_url(found, source)


def _named(directory: str) -> tuple[str, str]:
    """Return name and version as `name-1.0.dist-info` or `name-1.0-py3.11.egg-info` has them."""
    words = os.path.splitext(directory)[0].split("-")
    if len(words) < 2 or not words[0] or not words[1][:1].isdigit():
        return "", ""
    return words[0].replace("_", "-"), words[1]


def _from_url(found: Distribution, text: str) -> Distribution:
    """Add what PEP 610 says: where it came from."""
    import json

    try:
        data = json.loads(text)
        return found.replace(**_direct(data))
    except (ValueError, KeyError, TypeError, AttributeError):
        return found


def _direct(data: dict[str, Any]) -> dict[str, Any]:
    from urllib.parse import unquote, urlsplit

    from bubble.model.urls import published

    url, hidden = published(data["url"])
    if data.get("dir_info", {}).get("editable"):
        path = urlsplit(url).path
        return {"project": unquote(path, errors="surrogateescape")}
    fragments: list[str] = []
    if vcs := data.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    elif archive := data.get("archive_info"):
        hashes = [f"{name}={value}" for name, value in archive.get("hashes", {}).items()]
        fragments += [archive["hash"]] if archive.get("hash") else hashes[:1]
    if data.get("subdirectory"):
        fragments.append(f"subdirectory={data['subdirectory']}")
    return {"url": url, "hidden": hidden, "fragment": "&".join(fragments)}


def _of_repository(found: Distribution, root: str) -> Distribution:
    """Add where the checkout of an editable install in the environment itself came from."""
    from urllib.parse import quote

    from bubble.model.urls import published

    real, project = os.path.realpath(root), os.path.realpath(found.project)
    tree = project
    while tree.startswith(f"{real}/"):
        origin = origin_of(tree)
        if origin:
            url, hidden = published(origin.url)
            if project == tree:
                info = os.path.basename(found.metadata)
                project = os.path.realpath(part_of(root, info, found.project))
            below = os.path.relpath(project, tree)
            fragment = f"egg={found.name.replace('-', '_')}"
            if below != ".":
                fragment += f"&subdirectory={quote(below)}"
            checkout = f"git+{url}@{origin.commit}#{fragment}"
            return found.replace(checkout=checkout, hidden=hidden)
        tree = os.path.dirname(tree)
    return found


def sayable(project: str) -> str:
    """Return what is said behind `-e`: a directory (absolute) as both pip and uv take it.

    It may have extras: `/site[dev]`.
    """
    if not os.path.isabs(project):
        return project
    from urllib.parse import quote

    path, bracket, extras = project, "", ""
    if project.endswith("]") and not os.path.isdir(project):
        path, bracket, extras = project.rpartition("[")
    quoted = quote(path, errors="surrogateescape")
    return project if quoted == path else f"file://{quoted}{bracket}{extras}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name, 80) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if names[_SHOWN:] else shown


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
