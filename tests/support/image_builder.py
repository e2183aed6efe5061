"""Builds what a Dockerfile says, without a daemon: each RUN and COPY is a layer of overlayfs.

It knows the words that bubble's recipes have (FROM … AS, COPY, RUN, ARG, ENV, WORKDIR, USER, CMD)
and refuses others. A RUN is carried out as an image builder does it: in a chroot of the layers so
far with a new one on top, with /proc and /dev, and with what ENV and ARG say. For root alone.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field

from support.namespace import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# root, layers below (joined), upper, work, working directory, user, command
_RUN = """
root=$1 lower=$2 upper=$3 work=$4 cwd=$5 user=$6; shift 6
mount -t overlay layers -o "lowerdir=$lower,upperdir=$upper,workdir=$work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
[ "$READ_ONLY" != 1 ] || mount -o remount,ro "$root"
unset READ_ONLY
exec chroot --userspec="$user" "$root" /bin/sh -c 'cd -- "$0" && exec "$@"' "$cwd" "$@"
"""


@dataclass
class Stage:
    """An image so far: its layers, the oldest first, and what its configuration says."""

    layers: list[str]
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = "0:0"
    cmd: list[str] = field(default_factory=list)


class Builder:
    """`place` is an absolute directory for layers, which `bases` stand below as FROM names them."""

    def __init__(
        self,
        place: str,
        bases: Mapping[str, str],
        contexts: Mapping[str, str],
        arguments: Mapping[str, str],
    ) -> None:
        self.place = place
        self.bases = bases
        self.contexts = contexts  # "" is the build's own
        self.arguments = arguments
        self.stages: dict[str, Stage] = {}
        self.number = 0

    def build(self, recipe: str) -> Stage:
        """Carry out a recipe and return the last stage. Raises AssertionError with the output."""
        stage = Stage([])
        for word, rest in instructions(recipe):
            if word == "FROM":
                image, _, name = rest.partition(" AS ")
                known = self.stages.get(image)
                stage = Stage(list(known.layers if known else [self.bases[image]]))
                self.stages[name] = stage
            elif word == "RUN":
                done = self.run(stage, ["/bin/sh", "-c", rest])
                assert done.returncode == 0, f"RUN {rest}\n{done.stdout}{done.stderr}"
            elif word == "COPY":
                self._copy(stage, shlex.split(rest))
            else:
                self._configure(stage, word, rest)
        return stage

    def _configure(self, stage: Stage, word: str, rest: str) -> None:
        match word:
            case "ENV":
                for entry in shlex.split(rest):
                    key, _, value = entry.partition("=")
                    stage.env[key] = value.replace("$PATH", stage.env["PATH"])
            case "ARG":
                if rest in self.arguments:
                    stage.arguments[rest] = self.arguments[rest]
            case "WORKDIR":
                stage.cwd = rest
                os.makedirs(f"{self._layer(stage)}{rest}", exist_ok=True)
            case "USER":
                stage.user = rest
            case "CMD":
                stage.cmd = json.loads(rest)
            case _:
                raise AssertionError(f"not known here: {word} {rest}")

    def run(
        self, stage: Stage, command: Sequence[str], *, read_only: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a stage; what it writes is a new layer, unless it may write nothing."""
        env = {"HOME": "/root" if stage.user == "0:0" else "/", **stage.arguments, **stage.env}
        lower = ":".join(reversed(stage.layers))
        upper = self._layer(stage)
        work, root = f"{upper}.work", f"{upper}.root"
        os.mkdir(work)
        os.mkdir(root)
        words = [root, lower, upper, work, stage.cwd, stage.user]
        return subprocess.run(
            [*PREFIX, "sh", "-ec", _RUN, "sh", *words, *command],
            env={**env, "PATH": f"{env['PATH']}:{PATH}", "READ_ONLY": "1" if read_only else "0"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def _layer(self, stage: Stage) -> str:
        self.number += 1
        path = f"{self.place}/layer{self.number}"
        os.mkdir(path)
        stage.layers.append(path)
        return path

    def _copy(self, stage: Stage, words: list[str]) -> None:
        origin = next((w.partition("=")[2] for w in words if w.startswith("--from=")), "")
        *sources, target = [w for w in words if not w.startswith("--")]
        whole = os.path.normpath(os.path.join(stage.cwd, target))
        layer = self._layer(stage)
        if origin in self.stages:
            # seen as a container sees it: layers on each other
            (source,) = sources
            here = Stage([*self.stages[origin].layers])
            packed = f"{layer}.tar"
            done = self.run(here, ["tar", "-cf", "/packed.tar", "-C", source, "."])
            assert done.returncode == 0, done.stderr
            shutil.move(f"{here.layers[-1]}/packed.tar", packed)
            os.makedirs(f"{layer}{whole}")
            subprocess.run(["tar", "-xpf", packed, "-C", f"{layer}{whole}"], check=True)
            os.unlink(packed)
            return
        context = self.contexts[origin]
        os.makedirs(f"{layer}{whole}", exist_ok=True)
        for source in sources:
            path = os.path.normpath(f"{context}/{source}")
            if os.path.isdir(path):
                shutil.copytree(path, f"{layer}{whole}", symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, f"{layer}{whole}")
        for directory, names, files in os.walk(layer):
            for name in (*names, *files):
                os.chown(f"{directory}/{name}", 0, 0, follow_symlinks=False)


def instructions(recipe: str) -> list[tuple[str, str]]:
    """Return the instructions of a recipe: the word, and the rest of its line."""
    lines = "\n".join(line for line in recipe.splitlines() if not line.startswith("#"))
    found = [line.strip() for line in lines.replace("\\\n", "").splitlines() if line.strip()]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in found]
