"""Filling an environment with packages, by uv or pip: chosen, run, and what they say passed on.

The backend works in the staged environment; credentials of an index never get into messages.
"""

from __future__ import annotations

import os
import re

from bubble.envs.exchange import pylock
from bubble.envs.tools.environment import installer_environment
from bubble.envs.tools.found import find_uv
from bubble.envs.tools.running import LINES, run_installer
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, without_userinfo
from bubble.pythons.probing.isolation import isolated
from bubble.system.files import read_text
from bubble.system.http.settings import offline
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bubble.envs.making.planting import Planting
    from bubble.envs.tools.access import Access
    from bubble.envs.tools.environment import InstallerEnvironment
    from bubble.system.layout import Layout

_SCRATCH = ".bubble-lock"  # in the staged environment, which is swept if this is killed
_LARGEST = 16 << 20  # bytes of a lock
_UV_LOCK = ".lock"  # that anybody may write, and nobody but this uv waits for
_MISMATCH = re.compile(r"DO NOT MATCH THE HASHES|hash mismatch", re.IGNORECASE)
_INDEX = re.compile(r"^\s*(-i\b|--index-url\b|index-url = )", re.MULTILINE)


class _Job(Record):
    """What the installer is called for: (name, path) of it, the environment, and from where.

    `pip` says that the environment has one.
    """

    backend: tuple[str, ...]
    root: str
    env: Mapping[str, str]  # the user's
    layout: Layout
    cwd: str
    show: bool
    keep: int
    anew: tuple[str, ...] = ()
    settings: str = ""
    pip: bool = False
    interpreter: str = ""
    credentials: Callable[[], Iterable[Access]] = tuple


class _Once:
    """Something that is done by the first call, and by no other."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    def __call__(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()


def choose_installer(wanted: str, env: Mapping[str, str], layout: Layout) -> tuple[str, ...]:
    """Return the command of the backend: ("uv", path) or ("pip",).

    `wanted` is "uv", "pip" or "" (uv where it is there). Raises BubbleError(usage).
    """
    if wanted == "pip":
        return ("pip",)
    found = find_uv(env, layout)
    if found:
        return ("uv", found.path)
    if wanted == "uv":
        raise BubbleError(
            "usage", "uv is not on PATH", hint="put it there, or use pip: --installer pip"
        )
    return ("pip",)


def install_packages(
    root: str,
    arguments: Sequence[str],
    *,
    layout: Layout,
    installer: str,
    env: Mapping[str, str],
    cwd: str,
    show: bool,
    keep: int,
    contents: Sequence[tuple[str, bytes]] = (),
    anew: Sequence[str] = (),
    settings: str = "",
    pip: Planting | None = None,
    interpreter: str = "",
    meanwhile: Callable[[], None] | None = None,
    credentials: Callable[[], Iterable[Access]] = tuple,
) -> None:
    """Install what `arguments` name into the environment at `root` (absolute).

    They are requirements, `-r FILE`, `-c FILE` and `-e PROJECT`; `contents` has what was read of
    those of the files that can't be read twice. uv follows a project's settings only in
    `settings`, an absolute directory of ours. `show` lets the backend write to stderr as it
    works; otherwise its last lines are part of the error. `keep` is the descriptor that marks
    `root` as in use. `anew` are packages of lock files that are source trees here: uv would take
    what it built of them before. `pip` is planted on the way. `interpreter` (absolute) is asked by
    uv in place of the environment's own, which stands on it: uv knows what it says of itself, and
    scripts name it then. `meanwhile` is called while the installer works, `credentials` for those
    that a lock's servers may want, and the user's configuration doesn't have. Raises BubbleError
    (download: it fails; checksum: what an index has isn't what was asked for; offline; usage: a
    lock file that can't be installed here, or a configuration that the installer can't be told).
    """
    scratch = f"{root}/{_SCRATCH}"
    os.mkdir(scratch)
    try:
        words = list(arguments)
        if contents:
            from bubble.envs.making.requirements import write_contents

            words = write_contents(arguments, contents, scratch)
        backend = _backend(installer, words, root, env, layout, pip=pip is not None)
        if backend[0] == "pip" and offline(env):  # uv keeps off by itself, and knows its cache
            from bubble.envs.making.requirements import require_local

            require_local(words, cwd)
        job = _Job(
            backend=backend,
            root=root,
            env=env,
            layout=layout,
            cwd=cwd,
            show=show,
            keep=keep,
            anew=tuple(anew),
            settings=settings,
            pip=pip is not None,
            interpreter=interpreter,
            credentials=credentials,
        )
        locks, others = _split(words)
        beside = pip if backend[0] == "uv" and not others else None  # what uv doesn't look at
        if pip is not None and beside is None:
            pip.plant()

        def work() -> None:
            if beside is not None:
                beside.plant_beside(f"{scratch}/pip")
            if meanwhile is not None:
                meanwhile()

        work_once = _Once(work)
        for lock in locks:
            _install_lock(lock, job, scratch, work_once)
        if others:
            _install(others, job, _environment(job, others), work_once)
        work_once()
        if beside is not None:
            beside.move_in()
    finally:
        _drop_lock(f"{root}/{_UV_LOCK}")
        remove_tree(scratch)


def _drop_lock(path: str) -> None:
    try:
        if os.lstat(path).st_size == 0:
            os.unlink(path)
    except OSError:
        pass


def _backend(
    wanted: str,
    words: Sequence[str],
    root: str,
    env: Mapping[str, str],
    layout: Layout,
    *,
    pip: bool,
) -> tuple[str, ...]:
    """Choose the installer: pip where nobody wanted uv, and uv can't be told what pip is told."""
    backend = choose_installer(wanted, env, layout)
    if backend[0] == "uv" and not wanted and pip:
        try:
            installer_environment("uv", env, root=root, names_an_index=_names_index(words))
        except BubbleError:
            backend = ("pip",)
    if backend[0] == "pip" and not pip:
        raise BubbleError(
            "usage",
            "without pip in the environment, only uv can install packages, and it isn't used",
            hint="leave out --no-pip, or put uv on PATH and take --installer uv",
        )
    return backend


def _environment(job: _Job, words: Sequence[str], *, of_lock: bool = False) -> InstallerEnvironment:
    return installer_environment(
        job.backend[0],
        job.env,
        root=job.root,
        names_an_index=_names_index(words),
        of_lock=of_lock,
        settings=job.settings,
    )


def _names_index(words: Sequence[str]) -> bool:
    """Whether a requirement file among the arguments (absolute paths) names an index."""
    files = [word for before, word in zip(words, words[1:], strict=False) if before == "-r"]  # noqa: RUF007 - itertools costs an import
    texts = [read_text(path, 1 << 24) or "" for path in files if not pylock.is_lock(path)]
    return any(_INDEX.search(text) for text in texts)


def _install_lock(lock: str, job: _Job, scratch: str, meanwhile: _Once) -> None:
    own = f"{scratch}/lock"
    os.mkdir(own)
    environment = _environment(job, (), of_lock=True)
    calls = [["-r", lock]]
    if job.backend[0] == "uv" and job.anew:  # its own --refresh-package can't be had offline
        clean = [job.backend[1], "cache", "clean", *job.anew]
        run_installer(clean, environment.variables, job.cwd, show=False, keep=job.keep)
    if job.backend[0] == "uv" and _install_from_cache(calls[0], job, environment, meanwhile):
        calls = []
    elif job.backend[0] == "uv":
        from bubble.envs.tools.access import tell_uv

        told = tell_uv(_accesses(lock, job), f"{own}/access")
        environment = environment.replace(variables={**environment.variables, **told})
    else:  # pip leaves its own indexes' aside where it asks none
        from bubble.envs.tools.access import of_pip

        accesses = _accesses(lock, job, of_pip(environment.variables))
        python = f"{job.root}/bin/python"
        calls = pylock.pip_calls(lock, python, own, environment.variables, accesses)
    for call in calls:
        _install(call, job, environment, meanwhile)
    remove_tree(own)


def _accesses(lock: str, job: _Job, theirs: Iterable[Access] = ()) -> tuple[Access, ...]:
    """Return the credentials for a lock's servers, `theirs` before what the project's files say."""
    if offline(job.env):
        return ()
    from bubble.envs.tools.access import wanted

    return wanted([*theirs, *job.credentials()], read_text(lock, _LARGEST) or "")


def _install_from_cache(
    arguments: Sequence[str], job: _Job, environment: InstallerEnvironment, meanwhile: _Once
) -> bool:
    """Let uv install a lock's files from what it has already; whether it had them all.

    They are the ones that the lock names, by their sha256: to ask a server once more whether it
    has them as they were would cost more than the installation.
    """
    if offline(job.env):  # as the installation itself is then
        return False
    status, _ = run_installer(
        _command(arguments, job, environment),
        {**environment.variables, "UV_OFFLINE": "1"},
        job.cwd,
        show=False,
        keep=job.keep,
        meanwhile=meanwhile,
    )
    return status == 0


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lock files, which are installed one by one, and the other arguments."""
    locks, others = [], []
    words = iter(arguments)
    for word in words:
        if word != "-r":
            others.append(word)
            continue
        file = next(words)
        if pylock.is_lock(file):
            locks.append(file)
        else:
            others += [word, file]
    return locks, others


def _install(
    arguments: Sequence[str], job: _Job, environment: InstallerEnvironment, meanwhile: _Once
) -> None:
    """Call the backend once; raise BubbleError(download) when it fails, or installs nothing."""
    command = _command(arguments, job, environment)
    status, output = run_installer(
        command,
        environment.variables,
        job.cwd,
        show=job.show,
        keep=job.keep,
        meanwhile=meanwhile,
    )
    if status:
        raise _failed(status, output, job)
    lock = [word for word in arguments if pylock.is_lock(word)]  # uv's own affair
    if not lock:
        from bubble.envs.making.installed import require_installed

        require_installed(job.root, arguments, job.cwd, job.backend[0])


def _command(arguments: Sequence[str], job: _Job, environment: InstallerEnvironment) -> list[str]:
    python, words = f"{job.root}/bin/python", [*environment.options, *arguments]
    if job.backend[0] == "uv":
        where = ["--python", python]
        if job.interpreter and not environment.builds_inside:
            # what it says of itself is in uv's cache; to ask this environment's costs a start
            where = ["--python", job.interpreter, "--prefix", job.root]
        return [job.backend[1], "pip", "install", *where, *words]
    options = ("--disable-pip-version-check", "--no-user", "--no-input")
    return isolated(python, "-m", "pip", "install", *options, *words)


def _failed(status: int, output: str, job: _Job) -> BubbleError:
    name = job.backend[0]
    lines = [line for line in output.splitlines() if line.strip()][-LINES:]
    lines = [] if job.show else lines  # they were shown
    said = printable(" | ".join(without_userinfo(line) for line in lines), 1500)
    message = f"{name} could not install the packages (status {status})" + f": {said}" * bool(said)
    if _MISMATCH.search(output):
        return BubbleError(
            "checksum",
            message,
            hint="the index has other files than the ones whose sha256 was written down: find out "
            "why before anything else; if that is right, lock again",
        )
    if offline(job.env):
        hint = "BUBBLE_OFFLINE is set: packages come from PIP_FIND_LINKS, file:// or uv's cache"
        return BubbleError("offline", message, hint=hint)
    from bubble.envs.tools.access import MEND, is_refused

    if is_refused(output):
        message = message.replace("could not install the packages", "isn't let in by an index", 1)
        return BubbleError("download", message, hint=MEND)
    other = _or_the_other(name, job)
    return BubbleError("download", message, hint=f"mend the requirements{other}")


def _or_the_other(tried: str, job: _Job) -> str:
    """Return the part of a hint that names the other installer, "" where there is none to try."""
    if tried == "uv":
        return ", or try pip: --installer pip" if job.pip else ""
    return ", or try uv: --installer uv" if find_uv(job.env, job.layout) else ""
