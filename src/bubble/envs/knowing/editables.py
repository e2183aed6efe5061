"""What editable installs leave in an environment: files and links that name their projects.

Each build backend has its own: a `.pth` file, a module that it imports (setuptools' finders,
`editables`, scikit-build-core, meson-python), links (flit), a tree of links in the project
(setuptools' strict mode). What a distribution's RECORD lists is its own, and looked at whatever
it is called. Nothing is run.
"""

from __future__ import annotations

import os
import re

from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.files import names_in, read_text
from bubble.system.gone import barred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.selection.registry import Environment

_BY_NAME = (".pth", ".egg-link")
_TEXTS = (".py", ".pth", ".json", ".txt", ".cfg", ".ini", ".toml", ".cmake", ".pc", ".sh")
_SIGNS = ("pyproject.toml", "setup.py")  # of a project that can be installed
_LARGEST = 1 << 22  # bytes of a text that is looked at
# what a build directory says of where its sources lie: file, and the line that names them
_BUILT = (
    ("CMakeCache.txt", re.compile(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.+)$", re.MULTILINE)),
    ("meson-info/meson-info.json", re.compile(r'"source":\s*"((?:[^"\\]|\\.)+)"')),
)
_PATHS = re.compile(r"""(?P<quote>['"])(?P<path>/(?:(?!(?P=quote))[^\\\n]|\\.)*)(?P=quote)""")
_MOST = 2000  # links of a tree that are looked at


class Editable(Record):
    """An editable install: `name`, its `project` (absolute), and `files`, relative to the root."""

    name: str
    project: str
    files: tuple[str, ...]


class Astray(Record):
    """An editable install that doesn't run its project's code: `why` says what leads elsewhere.

    `place` is where it does lead, or what is missing (absolute).
    """

    name: str
    project: str
    why: str
    place: str
    strict: bool = False

    @property
    def said(self) -> str:
        """What to tell of it."""
        place = printable(self.place, 500)
        return f"{printable(self.name, 80)} is installed for editing, and {self.why}: {place}"

    def command(self, environment: Environment) -> str:
        """Return the command that installs it again, as a shell takes it."""
        from shlex import quote

        strict = "--config-settings editable_mode=strict " if self.strict else ""
        project = self.project if os.path.isdir(self.project) else "PATH"
        what = f"{strict}-e {quote(printable(project))}"
        if os.path.exists(f"{environment.path}/bin/pip"):
            return f"bubble run {quote(printable(environment.title))} pip install {what}"
        return f"uv pip install --python {quote(printable(environment.path))} {what}"


def site_packages(root: str) -> list[str]:
    """Return the `site-packages` directories of an environment, relative to it."""
    found = [f"lib/{name}/site-packages" for name in names_in(f"{root}/lib")]
    return [path for path in found if os.path.isdir(f"{root}/{path}")]


def traces(root: str) -> list[str]:
    """Return the files and links in site-packages that may name a place, relative to `root`."""
    found: dict[str, None] = {}
    for directory in site_packages(root):
        for name in names_in(f"{root}/{directory}"):
            path = f"{directory}/{name}"
            if name.endswith(".dist-info"):
                found[f"{path}/direct_url.json"] = None
            elif (
                name.endswith(_BY_NAME)
                or (name.startswith("__editable__") and "." in name)
                or os.path.islink(f"{root}/{path}")
            ):
                found[path] = None
    for editable in editables(root):
        found |= dict.fromkeys(editable.files)
    return list(found)


def editables(root: str) -> list[Editable]:
    """Return the editable installs that have a RECORD, and what theirs lists of texts and links."""
    found = []
    for directory in site_packages(root):
        for name in names_in(f"{root}/{directory}"):
            info = f"{root}/{directory}/{name}"
            project = _project(info) if name.endswith(".dist-info") else ""
            if project:
                files = tuple(_recorded(root, directory, name))
                title = name.removesuffix(".dist-info").rpartition("-")[0]
                found.append(Editable(name=title, project=project, files=files))
    return found


def part_of(root: str, info: str, project: str) -> str:
    """Return the directory below `project` (absolute) that an editable install really is of.

    pip before 23.1 recorded the tree that was checked out, whichever part of it was installed; the
    code is looked for in the part. `info` is the name of its `.dist-info`.
    """
    name = info.removesuffix(".dist-info").rpartition("-")[0]
    for editable in editables(root):
        if (editable.name, editable.project) != (name, project):
            continue
        for place in (p for file in editable.files for p in _places(root, file, project)):
            at = place
            while at.startswith(f"{project}/"):
                if any(os.path.isfile(f"{at}/{sign}") for sign in _SIGNS):
                    return at
                at = os.path.dirname(at)
    return project


def split_entry(line: str) -> tuple[str, str]:
    """Return the path of a RECORD's line, and the rest of it with its comma."""
    if line.startswith('"'):
        found = re.match(r'"((?:[^"]|"")*)"', line)
        if found:
            return found[1].replace('""', '"'), line[found.end() :]
    path, comma, rest = line.partition(",")
    return path, comma + rest


def astray(root: str) -> list[Astray]:
    """Return the editable installs in the environment at `root` whose code isn't their project's.

    That is what only their build backend can mend: what it built names the place where it was
    built. Each is named once.
    """
    found = []
    for editable in editables(root):
        places = [p for file in editable.files for p in _places(root, file, editable.project)]
        if barred(editable.project):
            continue  # its project's, for those who may see it
        if not os.path.isdir(editable.project):
            fault: tuple[str, str] | None = ("its project is gone", editable.project)
        else:
            faults = (_fault(place, editable.project, root) for place in places)
            fault = next((fault for fault in faults if fault), None)
        if fault:
            found.append(
                Astray(
                    name=editable.name,
                    project=editable.project,
                    why=fault[0],
                    place=fault[1],
                    strict=any(_is_link_tree(place) for place in places),
                )
            )
    return found


def _project(info: str) -> str:
    """Return the project of an editable install by its `.dist-info` (PEP 610), else ""."""
    text = read_text(f"{info}/direct_url.json")
    if text is None:
        return ""
    import json
    from urllib.parse import unquote, urlsplit

    try:
        data = json.loads(text)
        if data["dir_info"].get("editable"):
            return unquote(urlsplit(data["url"]).path, errors="surrogateescape")
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return ""


def _recorded(root: str, directory: str, info: str) -> Iterator[str]:
    """Yield the links that a RECORD lists, and the texts among its files in site-packages."""
    text = read_text(f"{root}/{directory}/{info}/RECORD", 1 << 24) or ""
    for line in text.splitlines():
        path, _ = split_entry(line)
        if not path or path.startswith(("/", f"{info}/")):
            continue
        inside = os.path.normpath(f"{directory}/{path}")
        if inside.startswith(("../", "bin/")):
            continue  # of nobody's environment, or looked at as a script
        if os.path.islink(f"{root}/{inside}") or (
            inside.startswith(f"{directory}/") and inside.endswith(_TEXTS)
        ):
            yield inside


def _places(root: str, inside: str, project: str) -> Iterator[str]:
    """Yield the absolute paths that a file or link of an editable install names.

    Of those in a loader's source, which has others too, only what lies in the project, or would if
    a path in it weren't spelled as in a URL.
    """
    path = f"{root}/{inside}"
    if os.path.islink(path):
        yield os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        return
    text = read_text(path, _LARGEST) or ""
    if inside.endswith(".pth"):
        yield from (line.rstrip() for line in text.splitlines() if line.startswith("/"))
    elif os.path.dirname(inside) in site_packages(root):
        import ast
        from urllib.parse import quote

        heads = (f"{project}/", f"{quote(project, errors='surrogateescape')}/")
        for found in _PATHS.finditer(text):
            try:
                path = str(ast.literal_eval(found[0]))
            except (ValueError, SyntaxError):
                continue
            if path.startswith(heads):
                yield path


def _fault(place: str, project: str, root: str) -> tuple[str, str] | None:
    """Return what is wrong with a place that an editable install leads to, and where."""
    if os.path.basename(os.path.dirname(place)) == "bin":
        return None  # a tool of a build that is over
    if not os.path.lexists(place):
        # a module without its suffix (`…/tool` for tool.py), or one that isn't built yet
        parent = os.path.dirname(place)
        return None if os.path.isdir(parent) else ("it leads to what is gone", place)
    for file, names in _BUILT:
        said = names.search(read_text(f"{place}/{file}", _LARGEST) or "")
        source = said[1].replace('\\"', '"').replace("\\\\", "\\") if said else ""
        if source and not _within(source, project, root):
            return ("it was built elsewhere", source)
    if _is_link_tree(place):
        for link in _links(place):
            target = os.path.join(os.path.dirname(link), os.readlink(link))
            if not os.path.exists(target):
                return ("it leads to what is gone", target)
            if not _within(target, project, root):
                return ("it leads elsewhere", target)
    return None


def warnings_of(environment: Environment) -> tuple[str, ...]:
    """Return a line for each editable install that only its own backend can mend."""
    return tuple(
        f"{it.said}; reinstall it: {it.command(environment)}" for it in astray(environment.path)
    )


def _is_link_tree(place: str) -> bool:
    """Whether a directory is what setuptools' strict mode makes of links to a project's files."""
    return os.path.basename(place).startswith("__editable__.")


def _links(directory: str) -> Iterator[str]:
    seen = 0
    for path, directories, files in os.walk(directory):
        for name in (*directories, *files):
            if os.path.islink(f"{path}/{name}"):
                yield f"{path}/{name}"
                seen += 1
                if seen == _MOST:
                    return


def _within(path: str, *directories: str) -> bool:
    real = os.path.realpath(path)
    return any(f"{real}/".startswith(f"{os.path.realpath(d)}/") for d in directories)
