"""A recipe of a container for a locked project: two stages, and nothing in it that isn't so."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.exchange.exporting import Exported
from bubble.projects.exchange.locked import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.exchange.locked import LockFile
    from bubble.projects.manifest import Bubble, Project

_BASE = "debian:bookworm-slim"
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def dockerfile(project: Project, bubble: Bubble, lock: LockFile) -> Exported:
    """Return the recipe for a bubble of a project. Raises BubbleError(usage)."""
    version = version_of(lock)
    if not any("-linux-" in build.key and build.key.endswith("-gnu") for build in lock.lock.builds):
        raise BubbleError(
            "usage",
            f"{printable(lock.path, 500)} names no interpreter for Linux with glibc, which the "
            "recipe's images have",
            hint="add it to the manifest's platforms: linux-x86_64-gnu; then: bubble lock",
        )
    named = "" if bubble.name == "default" else f" {bubble.name}"
    place = os.path.relpath(project.path(bubble), project.root)
    trees = any("directory" in package for package in lock.packages)
    git = any("vcs" in package for package in lock.packages)
    files = _files(project, bubble)
    packages = "ca-certificates git python3 python3-venv" if git else (
        "ca-certificates python3 python3-venv"
    )  # fmt: skip
    lines = [
        f"# Made by bubble export --format dockerfile from {os.path.basename(lock.path)}:",
        f"# Python {version} and {_count(lock)}, as they are locked.",
        "#",
        "#   docker build --build-context bubble=DIRECTORY-OF-BUBBLE .",
        "#",
        "# The build needs the network for: the image, Debian's packages, what bubble itself needs",
        "# (all three not locked), the interpreter (by its sha256), the packages (by their hashes)"
        + (", commits (by git)." if git else "."),
        "# What it makes runs without the network. It holds no secrets; where an index wants some:",
        f"#   RUN --mount=type=secret,id=netrc,target=/root/.netrc bubble sync --frozen{named}",
        "# Keep out of the context what is of this machine, in .dockerignore: .venv .venvs .git",
        "",
        f"FROM {_BASE} AS build",
        "RUN apt-get update \\",
        f"    && apt-get install --yes --no-install-recommends {packages} \\",
        "    && rm -rf /var/lib/apt/lists/*",
        "COPY --from=bubble . /opt/source",
        "RUN python3 -m venv /opt/bubble \\",
        "    && /opt/bubble/bin/pip install --no-cache-dir '/opt/source[uv]'",
        "ENV BUBBLE_HOME=/opt/pythons PATH=/opt/bubble/bin:$PATH",
        "WORKDIR /app",
    ]
    sync = f"RUN bubble sync --frozen{named} && bubble cache prune"
    if trees:  # the project itself is installed: it must be there
        lines += ["COPY . .", sync]
    else:
        lines += [f"COPY {' '.join(files)} ./", sync, "COPY . ."]
    lines += [
        "",
        f"FROM {_BASE}",
        "RUN apt-get update \\",
        "    && apt-get install --yes --no-install-recommends ca-certificates \\",
        "    && rm -rf /var/lib/apt/lists/*",
        "COPY --from=build /opt/pythons/pythons /opt/pythons/pythons",
        "COPY --from=build /app /app",
        "WORKDIR /app",
        f"ENV PATH=/app/{place}/bin:$PATH",
        'CMD ["python"]',
    ]
    return Exported(text="".join(f"{line}\n" for line in lines))


def _files(project: Project, bubble: Bubble) -> list[str]:
    """Return what `sync` reads of the project, relative to it: the manifest and the lock."""
    paths = [project.manifest] if project.manifest else []
    paths.append(project.lock(bubble))
    if os.path.isfile(project.pyproject):
        paths.append(project.pyproject)
    names = [os.path.relpath(path, project.root) for path in dict.fromkeys(paths)]
    for name in names:
        if not _HARMLESS.fullmatch(name):
            raise BubbleError(
                "usage",
                f"{printable(name, 120)} can't be named in a recipe",
                hint="give it a name of letters and digits",
            )
    return names


def _count(lock: LockFile) -> str:
    number = len(lock.packages)
    return "1 package" if number == 1 else f"{number} packages"
