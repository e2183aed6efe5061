"""Lock files that mean harm or are broken, each with its name: none of them may be believed.

`LOCKS` maps names to bytes; `DIRECTORY` in them stands for the directory that the lock lies in.
"""

from __future__ import annotations

SUM = "0" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'
_HASHES = f'hashes = {{ sha256 = "{SUM}" }}'
_GOOD = "https://h.example/a-1.0-py3-none-any.whl"
_KEY = "cpython-3.12.4-linux-x86_64-gnu"


def package(*lines: str, name: str = "a") -> str:
    """Return a lock with one package that says these lines."""
    return "\n".join([f"{HEAD}[[packages]]", f'name = "{name}"', 'version = "1.0"', *lines, ""])


def wheel(place: str, hashes: str = _HASHES, name: str = "a") -> str:
    """Return a lock with one package that has one wheel; `place` is `url = …` or `path = …`."""
    return package(f"wheels = [{{ {place}, {hashes} }}]", name=name)


def build(**values: str) -> str:
    """Return a lock whose interpreter says these values."""
    right = {"key": _KEY, "build": "20260101", "url": "https://h.example/p.tar.gz", "sha256": SUM}
    lines = [f"{key} = {value!r}" for key, value in {**right, **values}.items()]
    return (
        f'{HEAD}packages = []\n[tool.bubble]\nformat = 1\ninputs = "sha256:{SUM}"\n'
        f'[tool.bubble.python]\nrequest = "3.12"\nversion = "3.12.4"\n'
        "[[tool.bubble.python.builds]]\n" + "\n".join(lines) + "\n"
    )


_URLS = {
    "passwd by URL": "file:///etc/passwd",
    "shadow by URL": "file:///etc/shadow",
    "passwd by host": "file://localhost/etc/passwd",
    "a device by URL": "file:///dev/zero",
    "a pipe by URL": "file:///dev/fd/0",
    "a key by URL": "file:///root/.ssh/id_ed25519",
    "the metadata service": "http://169.254.169.254/latest/meta-data/",
    "ftp": "ftp://h.example/a-1.0-py3-none-any.whl",
    "data": "data:application/zip;base64,UEsDBA==",
    "javascript": "javascript:alert(1)",
    "a local program": "ext::sh -c touch% /tmp/pwned",
    "an option": "--index-url=https://evil.example",
    "a short option": "-e .",
    "a plain path": "/etc/passwd",
    "nothing": "",
    "an escape sequence": "https://h.example/\\u001b[2Ja-1.0-py3-none-any.whl",
    "a newline": "https://h.example/x\\n--index-url=https://evil.example/a-1.0-py3-none-any.whl",
    "a NUL": "https://h.example/a-1.0-py3-none-any.whl\\u0000",
    "a right-to-left override": "https://h.example/\\u202ea-1.0-py3-none-any.whl",
    "a page": "https://h.example/index.html",
    "an endless one": "https://h.example/" + "a" * 5000 + "-1.0-py3-none-any.whl",
    "a script": "https://h.example/setup.py",
}
_PATHS = {
    "passwd": "../../../../../../etc/passwd",
    "an absolute file": "/etc/passwd",
    "an option's path": "-rf",
    "nothing at all": "",
    "a directory": "../../..",
    "dots": "..",
    "this": ".",
    "a NUL in a path": "a\\u0000-1.0-py3-none-any.whl",
    "a terminal's bell": "\\u0007/a-1.0-py3-none-any.whl",
    "a key": "../../.ssh/id_rsa",
}
_HASHES_WRONG = {
    "no hashes": "size = 1",
    "empty hashes": "hashes = {}",
    "md5 alone": 'hashes = { md5 = "d41d8cd98f00b204e9800998ecf8427e" }',
    "sha1 alone": f'hashes = {{ sha1 = "{"0" * 40}" }}',
    "a short sha256": 'hashes = { sha256 = "00" }',
    "a long sha256": f'hashes = {{ sha256 = "{SUM}00" }}',
    "an empty sha256": 'hashes = { sha256 = "" }',
    "no hex": f'hashes = {{ sha256 = "{"g" * 64}" }}',
    "a number": "hashes = { sha256 = 1 }",
    "a list": f'hashes = {{ sha256 = ["{SUM}"] }}',
    "hashes that are a text": f'hashes = "{SUM}"',
    "an option in it": f'hashes = {{ sha256 = "{"0" * 60} --x" }}',
}
_NAMES = {
    "an option as a name": "--index-url",
    "a path as a name": "../../evil",
    "no name": "",
    "a name with an escape": "a\\u001b]0;owned\\u0007",
    "a name with spaces": "a b",
    "a name with a newline": "a\\nb",
    "a name of letters that look alike": "p\u0430ndas",
    "a long name": "a" * 300,
    "a marker in a name": "a; os_name",
    "a URL as a name": "a @ https://evil.example/a.zip",
}
_TREES = {
    "a tree that isn't there": 'directory = { path = "nowhere" }',
    "a tree of the system": 'directory = { path = "../../../../../../../../etc" }',
    "an absolute tree": 'directory = { path = "/" }',
    "an absolute project": 'directory = { path = "DIRECTORY" }',
    "a tree that is an option": 'directory = { path = "-e" }',
    "a subdirectory that leads out": 'directory = { path = ".", subdirectory = "../.." }',
    "an absolute subdirectory": 'directory = { path = ".", subdirectory = "/etc" }',
    "a tree that is a number": "directory = { path = 1 }",
    "a tree without a path": "directory = { editable = true }",
}
_COMMIT = f'commit-id = "{"c" * 40}"'
_REPOSITORIES = {
    "a program as a repository": f'vcs = {{ type = "git", url = "ext::sh -c id", {_COMMIT} }}',
    "an option as a repository": f'vcs = {{ type = "git", url = "--upload-pack=id", {_COMMIT} }}',
    "a path as a repository": f'vcs = {{ type = "git", path = "-u", {_COMMIT} }}',
    "an option as a commit": (
        'vcs = { type = "git", url = "https://h.example/a", commit-id = "--upload-pack=id" }'
    ),
    "a branch as a commit": (
        'vcs = { type = "git", url = "https://h.example/a", commit-id = "main" }'
    ),
    "an option as a revision": (
        f'vcs = {{ type = "git", url = "https://h.example/a", {_COMMIT}, '
        'requested-revision = "--upload-pack=id" }'
    ),
    "no commit": 'vcs = { type = "git", url = "https://h.example/a" }',
    "another system": f'vcs = {{ type = "sh", url = "https://h.example/a", {_COMMIT} }}',
    "a system that is an option": f'vcs = {{ type = "-c", url = "https://h.example", {_COMMIT} }}',
    "no address": f'vcs = {{ type = "git", {_COMMIT} }}',
    "out of the repository": (
        f'vcs = {{ type = "git", url = "https://h.example/a", {_COMMIT}, subdirectory = "../x" }}'
    ),
}
_BUILDS = {
    "no key": build(key="python"),
    "a key that leads out": build(key="../../../etc"),
    "a key with a path": build(key="cpython-3.12.4-linux-x86_64-gnu/../../x"),
    "a build without a sha256": build(sha256=""),
    "a build with capitals": build(sha256="A" * 64),
    "a build that is a file of the system": build(url="/etc/passwd"),
    "a build by a program": build(url="ext::sh -c id"),
    "a build by an option": build(url="--help"),
    "a tag with an escape": build(build="1\\x1b[2J")
    .replace("\\\\x1b", "\\u001b")
    .replace("'", '"'),
}
_WHOLE = {
    "nothing": b"",
    "no TOML": b"\x00\x01\x02",
    "a program": b"#!/bin/sh\necho owned\n",
    "no UTF-8": HEAD.encode() + b'x = "\xff\xfe"\n',
    "UTF-16": HEAD.encode("utf-16"),
    "another version": HEAD.replace("1.0", "2.0").encode(),
    "a version that is a number": b"lock-version = 1.0\npackages = []\n",
    "no version": b'created-by = "x"\npackages = []\n',
    "packages that are a text": (HEAD + 'packages = "a"\n').encode(),
    "packages that are numbers": (HEAD + "packages = [1, 2]\n").encode(),
    "wheels that are a table": package("wheels = { url = 'https://h.example/x.whl' }").encode(),
    "a package of nothing": package().encode(),
    "a deep list": HEAD.encode() + b"x = " + b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "a deep table": HEAD.encode() + b"x = " + b"{a = " * 50_000 + b"1" + b"}" * 50_000 + b"\n",
    "a key of thousands": HEAD.encode() + b"a" + b".a" * 100_000 + b" = 1\n",
    "a number of thousands": HEAD.encode() + b"x = " + b"9" * 100_000 + b"\n",
    "the same key twice": (HEAD + HEAD).encode(),
    "tool that is a text": (HEAD + 'packages = []\ntool = "x"\n').encode(),
    "another format": (HEAD + "packages = []\n[tool.bubble]\nformat = 99\n").encode(),
    "inputs that are a number": (
        HEAD + "packages = []\n[tool.bubble]\nformat = 1\ninputs = 1\n"
    ).encode(),
    "50 MB": HEAD.encode() + b"#" * (50 << 20),
    "50 MB in one text": HEAD.encode() + b'x = "' + b"x" * (50 << 20) + b'"\n',
}

LOCKS: dict[str, bytes] = {
    **{f"{name}, as a wheel": wheel(f'url = "{url}"').encode() for name, url in _URLS.items()},
    **{
        f"{name}, as an archive": package(f'archive = {{ url = "{url}", {_HASHES} }}').encode()
        for name, url in _URLS.items()
    },
    **{f"{name}, as a path": wheel(f'path = "{path}"').encode() for name, path in _PATHS.items()},
    **{
        f"{name}, of a wheel": wheel(f'url = "{_GOOD}"', hashes).encode()
        for name, hashes in _HASHES_WRONG.items()
    },
    **{
        f"{name}, of a source archive": package(
            f'sdist = {{ url = "https://h.example/a-1.0.tar.gz", {hashes} }}'
        ).encode()
        for name, hashes in _HASHES_WRONG.items()
    },
    **{name: wheel(f'url = "{_GOOD}"', name=said).encode() for name, said in _NAMES.items()},
    **{name: package(said).encode() for name, said in {**_TREES, **_REPOSITORIES}.items()},
    **{name: text.encode() for name, text in _BUILDS.items()},
    **_WHOLE,
}
