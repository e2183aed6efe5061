"""Editable installs as each build backend leaves them: names, places and lines are theirs.

The loaders are doubles: they find what their last line names, as the backend's own do.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote

from support.handmade import write

_FINDER = """\
import sys
from importlib.util import spec_from_file_location

class Finder:
    def __init__(self, names):
        self.names = names
    def find_spec(self, name, path=None, target=None):
        for place in (self.names.get(name),):
            if place and place.endswith(".py"):
                return spec_from_file_location(name, place)
            if place:
                return spec_from_file_location(name, place + "/__init__.py")

def install(names):
    sys.meta_path.append(Finder(names))
"""
REBUILT = ("strict", "meson")  # what only its backend can make right at another place


def plant(root: str, packages: str, project: str) -> None:
    """Leave one of each kind in an environment: `packages` is its site-packages (absolute).

    `project` (absolute) gets the sources, a package for each.
    """
    write(f"{packages}/redirector.py", _FINDER)
    for kind, leave in _KINDS.items():
        write(f"{project}/{kind}/src/{kind}/__init__.py", "")
        listed = leave(packages, f"{project}/{kind}", root)
        if kind != "develop":
            _metadata(packages, kind, f"{project}/{kind}", listed)


def _metadata(packages: str, name: str, project: str, listed: list[str]) -> None:
    info = f"{packages}/{name}-1.0.dist-info"
    write(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    url = {"dir_info": {"editable": True}, "url": f"file://{quote(project)}"}
    write(f"{info}/direct_url.json", json.dumps(url))
    lines = [
        _field(path) + ",sha256=AAAA,1" for path in (*listed, f"{name}-1.0.dist-info/METADATA")
    ]
    write(f"{info}/RECORD", "\n".join([*lines, f"{name}-1.0.dist-info/RECORD,,", ""]))


def _field(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path


def _path(packages: str, project: str, _root: str) -> list[str]:
    """As setuptools writes a project with one directory of sources."""
    write(f"{packages}/__editable__.path-1.0.pth", f"{project}/src\n")
    return ["__editable__.path-1.0.pth"]


def _bare_path(packages: str, project: str, _root: str) -> list[str]:
    """As flit, hatchling, uv and poetry do: some end the line, some don't."""
    write(f"{packages}/bare_path.pth", f"{project}/src")
    return ["bare_path.pth"]


def _finder(packages: str, project: str, _root: str) -> list[str]:
    """As setuptools does otherwise."""
    mapping = {"finder": f"{project}/src/finder"}
    text = f"MAPPING: dict[str, str] = {mapping!r}\nfrom redirector import install as put\n"
    write(f"{packages}/__editable___finder_1_0_finder.py", f"{text}def install(): put(MAPPING)\n")
    line = "import __editable___finder_1_0_finder; __editable___finder_1_0_finder.install()"
    write(f"{packages}/__editable__.finder-1.0.pth", line)
    return ["__editable__.finder-1.0.pth", "__editable___finder_1_0_finder.py"]


def _mapped(packages: str, project: str, _root: str) -> list[str]:
    """As pdm-backend's `editables` and hatchling's `dev-mode-exact`."""
    place = f"{project}/src/mapped/__init__.py"
    text = f"from redirector import install\ninstall({{'mapped': {place!r}}})"
    write(f"{packages}/_editable_impl_mapped.py", text)
    write(f"{packages}/_editable_impl_mapped.pth", "import _editable_impl_mapped")
    return ["_editable_impl_mapped.pth", "_editable_impl_mapped.py"]


def _skbuild(packages: str, project: str, _root: str) -> list[str]:
    """As scikit-build-core: the loader, and what CMake installed."""
    place = f"{project}/src/skbuild/__init__.py"
    text = "from redirector import install as put\ndef install(a, *more): put(a)\n"
    call = f"install({{'skbuild': {place!r}}}, {{}}, {{'skbuild': [{project + '/src'!r}]}}, None)\n"
    write(f"{packages}/_editable_skbc_skbuild.py", text + call)
    write(f"{packages}/_editable_skbc_skbuild.pth", "import _editable_skbc_skbuild\n")
    write(f"{packages}/skbuild_data/made.cmake", f'set(SOURCE "{project}/src")\n')
    return ["_editable_skbc_skbuild.pth", "_editable_skbc_skbuild.py", "skbuild_data/made.cmake"]


def _linked(packages: str, project: str, root: str) -> list[str]:
    """As `flit install --symlink`, which lists scripts by their absolute path."""
    os.symlink(f"{project}/src/linked", f"{packages}/linked")
    write(f"{root}/bin/linked", f"#!{root}/bin/python\nimport linked\n")
    return [f"{root}/bin/linked", "linked"]


def _nested(packages: str, project: str, root: str) -> list[str]:
    """As `flit install --symlink` of a namespace's package, with data files."""
    os.makedirs(f"{packages}/name/space")
    os.symlink(f"{project}/src/nested", f"{packages}/name/space/nested")
    write(f"{project}/data/nested.txt", "data")
    os.makedirs(f"{root}/share/doc")
    os.symlink(f"{project}/data/nested.txt", f"{root}/share/doc/nested.txt")
    return ["name/space/nested", "../../../share/doc/nested.txt"]


def _develop(packages: str, project: str, _root: str) -> list[str]:
    """As `setup.py develop`."""
    write(f"{packages}/easy-install.pth", f"{project}/src\n")
    write(f"{packages}/develop.egg-link", f"{project}/src\n.")
    return []


def _strict(packages: str, project: str, _root: str) -> list[str]:
    """As setuptools with `editable_mode=strict`: a tree of links in the project."""
    tree = f"{project}/build/__editable__.strict-1.0-py3-none-any"
    os.makedirs(f"{tree}/strict")
    os.symlink(f"{project}/src/strict/__init__.py", f"{tree}/strict/__init__.py")
    write(f"{packages}/__editable__.strict-1.0.pth", f"{tree}\n")
    return ["__editable__.strict-1.0.pth"]


def _meson(packages: str, project: str, root: str) -> list[str]:
    """As meson-python: the build directory says where its sources are."""
    built = {"meson_version": {"full": "1.12.1"}, "directories": {"source": project}}
    write(f"{project}/build/cp312/meson-info/meson-info.json", json.dumps(built, indent=2))
    text = "import json\nfrom redirector import install as put\ndef init(path, tool):\n"
    text += "    file = open(path + '/meson-info/meson-info.json')\n"
    text += "    source = json.load(file)['directories']['source']\n"
    text += "    put({'meson': source + '/src/meson'})\n"
    call = f"init(\n    {f'{project}/build/cp312'!r},\n    [{f'{root}/bin/ninja'!r}],\n)\n"
    write(f"{packages}/_meson_editable_loader.py", text + call)
    write(f"{packages}/meson-editable.pth", "import _meson_editable_loader")
    return ["_meson_editable_loader.py", "meson-editable.pth"]


_KINDS = {
    "path": _path,
    "bare_path": _bare_path,
    "finder": _finder,
    "mapped": _mapped,
    "skbuild": _skbuild,
    "linked": _linked,
    "nested": _nested,
    "develop": _develop,
    "strict": _strict,
    "meson": _meson,
}
KINDS = tuple(_KINDS)
