"""One release of python-build-standalone's own index: its artifacts as downloads, with flavours.

The index: https://releases.astral.sh/github/versions/main/v1/python-build-standalone.ndjson
"""

from __future__ import annotations

from bubble.pythons.catalogue.entry import MalformedError, UnknownError, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.model.download import Download

# what people want most comes first; `full` archives are told apart by their optimisations
_PREFERENCE = (
    {"install_only_stripped"},
    {"install_only"},
    {"pgo", "lto", "full"},
    {"pgo", "full"},
    {"lto", "full"},
    {"full"},
    {"noopt", "full"},
)


def read_release(release: object) -> Iterator[tuple[int, Download | None]]:
    """Yield (flavour's rank, download) for each artifact of one line of the index.

    The lowest rank is the most wanted, a negative one is never to be installed (static builds,
    unknown flavours). The download is None where the platform is unknown. Raises MalformedError.
    """
    if not isinstance(release, dict) or not isinstance(release.get("artifacts"), list):
        raise MalformedError("it is no release with artifacts")
    version = release.get("version")
    number, plus, tag = version.partition("+") if isinstance(version, str) else ("", "", "")
    if not plus:
        raise MalformedError("its version is not of the form 3.12.4+20240726")
    for artifact in release["artifacts"]:
        try:
            yield _read_artifact(artifact, number, tag)
        except UnknownError:
            yield -1, None


def _read_artifact(artifact: object, number: str, tag: str) -> tuple[int, Download]:
    if not isinstance(artifact, dict):
        raise MalformedError("an artifact is no JSON object")
    platform, flavour = artifact.get("platform"), artifact.get("variant")
    if not isinstance(platform, str) or not isinstance(flavour, str):
        raise MalformedError("an artifact has no platform or variant")
    words = set(flavour.replace("-", "+").split("+"))
    if platform.endswith("-debug"):  # upstream writes `aarch64-apple-darwin-debug`, `full`
        platform = platform.removesuffix("-debug")
        words.add("debug")
    variant = "+".join(word for word in ("freethreaded", "debug") if word in words)
    download = checked(
        implementation="cpython",
        version=number,
        variant=variant,
        platform=platform,
        url=artifact.get("url"),
        sha256=artifact.get("sha256"),
        build=tag,
    )
    words -= {"freethreaded", "debug"}
    rank = _PREFERENCE.index(words) if words in _PREFERENCE else -1
    return rank, download
