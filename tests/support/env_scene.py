"""Environments to break: a scene with a real interpreter adopted, and what must hold of them.

pip is a small wheel of the newest version of all, so that unpacking it takes few calls. It lies
where an interpreter of the store bundles its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import zipfile

from bubble.selection import registry
from bubble.selection.identity import mark_of
from support import invariants
from support.builds import interpreters
from support.scene import scene
from support.wheels import recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from support.scene import Scene

PIP = "99.0"


@contextlib.contextmanager
def env_scene(*more: Mapping[str, Any]) -> Iterator[Scene]:
    """Make a scene with a real interpreter, whose request is `request(stage)`, and a small pip.

    `more` builds are in its mirror.
    """
    with scene({"version": "3.11.9", "extra_files": 0}, *more) as stage:
        done = stage.run("python", "install", "3.11.9")
        assert done.status == 0, done
        bundled = f"{stage.layout.python(invariants.installed(stage)[0])}/lib/python3.11/ensurepip"
        os.makedirs(f"{bundled}/_bundled", exist_ok=True)
        small_pip(f"{bundled}/_bundled")
        newer = [p for v, p in interpreters() if not v.startswith("3.8.")]
        done = stage.run("python", "adopt", newer[-1] if newer else sys.base_prefix)
        assert done.status == 0, done
        os.mkdir(f"{stage.root}/project")
        stage.save("start")
        yield stage


def request(stage: Scene) -> str:
    """Return the exact version of the adopted interpreter."""
    keys = [key.split("-")[1] for key in invariants.installed(stage)]
    return next(version for version in keys if version not in {"3.11.8", "3.11.9"})


def small_pip(directory: str) -> None:
    """Write a pip that can say its version, as a wheel."""
    info = f"pip-{PIP}.dist-info"
    files = {
        "pip/__init__.py": "",
        "pip/_internal/__init__.py": "",
        "pip/_internal/cli/__init__.py": "",
        "pip/_internal/cli/main.py": f"def main():\n    print('pip {PIP}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pip\nVersion: {PIP}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = [f"{name},{recorded(text)}\n" for name, text in files.items()]
    files[f"{info}/RECORD"] = "".join([*listed, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(f"{directory}/pip-{PIP}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def broken(path: str, *, pip: str = PIP) -> list[str]:
    """I1: an environment is not there, or whole and running, with its pip if it has one.

    `pip` is the version that it should have; "" is any.
    """
    if not os.path.lexists(path):
        return []
    found = []
    said = _says([f"{path}/bin/python", "-I", "-c", "import sys; print(sys.prefix)"])
    if said != path:
        found.append(f"I1: python in {path} says {said}")
    if os.path.lexists(f"{path}/bin/pip3"):
        said = _says([f"{path}/bin/pip3", "--version"])
        if not f"{said} ".startswith(f"pip {pip}"):
            found.append(f"I1: pip in {path} doesn't run: {said}")
    expected = {"pyvenv.cfg", ".gitignore", "CACHEDIR.TAG", ".bubble-environment", "bin", "lib"}
    if missing := expected - set(os.listdir(path)):
        found.append(f"I1: {path} has no {missing}")
    return found


def unregistered(stage: Scene, path: str) -> list[str]:
    """After the next command: one record, of exactly the environment that is there."""
    records = [e for e in registry.environments(stage.layout) if e.path == path]
    there = os.path.lexists(path)
    if len(records) != there:
        return [f"I1: {len(records)} records of {path}, which is{' not' * (not there)} there"]
    if there and mark_of(path) != records[0].identity:
        return [f"I1: the record of {path} is another's"]
    return []


def left_behind(stage: Scene, *, also: str = "") -> list[str]:
    """I3: nothing but records in the registry, nothing but the environment in the project.

    `also` may be in the project as well.
    """
    found = invariants.left_over(stage)
    names = os.listdir(stage.layout.registry) if os.path.isdir(stage.layout.registry) else []
    found += [f"I3: {name} in the registry" for name in names if name[0] not in "np"]
    found += [
        f"I3: {n} in the project" for n in os.listdir(project(stage)) if n not in {".venv", also}
    ]
    return found


def project(stage: Scene) -> str:
    """Return the directory of the project."""
    return f"{stage.root}/project"


def restore(stage: Scene, name: str) -> None:
    """Make home, cache and project what they were."""
    stage.restore(name)
    shutil.rmtree(project(stage))
    saved = f"{stage.root}/saved/{name}/project"
    if os.path.isdir(saved):
        shutil.copytree(saved, project(stage), symlinks=True)
    else:
        os.mkdir(project(stage))


def save(stage: Scene, name: str) -> None:
    """Remember home, cache and project."""
    stage.save(name)
    shutil.copytree(project(stage), f"{stage.root}/saved/{name}/project", symlinks=True)


def _says(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return str(error)
    return done.stdout.strip() if done.returncode == 0 else done.stderr
