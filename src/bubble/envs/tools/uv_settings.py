"""pip's settings, said to uv: by its variables, as far as uv can mean the same.

Two things differ between them and are put right here. pip takes the best version that any of its
indexes has; uv takes the first index that has the package at all, and further ones come before the
default. And uv's variable for the default index outweighs a requirement file's own, pip's doesn't.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from bubble.envs.tools.pip_settings import Setting

# what changes nothing in what is installed, or what uv does anyway
_SILENT = {
    *("disable-pip-version-check", "no-input", "no-color", "quiet", "verbose", "progress-bar"),
    *("log", "log-file", "local-log", "cache-dir", "no-cache-dir", "root-user-action", "debug"),
    *("no-warn-script-location", "no-warn-conflicts", "break-system-packages", "exists-action"),
    *("isolated", "isolated-mode", "no-python-version-warning", "compile", "no-compile", "src"),
    *("upgrade", "upgrade-strategy", "force-reinstall", "ignore-installed", "no-clean", "format"),
    *("use-pep517", "resume-retries", "check-build-dependencies", "no-build", "build"),
}
_INDEX = {"index-url", "extra-index-url", "no-index", "find-links", "pypi-url"}
# the user's word to uv about indexes: then nothing is added to it
_UVS_INDEX = (
    *("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
    "UV_NO_INDEX",
)
_UVS_KEYS = {"index", "index-url", "extra-index-url", "find-links", "no-index", "default-index"}
_INSIDE = "UV_NO_BUILD_ISOLATION"
_INSIDES = "no-build-isolation"  # and the same for single packages
# in uv's `[pip]`: packages would go elsewhere
_ELSEWHERE = ("target", "prefix")


class Said(Record):
    """What uv is told: variables (secrets are only there), options, and what can't be said.

    `unsaid` has a clause for each of the latter. `builds_inside`: pip's settings, or uv's own
    files, have packages built without an environment of their own.
    """

    variables: dict[str, str]
    options: tuple[str, ...]
    unsaid: tuple[str, ...]
    builds_inside: bool


def said_to_uv(
    settings: Mapping[str, Setting],
    env: Mapping[str, str],
    *,
    names_an_index: bool = False,
) -> Said:
    """Translate pip's settings; what the user says to uv itself in UV_* or uv.toml outweighs them.

    `names_an_index` says that a requirement file has an `--index-url` of its own.
    """
    files = [(path, _table(path)) for path in _users(env)]
    theirs = any(env.get(name) for name in _UVS_INDEX) or any(
        _UVS_KEYS & {*table, *_part(table, "pip")} for _, table in files
    )
    left = {key: setting for key, setting in settings.items() if key not in _SILENT}
    if theirs:
        left = {key: setting for key, setting in left.items() if key not in _INDEX}
    elif "no-index" in left and left["no-index"].is_true:
        left = {k: s for k, s in left.items() if k not in {"index-url", "extra-index-url"}}
    if names_an_index:
        left.pop("index-url", None)
    variables: dict[str, str] = {}
    options: list[str] = []
    unsaid: list[str] = []
    for key, setting in left.items():
        told = _WORDS[key](setting) if key in _WORDS else None
        if told is None:
            unsaid.append(f"{key} of {setting.origin}")
        elif isinstance(told, dict):
            variables |= told
        else:
            options += told
    if "UV_INDEX" in variables:
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    for path, table in files:
        pip = _part(table, "pip")
        unsaid += [f"{key} of uv's {path}" for key in _ELSEWHERE if pip.get(key)]
    variables = {
        name: value
        for name, value in variables.items()
        if not (name.startswith("UV_") and env.get(name))
    }
    inside = _INSIDE in variables or any(
        key.startswith(_INSIDES) for _, table in files for key in (*table, *_part(table, "pip"))
    )
    certificates = env.get("REQUESTS_CA_BUNDLE") or env.get("CURL_CA_BUNDLE")  # pip's, not uv's
    if certificates and not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & {*variables, *env}:
        variables |= _certificates(certificates)
    return Said(
        variables=variables,
        options=tuple(options),
        unsaid=tuple(unsaid),
        builds_inside=inside,
    )


def _named(name: str) -> Callable[[Setting], dict[str, str]]:
    return lambda setting: {name: setting.value.strip()}


def _several(name: str) -> Callable[[Setting], dict[str, str]]:
    return lambda setting: {name: " ".join(setting.words)}


def _switch(name: str, value: str = "1") -> Callable[[Setting], dict[str, str]]:
    return lambda setting: {name: value} if setting.is_true else {}


def _option(name: str) -> Callable[[Setting], list[str]]:
    return lambda setting: [name] if setting.is_true else []


def _find_links(setting: Setting) -> dict[str, str] | None:
    words = [os.path.expanduser(word) for word in setting.words]
    return None if any("," in word for word in words) else {"UV_FIND_LINKS": ",".join(words)}


def _certificates(path: str) -> dict[str, str]:
    return {"SSL_CERT_DIR" if os.path.isdir(path) else "SSL_CERT_FILE": path}


def _proxy(setting: Setting) -> dict[str, str]:
    value = setting.value if "://" in setting.value else f"http://{setting.value}"
    return dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), value)


def _formats(option: str) -> Callable[[Setting], list[str]]:
    def told(setting: Setting) -> list[str]:
        names: list[str] = []
        for name in setting.value.replace(",", " ").split():
            names = [] if name == ":none:" else [*names, name]
        return [word for name in names for word in (option, name)]

    return told


def _keyring(setting: Setting) -> dict[str, str] | None:
    if setting.value == "auto":
        return {}
    known = setting.value in {"disabled", "subprocess"}
    return {"UV_KEYRING_PROVIDER": setting.value} if known else None


def _features(setting: Setting) -> dict[str, str]:
    return {"UV_SYSTEM_CERTS": "1"} if "truststore" in setting.words else {}


_WORDS: dict[str, Callable[[Setting], dict[str, str] | list[str] | None]] = {
    "index-url": _named("UV_DEFAULT_INDEX"),
    "pypi-url": _named("UV_DEFAULT_INDEX"),
    "extra-index-url": _several("UV_INDEX"),
    "find-links": _find_links,
    "no-index": _option("--no-index"),
    "constraint": _several("UV_CONSTRAINT"),
    "build-constraint": _several("UV_BUILD_CONSTRAINT"),
    "trusted-host": _several("UV_INSECURE_HOST"),
    "cert": lambda setting: _certificates(setting.value),
    "client-cert": _named("SSL_CLIENT_CERT"),
    "proxy": _proxy,
    "timeout": _named("UV_HTTP_TIMEOUT"),
    "default-timeout": _named("UV_HTTP_TIMEOUT"),
    "retries": _named("UV_HTTP_RETRIES"),
    "pre": _switch("UV_PRERELEASE", "allow"),
    "require-hashes": _switch("UV_REQUIRE_HASHES"),
    "no-build-isolation": _switch(_INSIDE),
    "no-deps": _option("--no-deps"),
    "no-dependencies": _option("--no-deps"),
    "no-binary": _formats("--no-binary"),
    "only-binary": _formats("--only-binary"),
    "keyring-provider": _keyring,
    "use-feature": _features,
}


def _users(env: Mapping[str, str]) -> Iterator[str]:
    """Yield the user's and the machine's own configuration files of uv."""
    if env.get("UV_CONFIG_FILE"):
        yield env["UV_CONFIG_FILE"]
    elif not env.get("UV_NO_CONFIG"):
        home = env.get("HOME") or os.path.expanduser("~")
        yield f"{env.get('XDG_CONFIG_HOME') or f'{home}/.config'}/uv/uv.toml"
        for directory in (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
            yield f"{directory}/uv/uv.toml"
        yield "/etc/uv/uv.toml"


def _table(path: str) -> dict[str, Any]:
    text = read_text(path)
    if not text:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError:  # uv's to tell
        return {}


def _part(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}
