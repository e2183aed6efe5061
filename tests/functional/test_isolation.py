"""Nothing of the directory, and nothing that PYTHON* names, runs in what bubble starts for itself.

Every kind of start is tried with the same hostile directory and variables: each of its modules
would leave a line in a file. What the user runs does see them; that is the control.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import bubble as bubble_package
from bubble.envs.doctor import runtime
from bubble.envs.doctor.finding import ERROR, Finding, Patient
from bubble.envs.doctor.mend import mend
from bubble.envs.exchange import pylock
from bubble.model.errors import BubbleError
from bubble.pythons.pack.probe import facts_of
from bubble.pythons.probing import isolation
from bubble.pythons.probing.probe import probe
from support.environments import adopt_python, create
from support.handmade import installation, machine, write
from support.needs import not_here, which
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bubble.system.layout import Layout
    from support.environments import Bubble

MODULES = (
    *("pip", "packaging", "encodings", "json", "ssl", "sysconfig", "subprocess", "argparse"),
    *("sitecustomize", "usercustomize", "site", "bubble", "re", "typing", "zipfile", "platform"),
)


class Trap:
    """A directory with hostile modules, and variables that lead there."""

    def __init__(self, root: str) -> None:
        self.path = f"{root}/hostile"
        self.told = f"{root}/told"
        self.modules(self.path, MODULES)
        user = f"{root}/user/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        self.modules(user, ("usercustomize", "packaging"))
        self.startup = write(f"{root}/startup.py", self._line("startup"))
        self.env = {
            **os.environ,
            "PYTHONPATH": f":{self.path}",
            "PYTHONHOME": self.path,
            "PYTHONSTARTUP": self.startup,
            "PYTHONUSERBASE": f"{root}/user",
            "PYTHONINSPECT": "1",
            "PYTHONEXECUTABLE": "/nonexistent",
            "PYTHONPLATLIBDIR": "hostile",
            "PYTHONWARNINGS": "error",
            "__PYVENV_LAUNCHER__": "/nonexistent",
        }

        # without what stops an interpreter that heeds it, or reaches it before its program
        stopping = {"PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"}
        mild = {n: v for n, v in self.env.items() if n not in {*stopping, "PYTHONPATH"}}
        self.mild = {**mild, "PYTHONUSERBASE": "/nonexistent"}

    def modules(self, directory: str, names: tuple[str, ...]) -> None:
        for name in names:
            write(f"{directory}/{name}/__init__.py", self._line(name))

    def _line(self, name: str) -> str:
        return f"open({self.told!r}, 'a').write('{name}\\n')\nraise SystemExit(0)\n"

    def sprung(self) -> list[str]:
        """Return the names of what ran since the last time."""
        try:
            with open(self.told) as file:
                return file.read().split()
        except FileNotFoundError:
            return []


def configured(
    directory: Path, variables: Mapping[str, str], more: str = ""
) -> dict[str, str | None]:
    """Return variables with which pip has its packages from `directory`, by its configuration."""
    text = f"[global]\nfind-links = {directory}\nno-index = true\n{more}"
    path = write(f"{directory}/pip.conf", text)
    unset = dict.fromkeys(n for n in os.environ if n.startswith(("PIP_", "UV_")))
    return {**variables, **unset, "PIP_CONFIG_FILE": path}


@pytest.fixture
def trap(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trap:
    assert env
    made = Trap(str(tmp_path))
    monkeypatch.chdir(made.path)
    return made


def test_what_the_user_runs_sees_what_it_would_see(trap: Trap) -> None:
    subprocess.run([sys.executable, "-c", "import pip"], env=trap.mild, check=False, timeout=60)
    assert trap.sprung()


def test_a_probe_is_isolated(trap: Trap) -> None:
    found = probe(sys.executable, env=trap.env, imports=("ssl", "json", "subprocess"))
    assert found.base_prefix == sys.base_prefix
    assert trap.sprung() == []


def test_what_is_asked_for_a_pack_is_isolated(trap: Trap) -> None:
    assert facts_of(sys.base_prefix, trap.env).version
    assert trap.sprung() == []


def test_a_python_2_is_isolated_as_far_as_it_can_be(trap: Trap) -> None:
    home = os.environ.get("PYENV_ROOT") or "/root/.pyenv"
    python = f"{home}/versions/2.7.18/bin/python"
    if not os.path.exists(python):
        not_here("no Python 2.7")
    with pytest.raises(BubbleError):
        facts_of(python, trap.env)
    assert probe(python, env=trap.env, imports=("json",)).version[:2] == (2, 7)
    assert trap.sprung() == []


def test_what_pip_says_of_an_interpreter_for_a_lock_is_isolated(trap: Trap) -> None:
    markers, tags = pylock._facts(sys.executable, trap.env)
    assert markers["sys_platform"] == sys.platform
    assert tags
    assert trap.sprung() == []


def test_the_doctors_question_to_an_interpreter_is_isolated(trap: Trap, layout: Layout) -> None:
    made = installation(layout)
    os.unlink(made.executable)
    os.symlink(sys.executable, made.executable)
    patient = Patient(**machine(layout, trap.env).as_dict(), cwd=trap.path, python=sys.executable)
    answer = runtime._ask(made, patient)
    assert answer.failure == ""
    assert answer.compiler
    assert trap.sprung() == []


def test_what_the_doctor_runs_to_mend_is_isolated(trap: Trap, layout: Layout) -> None:
    finding = Finding(
        id="x", severity=ERROR, what="x", where="x", fix="bubble rehash", automatic=True
    )
    patient = Patient(**machine(layout, trap.env).as_dict(), cwd=trap.path, python=sys.executable)
    assert [(m.command, m.failure) for m in mend([finding], patient)] == [("bubble rehash", "")]
    assert trap.sprung() == []


def test_the_pip_that_installs_is_isolated_and_heeds_its_own_configuration(
    trap: Trap, bubble: Bubble, tmp_path: Path
) -> None:
    adopt_python(bubble)
    wheel(str(tmp_path), "tool", "1.0", script="tool")
    env = configured(tmp_path, trap.mild)
    done = bubble("create", "one", "--installer", "pip", "--with", "tool", cwd=trap.path, env=env)
    assert done.status == 0, done.err
    assert bubble("run", "one", "tool").out == "tool 1.0\n"
    assert trap.sprung() == []


@pytest.mark.parametrize("sent", ["target", "prefix", "root", "user"])
def test_a_configuration_that_sends_packages_elsewhere_is_overruled(
    bubble: Bubble, tmp_path: Path, sent: str
) -> None:
    adopt_python(bubble)
    wheel(str(tmp_path), "tool", "1.0", script="tool")
    value = "true" if sent == "user" else f"{tmp_path}/away"
    env = configured(tmp_path, {}, f"[install]\n{sent} = {value}\n")
    done = bubble("create", "one", "--installer", "pip", "--with", "tool", env=env)
    assert done.status == 0, done.err
    assert bubble("run", "one", "tool").out == "tool 1.0\n"
    assert not os.path.exists(tmp_path / "away")


def test_a_shim_that_asks_bubble_is_isolated(trap: Trap, bubble: Bubble, layout: Layout) -> None:
    assert bubble("use", "--global", adopt_python(bubble)).status == 0
    path = f"{layout.shims}:/usr/bin:/bin"
    env = {n: v for n, v in trap.env.items() if n != "PYTHONINSPECT"}
    done = subprocess.run(
        [f"{layout.shims}/python", "-I", "-c", "print('ours')"],
        cwd=trap.path,
        env=env | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("ours\n", 0), done.stderr
    assert trap.sprung() == []


@pytest.mark.parametrize("variable", ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"])
def test_no_shim_is_made_for_what_an_interpreter_takes_itself_for(
    bubble: Bubble, layout: Layout, tmp_path: Path, variable: str
) -> None:
    """Started by a shim, and as an installed script would where bubble lies beside its Python."""
    adopt_python(bubble)
    project = str(tmp_path / "project")
    os.mkdir(project)
    assert bubble("create", cwd=project).status == 0
    with open(layout.shim) as file:
        made = file.read()
    pretending = {**os.environ, "BUBBLE_HOME": layout.home, variable: "/nonexistent/bin/python"}
    src = os.path.dirname(os.path.dirname(bubble_package.__file__))
    base = os.path.realpath(sys.executable)
    code = f"import sys; sys.path.insert(0, {src!r}); from bubble.cli.main import run; run()"
    for argv in (
        [f"{layout.shims}/python", "-m", "pip", "--version"],
        [base, "-I", "-c", code, "rehash"],
    ):
        done = subprocess.run(
            argv,
            cwd=project,
            env={**pretending, "PWD": project},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        with open(layout.shim) as file:
            text = file.read()
        assert "/nonexistent" not in text
        if argv[0].startswith(layout.shims):
            assert text == made
    words = ("exec", "python", "-I", "-c", "import sys; print(sys.executable)")
    told = bubble(*words, env=pretending, cwd=project)
    assert "/nonexistent" not in told.out


# what the interpreter itself imports before any line of a program is beyond a program's reach
REACHED = ("packaging", "json", "argparse", "pip", "typing", "platform", "subprocess", "zipfile")


@pytest.mark.parametrize("entry", ["{}", ":", "/nonexistent:{}", "{}:"])
@pytest.mark.parametrize(
    "words", ["python find >=3.9", "doctor --json", "list", "create two --no-pip", "explain"]
)
def test_bubble_itself_is_isolated(
    trap: Trap, bubble: Bubble, tmp_path: Path, entry: str, words: str
) -> None:
    adopt_python(bubble)
    here = f"{tmp_path}/here"
    trap.modules(here, REACHED)
    before = bubble(*words.split(), cwd=here)
    bubble("remove", "two")
    done = bubble(*words.split(), cwd=here, env={"PYTHONPATH": entry.format(here)})
    assert (done.status, done.out) == (before.status, before.out)
    assert trap.sprung() == []


def test_bubble_hands_on_what_it_does_not_heed(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    create(bubble, "one", "--no-pip")
    said = "import os; print(os.environ['PYTHONPATH'])"
    done = bubble("run", "one", "python", "-c", said, env={"PYTHONPATH": str(tmp_path)})
    assert done.out == f"{tmp_path}\n"


def test_a_bubble_that_is_there_by_pythonpath_goes_on(env: dict[str, str], tmp_path: Path) -> None:
    """As from a checkout; here a copy of the package shows which one runs."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(probe.__code__.co_filename)))
    os.symlink(source, f"{tmp_path}/bubble")
    main = "import sys; from bubble.cli.main import run; sys.argv = ['x', '--version']; run()"
    done = subprocess.run(
        [sys.executable, "-c", main],
        env={**env, "PYTHONPATH": os.path.dirname(source)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("bubble ")


def test_the_doctor_tells_of_pythonhome(bubble: Bubble) -> None:
    done = bubble("doctor", "--json", env={"PYTHONHOME": sys.base_prefix})
    assert "variable.pythonhome" in [f["id"] for f in done.json["data"]["findings"]]


def test_one_module_says_how_interpreters_start_and_one_how_tools_are_found() -> None:
    package = os.path.dirname(os.path.dirname(os.path.abspath(isolation.__file__)))
    found = []
    for above, _, names in os.walk(package):
        for name in names:
            path = f"{above}/{name}"
            if name.endswith(".py") and path != isolation.__file__:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                words = ('"-I"', "shutil.which", 'startswith("PYTHON', 'startswith(("PYTHON')
                found += [(path, word) for word in words if word in text]
    assert found == []


@pytest.mark.parametrize("shell", ["dash", "bash", "zsh", "fish"])
def test_the_shells_function_runs_bubble_where_a_variable_would_stop_it(
    bubble: Bubble, shell: str, tmp_path: Path
) -> None:
    """PYTHONHOME of another Python; what bubble starts gets it, as the user has it."""
    if which(shell) is None:
        not_here(shell)
    adopt_python(bubble)
    create(bubble, "one", "--no-pip")
    code = bubble("init", "sh" if shell == "dash" else shell).out
    read = "source" if shell == "fish" else "."
    home = write(f"{tmp_path}/elsewhere/python", "")
    write(f"{tmp_path}/code", code)
    script = f"{read} {tmp_path}/code\nbubble list\nbubble exec -p one env\n"
    done = subprocess.run(
        [shell, write(f"{tmp_path}/script", script)],
        env={**os.environ, "PYTHONHOME": os.path.dirname(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("one "), done.stderr
    assert f"PYTHONHOME={os.path.dirname(home)}\n" in done.stdout
    assert done.stderr == ""
