"""What a resolver's failing means: one clear error of the kind that it is."""

from __future__ import annotations

import pytest

from bubble.projects.question import failed

_NONE_FIT = "found no packages that fit"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("\u00d7 No solution found when resolving dependencies:\n╰─▶ a>2", "resolution", _NONE_FIT),
        ("ERROR: No matching distribution found for nope", "resolution", _NONE_FIT),
        ("error: ResolutionImpossible: for help visit", "resolution", _NONE_FIT),
        ("error: Git operation failed\ncause: failed to clone into: x", "resolution", "uv failed"),
        ("error: Failed to parse environment variable `UV_X`", "resolution", "uv failed"),
        ("error: Build backend failed to build wheel", "resolution", "uv failed"),
        (
            "error: Unsupported editable requirement\ncause: Git sources cannot be editable",
            "resolution",
            "locks no checkouts for editing",
        ),
        ("error: Failed to fetch: `x`", "download", "can't ask the index"),
        ("No space left on device (os error 28)", "no_space", "no space left"),
    ],
)
def test_what_a_resolver_says_is_told_as_what_it_is(said: str, kind: str, words: str) -> None:
    error = failed("uv", said)
    assert error.kind == kind
    assert words in error.message
    assert error.hint
    assert ("what the manifest asks for" in error.hint) == (words == _NONE_FIT)
