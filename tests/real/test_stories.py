"""Stories, told to the end with real packages: conflicting projects, a data team, an upgrade.

Packages are small ones; with BUBBLE_TEST_FULL=1 the conflicting projects have boto3 and pandas,
too. The two interpreters are this machine's own, packed. For the upgrade, no machine has two patch
releases of one minor: that story is told with doubles, and their own packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builds import packed_mirror, small_mirror
from support.needs import FULL, LINUX_ONLY, NEEDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, LINUX_ONLY]

MINE: tuple[str, ...] = ("requests==2.32.3",)
THEIRS: tuple[str, ...] = ("requests==2.27.1",)
if FULL:  # pandas 2.0.3 was built for numpy 1, and its metadata doesn't say so
    MINE = (*MINE, "boto3==1.34.28", "pandas==2.2.3")
    THEIRS = (*THEIRS, "boto3==1.28.3", "pandas==2.0.3", "numpy<2")


@pytest.fixture
def interpreters(bubble: Bubble, env: dict[str, str]) -> None:
    """Install 3.11 and 3.12."""
    env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.11', '3.12'])}/catalogue.json"
    done = bubble("python", "install", "3.11", "3.12")
    assert done.status == 0, done.err


def create(bubble: Bubble, *arguments: str, cwd: object = "/") -> str:
    done = bubble("create", *arguments, cwd=cwd, timeout=600)
    if any(word in done.err for word in ("No matching distribution", "onnect", "dns error")):
        pytest.skip(f"{NEEDS}the package index")
    assert done.status == 0, done.err
    return done.out.strip()


def script(text: str, env: dict[str, str], cwd: object, *behind: str) -> list[str]:
    """Run a shell script with the shims first on PATH, then `behind`; return what it prints."""
    path = ":".join([f"{env['BUBBLE_HOME']}/shims", *behind, env["PATH"]])
    done = subprocess.run(
        ["sh", "-euc", text],
        env={**env, "PATH": path},
        cwd=str(cwd),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_two_projects_that_exclude_each_other_are_switched_by_cd_alone(
    bubble: Bubble, interpreters: None, env: dict[str, str], tmp_path: Path
) -> None:
    for name, minor, packages in (("mine", "3.12", MINE), ("theirs", "3.11", THEIRS)):
        project = tmp_path / name
        project.mkdir()
        (project / "requirements.txt").write_text("".join(f"{p}\n" for p in packages))
        (project / "versions.py").write_text(
            "import sys, importlib.metadata as m\n"
            "for name in sys.argv[1:]:\n    __import__(name)\n"
            "print(sys.version.split()[0].rpartition('.')[0], "
            "*(m.version(name) for name in sys.argv[1:]))\n"
        )
        assert bubble("use", minor, cwd=project).status == 0
        create(bubble, "-r", "requirements.txt", cwd=project)
    names = " ".join(p.split("==")[0] for p in MINE)
    said = script(
        f"""
        cd mine; python versions.py {names}
        cd ../theirs; python versions.py {names}
        pip --version | sed 's/.*from //'
        cd ../mine; python versions.py {names}; normalizer --version | grep -c Normalizer
        """,
        env,
        tmp_path,
    )
    mine = " ".join(["3.12", *(p.split("==")[1] for p in MINE)])
    theirs = " ".join(["3.11", *(p.split("==")[1] for p in THEIRS if "==" in p)])
    assert said[:2] == [mine, theirs]
    assert said[2].startswith(f"{tmp_path}/theirs/.venv/lib/python3.11/")
    assert said[3:] == [mine, "1"]
    assert interpreters is None


def test_a_data_team_uses_three_bubbles_in_one_script(
    bubble: Bubble, interpreters: None, env: dict[str, str], tmp_path: Path
) -> None:
    for name, minor, package in (
        ("preprocess", "3.11", "python-dateutil==2.9.0.post0"),
        ("train", "3.12", "more-itertools==10.5.0"),
        ("evaluate", "3.12", "tabulate==0.9.0"),
    ):
        create(bubble, name, "-p", minor, package)
    (tmp_path / "preprocess.py").write_text(
        "import sys\nfrom dateutil.parser import parse\n"
        "for line in sys.stdin:\n    day, value = line.split(',')\n"
        "    print(parse(day).toordinal() - parse('1 Jan 2026').toordinal(), value.strip())\n"
    )
    (tmp_path / "train.py").write_text(
        "import sys\nfrom more_itertools import pairwise\n"
        "rows = [tuple(map(float, line.split())) for line in sys.stdin]\n"
        "slopes = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(rows)]\n"
        "print(sum(slopes) / len(slopes))\n"
    )
    (tmp_path / "evaluate.py").write_text(
        "import sys\nfrom tabulate import tabulate\n"
        "print(tabulate([['slope', float(sys.stdin.read())]], tablefmt='plain'))\n"
    )
    (tmp_path / "data.csv").write_text("3 January 2026,4\n2026-01-05,8\nJan 7 2026,12\n")
    said = script(
        """
        bubble run preprocess python preprocess.py <data.csv >days.txt
        bubble run train python train.py <days.txt | bubble run evaluate python evaluate.py
        # by a version file and the shims as well
        mkdir -p at; cd at; printf 'evaluate\\n' >.python-version
        printf '2' | python ../evaluate.py
        ! bubble run train python -c 'import tabulate' 2>/dev/null
        """,
        env,
        tmp_path,
        os.path.dirname(sys.executable),
    )
    assert said == ["slope  2", "slope  2"]
    assert interpreters is None


def test_ten_environments_live_through_an_upgrade_and_are_mended_after_an_uninstall(
    bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "old"), ["3.11.8"])
    assert bubble("python", "install", "3.11.8").status == 0
    followers = [f"follows{n}" for n in range(8)]
    paths = {name: create(bubble, name, "-p", "3.11", "--no-pip") for name in followers}
    bound = [f"bound{n}" for n in range(2)]
    paths |= {name: create(bubble, name, "-p", "3.11.8", "--no-pip") for name in bound}
    for path in paths.values():
        _add_console_script(path)
    running = subprocess.Popen(
        [f"{paths['follows0']}/bin/python", "-c", _SERVICE],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stdout.readline() == "3.11.8\n"

        env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "new"), ["3.11.8", "3.11.9"])
        done = bubble("python", "upgrade")
        assert done.status == 0, done.err
        assert all(f"{name} uses it now" in done.out for name in followers)
        assert not any(name in done.out for name in bound)
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.stdout.readline() == "3.11.8 still\n"
    assert running.returncode == 0
    assert {_tool(paths[name]) for name in followers} == {"3.11.9"}
    assert {_tool(paths[name]) for name in bound} == {"3.11.8"}

    refused = bubble("python", "uninstall", "3.11.8")
    assert refused.status == 1
    assert all(name in refused.err for name in bound)
    assert not any(name in refused.err for name in followers)
    assert bubble("python", "uninstall", "3.11.8", "--force").status == 0
    assert _states(bubble, bound) == {"interpreter missing"}
    assert _states(bubble, followers) == {"ok"}
    _mended_by_the_hint(bubble, bound)
    assert {_tool(paths[name]) for name in bound} == {"3.11.8"}

    assert bubble("python", "uninstall", "3.11.9").status == 0  # 3.11.8 takes over
    assert {_tool(path) for path in paths.values()} == {"3.11.8"}
    refused = bubble("python", "uninstall", "3.11.8")
    assert (refused.status, "used by 10 environments" in refused.err) == (1, True)
    assert bubble("python", "uninstall", "3.11.8", "--force").status == 0
    assert _states(bubble, [*paths]) == {"interpreter missing"}
    _mended_by_the_hint(bubble, [*paths])
    assert _states(bubble, [*paths]) == {"ok", "outdated"}
    assert {_tool(paths[name]) for name in followers} == {"3.11.9"}
    assert {_tool(paths[name]) for name in bound} == {"3.11.8"}


_SERVICE = """
import sys
version = ".".join(map(str, sys.version_info[:3]))
print(version, flush=True)
sys.stdin.readline()
import colorsys, http.cookies
print(version, "still", flush=True)
"""


def _add_console_script(path: str) -> None:
    """Write what an installer would; a double has none."""
    with open(f"{path}/bin/tool", "w") as file:
        file.write(
            f"#!{path}/bin/python\nimport os\n"
            f"print(os.path.realpath({path!r} + '/bin/python').split('/')[-3].split('-')[1])\n"
        )
        os.fchmod(file.fileno(), 0o755)


def _tool(path: str) -> str:
    done = subprocess.run([f"{path}/bin/tool"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _states(bubble: Bubble, names: list[str]) -> set[str]:
    return {e["state"] for e in bubble("list", "--json").json["data"] if e["name"] in names}


def _mended_by_the_hint(bubble: Bubble, names: list[str]) -> None:
    """Repair each; where an interpreter has to be installed first, do what the hint says."""
    for name in names:
        done = bubble("repair", name)
        if done.status:
            hint = done.err.partition("hint: ")[2].split()
            assert hint[:3] == ["bubble", "python", "install"], done.err
            assert bubble(*hint[1:]).status == 0
            done = bubble("repair", name)
        assert done.status == 0, done.err
        assert _states(bubble, [name]) <= {"ok", "outdated"}
