"""Environments to pack: of a real interpreter in the store, with small wheels installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from urllib.parse import quote

from support.builds import interpreters, packed_mirror
from support.needs import not_here, real_uv
from support.patience import PATIENCE
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Result


FACTS = """
import json, multiprocessing, os, ssl, subprocess, sys, sysconfig
import alpha, beta

def double(number):
    return 2 * number

if __name__ == "__main__":
    ssl.create_default_context()
    child = subprocess.run([sys.executable, "-c", "import alpha, sys; print(sys.prefix)"],
                           capture_output=True, text=True, check=True)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        doubled = pool.map(double, [1, 2])
    named = [value for value in sysconfig.get_config_vars().values() if isinstance(value, str)]
    print(json.dumps({
        "prefix": sys.prefix, "base": sys.base_prefix, "child": child.stdout.strip(),
        "doubled": doubled, "alpha": alpha.__file__, "libdir": sysconfig.get_config_var("LIBDIR"),
        "old": [v for v in named for old in (" /install/", "-L/install", os.environ["OLD"])
                if old in f" {v}"],
    }))
"""


class Packing:
    """A project below `directory` whose environment has the packages alpha and beta.

    Its store is `home`, or its own.
    """

    patience: float = PATIENCE  # seconds for a command

    def __init__(
        self, bubble: Callable[..., Result], directory: str, *, umask: str = "", home: str = ""
    ) -> None:
        newest = [v for v, _ in interpreters() if v.startswith(("3.11.", "3.12.", "3.13."))]
        if not newest:
            not_here("no CPython that is recent enough")
        self.bubble = bubble
        self.directory = directory
        self.version = newest[-1]
        self.root = f"{directory}/site"
        self.home = home or f"{directory}/store"
        self.wheels = f"{directory}/wheels"
        for path in (self.root, self.wheels):
            os.makedirs(path)
        self.env: dict[str, str | None] = {
            "BUBBLE_HOME": self.home,
            "BUBBLE_CATALOG": f"{packed_mirror([self.version])}/catalogue.json",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"file://{quote(self.wheels)}",
        }
        self.umask = umask
        self.ok("python", "install", self.version)
        for name in ("alpha", "beta"):
            wheel(self.wheels, name, "1.0", script=name, hashed=True)
        made = self.ok(
            "create", "-p", self.version, "--with", "alpha", "--with", "beta", "--installer", "pip"
        )
        self.environment = made.out.strip()
        self.site = next(
            f"{self.environment}/lib/{name}/site-packages"
            for name in os.listdir(f"{self.environment}/lib")
            if name.startswith("python3.")
        )

    def call(self, *words: str) -> Result:
        """Run the command line in the project."""
        before = os.umask(int(self.umask, 8)) if self.umask else -1
        try:
            return self.bubble(*words, cwd=self.root, env=self.env, timeout=self.patience)
        finally:
            if before >= 0:
                os.umask(before)

    def ok(self, *words: str) -> Result:
        """Run it, and expect that it goes well."""
        done = self.call(*words)
        assert done.status == 0, done
        return done

    def pack(self, *words: str, name: str = "pack.tar.gz") -> str:
        """Pack the environment, and return the archive's path."""
        path = f"{self.directory}/{name}"
        done = self.ok("pack", "-o", path, *words)
        assert done.out.strip() == path
        return path

    def vanish(self) -> None:
        """Take away the project, and the store if it has its own."""
        if self.home.startswith(self.directory):
            shutil.rmtree(self.home)
        shutil.rmtree(self.root)


class Packed(Packing):
    """A pack whose environment has packages of the index, too: maybe gigabytes."""

    patience = 10 * PATIENCE

    def __init__(
        self, bubble: Callable[..., Result], directory: str, *names: str, home: str = ""
    ) -> None:
        super().__init__(bubble, directory, home=home)
        uv = real_uv()
        self.env["PATH"] = f"{os.path.dirname(uv)}:{os.environ['PATH']}"
        for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
            del self.env[name]
        done = subprocess.run(
            [uv, "pip", "install", "-q", "--python", f"{self.environment}/bin/python", *names],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            not_here(f"an index with {', '.join(names)}: {done.stderr[-300:]}")


def run(*command: str, **more: str) -> str:
    """Run a program of an unpacked pack on a bare PATH; return what it printed."""
    done = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **more},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def is_at(place: str, old: str) -> None:
    """Hold an unpacked pack to what it must be able to."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as script:
        script.write(FACTS)
        script.flush()
        facts = json.loads(run(f"{place}/bin/python", script.name, OLD=old))
    assert facts["prefix"] == facts["base"] == facts["child"] == place
    assert facts["doubled"] == [2, 4]
    # Debian's Python looks below `local`, which leads there
    assert os.path.realpath(facts["alpha"]).startswith(f"{os.path.realpath(place)}/lib/")
    assert facts["libdir"] == f"{place}/lib"
    assert facts["old"] == []
    assert run(f"{place}/bin/alpha") == "alpha 1.0"
    assert "pip" in run(f"{place}/bin/pip", "--version")
