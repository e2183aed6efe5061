"""A repository that ships every file it likes, each of which writes its name when it is run.

    ship(directory, canary, Kind(mark="stolen", venv="store"), user)

Nothing of it may run but what the user names, and nothing that lies elsewhere may change.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from bubble.system.layout import ADOPTED, MARK
from support.handmade import write

MARKS = ("random", "stolen", "random adopted", "stolen adopted", "both", "link", "none")
VENVS = ("script", "store", "link out", "link to another", "none")
# what stands in the version files; `{clone}` is the repository, `{mine}` another project's .venv
PINS = (
    "",
    "./bin\n",
    "{clone}/.venv\n",
    "{clone}\n",
    "../../clone/.venv\n",
    "3.12.1/envs/stranger\n",
    "3.12.1/envs/../../clone\n",
    "train\n",
    "{mine}\n",
    "system\n",
    "stranger\n3\n",
    "$(./python)`./python`;./python\n",
    "3:./bin:{clone}\n",
    "@3 ^ ../../requests/now/x\n",
    "\x1b]0;python\x07\x00./python\n",
    "link",
    "directory",
    "tools",
)
# commands that something might look for by its name alone
PROGRAMS = (
    "python", "python3", "python3.12", "pip", "uv", "git", "sh", "bash", "env", "ls", "cat", "id",
    "uname", "ldd", "readlink", "dirname", "sed", "grep", "ps", "tar", "cp", "direnv", "pyenv",
    "bubble", "brew", "stranger",
)  # fmt: skip
# modules that an interpreter, pip or bubble might import from where it works
MODULES = (
    "sitecustomize", "usercustomize", "pip", "uv", "venv", "ensurepip", "site", "json", "ssl",
    "encodings/__init__", "packaging/__init__", "setuptools/__init__", "bubble/__init__",
    "bubble/cli/main", "ctypes/__init__", "sysconfig", "platform",
)  # fmt: skip
# all that bubble has ever called its scratch, and what looks like its records
TARGETS = (".ssh|brought", "..|user|.ssh|brought", "home|.ssh|brought", ".venv", "out|brought")


@dataclass(frozen=True)
class Kind:
    """What one repository ships where it can't ship everything."""

    mark: str = "random"
    venv: str = "script"
    pin: str = ""


@dataclass(frozen=True)
class User:
    """What a stranger would like to get: the user's HOME, one of their environments."""

    home: str
    mine: str  # a project's environment
    store_python: str
    python: str  # the name of a library's directory


def ship(directory: str, canary: str, kind: Kind, user: User) -> None:
    """Write a repository of a kind at `directory` (absolute), in the place of what is there."""
    if os.path.lexists(directory):
        shutil.rmtree(directory)
    os.makedirs(f"{directory}/below/deeper")
    for place in (directory, f"{directory}/below", f"{directory}/bin"):
        if place != f"{directory}/bin":
            _modules(place, canary)
        _programs(place, canary)
    write(f"{directory}/.envrc", f"echo .envrc >>'{canary}'\n")
    for name in (".bashrc", ".zshrc", "config.fish", ".profile", ".autoenv", ".env"):
        write(f"{directory}/{name}", f"echo {name} >>'{canary}'\n")
    _version_files(directory, kind, user)
    _scratch(directory, canary, user)
    if kind.venv != "none":
        _environment(f"{directory}/.venv", canary, kind, user)
    _environment(f"{directory}/venv", canary, Kind(mark=kind.mark), user)
    _mark(directory, kind, user)
    write(f"{directory}/pyvenv.cfg", _configuration("/usr/bin"))
    for words in (("init", "-q"), ("add", "-f", "-A")):  # as git brings it
        subprocess.run(["git", "-C", directory, *words], check=True, capture_output=True)


def _programs(directory: str, canary: str) -> None:
    for name in PROGRAMS:
        _program(f"{directory}/{name}", canary)


def _program(path: str, canary: str) -> None:
    if os.path.isdir(path):  # a module of the same name
        return
    os.chmod(write(path, f"#!/bin/sh\necho '{path}' >>'{canary}'\n"), 0o755)


def _modules(directory: str, canary: str) -> None:
    for name in MODULES:
        path = f"{directory}/{name}.py"
        write(path, f"open({canary!r}, 'a').write({path!r} + '\\n')\n")


def _version_files(directory: str, kind: Kind, user: User) -> None:
    path = f"{directory}/.python-version"
    if kind.pin == "link":
        os.symlink(f"{user.home}/.ssh/authorized_keys", path)
    elif kind.pin == "directory":
        os.makedirs(f"{path}/3.12")
    elif kind.pin not in {"", "tools"}:
        write(path, kind.pin.format(clone=directory, mine=user.mine))
    if kind.pin:
        write(f"{directory}/.tool-versions", f"python path:{directory}/bin ref:x ../../clone\n")
    write(f"{directory}/below/.python-version", f"{directory}/bin\n")
    write(
        f"{directory}/pyproject.toml",
        "[project]\nname = 'stranger'\nversion = '1'\nrequires-python = '>=3.8'\n"
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        f"[tool.uv]\npython-preference = 'only-system'\n[tool.bubble]\npython = '{directory}'\n",
    )
    for name in ("setup", "backend"):
        write(f"{directory}/{name}.py", "raise SystemExit('of the project')\n")


def _scratch(directory: str, canary: str, user: User) -> None:
    os.symlink(os.path.relpath(user.home, directory), f"{directory}/out")
    os.symlink(os.path.relpath(f"{user.home}/.ssh", directory), f"{directory}/.ssh")
    os.symlink(user.home, f"{directory}/home")
    for name in (".bubble-staging", ".bubble-journal"):
        os.symlink(f"{user.home}/.ssh", f"{directory}/{name}")
    for target in TARGETS:
        for brought in (".bubble-trash/replaced", ".bubble/trash/replaced", ".bubble-replaced"):
            write(f"{directory}/{brought}.{target}.0", "ssh-ed25519 AAAA stranger\n")
    for name in (".bubble-0123456789abcdef", ".bubble-removed.0123456789abcdef"):
        write(f"{directory}/{name}/bin/python", f"#!/bin/sh\necho '{name}' >>'{canary}'\n")
        os.symlink(f"{user.home}/.ssh", f"{directory}/{name}/link")
    for name in ("journal/1", "registry/n.stranger", "answers/x", "version", "shims/python"):
        write(f"{directory}/.bubble/{name}", f"{directory}/.venv\n")


def _configuration(home: str) -> str:
    return f"home = {home}\nversion = 3.12.1\nbubble = 0.1.0\nprompt = $(./python)`./python`\n"


def _environment(path: str, canary: str, kind: Kind, user: User) -> None:
    if kind.venv == "link out":
        os.symlink(f"{user.home}/.ssh", path)
        return
    if kind.venv == "link to another":
        os.symlink(os.path.relpath(user.mine, os.path.dirname(path)), path)
        return
    home = "/usr/bin" if kind.venv == "script" else os.path.dirname(user.store_python)
    write(f"{path}/pyvenv.cfg", _configuration(home))
    for name in (*PROGRAMS, "activate.py"):
        _program(f"{path}/bin/{name}", canary)
    if kind.venv == "store":  # the user's own interpreter, with the stranger's packages
        for name in ("python", "python3", "python3.12"):
            os.unlink(f"{path}/bin/{name}")
            os.symlink(user.store_python, f"{path}/bin/{name}")
    for name in ("activate", "activate.fish", "activate.csh"):
        write(f"{path}/bin/{name}", f"echo {name} >>'{canary}'\n")
    packages = f"{path}/lib/{user.python}/site-packages"
    said = f"open({canary!r}, 'a').write({packages!r} + '\\n')\n"
    write(f"{packages}/stranger.pth", f"import os; {said}")
    for name in ("sitecustomize.py", "pip/__init__.py", "pip/__main__.py", "stranger.py"):
        write(f"{packages}/{name}", said)
    write(f"{packages}/pip-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 1\n")
    write(f"{packages}/pip-1.dist-info/RECORD", "../../../../../out/.ssh/authorized_keys,,\n")
    _mark(path, kind, user)


def _mark(path: str, kind: Kind, user: User) -> None:
    with open(f"{user.mine}/{MARK}", encoding="ascii") as file:
        stolen = file.read()
    made_up = "0123456789abcdef0123456789abcdef\n"
    names = {"both": (MARK, ADOPTED), "none": ()}.get(
        kind.mark, (ADOPTED,) if kind.mark.endswith("adopted") else (MARK,)
    )
    for name in names:
        if kind.mark == "link":
            os.symlink(f"{user.mine}/{MARK}", f"{path}/{name}")
        else:
            write(f"{path}/{name}", stolen if "stolen" in kind.mark else made_up)
