"""pyenv's versions as bubble knows them: laid out in a store, and their names in both directions.

pyenv's tests make their versions as directories with shell scripts in them, which no probe can
ask what they are. So they are put where `bubble python adopt` and `bubble adopt` would put them:
`versions/3.4` as the adopted installation of CPython 3.4.0, `versions/custom` as the environment
of that name, one whose name bubble can't say as an environment that is known by its path.
PYENV_ROOT is bubble's home, too: there the shims and the global pin have the same names.
"""

from __future__ import annotations

import os
import re
import shutil

from bubble.model.key import Key
from bubble.model.name import is_name
from bubble.model.version import Version
from bubble.pythons.installed.store import Receipt, publish_changes, write_receipt
from bubble.selection import registry
from bubble.selection.identity import mark_file, new_identity
from bubble.system.host import host_platform
from bubble.system.layout import Layout

_VERSION = re.compile(r"(?:python-)?(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(t?)")


def key_of(name: str) -> Key | None:
    """Return the key of the CPython that pyenv calls `name`, None where bubble has no such."""
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    return Key(
        implementation="cpython",
        version=Version.parse(match[1]),
        variant="freethreaded" if match[2] else "",
        platform=host_platform(os.environ),
    )


class Names:
    """The versions of a root (absolute): `keys` are their names by bubble's, `paths` by theirs."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.layout = Layout(home=root, cache=f"{root}/.cache")
        self.keys: dict[str, str] = {}
        self.paths: dict[str, str] = {}
        for name, path in _versions(f"{root}/versions"):
            key = key_of(name)
            if key is not None and str(key) not in self.keys:
                self.keys[str(key)] = name
            else:
                self.paths[path] = name

    def lay_out(self) -> None:
        """Put the versions into the store, and drop those that are gone."""
        changed = False
        for key, name in self.keys.items():
            changed |= self._install(key, f"{self.root}/versions/{name}")
        known = {e.path: e for e in registry.environments(self.layout)}
        for path, name in self.paths.items():
            if path not in known:
                self._register(path, os.path.basename(name))
                changed = True
        for path, environment in known.items():
            if path not in self.paths:
                registry.forget(self.layout, environment)
                changed = True
        pythons = self.layout.pythons
        for key in os.listdir(pythons) if os.path.isdir(pythons) else ():
            if key not in self.keys and not os.path.islink(f"{pythons}/{key}"):
                shutil.rmtree(f"{pythons}/{key}")
                changed = True
        if changed:
            publish_changes(self.layout, host_platform(os.environ))

    def name_of(self, answer: str) -> str:
        """Return pyenv's name of what bubble calls `cpython-3.4.0`, an environment or a path."""
        for key, name in self.keys.items():
            if key.startswith(f"{answer}-") or key == answer:
                return name
        for path, name in self.paths.items():
            if answer in {path, os.path.basename(name)}:
                return name
        return answer

    def translated(self, text: str) -> str:
        """Return `text` with the paths of the store replaced by pyenv's."""
        for key, name in self.keys.items():
            text = text.replace(self.layout.python(key), f"{self.root}/versions/{name}")
        return text

    def _install(self, key: str, source: str) -> bool:
        prefix = self.layout.python(key)
        wanted = _files(f"{source}/bin")
        if os.path.isdir(prefix) and _files(f"{prefix}/bin") == wanted:
            return False
        shutil.rmtree(prefix, ignore_errors=True)
        os.makedirs(f"{prefix}/bin")
        os.makedirs(f"{prefix}/.bubble")
        for name in wanted:
            os.symlink(f"{source}/bin/{name}", f"{prefix}/bin/{name}")
        receipt = Receipt(
            key=key,
            origin=f"{source}/bin/python",
            sha256="",
            build="",
            flavour="adopted",
            manifest_sha256="",
            installed_at=0,
            bubble="",
            prefix=source,
            executable=f"{source}/bin/python",
        )
        write_receipt(prefix, receipt)
        return True

    def _register(self, path: str, name: str) -> None:
        commands = _files(f"{path}/bin")
        if commands and "python" not in commands:  # which every environment has
            os.symlink(f"{path}/bin/{commands[0]}", f"{path}/bin/python")
        environment = registry.Environment(
            path=path,
            name=name if is_name(name) else "",
            maker="virtualenv",
            identity=new_identity(),
        )
        with open(mark_file(environment), "w", encoding="ascii") as file:
            file.write(f"{environment.identity}\n")
        registry.register(self.layout, environment)


def _versions(directory: str) -> list[tuple[str, str]]:
    """Return name and path of every version and environment; aliases among them aren't any."""
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        path = f"{directory}/{name}"
        if not os.path.isdir(path):
            continue
        if os.path.islink(path) and os.path.realpath(path).startswith(f"{directory}/"):
            continue
        found.append((name, path))
        inside = f"{path}/envs"
        envs = sorted(os.listdir(inside)) if os.path.isdir(inside) else ()
        found += [(f"{name}/envs/{env}", f"{inside}/{env}") for env in envs]
    return found


def _files(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
