"""The hook enters what the resolver says, whatever a directory tree looks like.

After every change of a random world (`support.shimcase`) the hook enters the environment that the
directory's command runs from, or none; and right after the resolver left its memo just that one.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.cli.completions import completions
from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.selection.facts import memos_of
from bubble.selection.resolve import select
from bubble.selection.shell import render_init
from support.needs import FULL, NOT_HERE, which
from support.patience import PATIENCE
from support.shells import HOOKED, name_of
from support.shimcase import Case
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from pathlib import Path

WORLDS = 8 if FULL else 1
STEPS = 600 if FULL else 200
NU = os.environ.get("BUBBLE_TEST_NU") or which("nu")
NUSHELL = pytest.param(
    "nu",
    [NU or "nu", "--no-config-file"],
    marks=pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)"),
)
SHOWN = {
    "fish": '\necho "<$VIRTUAL_ENV>"\n',
    "nu": "\nprint $\"<($env.VIRTUAL_ENV? | default '')>\"\n",
}


def chosen(case: Case, cwd: str) -> str:
    """Return the environment that a directory gets, "" where it gets none or an error."""
    if case.env.get("BUBBLE_PYTHON"):
        return ""  # it is for this shell's commands, not for its prompt
    try:
        first = select(case.shims.world(cwd, case.env)).answers[0]
    except BubbleError:
        return ""
    return first.prefix if first.environment else ""


def entered(case: Case, cwd: str, command: list[str]) -> str:
    """Return what the hook of a shell that starts in `cwd` makes active."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**case.env, "PWD": cwd},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip().strip("<>")


def hooked(shell: str, program: list[str], shims: ShimWorld) -> list[str]:
    """Return the command that evaluates the hook once, and prints what is active then."""
    code = f"{shims.root}/code"
    filling = completions(shell, shims.layout)
    write(
        code,
        render_init(shell, "/bin/true", shims.layout, filling, hook=True, export_home=False)
        + SHOWN.get(shell, '\n_bubble_hook\necho "<${VIRTUAL_ENV-}>"\n'),
    )
    if shell == "nu":
        return [*program, code]
    words = [f"{'source' if shell == 'fish' else '.'} {quoted(code, shell)}"]
    return [str(shutil.which(program[0])), *program[1:], "-c", *words]


@pytest.mark.parametrize(("shell", "program"), [*HOOKED, NUSHELL], ids=name_of)
@pytest.mark.parametrize("shared", [False, True], ids=["", "above the system's store"])
@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_hook_enters_what_the_resolver_says(
    shell: str,
    program: list[str],
    seed: int,
    shared: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bubble.system.layout.SYSTEM_HOME", f"{tmp_path}/world/system")
    rng = random.Random(seed)
    case = Case(rng, str(tmp_path / "world"), shared=shared)
    command = hooked(shell, program, case.shims)
    found = 0
    for step in range(STEPS):
        # an environment is what the hook is for: more of them than a shim meets
        rng.choice((case.change, case.change, case.make_environment, case.name_environment))()
        if rng.random() < 0.5:
            case.env.pop("BUBBLE_PYTHON", None)
        cwd = rng.choice(case.directories)
        expected = chosen(case, cwd)
        where = f"seed {seed}, step {step}, {cwd}"
        assert entered(case, cwd, command) in {"", expected}, f"{where}: stale answer"
        try:
            case.shims.resolve("python", cwd, case.env, leave=True)
        except BubbleError:
            pass
        known = expected if expected and case.is_settled(cwd) else ""
        assert entered(case, cwd, command) == known, f"{where}: with its memo"
        found += bool(expected)
    assert STEPS // (100 if shared else 20) < found < STEPS, (
        "one of the two answers was hardly ever given"
    )


@pytest.mark.parametrize(("shell", "program"), [*HOOKED, NUSHELL], ids=name_of)
@pytest.mark.parametrize("place", [".python-version", "global"])
def test_the_hook_enters_the_first_environment_that_is_there(
    shell: str, program: list[str], place: str, tmp_path: Path
) -> None:
    case = Case(random.Random(1), str(tmp_path))
    case.name_environment()
    layout, cwd = case.shims.layout, case.real[2]
    pin = layout.global_pin if place == "global" else f"{cwd}/.python-version"
    write(pin, "3.99\nghost\nsite\n")
    case.shims.resolve("python", cwd, case.env, leave=True)
    command = hooked(shell, program, case.shims)
    assert entered(case, cwd, command) == f"{layout.envs}/site"
    case.shims.install("cpython-3.99.0")
    assert chosen(case, cwd) == entered(case, cwd, command) == ""


@pytest.mark.parametrize(("shell", "program"), HOOKED, ids=name_of)
@pytest.mark.parametrize("false", ["", "/", "@"])
def test_the_hook_reads_what_a_user_has_of_anothers_store_and_no_environment_there(
    shell: str, program: list[str], false: str, tmp_path: Path
) -> None:
    case = Case(random.Random(1), str(tmp_path))
    shims, cwd, above = case.shims, case.real[3], case.real[2]
    shims.environment(f"{above}/.venv", min(case.installed), "bubble")
    shims.register(f"{above}/.venv", "bubble")
    shims.resolve("python", above, case.env, leave=True)
    write(f"{cwd}/pyproject.toml", "[project]\nname = 'x'\n")
    command = hooked(shell, program, shims)
    assert entered(case, cwd, command) == ""  # nobody was asked here
    own = shims.layout.with_own_memos()
    world = shims.world(cwd, case.env)
    nothing = memos_of(select(world), world)[0]  # of the directory that says nothing
    memo = own.answer(cwd)
    os.makedirs(own.own_memos, 0o700)
    lines = list(nothing.lines)
    if false:
        lines[1] = {"/": f"{above}/.venv", "@": "@3"}[false]
    write(memo, "".join(f"{line}\n" for line in lines))
    os.utime(memo, (4e9, 4e9))
    assert entered(case, cwd, command) == ("" if false else f"{above}/.venv")


@pytest.mark.parametrize(("shell", "program"), HOOKED, ids=name_of)
def test_the_hook_looks_where_its_shell_is_and_not_at_what_has_that_name_by_now(
    shell: str, program: list[str], tmp_path: Path
) -> None:
    case = Case(random.Random(1), str(tmp_path))
    case.name_environment()
    first, second = (f"{tmp_path}/{name}" for name in ("first", "second"))
    os.makedirs(first)
    write(f"{second}/.python-version", "site\n")
    case.shims.resolve("python", second, case.env, leave=True)
    command = hooked(shell, program, case.shims)
    assert entered(case, second, command) == f"{case.shims.layout.envs}/site"
    # another directory takes the name of the one in which the shell is
    move = f"command mv {first} {first}.old; command mv {second} {first}; "
    write(f"{first}/.python-version", "site\n")
    case.shims.resolve("python", first, case.env, leave=True)
    os.unlink(f"{first}/.python-version")
    command[-1] = move + command[-1]
    assert entered(case, first, command) == ""


@pytest.mark.parametrize(("shell", "program"), [*HOOKED, NUSHELL], ids=name_of)
@pytest.mark.parametrize("below", ["", "/src/a b"])
def test_the_hook_enters_through_a_link_that_nobody_used_before(
    shell: str, program: list[str], below: str, tmp_path: Path
) -> None:
    case = Case(random.Random(1), str(tmp_path))
    shims = case.shims
    project, other = f"{tmp_path}/real 1/project", f"{tmp_path}/real 1/other"
    for place in (project, other):
        os.makedirs(f"{place}{below}", exist_ok=True)
    os.symlink(f"{tmp_path}/real 1", f"{tmp_path}/through")
    through = f"{tmp_path}/through/project{below}"
    shims.environment(f"{project}/.venv", min(case.installed), "bubble")
    shims.register(f"{project}/.venv", "bubble")
    command = hooked(shell, program, shims)
    assert entered(case, through, command) == ""  # nobody was asked, by any name
    shims.resolve("python", project, case.env, leave=True)
    assert entered(case, through, command) == chosen(case, through) == f"{project}/.venv"
    if shell != "nu":  # what the shell knows of where it is stays as it was
        where = [*command[:-1], f"cd {quoted(str(tmp_path), shell)}; cd {quoted(through, shell)}; "]
        where[-1] += command[-1] + '; echo "$PWD $OLDPWD"'
        assert entered(case, through, where).endswith(f"\n{through} {tmp_path}") or shell == "fish"
    # a copy's environment isn't its own, by whichever name
    shutil.copytree(f"{project}/.venv", f"{other}/.venv", symlinks=True)
    assert entered(case, f"{tmp_path}/through/other{below}", command) == ""
    # what another file says there wasn't asked for
    write(f"{project}/.python-version", "3.99\n")
    assert entered(case, through, command) == ""
