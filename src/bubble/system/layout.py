"""Where everything is: the one place that knows the disk layout of bubble's home and cache.

Nothing here touches the disk. Every path is an absolute `str`.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Layout(Record):
    """The paths below `home` (BUBBLE_HOME) and `cache` (BUBBLE_CACHE_DIR).

    `memos` is where those lie that are meant, "" for the store's own. `system` is where the store
    may be that an administrator keeps for everybody, "" for nowhere; `said` is BUBBLE_SYSTEM_HOME,
    letter for letter.
    """

    home: str
    cache: str
    memos: str = ""
    system: str = ""
    said: str = ""

    @property
    def beneath(self) -> Layout:
        """The system's store, below this user's own: it is only read."""
        return Layout(home=self.system, cache=self.cache)

    def is_beneath(self, path: str) -> bool:
        """Whether an absolute path is one of the system's store."""
        return bool(self.system) and path.startswith(f"{self.system}/")

    def holding(self, path: str) -> Layout:
        """Return the layout of the store that an absolute path lies in: this one, or `beneath`."""
        return self.beneath if self.is_beneath(path) else self

    @property
    def shelves(self) -> tuple[str, ...]:
        """The directories that interpreters may stand in: this store's, and the system's."""
        return (self.pythons, self.beneath.pythons) if self.system else (self.pythons,)

    @property
    def pythons(self) -> str:
        """Installations, one directory a key, and the minor links."""
        return f"{self.home}/pythons"

    def python(self, key: str) -> str:
        """Return the prefix of the installation `key`."""
        return f"{self.home}/pythons/{key}"

    @property
    def staging(self) -> str:
        """Scratch on the store's file system: what is being built."""
        return f"{self.home}/staging"

    @property
    def trash(self) -> str:
        """Scratch on the store's file system: what is being deleted."""
        return f"{self.home}/trash"

    @property
    def journal(self) -> str:
        """What was begun outside `staging` and `trash`, a file each, until it is ended."""
        return f"{self.home}/journal"

    @property
    def locks(self) -> str:
        """Lock files; never deleted."""
        return f"{self.home}/locks"

    @property
    def format(self) -> str:
        """The number of this layout, as a link's text: an older store is migrated first."""
        return f"{self.home}/format"

    @property
    def envs(self) -> str:
        """Named environments."""
        return f"{self.home}/envs"

    @property
    def registry(self) -> str:
        """Records of every environment, wherever it lies."""
        return f"{self.home}/registry"

    @property
    def marks(self) -> str:
        """Hard links to the marks of environments, by identity, where the file system has any."""
        return f"{self.home}/marks"

    @property
    def synced(self) -> str:
        """What projects' environments were last made from, a file each, by its identity."""
        return f"{self.home}/synced"

    @property
    def scripts(self) -> str:
        """Environments of scripts, by what they were made from."""
        return f"{self.home}/scripts"

    @property
    def scripts_seen(self) -> str:
        """Which environment each script ran in last, a file each; derived."""
        return f"{self.home}/scripts.seen"

    @property
    def seeds(self) -> str:
        """Unpacked copies of pip, from which environments get theirs."""
        return f"{self.home}/seeds"

    @property
    def packages(self) -> str:
        """Files of packages that environments share, by their sha256."""
        return f"{self.home}/packages"

    @property
    def tools(self) -> str:
        """Programs that bubble fetched for itself, one directory a version."""
        return f"{self.home}/tools"

    def tool(self, name: str, version: str) -> str:
        """Return the directory of one of them."""
        return f"{self.home}/tools/{name}-{version}"

    @property
    def kernels(self) -> str:
        """Directories with Jupyter kernels of ours that Jupyter itself doesn't search, by line."""
        return f"{self.home}/kernels"

    @property
    def global_pin(self) -> str:
        """What is selected where no directory and no variable says anything."""
        return f"{self.home}/version"

    @property
    def shims(self) -> str:
        """The directory that is on PATH: one script, under each command's name."""
        return f"{self.home}/shims"

    @property
    def front(self) -> str:
        """`bubble` itself, among the shims: a script that answers what is remembered."""
        return f"{self.home}/shims/bubble"

    @property
    def shortcuts(self) -> str:
        """What that script recognises of syncs and scripts, a file each; derived."""
        return f"{self.home}/shortcuts"

    @property
    def shim(self) -> str:
        """The script that every name in `shims` is a hard link of."""
        return f"{self.home}/shim.sh"

    @property
    def shims_seen(self) -> str:
        """What the shims were last made for; derived."""
        return f"{self.home}/shims.seen"

    @property
    def made(self) -> str:
        """Which directories bubble made outside of its own, a line each."""
        return f"{self.home}/made"

    @property
    def requests(self) -> str:
        """What bare requests mean now: `now` leads to the directory that holds; derived."""
        return f"{self.home}/requests"

    @property
    def answers(self) -> str:
        """Memos of what directories, the variable and the global pin get; derived."""
        return self.memos or f"{self.home}/answers"

    @property
    def own_memos(self) -> str:
        """The same of a user who can't write to stores, of all stores; nobody else's."""
        return f"{self.cache}/answers"

    def with_own_memos(self) -> Layout:
        """Return the layout whose memos are this user's own of this store."""
        return self.replace(memos=f"{self.own_memos}{self.home.replace('/', '/@')}")

    def answer(self, directory: str) -> str:
        """Return the memo of an absolute directory, as it is spelled.

        No directory can collide with the file's own name: each one's begins with `@`.
        """
        return f"{self.answers}{directory.rstrip('/').replace('/', '/@')}/answer"

    @property
    def variable_answers(self) -> str:
        """Memos of BUBBLE_PYTHON, one file a text."""
        return f"{self.answers}/variable"

    @property
    def global_answer(self) -> str:
        """The memo of the global pin."""
        return f"{self.answers}/global"

    @property
    def choices(self) -> str:
        """What `exec` chose, a directory for PATH each; derived."""
        return f"{self.home}/choices"

    @property
    def own_choices(self) -> str:
        """The same of a user who can't write to the store."""
        return f"{self.cache}/choices"

    @property
    def catalogue(self) -> str:
        """What `bubble python update` fetched: one file."""
        return f"{self.home}/catalogue"

    @property
    def downloads(self) -> str:
        """Finished downloads by sha256, partial ones beside them."""
        return f"{self.cache}/downloads"

    @property
    def download_locks(self) -> str:
        """Locks of the cache, by sha256: several stores may share one cache."""
        return f"{self.cache}/locks"

    @property
    def catalogues(self) -> str:
        """Compiled copies of the catalogues that BUBBLE_CATALOG names."""
        return f"{self.cache}/catalogues"


# what an administrator keeps for everybody, unless the variable says something else; a link will do
SYSTEM_HOME = "/usr/local/share/bubble"
SYSTEM_VARIABLE = "BUBBLE_SYSTEM_HOME"
SYSTEM_MARK = "BUBBLE_SYSTEM"  # of the processes of `bubble --system`: this is everybody's store

# inside an installation
BUBBLE_DIR = ".bubble"
RECEIPT = ".bubble/receipt.json"
MANIFEST = ".bubble/manifest"

# one line: the identity of an environment that bubble made, and of one that it only knows
MARK = ".bubble-environment"
ADOPTED = ".bubble-adopted"


def layout_from(env: Mapping[str, str]) -> Layout:
    """Return the layout that the environment variables ask for.

    Raises BubbleError(usage) when BUBBLE_HOME or BUBBLE_CACHE_DIR is not absolute.
    """
    return layout_at(
        env,
        home=_directory(env, "BUBBLE_HOME", _default_home),
        cache=_directory(env, "BUBBLE_CACHE_DIR", _default_cache),
    )


def layout_at(env: Mapping[str, str], *, home: str, cache: str) -> Layout:
    """Return the layout of a store, above the system's store that the variables name.

    Raises BubbleError(usage) when BUBBLE_SYSTEM_HOME is neither absolute nor `none`.
    """
    said = env.get(SYSTEM_VARIABLE) or ""
    system = "" if said == "none" else _directory(env, SYSTEM_VARIABLE, lambda _: SYSTEM_HOME)
    return Layout(home=home, cache=cache, system="" if system == home else system, said=said)


def is_everybodys(layout: Layout, env: Mapping[str, str]) -> bool:
    """Whether a store is one that an administrator keeps for all others, who run what is there."""
    systems = (SYSTEM_HOME, env.get(SYSTEM_VARIABLE))
    return bool(env.get(SYSTEM_MARK)) or layout.home in systems


def configuration_file(env: Mapping[str, str]) -> str:
    """Return the absolute path of this user's configuration file, "" where there is no home.

    It is the one thing that lies outside home and cache, since it says where these are.
    """
    import sys

    try:
        if sys.platform == "linux":
            base = env.get("XDG_CONFIG_HOME", "")
            return f"{base if os.path.isabs(base) else _home(env) + '/.config'}/bubble/config.toml"
        from platformdirs import user_config_dir

        return f"{user_config_dir('bubble', appauthor=False)}/config.toml"
    except BubbleError:
        return ""


def _directory(env: Mapping[str, str], name: str, default: object) -> str:
    value = env.get(name) or ""
    if value.startswith("~/") and env.get("HOME"):
        value = env["HOME"] + value[1:]
    if not value:
        assert callable(default)
        return str(default(env))
    if not os.path.isabs(value) or "\0" in value or "\n" in value:
        raise BubbleError(
            "usage",
            f"{name} must be an absolute path, not “{printable(value)}”",
            hint=f"set {name} to an absolute path, or unset it",
        )
    return os.path.normpath(value)


def _default_home(env: Mapping[str, str]) -> str:
    import sys

    if sys.platform == "linux":  # what platformdirs answers, without its 33 ms
        base = env.get("XDG_DATA_HOME", "")
        return f"{base if os.path.isabs(base) else _home(env) + '/.local/share'}/bubble"
    from platformdirs import user_data_dir

    return user_data_dir("bubble", appauthor=False)


def _default_cache(env: Mapping[str, str]) -> str:
    import sys

    if sys.platform == "linux":
        base = env.get("XDG_CACHE_HOME", "")
        return f"{base if os.path.isabs(base) else _home(env) + '/.cache'}/bubble"
    from platformdirs import user_cache_dir

    return user_cache_dir("bubble", appauthor=False)


def _home(env: Mapping[str, str]) -> str:
    """Return the home directory without needing HOME (cron, `env -i`)."""
    home = env.get("HOME", "")
    if os.path.isabs(home):
        return home.rstrip("/") or "/"
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise BubbleError(
            "usage",
            "there is no home directory: HOME is not set and this user has none",
            hint="set BUBBLE_HOME and BUBBLE_CACHE_DIR to absolute paths",
        ) from None
