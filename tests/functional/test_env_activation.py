"""Every activation script under its own shell, made of every CPython's templates that are here.

The project's directory has all that shells trip over in its name; sh, bash and zsh run with
`set -eu`. What a shell has after `deactivate` must be what it had before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from bubble.envs.making.activation import activation_scripts
from support.builds import interpreters
from support.needs import needs, not_here, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from conftest import Result

    Bubble = Callable[..., Result]

HOSTILE = 'it\'s "a" $HOME `touch ran` $(touch ran) \\ ! %n *;&# ünï — 𝄞'
# as prompts show it: nothing in it that a shell would run or expand there
SHOWN = 'it\'s "a" _HOME _touch ran_ _(touch ran) _ _ _n *;&# ünï — 𝄞'
MINORS = [version.rpartition(".")[0] for version, _ in interpreters()] or ["running"]
DUMP = (
    "import json, os, sys; "
    "open(sys.argv[1], 'w').write(json.dumps({**os.environ, 'shown': sys.argv[2:]}))"
)
_VARY = {"_", "SHLVL", "OLDPWD", "PWD", "shown"}

POSIX = r"""
set -eu
PS1='before '
PYTHONHOME=/nonexistent
export PS1 PYTHONHOME
dump() { "$DUMPER" -I -c "$DUMP" "$OUT/$1" "$(command -v python)" "$PS1"; }
dump before
. "$ENVIRONMENT/bin/activate"
dump inside
python -c 'import sys; print(sys.prefix)' > "$OUT/prefix"
deactivate
dump after
if command -v deactivate; then exit 7; fi
set | grep ^_OLD_VIRTUAL && exit 8
. "$ENVIRONMENT/bin/activate"
. "$ENVIRONMENT/bin/activate"
deactivate
dump twice
"""
CSH = r"""
set prompt = "before "
"$DUMPER" -I -c "$DUMP" "$OUT/before" "" "$prompt"
source "$ENVIRONMENT/bin/activate.csh"
"$DUMPER" -I -c "$DUMP" "$OUT/inside" "`which python`" $prompt:q
python -c 'import sys; print(sys.prefix)' > "$OUT/prefix"
deactivate
"$DUMPER" -I -c "$DUMP" "$OUT/after" "" "$prompt"
alias deactivate
source "$ENVIRONMENT/bin/activate.csh"
source "$ENVIRONMENT/bin/activate.csh"
deactivate
"$DUMPER" -I -c "$DUMP" "$OUT/twice" "" "$prompt"
"""
FISH = r"""
function fish_prompt
    printf 'before '
end
set -gx PYTHONHOME /nonexistent
function dump
    set -l found (command -s python; or echo)
    $DUMPER -I -c "$DUMP" "$OUT/$argv[1]" $found (fish_prompt | string collect)
end
dump before
source "$ENVIRONMENT/bin/activate.fish"
dump inside
python -c 'import sys; print(sys.prefix)' > "$OUT/prefix"
deactivate
dump after
functions -q deactivate; and exit 7
source "$ENVIRONMENT/bin/activate.fish"
source "$ENVIRONMENT/bin/activate.fish"
deactivate
dump twice
"""
SHELLS = [
    pytest.param(("dash",), POSIX, id="dash", marks=needs("dash")),
    pytest.param(("bash", "--norc"), POSIX, id="bash", marks=needs("bash")),
    pytest.param(("bash", "--norc", "+h", "-o", "pipefail"), POSIX, id="bash-strict",
                 marks=needs("bash")),
    pytest.param(("bash", "--posix"), POSIX, id="bash-posix", marks=needs("bash")),
    pytest.param(("zsh", "-f"), POSIX, id="zsh", marks=needs("zsh")),
    pytest.param(("tcsh", "-f"), CSH, id="tcsh", marks=needs("tcsh")),
    pytest.param(("fish", "--no-config"), FISH, id="fish", marks=needs("fish")),
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """An environment, and the version of its interpreter."""

    path: str
    version: tuple[int, ...]


@pytest.fixture(scope="module", params=MINORS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make an environment of each interpreter of this machine, in the hostile directory."""
    minor = request.param
    found = [prefix for version, prefix in interpreters() if version.startswith(f"{minor}.")]
    prefix = found[0] if found else sys.base_prefix
    root = tmp_path_factory.mktemp(f"activation-{minor}")
    project = root / HOSTILE
    project.mkdir()
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "BUBBLE_HOME": f"{root}/bubble",
        "BUBBLE_CACHE_DIR": f"{root}/cache",
        "LC_ALL": "C.UTF-8",
    }

    def bubble(*arguments: str) -> Any:
        done = subprocess.run(
            [program, *arguments, "--json"], env=env, cwd=project, capture_output=True, check=False
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)["data"]

    key = str(bubble("python", "adopt", prefix)["key"])
    made = bubble("create", "--no-pip")
    version = tuple(int(number) for number in key.split("-")[1].split(".")[:2])
    return Made(made["path"], version)


@pytest.fixture
def outside(env: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the variables of a shell that enters the environment; nothing in a name was run."""
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    yield {**env, "DUMPER": sys.executable, "DUMP": DUMP, "OUT": str(dumps)}
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if name == "ran"]


@pytest.mark.parametrize(("shell", "script"), SHELLS)
def test_a_shell_enters_and_leaves_as_if_nothing_had_been(
    made: Made, outside: dict[str, str], tmp_path: Path, shell: tuple[str, ...], script: str
) -> None:
    path = tmp_path / "script"
    path.write_text(script)
    csh = shell[0] == "tcsh"
    done = subprocess.run(
        [*shell, str(path)],
        env={**outside, "ENVIRONMENT": made.path},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    before, inside, after, twice = (
        json.loads((tmp_path / "dumps" / name).read_text())
        for name in ("before", "inside", "after", "twice")
    )
    assert inside["VIRTUAL_ENV"] == made.path
    assert inside["PATH"] == f"{made.path}/bin:{before['PATH']}"
    assert "PYTHONHOME" not in inside
    assert inside["shown"][0] == f"{made.path}/bin/python"
    assert (tmp_path / "dumps" / "prefix").read_text() == f"{made.path}\n"
    prompt = inside["shown"][1]
    assert prompt.startswith(("(", "[", "\x1b"))
    assert SHOWN in prompt
    assert prompt.endswith("before ")
    if made.version >= (3, 12):  # late patch releases of 3.10 and 3.11 set it, too
        assert inside["VIRTUAL_ENV_PROMPT"].strip("() ") == SHOWN
    for left in (after, twice):
        assert kept(left) == kept(before)
        assert csh or left["shown"] == before["shown"]
        assert left["shown"][1] == "before "


def kept(variables: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in _VARY}


@needs("bash")
@pytest.mark.parametrize(
    "template",
    [
        'PS1="__VENV_PROMPT__${PS1:-}"',
        'PS1=__VENV_PROMPT__"${PS1:-}"',
        'PS1="(__VENV_PROMPT__) ${PS1:-}"',
        'PS1="("__VENV_PROMPT__") ${PS1:-}"',
    ],
    ids=["3.8", "3.12.8", "3.13.0", "3.14"],
)
def test_every_form_of_template_shows_the_same_prompt(tmp_path: Path, template: str) -> None:
    # some releases quote the values themselves, some add the parentheses
    directory = tmp_path / "venv" / "scripts" / "common"
    directory.mkdir(parents=True)
    (directory / "activate").write_text(f"{template}\n")
    text = activation_scripts(str(tmp_path), f"/x/{HOSTILE}", "it's me")["activate"]
    done = subprocess.run(
        ["bash", "--norc", "-c", f'PS1="before "\n{text}\nprintf %s "$PS1"'],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "(it's me) before "


@needs("bash")
def test_bash_runs_nothing_of_a_name_when_it_shows_the_prompt(
    made: Made, outside: dict[str, str], tmp_path: Path
) -> None:
    # ${PS1@P} expands as showing the prompt does
    script = 'PS1="before "; . "$ENVIRONMENT/bin/activate"; shown=${PS1@P}; printf %s "$shown"'
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**outside, "ENVIRONMENT": made.path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"({SHOWN}) before "
    control = subprocess.run(
        ["bash", "--norc", "-c", "PS1='$(echo run)'; printf %s \"${PS1@P}\""],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert control.stdout == "run", "this bash shows no prompts so"


@pytest.mark.parametrize("shell", ["pwsh", "nu"])
def test_shells_that_debian_does_not_have_get_scripts_that_need_no_filling(
    made: Made, outside: dict[str, str], shell: str
) -> None:
    program = os.environ.get(f"BUBBLE_TEST_{shell.upper()}") or which(shell)
    if not program:
        not_here(f"Debian has no {shell}")
    scripts = {
        "pwsh": (["-NoProfile", "-Command"], "Activate.ps1", ". '{0}'; $env:VIRTUAL_ENV"),
        "nu": (["--no-config-file", "-c"], "activate.nu", "overlay use '{0}'; $env.VIRTUAL_ENV"),
    }
    options, name, text = scripts[shell]
    # a link, since the name has no place in these tests' own quotes
    link = f"{outside['OUT']}/link"
    os.symlink(made.path, link)
    done = subprocess.run(
        [program, *options, text.format(f"{link}/bin/{name}")],
        env=outside,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {made.path, link}


@pytest.mark.parametrize(
    "name", ["a:b", "a\nhome = b", "a\x1bb", "\udcff"], ids=["colon", "newline", "escape", "bytes"]
)
def test_a_directory_that_scripts_could_not_name_gets_no_environment(
    bubble: Bubble, tmp_path: Path, name: str
) -> None:
    project = f"{tmp_path}/{name}"
    os.mkdir(project)
    prefix = interpreters()[-1][1] if interpreters() else sys.base_prefix
    assert bubble("python", "adopt", prefix).status == 0
    done = bubble("create", "--no-pip", cwd=project)
    assert done.status == 1
    assert "can't lie at" in done.err
    assert "\x1b" not in done.err
    assert os.listdir(project) == []


def test_a_prompt_with_a_line_break_says_nothing_to_the_interpreter(
    bubble: Bubble, tmp_path: Path
) -> None:
    prefix = interpreters()[-1][1] if interpreters() else sys.base_prefix
    assert bubble("python", "adopt", prefix).status == 0
    done = bubble("create", "--no-pip", "--prompt", "a\ninclude-system-site-packages = true")
    assert done.status == 0, done.err
    with open(f"{tmp_path}/.venv/pyvenv.cfg") as file:
        lines = file.read().splitlines()
    assert "include-system-site-packages = false" in lines
    assert "prompt = a_include-system-site-packages = true" in lines
    assert len({line.split(" = ")[0] for line in lines}) == len(lines)
