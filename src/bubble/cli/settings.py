"""Every setting: its key in the configuration file, its variable, and what it means.

The one table: the file is read and checked by it, `bubble config` shows it, `--help` and the
reference's list of variables are made from it.
"""

from __future__ import annotations

from bubble.model.record import Record


class Setting(Record):
    """One setting. `variable` is "" for what only the configuration file can say.

    `kind` is "directory" (absolute, or below ~/), "text", "flag", "seconds", "number" (whole) or
    "list" (of texts). A number is from `low` to `high`. `default` is what holds without it, for
    people.
    """

    key: str
    variable: str
    kind: str
    default: str
    meaning: str
    low: float = 0
    high: float = 0


SETTINGS = (
    Setting(
        key="home",
        variable="BUBBLE_HOME",
        kind="directory",
        default="the user's data directory, on Linux `~/.local/share/bubble`",
        meaning="where installations and everything else that lasts are; an absolute path",
    ),
    Setting(
        key="cache-dir",
        variable="BUBBLE_CACHE_DIR",
        kind="directory",
        default="the user's cache directory, on Linux `~/.cache/bubble`",
        meaning="where downloads are kept; an absolute path",
    ),
    Setting(
        key="mirror",
        variable="BUBBLE_MIRROR",
        kind="text",
        default="",
        meaning="replaces the `…/releases/download` part of upstream's addresses; "
        "`https://`, `http://` or `file://`",
    ),
    Setting(
        key="catalog",
        variable="BUBBLE_CATALOG",
        kind="text",
        default="the embedded one",
        meaning="another catalogue: an absolute path or a URL, of a map as "
        "`bubble mirror create` writes it, or of upstream's ndjson",
    ),
    Setting(
        key="offline",
        variable="BUBBLE_OFFLINE",
        kind="flag",
        default="false",
        meaning="no network; the cache and `file://` only",
    ),
    Setting(
        key="no-progress",
        variable="BUBBLE_NO_PROGRESS",
        kind="flag",
        default="false",
        meaning="short lines instead of a live display",
    ),
    Setting(
        key="progress-after",
        variable="BUBBLE_PROGRESS_AFTER",
        kind="seconds",
        default="3",
        meaning="how many seconds of work pass before short lines tell of it",
        low=0,
        high=86400,
    ),
    Setting(
        key="no-externally-managed",
        variable="BUBBLE_NO_EXTERNALLY_MANAGED",
        kind="flag",
        default="false",
        meaning="install Pythons into which pip and uv may install (no EXTERNALLY-MANAGED): for "
        "images",
    ),
    Setting(
        key="auto-install",
        variable="",
        kind="flag",
        default="false",
        meaning="install the Python that a version file asks for where it is missing, unasked",
    ),
    Setting(
        key="default-packages",
        variable="",
        kind="list",
        default="none",
        meaning="what `bubble create` installs into every new environment",
    ),
    Setting(
        key="shared-packages",
        variable="BUBBLE_SHARED_PACKAGES",
        kind="text",
        default="auto",
        meaning="what environments have together of the same packages: `auto` is blocks where the "
        "file system clones files, else read-only files (hard links), these not for root; `links` "
        "is for root, too; `none` is nothing",
    ),
    Setting(
        key="lock-timeout",
        variable="BUBBLE_LOCK_TIMEOUT",
        kind="seconds",
        default="900",
        meaning="how many seconds to wait for another process",
        low=0,
        high=86400,
    ),
    Setting(
        key="http-timeout",
        variable="BUBBLE_HTTP_TIMEOUT",
        kind="seconds",
        default="10 to connect, 30 to read",
        meaning="how many seconds to wait for a server's next bytes",
        low=0.1,
        high=3600,
    ),
    Setting(
        key="http-deadline",
        variable="BUBBLE_HTTP_DEADLINE",
        kind="seconds",
        default="3600",
        meaning="how many seconds a whole download may take",
        low=0.1,
        high=7 * 86400,
    ),
    Setting(
        key="http-retries",
        variable="BUBBLE_HTTP_RETRIES",
        kind="number",
        default="4",
        meaning="how often a failed transfer is tried again",
        low=0,
        high=100,
    ),
    Setting(
        key="http-connections",
        variable="BUBBLE_HTTP_CONNECTIONS",
        kind="number",
        default="8",
        meaning="how many connections one download may use",
        low=1,
        high=64,
    ),
    Setting(
        key="debug",
        variable="BUBBLE_DEBUG",
        kind="flag",
        default="false",
        meaning="show the traceback of an internal error",
    ),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}
