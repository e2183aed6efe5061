from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from bubble.model.errors import BubbleError
from bubble.model.key import Key, parse_key
from bubble.model.platform import Platform
from bubble.model.request import Request, parse_request

HOST = Platform(os="linux", arch="x86_64", libc="gnu")
MUSL = Platform(os="linux", arch="x86_64", libc="musl")

# implementation, release, stage, serial, variant and platform of each text
VERSIONS = {
    "3": ("cpython", (3,), -1, 0, "", None),
    "3.11": ("cpython", (3, 11), -1, 0, "", None),
    "3.11.9": ("cpython", (3, 11, 9), -1, 0, "", None),
    "  3.11.9\n": ("cpython", (3, 11, 9), -1, 0, "", None),
    "312": ("cpython", (3, 12), -1, 0, "", None),
    "39": ("cpython", (3, 9), -1, 0, "", None),
    "27": ("cpython", (2, 7), -1, 0, "", None),
    "3.12.*": ("cpython", (3, 12), -1, 0, "", None),
    "==3.11.*": ("cpython", (3, 11), -1, 0, "", None),
    "3.14rc1": ("cpython", (3, 14), 2, 1, "", None),
    "3.14.0rc1": ("cpython", (3, 14, 0), 2, 1, "", None),
    "3.15.0a5": ("cpython", (3, 15, 0), 0, 5, "", None),
    "3.15b2": ("cpython", (3, 15), 1, 2, "", None),
    "3.13t": ("cpython", (3, 13), -1, 0, "freethreaded", None),
    "3.13.1t": ("cpython", (3, 13, 1), -1, 0, "freethreaded", None),
    "3.14rc1t": ("cpython", (3, 14), 2, 1, "freethreaded", None),
    "313t": ("cpython", (3, 13), -1, 0, "freethreaded", None),
    "3.13d": ("cpython", (3, 13), -1, 0, "debug", None),
    "3.13td": ("cpython", (3, 13), -1, 0, "freethreaded+debug", None),
    "3.13+freethreaded": ("cpython", (3, 13), -1, 0, "freethreaded", None),
    "3.13+debug": ("cpython", (3, 13), -1, 0, "debug", None),
    "3.13+freethreaded+debug": ("cpython", (3, 13), -1, 0, "freethreaded+debug", None),
    "3.13+debug+freethreaded": ("cpython", (3, 13), -1, 0, "freethreaded+debug", None),
    "3.14+gil": ("cpython", (3, 14), -1, 0, "", None),
    "cpython": ("cpython", (), -1, 0, "", None),
    "python": ("cpython", (), -1, 0, "", None),
    "cpython@3.12": ("cpython", (3, 12), -1, 0, "", None),
    "cpython-3.12": ("cpython", (3, 12), -1, 0, "", None),
    "python3.12": ("cpython", (3, 12), -1, 0, "", None),
    "python-3.12": ("cpython", (3, 12), -1, 0, "", None),
    "python 3.12": ("cpython", (3, 12), -1, 0, "", None),
    "CPython-3.12": ("cpython", (3, 12), -1, 0, "", None),
    "cp312": ("cpython", (3, 12), -1, 0, "", None),
    "pypy": ("pypy", (), -1, 0, "", None),
    "pypy3.10": ("pypy", (3, 10), -1, 0, "", None),
    "pypy@3.11": ("pypy", (3, 11), -1, 0, "", None),
    "pypy-3.11": ("pypy", (3, 11), -1, 0, "", None),
    "pp310": ("pypy", (3, 10), -1, 0, "", None),
    "graalpy": ("graalpy", (), -1, 0, "", None),
    "graalpy3.11": ("graalpy", (3, 11), -1, 0, "", None),
    "gp311": ("graalpy", (3, 11), -1, 0, "", None),
    "cpython-3.12-linux-x86_64-musl": ("cpython", (3, 12), -1, 0, "", MUSL),
    "cpython-3.12.4-linux-x86_64-gnu": ("cpython", (3, 12, 4), -1, 0, "", HOST),
    "3.12-x86_64-unknown-linux-musl": ("cpython", (3, 12), -1, 0, "", MUSL),
    "cpython-3.13.1+freethreaded-linux-x86_64-gnu": (
        "cpython", (3, 13, 1), -1, 0, "freethreaded", HOST,
    ),
}  # fmt: skip

MALFORMED = (
    "", " ", "\n", "\0", "3\0", "3.12\0", "3.1\x1b[31m2", "\x1b]0;owned\x07", "3.12\r3",
    "3.12\n3.13",
    "3\u202e12", "3.12\u200b", "\ud8003.12",
    "3.", "3..1", ".3.12\n.", "3.1.2.3", "3.12.", "3.12..", "3,12", "3.12,", "3:12",
    "-3", "-3.12", "--help", "-c", "+t", "+3", "+", "-", "_", "_3", "3-", "3.12-", "3+", "3_12",
    "3.13t+debug", "3.13+t", "3.13+debug+debug", "3.13+freethreaded+", "3.13+FREETHREADED!",
    "3.13tt",
    "3.13dt", "3.13 t", "3.11 3.12", "3.1 2", "3. 12",
    "3.14rc", "3.14a", "3.14alpha1", "3.14rc1b2", "3.14rc1.*", "3.14rc-1", "3.14rc1.5", "3.14.dev0",
    ">=3,<", ">=", "<", "=", "==", "=3.12", ">3.x", ">=3.10;<3.13", ">=3.10 <3.13", "~=3", "!3",
    "!=",
    "=>3.10", ">=3.1 0", "^3.12", ">=3.10,<3.13+x",
    "\uff13.\uff11\uff12", "\u0663.\u0661\u0662", "3.\u00b2", "\u2162.12", "3.1\u0662",
    "$(id)", "`id`", "3.12;id", "3.12|id", "3.12&", "3.12>x", "'3.12'", '"3.12"', "3.12#x",
    "3.12\\",
    "3.12-linux", "3.12-linux-x86_64", "3.12-linux-mips-gnu", "3.12-linux-x86_64-gnu-extra",
    "3.12-plan9-x86_64-none", "3.12-x86_64-pc-windows-msvc-static",
    "312345", "9999999.1", "3.9999999", "3120", "1000",
    "3" * 10_000, "a" * 10_000, "caf\u00e9", "\u65e5\u672c", "env name", "env\tname", "a=b",
    "name!",
)  # fmt: skip


@pytest.mark.parametrize("text", VERSIONS)
def test_a_version_request_is_read_as_documented(text: str) -> None:
    request = parse_request(text)
    fields = request.implementation, request.release, request.stage, request.serial
    assert (*fields, request.variant, request.platform) == VERSIONS[text]
    assert request.kind == "version"
    assert request.text == text.strip()
    assert request.is_python


_PARTS = st.lists(st.integers(0, 14), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))
_RELEASE = st.lists(st.integers(0, 14), min_size=3, max_size=3).map(lambda n: ".".join(map(str, n)))
_STAGE = st.sampled_from(["", "", "a1", "rc2"])


@given(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _PARTS, _RELEASE, _STAGE, st.booleans())
def test_a_range_of_one_plain_clause_means_what_pep_440_says(
    operator: str,
    asked: str,
    release: str,
    stage: str,
    prereleases: bool,
) -> None:
    specifier = SpecifierSet(f"{operator}{asked}")
    taken = specifier.contains(f"{release}{stage}", prereleases=prereleases)
    for text in (f"{operator}{asked}", f"{operator} {asked} "):
        request = parse_request(text)
        assert (request.kind, request.specifier) == ("range", str(specifier))
        assert request.matches(_key(f"{release}{stage}"), HOST, prereleases=prereleases) == taken


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_request_is_one_clean_error(text: str) -> None:
    with pytest.raises(BubbleError) as raised:
        parse_request(text)
    error = raised.value
    assert error.kind == "request"
    assert error.exit_status == 2
    assert error.message.isprintable()
    assert len(error.message) < 300
    assert error.hint


def test_there_are_enough_malformed_requests() -> None:
    assert len(set(MALFORMED)) >= 60


@given(st.text(max_size=300))
def test_any_text_is_a_request_or_a_clean_error(text: str) -> None:
    request, error = _outcome(text)
    assert request is None or request.kind in {"version", "range", "path", "system", "name"}
    assert str(request).isprintable()
    assert error is None or (error.kind == "request" and error.message.isprintable())


@given(st.text(alphabet="0123456789.<>=!~,+-*trcabdpyhon @", max_size=20))
def test_any_text_near_the_grammar_is_a_request_or_a_clean_error(text: str) -> None:
    request, error = _outcome(text)
    assert error is None or error.kind == "request"
    assert request is None or request.matches(_key("3.12.4"), HOST) in {True, False}


def _outcome(text: str) -> tuple[Request | None, BubbleError | None]:
    try:
        return parse_request(text), None
    except BubbleError as error:
        return None, error


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("system", "system"),
        ("/usr/bin/python3", "path"),
        ("./python", "path"),
        ("../x", "path"),
        ("~/py/bin/python", "path"),
        (".venv", "path"),
        ("bin/python", "path"),
        (">=3.10,<3.13", "range"),
        (">= 3.10, < 3.13", "range"),
        ("~=3.11.2", "range"),
        ("!=3.12.1", "range"),
        ("pypy>=3.10", "range"),
        (">=3.13+freethreaded", "range"),
        ("web", "name"),
        ("my-env_2.x", "name"),
        ("cpu", "name"),
        ("pypyfoo", "name"),
    ],
)
def test_other_kinds_of_request_are_told_apart(text: str, kind: str) -> None:
    assert parse_request(text).kind == kind


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("3.1", ["3.1.5"], ["3.10.5", "3.12.1", "3.11.0"]),
        ("3.12", ["3.12.0", "3.12.16"], ["3.12.0rc1", "3.1.2", "3.120.1", "3.12.1+freethreaded"]),
        ("3.14rc1", ["3.14.0rc1"], ["3.14.5rc1", "3.14.0", "3.14.0rc2", "3.14.0b1"]),
        ("3.14.5rc1", ["3.14.5rc1"], ["3.14.0rc1"]),
        ("3.13t", ["3.13.1+freethreaded"], ["3.13.1", "3.13.1+debug", "3.13.0rc1+freethreaded"]),
        ("3.13td", ["3.13.1+freethreaded+debug"], ["3.13.1+freethreaded", "3.13.1+debug"]),
        (">=3.10,<3.13", ["3.10.0", "3.12.16"], ["3.13.0", "3.13.0rc1", "3.9.1", "3.11.0rc1"]),
        (">=3.15.0a1", ["3.15.0a5", "3.15.0", "3.16.0a1"], ["3.14.9"]),
        ("==3.11.*", ["3.11.0", "3.11.18"], ["3.12.0", "3.11.0rc1"]),
        ("~=3.11.2", ["3.11.2", "3.11.9"], ["3.12.0", "3.11.1"]),
        ("3", ["3.8.2", "3.15.2"], ["3.16.0a1", "2.7.18"]),
    ],
)
def test_a_request_matches_what_pep_440_and_pyenv_users_expect(
    text: str, yes: list[str], no: list[str]
) -> None:
    request = parse_request(text)
    assert [name for name in yes if not request.matches(_key(name), HOST)] == []
    assert [name for name in no if request.matches(_key(name), HOST)] == []


def test_a_request_with_a_platform_matches_that_platform_only() -> None:
    request = parse_request("cpython-3.12-linux-x86_64-musl")
    assert request.matches(_key("3.12.1", MUSL), HOST)
    assert not request.matches(_key("3.12.1"), HOST)


def test_an_x86_64_level_matches_only_when_it_is_asked_for() -> None:
    level = HOST.replace(arch="x86_64_v3")
    assert not parse_request("3.12").matches(_key("3.12.1", level), HOST)
    assert parse_request("cpython-3.12-linux-x86_64_v3-gnu").matches(_key("3.12.1", level), HOST)


def test_a_name_a_path_and_system_match_no_key() -> None:
    for text in ("web", "/usr/bin/python", "system"):
        assert not parse_request(text).matches(_key("3.12.1"), HOST)
        assert not parse_request(text).is_python


@pytest.mark.parametrize(
    ("text", "exact"),
    [("3.12", False), ("3.12.1", True), ("3.14rc1", True), (">=3.12.1", False), ("web", False)],
)
def test_only_a_patch_release_is_exact(text: str, exact: bool) -> None:
    assert parse_request(text).is_exact is exact


RELEASES = {  # of PyPy and GraalPy themselves, as pyenv names them
    "pypy3.10-7.3.16": ("pypy", (3, 10), "7.3.16"),
    "pypy3.10-7.3": ("pypy", (3, 10), "7.3"),
    "pypy@3.10-7.3.16": ("pypy", (3, 10), "7.3.16"),
    "graalpy-24.1.0": ("graalpy", (), "24.1.0"),
    "graalpy-24.1": ("graalpy", (), "24.1"),
    "graalpy3.12-25.0.1": ("graalpy", (3, 12), "25.0.1"),
    "graalpy-3.11": ("graalpy", (3, 11), ""),
    "graalpy311": ("graalpy", (3, 11), ""),
}
TAGS = ("7.3", "7.3.1", "7.3.16", "7.3.160", "24.1", "24.1.0", "24.10", "25.0.1", "")


@pytest.mark.parametrize("text", RELEASES)
def test_a_release_of_pypy_or_graalpy_matches_builds_of_it_alone(text: str) -> None:
    implementation, release, build = RELEASES[text]
    request = parse_request(text)
    assert (request.implementation, request.release, request.build) == RELEASES[text]
    assert request.is_exact is bool(build)
    number = ".".join(map(str, release)) or "3.11"
    key = parse_key(f"{implementation}-{number}.7-linux-x86_64-gnu")
    fitting = [tag for tag in TAGS if request.matches(key, HOST, build=tag)]
    assert fitting == [
        tag for tag in TAGS if not build or tag == build or tag[: len(build) + 1] == f"{build}."
    ]


@pytest.mark.parametrize(
    "text",
    ["pypy3.10-7.3.16-src", "pypy-7.3.16", "pypy3.10-7", "cpython-3.12-7.3.16", "graalpy-24.1rc1"],
)
def test_what_is_no_release_of_pypy_or_graalpy_names_no_build(text: str) -> None:
    try:
        assert parse_request(text).build == ""
    except BubbleError as error:
        assert error.kind == "request"  # noqa: PT017 - either is right


def test_a_request_is_shown_printably() -> None:
    assert str(Request(text="a\x1bb", kind="path")) == "a\\x1bb"


def _key(name: str, platform: Platform = HOST) -> Key:
    return parse_key(f"cpython-{name}-{platform}")


@pytest.mark.parametrize("text", ["CPython 3.12", "python  3.12", "Python 3.12", "cpython@3.12"])
def test_words_with_spaces_between_are_one_request(text: str) -> None:
    request = parse_request(text)
    assert (request.implementation, request.release) == ("cpython", (3, 12))
