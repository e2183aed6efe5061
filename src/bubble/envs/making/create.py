"""Making an environment: staged beside its place, complete, then renamed into it.

A PEP 405 environment by our own hand: what `venv` writes, without running the interpreter.
"""

from __future__ import annotations

import os

import bubble
from bubble.envs.making.activation import activation_scripts, prompt_text
from bubble.model.record import Record
from bubble.pythons.installed import store
from bubble.pythons.probing.stdlib import library_name, stdlib_of
from bubble.system.copies import umask
from bubble.system.files import link_new, write_new
from bubble.system.layout import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.pythons.installed.store import Installation

_CACHEDIR = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file marks a directory that can be made anew (https://bford.info/cachedir/).\n"
)


class Base(Record):
    """What an environment is made against.

    `home` is the absolute `bin` directory that pyvenv.cfg names, `executable` the interpreter in
    it, `stdlib` its standard library, `link` the prefix that the registry remembers.
    """

    home: str
    executable: str
    stdlib: str
    link: str
    installation: Installation


def base_of(installation: Installation, *, exact: bool) -> Base:
    """Return what to make an environment against.

    Unless `exact`, that is the minor link, where it points at this installation: the environment
    then survives patch upgrades. An adopted interpreter stands where its maker put it.
    """
    key = installation.key
    name = library_name(key)
    if installation.is_adopted:
        receipt = store.read_receipt(installation.prefix)
        return Base(
            home=os.path.dirname(receipt.executable),
            executable=receipt.executable,
            stdlib=stdlib_of(installation),
            link=installation.prefix,
            installation=installation,
        )
    link = store.standing(installation, exact=exact)
    executable = f"{link}/bin/{name}"
    if not os.path.exists(executable):
        executable = f"{link}/bin/python"
    return Base(
        home=f"{link}/bin",
        executable=executable,
        stdlib=stdlib_of(installation),
        link=link,
        installation=installation,
    )


def build(
    root: str,
    path: str,
    base: Base,
    *,
    prompt: str,
    identity: str,
    system_site_packages: bool = False,
) -> None:
    """Fill the empty directory `root` with an environment that will lie at `path` (absolute).

    It has no pip yet. Its modes are the same whatever the umask: others may use what one user
    makes.
    """
    with umask(0o022):
        key = base.installation.key
        prompt = prompt_text(prompt)
        library = os.path.basename(base.stdlib)
        site_packages = f"{root}/lib/{library}/site-packages"
        os.makedirs(site_packages)
        os.mkdir(f"{root}/bin")
        if key.platform.os == "linux":
            link_new("lib", f"{root}/lib64")
        write_new(f"{root}/pyvenv.cfg", _configuration(base, prompt, path, system_site_packages))
        write_new(f"{root}/.gitignore", "*\n")
        write_new(f"{root}/CACHEDIR.TAG", _CACHEDIR)
        write_new(f"{root}/{MARK}", f"{identity}\n")
        for name in _interpreter_names(base):
            link_new(base.executable if name == "python" else "python", f"{root}/bin/{name}")
        for name, text in activation_scripts(base.stdlib, path, prompt).items():
            write_new(f"{root}/bin/{name}", text)


def _configuration(base: Base, prompt: str, path: str, system_site_packages: bool) -> str:  # noqa: FBT001
    key = base.installation.key
    implementation = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
    values = {
        "home": base.home,
        "implementation": implementation[key.implementation],
        "version_info": str(key.version),
        "include-system-site-packages": "true" if system_site_packages else "false",
        "version": str(key.version),
        "executable": base.executable,
        "bubble": bubble.__version__,
    }
    if prompt != os.path.basename(path):
        values["prompt"] = prompt
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _interpreter_names(base: Base) -> list[str]:
    key = base.installation.key
    names = ["python", "python3", f"python{key.version.minor}"]
    if key.implementation != "cpython":
        name = key.implementation
        names += [name, f"{name}{key.version[0]}", f"{name}{key.version.minor}"]
    flags = ""
    for variant, flag in (("freethreaded", "t"), ("debug", "d")):
        if variant in key.variant:
            flags += flag
            names.append(f"python{key.version.minor}{flags}")
    return names
