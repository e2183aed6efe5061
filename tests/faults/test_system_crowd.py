"""Many users on one store that is everybody's, while its administrator upgrades it below them."""

from __future__ import annotations

import json
import os
import subprocess
import time

from support.builds import small_mirror
from support.clinic import write
from support.namespace import PREFIX, require_mounts
from support.needs import FULL, LINUX_ONLY
from support.others import Machine, done, opened, run_as
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = LINUX_ONLY
USERS = 200 if FULL else 8
FIRST = 61000  # the number of the first user; no account is needed
# each user runs what their directory asks for, again and again, until it is over
LOOP = """
cd "$HOME/app" || exit 9
while [ ! -e {stop} ]; do
    python -V >>"$HOME/said" 2>>"$HOME/failed" || echo "status $?" >>"$HOME/failed"
done
"""


class Crowd:
    """The users below `root`, each with a home of their own, and the store that is everybody's."""

    def __init__(self, root: str) -> None:
        self.machine = Machine(root)
        self.system = f"{root}/everybodys"
        self.stop = f"{root}/stop"
        self.machine.catalogue = small_mirror(f"{root}/more", ["3.11.8", "3.11.9"])
        self.users = range(FIRST, FIRST + USERS)
        self.administrator("python install 3.11.8")
        for user in self.users:
            home = self.machine.directory(f"users/{user}", user)
            write(f"{home}/app/.python-version", "3.11\n")
            os.chown(f"{home}/app", user, user)

    def env(self, user: int) -> dict[str, str]:
        home = f"{self.machine.root}/users/{user}"
        return self.machine.env(home, "", BUBBLE_SYSTEM_HOME=self.system)

    def administrator(self, line: str) -> None:
        env = self.machine.env("/nonexistent", "", BUBBLE_SYSTEM_HOME=self.system)
        done(self.machine.as_user(0, f"umask 077; bubble --system {line}", env))

    def each(self, line: str) -> None:
        """Run a line as each user, all at once."""
        running = [self.start(user, line) for user in self.users]
        for process in running:
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, (out, err)

    def start(self, user: int, line: str) -> subprocess.Popen[str]:
        become = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        return subprocess.Popen(
            [*become, "/bin/sh", "-c", line],
            env=self.env(user),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, user: int, file: str = "said") -> list[str]:
        path = f"{self.machine.root}/users/{user}/{file}"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as lines:
            return lines.read().splitlines()

    def wait_for(self, line: str) -> None:
        """Wait until each user has been told this once."""
        deadline = time.monotonic() + PATIENCE
        waiting = set(self.users)
        while waiting:
            waiting = {user for user in waiting if line not in self.said(user)}
            assert time.monotonic() < deadline, f"{len(waiting)} users never got {line}"
            time.sleep(0.05)


def test_an_upgrade_below_a_crowd_fails_nobody_and_reaches_everybody(tmp_path: Path) -> None:
    crowd = Crowd(opened(tmp_path))
    crowd.each('cd "$HOME/app" && bubble rehash && bubble create own -p 3.11 --no-pip')
    running = [crowd.start(user, LOOP.format(stop=crowd.stop)) for user in crowd.users]
    try:
        crowd.wait_for("Python 3.11.8")
        crowd.administrator("python upgrade")
        crowd.wait_for("Python 3.11.9")
    finally:
        write(crowd.stop, "")
        for process in running:
            process.communicate(timeout=PATIENCE)
    for user in crowd.users:
        said = crowd.said(user)
        assert crowd.said(user, "failed") == []
        assert said == sorted(said), "a user got the older one again"
        assert set(said) == {"Python 3.11.8", "Python 3.11.9"}
    crowd.each('test "$(bubble run own python -V)" = "Python 3.11.9"')
    assert not list(foreign(crowd.system))


def foreign(root: str) -> Iterator[str]:
    """Yield what isn't the administrator's below `root`."""
    for directory, below, files in os.walk(root):
        yield from (
            f"{directory}/{name}"
            for name in (*below, *files)
            if os.lstat(f"{directory}/{name}").st_uid != 0
        )


# in a namespace: the store is a read-only mount, which root can't write to either
READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
cd "$HOME/app"
bubble python find 3.11
bubble create own -p 3.11 --no-pip
bubble run own python -V
bubble rehash
python -V && python -V
bubble run lab python -V
bubble gc --yes
bubble doctor --fix >/dev/null
bubble list --json
bubble python uninstall 3.11 && exit 98
bubble --system python uninstall --force 3.11 && exit 97
exit 0
"""


def test_a_store_on_a_read_only_mount_serves_a_user_and_refuses_its_administrator(
    tmp_path: Path,
) -> None:
    root = opened(tmp_path)
    require_mounts(root)
    crowd = Crowd(root)
    crowd.administrator("create lab -p 3.11 --no-pip")
    env = crowd.env(FIRST)
    home = env["HOME"]
    os.chown(home, 0, 0)  # root, whom no mode stops
    os.chown(f"{home}/app", 0, 0)
    line = [*PREFIX, "/bin/sh", "-uc", READ_ONLY, "sh", crowd.system]
    result = run_as(0, line, env, "/")
    lines = done(result).splitlines()
    assert lines[:2] == [
        f"{crowd.system}/pythons/3.11/bin/python",
        f"{home}/.local/share/bubble/envs/own",
    ]
    assert lines.count("Python 3.11.8") == 4
    rows = json.loads("".join(lines[lines.index("{") :]) if "{" in lines else lines[-1])["data"]
    assert {row["name"]: row["state"] for row in rows} == {"own": "ok", "lab": "ok"}
    assert "belongs to the system's store" in result.stderr
    assert "read-only" in result.stderr.lower()
