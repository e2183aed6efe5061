"""Projects with bubbles: small wheels instead of an index, interpreters packed on this machine."""

from __future__ import annotations

import json
import os
import subprocess

from support.builds import interpreters, packed_mirror
from support.needs import not_here, real_uv
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from conftest import Result

    Bubble = Callable[..., Result]

SITE = """\
python = "{python}"
platforms = ["{platform}"]

[bubbles.default]
dependencies = ["alpha", "beta"]

[bubbles.train]
dependencies = ["gamma"]
directories = ["train"]
"""


class Site:
    """A project at `root` with the bubbles default and train, and the command line in it.

    Without uv only what is locked already can be synced: `frozen` writes locks by hand.
    """

    def __init__(self, bubble: Bubble, directory: str, *, uv: bool = True) -> None:
        self.bubble = bubble
        self.directory = directory
        self.root = f"{directory}/site"
        self.wheels = f"{directory}/wheels"
        newest = [v for v, _ in interpreters() if v.startswith(("3.11.", "3.12.", "3.13."))]
        if not newest:
            not_here("no CPython that is recent enough")
        self.version = newest[-1]
        self.mirror = packed_mirror([self.version])
        with open(f"{self.mirror}/catalogue.json", encoding="utf-8") as file:
            ((self.key, self.entry),) = json.load(file).items()
        self.platform = self.key.split("-", 2)[2]
        self.env: dict[str, str | None] = {
            "BUBBLE_CATALOG": f"{self.mirror}/catalogue.json",
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": self.wheels,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.wheels,
        }
        if uv:
            self.env["PATH"] = f"{os.path.dirname(real_uv())}:{os.environ['PATH']}"
        os.makedirs(f"{self.root}/train")
        os.makedirs(self.wheels)
        for name, version in (("alpha", "1.0"), ("beta", "1.0"), ("gamma", "1.0")):
            wheel(self.wheels, name, version, script=name)
        self.manifest(SITE.format(python=self.version, platform=self.platform))

    def manifest(self, text: str) -> None:
        """Write the manifest."""
        self.write("bubble.toml", text)

    def edit(self, before: str, after: str) -> None:
        """Change the manifest."""
        with open(f"{self.root}/bubble.toml", encoding="utf-8") as file:
            text = file.read()
        assert before in text
        self.manifest(text.replace(before, after))

    def write(self, name: str, text: str) -> str:
        """Write a file of the project, and return its path."""
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def call(
        self, *words: str, cwd: str = "", env: Mapping[str, str | None] | None = None
    ) -> Result:
        """Run the command line in the project, or in a directory of it."""
        where = os.path.join(self.root, cwd)
        return self.bubble(*words, cwd=where, env={**self.env, **(env or {})})

    def ok(self, *words: str, cwd: str = "") -> Result:
        """Run it, and expect that it goes well."""
        done = self.call(*words, cwd=cwd)
        assert done.status == 0, done
        return done

    def states(self) -> dict[str, str]:
        """Return how each bubble does, as `bubble status` says."""
        done = self.call("status", "--json")
        found = {one["bubble"]: one["state"] for one in done.json["data"]}
        assert (done.status == 0) == (set(found.values()) == {"in sync"}), done
        return found

    def has(self, place: str = ".venv") -> dict[str, str]:
        """Return what an environment of the project has, as its own interpreter sees it."""
        code = (
            "import importlib.metadata as m, json;"
            "print(json.dumps({d.name: d.version for d in m.distributions()}))"
        )
        done = subprocess.run(
            [f"{self.root}/{place}/bin/python", "-I", "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        found: dict[str, str] = json.loads(done.stdout)
        return {name: version for name, version in found.items() if name != "pip"}

    def lock_by_hand(self, name: str = "", *packages: str, **changes: str) -> str:
        """Write a lock of wheels (`alpha-1.0`), as a stranger may; return its path.

        `changes` are other values of the interpreter's build.
        """
        from hashlib import sha256

        lines = ['lock-version = "1.0"', 'created-by = "by hand"', ""]
        for package in packages:
            path = f"{self.wheels}/{package}-py3-none-any.whl"
            with open(path, "rb") as file:
                digest = sha256(file.read()).hexdigest()
            base, _, version = package.partition("-")
            lines += [
                *("[[packages]]", f'name = "{base}"', f'version = "{version}"'),
                f'wheels = [{{ url = "file://{path}", hashes = {{ sha256 = "{digest}" }} }}]',
                "",
            ]
        lines += ["[tool.bubble]", "format = 1", 'inputs = "sha256:0"', ""]
        lines += ["[tool.bubble.python]", f'request = "{self.version}"']
        lines += [f'version = "{self.version}"', "", "[[tool.bubble.python.builds]]"]
        build = {"key": self.key, **self._build(), **changes}
        lines += [f'{key} = "{value}"' for key, value in build.items()]
        middle = f"{name}." if name else ""
        return self.write(f"pylock.{middle}toml", "\n".join([*lines, ""]))

    def _build(self) -> dict[str, str]:
        entry: dict[str, Any] = self.entry
        url = entry["url"] if "://" in entry["url"] else f"file://{self.mirror}/{entry['url']}"
        return {"build": str(entry.get("build", "0")), "url": url, "sha256": entry["sha256"]}
