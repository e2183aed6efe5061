"""A private index: credentials that are known when locking are known when the lock is installed.

They are used, for the servers that the lock names, and are written, said and shown nowhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.canary import SECRET, Guard, told, url
from support.index import Index
from support.needs import FULL
from support.projects import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]


class Shop:
    """A project whose packages are on an index that wants to know who asks."""

    def __init__(self, bubble: Bubble, env: dict[str, str], at: Path, server: FaultServer) -> None:
        self.site = Site(bubble, str(at))
        self.server, self.guard, self.at = server, Guard(), at
        index = Index(server, path="/private", guard=self.guard.over)
        index.add_all(f"{self.site.wheels}/{name}" for name in sorted(os.listdir(self.site.wheels)))
        self.url, self.plain = url(server, "/private/"), f"{server.url}/private/"
        self.store = env["BUBBLE_HOME"]
        self.given: list[str] = []  # files that the user put the secret into
        self.env = self.site.env
        self.home = str(at / "somebody")
        for name in (*self.env, *env):
            if name.startswith(("UV_", "PIP_")):
                self.env[name] = None
        self.env |= {
            "HOME": self.home,
            "XDG_CONFIG_HOME": f"{self.home}/.config",
            "XDG_CONFIG_DIRS": str(at / "machine"),
            "NO_PROXY": "127.0.0.1",
            "UV_HTTP_RETRIES": "0",
            "PIP_NO_CACHE_DIR": "1",
            "UV_CACHE_DIR": str(at / "uv-cache"),
        }
        os.makedirs(self.home)
        self.want('dependencies = ["alpha"]')

    def want(self, line: str) -> None:
        site = self.site
        top = f'python = "{site.version}"\nplatforms = ["{site.platform}"]\n'
        site.manifest(f"{top}[bubbles.default]\n{line}\n")

    def put(self, path: str, text: str) -> None:
        path = path.replace("~", self.home).replace("@", self.site.root)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        self.given.append(path)

    def requirements(self, options: str) -> None:
        self.put("@/requirements.txt", f"{options}\nalpha\n")
        self.want('requirements = ["requirements.txt"]')

    def leaves_no_trace(self, done: Result) -> None:
        roots = (str(self.at / "somebody"), self.site.root, self.store)
        assert told(done, self.guard, roots, given=tuple(self.given)) == []


@pytest.fixture
def shop(bubble: Bubble, env: dict[str, str], tmp_path: Path, server: FaultServer) -> Shop:
    return Shop(bubble, env, tmp_path, server)


def _address(shop: Shop) -> None:
    files = url(shop.server, "/files/alpha-1.0-py3-none-any.whl")
    shop.put("@/requirements.txt", f"alpha @ {files}\n")
    shop.want('requirements = ["requirements.txt"]')


def _named(shop: Shop) -> None:
    shop.site.write(
        "pyproject.toml",
        '[project]\nname = "site"\nversion = "1"\n[[tool.uv.index]]\nname = "our-own"\n'
        f'url = "{shop.plain}"\ndefault = true\n',
    )
    shop.env |= {"UV_INDEX_OUR_OWN_USERNAME": "user", "UV_INDEX_OUR_OWN_PASSWORD": SECRET}


def _netrc(shop: Shop) -> None:
    shop.env["PIP_INDEX_URL"] = shop.plain
    shop.put("~/.netrc", f"machine 127.0.0.1\nlogin user\npassword {SECRET}\n")


def _variable(shop: Shop) -> None:
    shop.env["CANARY"] = SECRET
    shop.requirements("--index-url " + shop.url.replace(SECRET, "${CANARY}"))


# how somebody gives them; those that pip understands as well
WAYS: dict[str, Callable[[Shop], object]] = {
    "a variable of uv's": lambda s: s.env.update(UV_DEFAULT_INDEX=s.url),
    "uv's configuration": lambda s: s.put(
        "~/.config/uv/uv.toml", f'[[index]]\nurl = "{s.url}"\ndefault = true\n'
    ),
    "an index that the project names to uv": _named,
    "pip: a variable": lambda s: s.env.update(PIP_INDEX_URL=s.url),
    "pip: its configuration": lambda s: s.put(
        "~/.config/pip/pip.conf", f"[global]\nindex-url = {s.url}\n"
    ),
    "pip: another index of its configuration": lambda s: s.put(
        "~/.config/pip/pip.conf", f"[global]\nindex-url = {s.url}\nextra-index-url = {s.plain}\n"
    ),
    "pip: netrc": _netrc,
    "pip: a requirements file": lambda s: s.requirements(f"--index-url {s.url}"),
    "pip: a variable in a requirements file": _variable,
    "pip: an address": _address,
}
_BRIEF = {
    ("an index that the project names to uv", "uv"),
    ("pip: its configuration", "pip"),
    ("pip: a variable in a requirements file", "uv"),
}
CASES = [
    (way, installer)
    for way in WAYS
    for installer in ("uv", "pip")
    if (installer == "uv" or way.startswith("pip: ")) and (FULL or (way, installer) in _BRIEF)
]


@pytest.mark.parametrize(("way", "installer"), CASES)
def test_what_is_known_when_locking_is_known_when_the_lock_is_installed(
    shop: Shop, way: str, installer: str
) -> None:
    WAYS[way](shop)
    site = shop.site
    locked = site.ok("lock")
    shop.leaves_no_trace(locked)
    assert shop.guard.used
    used = shop.guard.used
    shop.env["UV_CACHE_DIR"] = str(shop.at / "another-machine")
    if installer == "pip":
        shop.env["PATH"] = "/usr/bin:/bin"
    done = site.ok("sync", "--locked")
    assert site.has() == {"alpha": "1.0"}
    assert shop.guard.used > used
    shop.leaves_no_trace(done)
    for words in (
        ("status", "--json"),
        ("lock", "--check"),
        ("export", ".venv"),
        ("export", "pylock.toml", "--format", "dockerfile"),
    ):
        shop.leaves_no_trace(site.ok(*words))


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_who_is_not_let_in_is_told_so_and_asked_nothing(shop: Shop, installer: str) -> None:
    shop.put("~/.config/pip/pip.conf", f"[global]\nindex-url = {shop.url}\n")
    shop.site.ok("lock")
    wrong = shop.url.replace(SECRET, "not-the-one")
    shop.put("~/.config/pip/pip.conf", f"[global]\nindex-url = {wrong}\n")
    shop.env["UV_CACHE_DIR"] = str(shop.at / "another-machine")
    if installer == "pip":
        shop.env["PATH"] = "/usr/bin:/bin"
    for words in (("sync", "--json"), ("sync",), *([("lock", "--upgrade")] * (installer == "uv"))):
        done = shop.site.call(*words)
        assert done.status == 1
        said = done.json["error"] if "--json" in words else {"hint": done.err, "kind": "download"}
        assert said["kind"] == "download"
        assert "credentials" in said["hint"], said
        assert "Traceback" not in done.err
        assert "not-the-one" not in done.out + done.err
        assert not os.path.exists(f"{shop.site.root}/.venv")


def test_credentials_go_to_the_servers_that_have_them_and_to_no_other(
    shop: Shop, server: FaultServer
) -> None:
    """A lock that names another server gets none of what stands beside it for the first."""
    shop.requirements(f"--index-url {shop.url}")
    shop.site.ok("lock")
    lock = f"{shop.site.root}/pylock.toml"
    with open(lock, encoding="utf-8") as file:
        text = file.read()
    with open(lock, "w", encoding="utf-8") as file:
        file.write(text.replace("//127.0.0.1:", "//localhost:"))
    server.log.clear()
    shop.env["UV_CACHE_DIR"] = str(shop.at / "another-machine")
    shop.env["NO_PROXY"] = "localhost"
    for path in (shop.env.get("PATH"), "/usr/bin:/bin"):  # by uv, and by pip
        done = shop.site.call("sync", "--frozen", env={"PATH": path})
        assert done.status == 1
    assert server.log
    assert not [entry for entry in server.log if "authorization" in entry.headers]


@pytest.mark.parametrize("locked", [True, False])
def test_a_scripts_index_lets_in_with_a_lock_and_without(shop: Shop, *, locked: bool) -> None:
    shop.env["CANARY"] = SECRET
    path = f"{shop.site.root}/tool.py"
    shop.given.append(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f'# /// script\n# dependencies = ["alpha"]\n# [tool.uv]\n# index-url = "{shop.url}"\n'
            '# ///\nimport alpha\nprint("ran")\n'
        )
    shop.site.ok("python", "install", shop.site.version)
    if locked:
        shop.leaves_no_trace(shop.site.ok("lock", "--script", "tool.py"))
        shop.env["UV_CACHE_DIR"] = str(shop.at / "another-machine")
    done = shop.site.ok("run", "tool.py")
    assert done.out == "ran\n"
    shop.leaves_no_trace(done)
