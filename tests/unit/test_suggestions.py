"""What “did you mean” offers: what was meant, and never what takes something away."""

from __future__ import annotations

import difflib
import shlex
import string
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.cli import suggestions
from bubble.cli.arguments import make_parser
from bubble.cli.main import main
from bubble.cli.table import COMMANDS, GROUPS
from bubble.cli.words import LINES
from support.told import one_error, parse_line

# words that themselves ask for something to be thrown away
ASKS_FOR_IT = {"delete", "rm", "virtualenv-delete", "uninstall"}


def options_of(words: str) -> list[str]:
    module, summary = COMMANDS[words]
    parser = make_parser(words, summary, import_module(f"bubble.cli.commands.{module}"))
    return [option for action in parser._actions for option in action.option_strings]


OPTIONS = {words: options_of(words) for words in COMMANDS}
SLIPS = st.text(string.ascii_lowercase + "-", min_size=1, max_size=12)


def slips_of(word: str) -> list[str]:
    """Return what a finger may make of a word: a letter less, twice, or exchanged."""
    made = [word[:n] + word[n + 1 :] for n in range(len(word))]
    made += [word[:n] + word[n] + word[n:] for n in range(len(word))]
    made += [word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1)]
    return [slip for slip in made if slip != word]


def destroys(hint: str) -> bool:
    offered = hint.removeprefix("did you mean: ").removeprefix("bubble ")
    return any(offered == word or offered.startswith(f"{word} ") for word in suggestions.DESTROYS)


@pytest.mark.parametrize("words", [w for w in COMMANDS if " " not in w])
def test_no_slip_leads_to_a_command_that_throws_away(words: str) -> None:
    for slip in slips_of(words):
        if slip not in ASKS_FOR_IT:
            hint = suggestions.command(slip, COMMANDS, GROUPS)
            assert not destroys(hint) or "--dry-run" in hint, (slip, hint)


@pytest.mark.parametrize("words", COMMANDS)
def test_no_slip_leads_to_an_option_that_throws_away(words: str) -> None:
    for option in {*OPTIONS[words], "--dry-run", "--file", "--clone", "--all-of-it"}:
        for slip in slips_of(option):
            hint = suggestions.option(slip, words, OPTIONS[words])
            assert not destroys(hint) or slip.replace("-", "") == option.replace("-", ""), hint


@given(word=SLIPS, command=st.sampled_from(sorted(COMMANDS)))
def test_whatever_is_typed_nothing_that_throws_away_is_offered(word: str, command: str) -> None:
    if word not in ASKS_FOR_IT:
        hint = suggestions.command(word, COMMANDS, GROUPS)
        exact = word in {words.rpartition(" ")[2] for words in COMMANDS}
        assert exact or not destroys(hint) or "--dry-run" in hint
    hint = suggestions.option(f"--{word}", command, OPTIONS[command])
    same = {option.replace("-", "") for option in OPTIONS[command]}
    assert not destroys(hint) or word.replace("-", "") in same


def test_every_destroying_option_is_known_as_one() -> None:
    """A new option must be looked at: the list of the others is written down here."""
    harmless = {
        *("--all-platforms", "--all-versions", "--available", "--base-url", "--check"),
        *("--display-name", "--dry-run", "--format", "--from", "--global", "--help", "-h"),
        *("--hook", "--no-hook", "--install", "--installed", "--installer", "--json", "--name"),
        *(
            "--here",
            "--no-pip",
            "--no-python",
            "--older-than",
            "--only",
            "--platform",
            "--prefix",
            "--prompt",
        ),
        *("--python", "-p", "--requirements", "-r", "--sha256", "--size", "--tag", "--upgrade"),
        *(
            "--constraints",
            "-c",
            "--editable",
            "-e",
            "--bubbles",
            "--installable",
            "--frozen",
            "--locked",
        ),
        *("--lock", "--output", "-o", "--skip-existing", "-s", "--verbose", "-v", "--back", "--to"),
        *("--system-site-packages", "--url", "--user", "--with"),
        *("--inexact", "--script", "--sync", "--activate", "--entered", "--no-default-packages"),
        *("--bubble", "--project", "--release", "--env-file"),
        *("--as-is", "--exclude", "--for", "--strip-tests"),
    }
    known = {option for options in OPTIONS.values() for option in options}
    assert known - harmless - suggestions.DESTROYS == set()


# what stands for something, where the answer has no use for it
TAKES_NONE = {
    *("OLD", "GROUP", "EXTRA", "CHANNEL", "KEY", "ANACONDA", "VARIABLE"),
    *("env remove VERSION", "link VERSION PATH", "update conda -n NAME", "tool upgrade --all"),
}
TYPED_FOR = {
    "VERSION": "3.12", "ANACONDA": "anaconda3-2023.03", "SCRIPT": "a.py", "VARIABLE": "A=b",
    "SPEC": "six>=1", "WORDS": "one -o two", "PACKAGES": "one two",
}  # fmt: skip


def typed_for(word: str) -> str:
    stands = word.isupper() and not word.startswith("-")
    return TYPED_FOR.get(word, f"my-{word.lower()}") if stands else word


def test_what_was_typed_stays_in_the_answer_in_whatever_order_its_options_stand() -> None:
    for pattern in LINES:
        stays(pattern)


def stays(pattern: str) -> None:
    words = pattern.split()
    said = suggestions.line(" ".join(map(typed_for, words)).split())
    for word in words:
        if typed_for(word) != word and not {word, pattern} & TAKES_NONE:
            for typed in typed_for(word).split():
                assert shlex.quote(typed) in said, (pattern, said)
    first, *rest = words
    options = [n for n, word in enumerate(rest) if word.startswith("-") and word != "--"]
    if not options or "WORDS" in rest:
        return
    for at in options:  # each with its value, last and first
        takes = [w for w in rest[at + 1 : at + 2] if w.isupper() and w != "PACKAGES"]
        one = rest[at : at + 1 + len(takes)]
        others = [*rest[:at], *rest[at + len(one) :]]
        if takes:
            joined = [f"{one[0]}={typed_for(takes[0])}"]
            assert answer(first, [*joined, *others]) == said
        assert answer(first, [*others, *one]) == said, pattern
        if all(word.isupper() for word in others):
            assert answer(first, ["-y", *one, "--quiet", *others]) == said, pattern


def answer(first: str, rest: list[str]) -> str:
    return suggestions.line(" ".join([first, *map(typed_for, rest)]).split())


@pytest.mark.parametrize("line", suggestions.commands())
def test_what_another_tools_word_leads_to_is_a_command(line: str) -> None:
    if line != "bubble --help":
        parse_line(line.replace("VERSION", "3.12").replace("SHELL", "bash"))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("version", "did you mean: bubble current"),
        ("version-name", "did you mean: bubble current"),
        ("virtualenv 3.12 site", "did you mean: bubble create site -p 3.12"),
        ("virtualenvs", "did you mean: bubble list"),
        ("prefix", "did you mean: bubble python find"),
        ("root", "did you mean: bubble python dir"),
        ("python root", "did you mean: bubble python dir"),
        ("move old new", "did you mean: bubble rename old new"),
        ("clean", "did you mean: bubble gc --dry-run"),
        ("latest", "did you mean: bubble python find VERSION"),
        ("pin 3.12", "did you mean: bubble use 3.12"),
        ("env list", "did you mean: bubble list"),
        ("lst", "did you mean: bubble list"),
        ("create exp --file r.txt", "did you mean: bubble create exp -r r.txt"),
        ("create exp --clone train", "did you mean: bubble clone train exp"),
        ("create --forse", "bubble create --help"),
        ("python upgrade --dry-run", "bubble python upgrade --help"),
        ("python install --re-install 3.12", "did you mean: --reinstall"),
        ("nonsense", "the commands: bubble --help"),
        ("python nonsense", "the commands: bubble python --help"),
    ],
)
def test_another_tools_word_is_answered_with_what_does_the_same(
    typed: str, offered: str, env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(typed.split(), env) == 2
    assert one_error(capsys.readouterr().err)[1] == offered


def test_install_with_a_package_is_told_from_install_with_a_python(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["install", "scipy"], env)
    assert "bubble run .venv pip install scipy" in one_error(capsys.readouterr().err)[1]
    main(["install", "3.99"], env)
    assert "3.99" in one_error(capsys.readouterr().err)[0]


def test_spelling_alone_would_have_offered_them() -> None:
    """The table shows something: the nearest spelling of these is what throws away."""
    assert difflib.get_close_matches("move", COMMANDS, 1) == ["remove"]
    assert "--force" in difflib.get_close_matches("--file", OPTIONS["create"], 2)
