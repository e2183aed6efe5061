"""The variables and options that an installer is started with.

One configuration, the user's of pip, decides the same whichever installer runs; none of it leads
out of the environment that is being filled, and BUBBLE_OFFLINE keeps all of it off the network.
"""

from __future__ import annotations

import os

from bubble.envs.tools.pip_settings import Setting, as_variables, pip_settings
from bubble.envs.tools.uv_settings import said_to_uv
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.probing.isolation import without_python
from bubble.system.http.settings import offline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# what would lead uv elsewhere, or let it run by another interpreter
_ELSEWHERE = {
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_BREAK_SYSTEM_PACKAGES"),
    *("UV_WORKING_DIRECTORY", "UV_WORKING_DIR", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT"),
    *("UV_DRY_RUN", "VIRTUAL_ENV", "CONDA_PREFIX"),
}
_NOT_FOR_LOCKS = {"constraint", "build-constraint", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"}
_INSIDE = "UV_NO_BUILD_ISOLATION"
_NOWHERE = "http://127.0.0.1:9"  # a proxy that isn't there: port 9 discards
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")


class InstallerEnvironment(Record):
    """All variables of the installer's process, and the options behind its command.

    Secrets (an index with a password) are in the variables only. `builds_inside`: packages may be
    built by the environment's own interpreter, with what is installed there.
    """

    variables: dict[str, str]
    options: tuple[str, ...] = ()
    builds_inside: bool = False


def installer_environment(
    installer: str,
    env: Mapping[str, str],
    *,
    root: str = "",
    command: str = "install",
    names_an_index: bool = False,
    of_lock: bool = False,
    settings: str = "",
) -> InstallerEnvironment:
    """Return what `installer` ("pip" or "uv") is started with.

    `root` is the environment that is filled ("" for none), whose own pip.conf counts; `command`
    the one of pip's whose section of pip.conf counts; `names_an_index` says that a requirement
    file names an index for itself, which then takes the place of the user's; `of_lock`, that a
    lock file is installed, in whose making constraints have had their say; `settings` is the
    absolute directory whose project's settings uv follows, "" for none. Raises
    BubbleError(usage) where uv can't be told what pip is told, or pip's files can't be read.
    """
    asked = pip_settings(env, prefix=root, command=command)
    variables = {n: v for n, v in without_python(env).items() if n not in _ELSEWHERE}
    if root:
        # a repository's [tool.uv] chooses no index and no target: uv looks for it from there up
        variables |= {"VIRTUAL_ENV": root, "UV_PROJECT": settings or "/"}
    if of_lock:
        asked = {key: s for key, s in asked.items() if key not in _NOT_FOR_LOCKS}
        variables = {n: v for n, v in variables.items() if n not in _NOT_FOR_LOCKS}
    if offline(env):
        variables |= _kept_off()
    # also for uv: what it builds with may start pip
    told = as_variables(_local(asked) if offline(env) else asked)
    variables = {n: v for n, v in variables.items() if not n.startswith("PIP_")} | told
    if installer == "pip":
        places = env.get("PATH", "").split(":")
        if "keyring-provider" not in asked and any(
            os.access(f"{at}/keyring", os.X_OK) for at in places
        ):
            # pip asks it by itself only where it may ask a person as well
            variables["PIP_KEYRING_PROVIDER"] = "subprocess"
        return InstallerEnvironment(variables=variables)
    said = said_to_uv(asked, env, names_an_index=names_an_index)
    if said.unsaid:
        shown = "; ".join(printable(clause, 300) for clause in said.unsaid[:5])
        raise BubbleError(
            "usage",
            f"uv can't be told all of the configuration: {shown}",
            hint="take pip (--installer pip), or change that",
        )
    # lock files are asked for: no warning that uv's reading of them is new
    return InstallerEnvironment(
        variables={"UV_PREVIEW_FEATURES": "pylock", **variables, **said.variables},
        options=said.options,
        builds_inside=said.builds_inside
        or any(env.get(name) for name in variables if name.startswith(_INSIDE)),
    )


def _kept_off() -> dict[str, str]:
    """Return variables that keep an installer, and what it builds with, off the network."""
    proxies = {n: _NOWHERE for name in _PROXIES for n in (name, name.upper())}
    none = dict.fromkeys(("no_proxy", "NO_PROXY"), "")
    return {**proxies, **none, "UV_OFFLINE": "1", "GIT_ALLOW_PROTOCOL": "file"}


def _local(settings: dict[str, Setting]) -> dict[str, Setting]:
    """Return the settings with nothing that is asked over the network."""
    kept = dict(settings)
    indexes: list[Setting] = []
    for key in ("index-url", "extra-index-url"):
        if setting := kept.pop(key, None):
            indexes += [setting.replace(value=word) for word in setting.words if _is_local(word)]
    if indexes:
        kept["index-url"] = indexes[0]
    else:
        kept["no-index"] = Setting(value="1", origin="BUBBLE_OFFLINE")
    if indexes[1:]:
        value = " ".join(setting.value for setting in indexes[1:])
        kept["extra-index-url"] = indexes[1].replace(value=value)
    if links := kept.pop("find-links", None):
        words = [word for word in links.words if _is_local(word)]
        if words:
            kept["find-links"] = links.replace(value=" ".join(words))
    nowhere = {"proxy": _NOWHERE, "retries": "0"}
    return kept | {k: Setting(value=v, origin="BUBBLE_OFFLINE") for k, v in nowhere.items()}


def _is_local(address: str) -> bool:
    return "://" not in address or address.lower().startswith("file:")
