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
_USER = 10001  # a number: what starts containers can see that it isn't root's
_ARGUMENTS = ("BUBBLE_CATALOG", "BUBBLE_MIRROR", "PIP_INDEX_URL", "UV_DEFAULT_INDEX")
_GIT = (
    "RUN apt-get update \\",
    "    && apt-get install --yes --no-install-recommends ca-certificates git \\",
    "    && rm -rf /var/lib/apt/lists/*",
)
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
    sync = f"RUN bubble sync --frozen{named} && bubble cache prune"
    files = " ".join(_files(project, bubble))
    lines = [
        f"# Made by bubble export --format dockerfile from {os.path.basename(lock.path)}:",
        f"# Python {version} and {_count(lock)}, as they are locked.",
        "#",
        "#   docker build --build-context bubble=RELEASE .",
        "#",
        "# RELEASE is a directory with a release of bubble and what it installs: install.sh, its",
        "# interpreter's archive, and wheels. Each is checked against the sha256 in install.sh.",
        "# The build fetches the interpreter (by its sha256) and the packages (by their hashes)",
        f"# that are locked, {'commits, and git from Debian' if git else 'and nothing else'}.",
        "# What it makes runs without the network. It holds no secrets; where an index wants some:",
        f"#   RUN --mount=type=secret,id=netrc,target=/root/.netrc bubble sync --frozen{named}",
        "# Keep out of the context what is of this machine, in .dockerignore: .venv .venvs .git",
        "",
        f"FROM {_BASE} AS build",
        *(_GIT if git else ()),
        "COPY --from=bubble . /opt/release",
        "RUN sh /opt/release/install.sh --no-init --offline /opt/release",
        *(f"ARG {name}" for name in _ARGUMENTS),
        "ENV BUBBLE_HOME=/opt/pythons PATH=/root/.local/bin:$PATH",
        "WORKDIR /app",
        # a project that is installed itself must be there
        *(("COPY . .", sync) if trees else (f"COPY {files} ./", sync, "COPY . .")),
        "",
        f"FROM {_BASE}",
        f"RUN useradd --uid {_USER} --create-home --shell /usr/sbin/nologin app",
        "COPY --from=build /opt/pythons/pythons /opt/pythons/pythons",
        "COPY --from=build /app /app",
        "WORKDIR /app",
        f"ENV PATH=/app/{place}/bin:$PATH",
        f"USER {_USER}:{_USER}",
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
