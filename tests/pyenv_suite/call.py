"""One call of one of pyenv's commands: what bubble is asked, and what it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from pyenv_suite.names import Names

if TYPE_CHECKING:
    from collections.abc import Mapping

BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"
_VARIABLE = "PYENV_VERSION environment variable"


class Pyenv:
    """One call: where pyenv's root is, what bubble is asked, and what it answered."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.root = env.get("PYENV_ROOT") or f"{env.get('HOME', '')}/.pyenv"
        self.pin = f"{self.root}/version"
        self.names = Names(self.root)
        self.names.lay_out()
        self.cwd = env.get("PYENV_DIR") or os.getcwd()
        self.env = {
            **env,
            "BUBBLE_HOME": self.root,
            "BUBBLE_CACHE_DIR": f"{self.root}/.cache",
            "BUBBLE_PYTHON": env.get("PYENV_VERSION", ""),
            "PWD": self.cwd,
        }

    def ask(
        self, *arguments: str, cwd: str = "", request: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON that a bubble command gives; `request`: another choice."""
        env = dict(self.env, PWD=cwd or self.cwd)
        if request is not None:
            env["BUBBLE_PYTHON"] = request
        done = subprocess.run(
            [BUBBLE, *arguments, "--json"],
            cwd=cwd or self.cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def origin(self, source: Mapping[str, Any]) -> str:
        """Return a source in pyenv's words."""
        return _VARIABLE if source["kind"] == "variable" else source["path"] or self.pin

    def sources(self, cwd: str = "", request: str | None = None) -> list[dict[str, Any]]:
        """Return every source that bubble looks at, the highest first."""
        _, told = self.ask("explain", cwd=cwd, request=request)
        considered: list[dict[str, Any]] = told["data"]["considered"]
        return considered

    def deciding(self, cwd: str = "", request: str | None = None) -> dict[str, Any]:
        """Return the source that decides."""
        return next(s for s in self.sources(cwd, request) if s["verdict"] == "wins")

    def current(self, request: str | None = None) -> tuple[int, dict[str, Any]]:
        """Return what is selected, after saying what isn't installed, as pyenv says it."""
        status, told = self.ask("current", request=request)
        data = told.get("data") or {}
        if data:
            missing, source = data["missing"], data["source"]
        else:
            source = self.deciding(request=request)
            missing = texts(source)
        for text in missing:
            say(f"pyenv: version `{text}' is not installed (set by {self.origin(source)})")
        return status, data


def texts(source: Mapping[str, Any]) -> list[str]:
    """Return what a source asks for; the variable's text is one, with colons in it."""
    return [text for r in source["requests"] for text in r["text"].split(":")]


def say(text: str) -> None:
    """Print to stderr."""
    print(text, file=sys.stderr, flush=True)
