"""Commands on what a lower layer of overlayfs made, undisturbed and killed at their calls.

`overlay.py ROOT EACH BUG COMMAND…`: in a mount namespace of its own, with the scene at ROOT as the
lower layer and a new upper one for each run. Every `EACH`-th call and the last ones are points of
a kill; BUG is one of `planted`. Prints what was wrong as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

from bubble.pythons.installed import store
from bubble.selection import registry
from bubble.selection.identity import mark_of
from support import invariants
from support.env_scene import broken, left_behind, project, unregistered
from support.scene import Scene, command
from support.sweep import Strace
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.scene import Done

_LAST = 12  # calls that are always tried: there it all comes together
_MOUNT = """
root=$1 upper=$2
if mountpoint -q "$root"; then umount "$root" && umount "$upper"; fi
mount -t tmpfs bubble-test "$upper" && mkdir "$upper/u" "$upper/w"
exec mount -t overlay bubble-test -o "lowerdir=$root,upperdir=$upper/u,workdir=$upper/w" "$root"
"""


def main() -> None:
    root, each, bug, *words = sys.argv[1:]
    renew(root)
    stage = Scene(root)
    before = ("env", "-C", project(stage))
    canary = snapshot(stage.canary)
    done = stage.run(*words, before=before)
    problems = [f"{done}"] if done.status else []
    problems += invariants.unclear(done) + half(stage) + unfinished(stage, words)
    killed = 0
    missed = []
    strace = Strace(
        [*before, *command(*words, bug=bug)],
        stage.env,
        [stage.home, stage.cache, f"{project(stage)}/."],
        f"{root}/scratch",
    )
    renew(root)
    points = [p for p in strace.points() if "/shims/" not in p.path]
    for number, point in enumerate(points):
        if number % int(each) and number < len(points) - _LAST:
            continue
        # strace may count fewer than we do; `kill` holds it to the very call
        for ordinal in (point.ordinal, point.ordinal, *range(point.ordinal - 1, 0, -1)):
            renew(root)
            if strace.kill(replace(point, ordinal=ordinal)):
                break
        else:
            missed.append(point.call)
            continue
        killed += 1
        found = half(stage, replaced=words[:2] == ["python", "install"])
        again = stage.run(*words, before=before, bug="" if bug == "none" else bug)
        found += invariants.unclear(again)
        found += [f"I5: {again}"] if again.status and not is_done(again) else []
        stage.run("rehash")
        stage.run("gc", "--only", "scratch")
        found += half(stage) + unfinished(stage, words)
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        problems += [f"{point.name} {point.ordinal}, {point.call}: {what}" for what in found]
    print(json.dumps({"problems": problems, "killed": killed, "missed": missed}))


def renew(root: str) -> None:
    """Make all as the lower layer has it."""
    subprocess.run(["sh", "-c", _MOUNT, "sh", root, f"{root}.upper"], check=True)


def paths(stage: Scene) -> list[str]:
    """Return where environments may lie."""
    return [f"{project(stage)}/.venv", *(f"{stage.layout.envs}/{n}" for n in ("train", "second"))]


def half(stage: Scene, *, replaced: bool = False) -> list[str]:
    """I1, I2: what is recognised by what it carries is whole, and minor links lead to something.

    `replaced`: they needn't, since what is replaced in its place is away for a moment.
    """
    found = []
    for path in paths(stage):
        if mark_of(path):
            found += broken(path)
    for row in json.loads(stage.run("python", "verify", "--json").out)["data"]:
        # what the scene put in for pip is extra
        damage = [p["path"] for p in row["problems"] if p["what"] != "extra"]
        if damage or row["failure"]:
            found.append(f"I1: {row['key']}: {row['failure']} {damage[:3]}")
    links = [] if replaced else [n for n in os.listdir(stage.layout.pythons) if n.count(".") == 1]
    for name in links:
        if not os.path.exists(f"{stage.layout.pythons}/{name}/bin/python"):
            found.append(f"I2: the link {name} leads nowhere")
    return found


def is_done(again: Done) -> bool:
    """Whether the command was refused since it had been carried out before the kill."""
    told = ("no installed Python satisfies", "there is no environment")
    return again.status == 1 and any(words in again.err for words in told)


def unfinished(stage: Scene, words: Sequence[str]) -> list[str]:
    """I3, I5: what the command is for has come about, and nothing else is left of it."""
    found = left_behind(stage)
    keys = [key.split("-")[1] for key in invariants.installed(stage)]
    envs = {os.path.basename(p) for p in paths(stage) if os.path.lexists(p)}
    expected = {"train", ".venv"}
    if words[0] == "remove":
        expected -= {words[1]}
    elif words[0] == "rename":
        expected = {"second", ".venv"}
    if envs != expected:
        found.append(f"I5: there are {envs}")
    for path in paths(stage):
        found += unregistered(stage, path)
    gone = {"uninstall": "3.11.9", "upgrade": "3.11.8"}.get(words[1], "")
    if gone in keys or not {"3.11.8", "3.11.9"} - {gone} <= set(keys):
        found.append(f"I5: {keys} are installed")
    names = {str(i.key) for i in store.installations(stage.layout)}
    others = set(os.listdir(stage.layout.pythons)) - names
    found += [f"I3: pythons/{n}" for n in others if n.count(".") != 1]
    found += [f"I5: {e.path} is registered" for e in registry.environments(stage.layout)
              if not os.path.lexists(e.path)]  # fmt: skip
    return found


if __name__ == "__main__":
    main()
