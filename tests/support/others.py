"""Another user on the same machine: a bubble that everybody can run, and a directory to meet in.

For tests of what one user makes and another one uses; only root can become somebody else.
"""

from __future__ import annotations

import os
import subprocess
import sys

import bubble
from support.builds import small_mirror
from support.clinic import program, write
from support.needs import not_here, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOBODY = 65534  # Debian's nobody
OTHER = 65533  # a user whose number is nobody's


def everybodys_bubble(root: str) -> str:
    """Make an environment with this bubble in `root`, readable by all; return its `bin`.

    Skips the calling test where this isn't root, or every Python lies behind a closed door.
    """
    if os.geteuid() or which("setpriv") is None:
        not_here("another user: root and setpriv")
    candidates = [getattr(sys, "_base_executable", sys.executable), "/usr/bin/python3"]
    for candidate in map(os.path.realpath, candidates):
        told = _told(candidate)
        if told >= (3, 11):
            break
    else:
        not_here("a Python that every user can run")
    name = f"python{told[0]}.{told[1]}"
    write(f"{root}/pyvenv.cfg", f"home = {os.path.dirname(candidate)}\n")
    os.makedirs(f"{root}/bin")
    os.symlink(candidate, f"{root}/bin/python")
    packages = [p for p in sys.path if p.endswith("site-packages")]
    sources = os.path.dirname(os.path.dirname(bubble.__file__))
    write(f"{root}/lib/{name}/site-packages/bubble.pth", "\n".join([sources, *packages, ""]))
    script = f"exec {root}/bin/python -I -c 'from bubble.cli.main import run; run()' \"$@\""
    program(f"{root}/bin/bubble", script)
    return f"{root}/bin"


def _told(python: str) -> tuple[int, ...]:
    code = "import sys; print(*sys.version_info[:2])"
    done = run_as(NOBODY, [python, "-I", "-c", code], {}, "/")
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def run_as(
    user: int, argv: list[str], env: Mapping[str, str], cwd: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as another user, who is in no group but one of the same number."""
    # by way of sh: setpriv itself still finds its program with root's eyes
    become = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
    become += ["/bin/sh", "-c", 'exec "$@"', "sh"]
    return subprocess.run(
        [*become, *argv],
        env={"PATH": os.environ["PATH"], **env},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def opened(tmp_path: Path) -> str:
    """Return a test's directory once every user may go through those above it."""
    directory = os.path.realpath(tmp_path)
    while os.stat(directory).st_uid == os.geteuid() and directory != "/":
        mode = os.stat(directory).st_mode & 0o7777
        os.chmod(directory, mode | 0o711)
        directory = os.path.dirname(directory)
    return os.path.realpath(tmp_path)


class Machine:
    """Users who can all run bubble; the store is root's unless HOME says otherwise."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.store = f"{root}/opt/pythons"
        self.tools = everybodys_bubble(f"{root}/tool")
        self.catalogue = small_mirror(f"{root}/mirror", ["3.11.8", "3.12.1"])
        self.app = self.directory("app")

    def directory(self, name: str, owner: int = 0) -> str:
        path = f"{self.root}/{name}"
        os.makedirs(path, exist_ok=True)
        os.chown(path, owner, owner)
        return path

    def env(self, home: str, store: str, **more: str) -> dict[str, str]:
        return {
            "HOME": home,
            "PATH": f"{store or home + '/.local/share/bubble'}/shims:{self.tools}:/usr/bin:/bin",
            "BUBBLE_CATALOG": self.catalogue,
            "BUBBLE_PROGRESS_AFTER": "86400",
            "TERM": "dumb",
            **({"BUBBLE_HOME": store} if store else {}),
            **more,
        }

    def as_user(
        self, user: int, line: str, env: Mapping[str, str], cwd: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return run_as(user, ["/bin/sh", "-c", line], env, cwd or self.app)


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, (result.args, result.stdout, result.stderr)
    return result.stdout


def roots(directory: str) -> list[str]:
    """Return everything of root's below a directory."""
    return [
        path
        for place, directories, files in os.walk(directory)
        for path in (f"{place}/{name}" for name in (*directories, *files))
        if os.lstat(path).st_uid == 0
    ]
