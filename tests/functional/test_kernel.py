"""Jupyter kernels: written as Jupyter reads them, found where it looks, gone with their bubble."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from string import Template

import pytest

from bubble.envs.kernel import kernels, kernels_of, move_kernels, remove_kernels
from bubble.selection import registry
from support.clinic import Clinic, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bubble.selection.registry import Environment


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return Clinic(str(tmp_path), env, ["3.11.9"])


@pytest.fixture
def train(clinic: Clinic) -> Environment:
    """Return an environment in which what looks like ipykernel lies (a double)."""
    clinic.run("create", "train", "-p", "3.11", "--no-pip")
    found = registry.of_name(clinic.layout, "train")
    assert found is not None
    packages = f"{found.path}/lib/python3.11/site-packages"
    write(f"{packages}/ipykernel_launcher.py", "")
    write(f"{packages}/ipykernel/resources/logo-64x64.png", "a picture")
    return found


def installed(clinic: Clinic, *arguments: str, cwd: str = "") -> dict[str, Any]:
    """Install a kernel and return what the command says, with kernel.json's content."""
    said = json.loads(clinic.run("kernel", "install", "--json", *arguments, cwd=cwd))["data"]
    with open(f"{said['path']}/kernel.json") as file:
        return {**said, "spec": json.load(file)}


def refused(clinic: Clinic, *arguments: str) -> str:
    with pytest.raises(AssertionError) as caught:
        clinic.run("kernel", *arguments)
    return str(caught.value)


def test_the_spec_is_what_jupyter_reads(clinic: Clinic, train: Environment) -> None:
    made = installed(clinic, "train")
    assert made["path"] == f"{clinic.env['HOME']}/.local/share/jupyter/kernels/train"
    assert made["spec"]["argv"] == [
        f"{train.path}/bin/python",
        "-Xfrozen_modules=off",
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
    ]
    assert made["spec"]["display_name"] == "Python 3.11 (train)"
    assert made["spec"]["language"] == "python"
    assert made["spec"]["env"] == {
        "VIRTUAL_ENV": train.path,
        "PATH": f"{train.path}/bin:${{PATH}}",
    }
    assert made["spec"]["metadata"]["debugger"] is True
    assert os.path.exists(f"{made['path']}/logo-64x64.png")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"JUPYTER_DATA_DIR": "{root}/data"}, "{root}/data/kernels"),
        ({"XDG_DATA_HOME": "{root}/xdg"}, "{root}/xdg/jupyter/kernels"),
    ],
)
def test_the_users_directory_is_jupyters(
    variables: dict[str, str], place: str, clinic: Clinic, train: Environment
) -> None:
    home = clinic.env["BUBBLE_HOME"]
    clinic.env |= {name: value.format(root=clinic.root) for name, value in variables.items()}
    assert clinic.env["BUBBLE_HOME"] == home
    made = installed(clinic, "train", "--name", "Other", "--display-name", "Mine é")
    assert made["path"] == f"{place.format(root=clinic.root)}/other"
    assert made["spec"]["display_name"] == "Mine é"
    assert made["environment"] == train.path


def test_a_project_is_found_from_its_directory(clinic: Clinic) -> None:
    clinic.run("create", "-p", "3.11", "--no-pip")
    write(f"{clinic.cwd}/.venv/lib/python3.11/site-packages/ipykernel_launcher.py", "")
    made = installed(clinic)
    assert made["name"] == os.path.basename(clinic.cwd)
    assert made["python"] == f"{clinic.cwd}/.venv/bin/python"


def test_without_ipykernel_the_next_step_is_told(clinic: Clinic) -> None:
    clinic.run("create", "bare", "-p", "3.11", "--no-pip")
    said = refused(clinic, "install", "bare")
    assert "bare has no ipykernel" in said
    assert "uv pip install --python" in said
    assert kernels(clinic.layout, clinic.env) == []


def test_the_bases_ipykernel_counts_where_the_environment_sees_it(clinic: Clinic) -> None:
    write(f"{clinic.prefix}/lib/python3.11/site-packages/ipykernel_launcher.py", "")
    clinic.run("create", "closed", "-p", "3.11", "--no-pip")
    clinic.run("create", "open", "-p", "3.11", "--no-pip", "--system-site-packages")
    refused(clinic, "install", "closed")
    assert installed(clinic, "open")["spec"]["display_name"] == "Python 3.11 (open)"


@pytest.mark.parametrize("name", ["../up", "a b", "a/b", ".", "..", "é", "x" * 101])
def test_a_name_that_jupyter_refuses_is_refused(
    name: str, clinic: Clinic, train: Environment
) -> None:
    assert "can't name a kernel" in refused(clinic, "install", "train", f"--name={name}")
    assert kernels_of(train, clinic.env) == []
    assert not os.path.exists(f"{clinic.env['HOME']}/.local/share/jupyter")


def test_again_renews_it_and_another_ones_name_is_refused(
    clinic: Clinic, train: Environment
) -> None:
    first = installed(clinic, "train")
    assert installed(clinic, "train", "--display-name", "New")["path"] == first["path"]
    assert len(kernels(clinic.layout, clinic.env)) == 1
    write(f"{os.path.dirname(first['path'])}/taken/kernel.json", '{"argv": ["/opt/julia"]}')
    said = refused(clinic, "install", "train", "--name", "taken")
    assert "/opt/julia" in said
    assert "--name NAME" in said
    assert len(kernels_of(train, clinic.env)) == 1


def test_kernels_are_listed_and_removed_by_name(clinic: Clinic, train: Environment) -> None:
    made = installed(clinic, "train")
    write(f"{os.path.dirname(made['path'])}/foreign/kernel.json", '{"argv": ["/opt/julia"]}')
    [row] = json.loads(clinic.run("kernel", "list", "--json"))["data"]
    assert row == {
        "name": "train",
        "display_name": "Python 3.11 (train)",
        "path": made["path"],
        "python": f"{train.path}/bin/python",
        "environment": train.path,
        "ok": True,
    }
    assert "no environment has a kernel called" in refused(clinic, "remove", "foreign")
    assert clinic.run("kernel", "remove", "train") == "removed train\n"
    assert not os.path.exists(made["path"])


def test_kernels_go_with_their_environment_wherever_they_are(
    clinic: Clinic, train: Environment
) -> None:
    made = [
        installed(clinic, "train"),
        installed(clinic, "train", "--name", "second"),
        installed(clinic, "train", "--prefix", f"{clinic.root}/jupyter"),
    ]
    assert made[2]["path"] == f"{clinic.root}/jupyter/share/jupyter/kernels/train"
    by_hand = f"{os.path.dirname(made[0]['path'])}/by-hand"  # `ipython kernel install` does that
    write(f"{by_hand}/kernel.json", json.dumps({"argv": [f"{train.path}/bin/python"]}))
    other = f"{os.path.dirname(made[0]['path'])}/other"
    write(f"{other}/kernel.json", json.dumps({"argv": ["/usr/bin/python3"]}))
    assert set(remove_kernels(train, clinic.env)) == {*(m["path"] for m in made), by_hand}
    assert os.listdir(os.path.dirname(other)) == ["other"]
    assert remove_kernels(train, clinic.env) == ()


def test_removing_an_environment_removes_its_kernels(clinic: Clinic, train: Environment) -> None:
    made = installed(clinic, "train")
    clinic.run("remove", "train")
    assert not os.path.exists(train.path)
    assert not os.path.exists(made["path"])


def test_kernels_follow_an_environment_that_is_renamed(clinic: Clinic, train: Environment) -> None:
    made = installed(clinic, "train")
    new = train.replace(name="learn", path=f"{clinic.layout.envs}/learn")
    assert move_kernels(train, new, clinic.env) == (made["path"],)
    [kernel] = kernels_of(new, clinic.env)
    assert kernel.python == f"{new.path}/bin/python"
    assert kernel.display_name == "Python 3.11 (learn)"
    assert kernels_of(train, clinic.env) == []


def test_a_kernel_of_an_environment_that_moved_is_registered_anew_under_its_name(
    clinic: Clinic, train: Environment
) -> None:
    installed(clinic, "train", "--name", "kept")
    registry.forget(clinic.layout, train)
    new = train.replace(name="learn", path=f"{clinic.layout.envs}/learn")
    os.rename(train.path, new.path)
    registry.register(clinic.layout, new)
    found = clinic.examine()["kernel.python"]
    assert found["fix"] == "bubble kernel install learn --name kept"
    assert "kernel.python" not in clinic.mend(found)
    assert [kernel.name for kernel in kernels_of(new, clinic.env)] == ["kept"]


def test_kernels_follow_a_project_that_was_moved_once_it_is_repaired(clinic: Clinic) -> None:
    project, moved = f"{clinic.root}/here", f"{clinic.root}/there"
    os.mkdir(project)
    clinic.run("create", "-p", "3.11", "--no-pip", cwd=project)
    write(f"{project}/.venv/lib/python3.11/site-packages/ipykernel_launcher.py", "")
    made = installed(clinic, cwd=project)
    by_hand = f"{os.path.dirname(made['path'])}/by-hand"
    write(f"{by_hand}/kernel.json", json.dumps({"argv": [f"{project}/.venv/bin/python", "-m"]}))
    os.rename(project, moved)
    said = clinic.run("repair", ".", cwd=moved)
    assert "let its Jupyter kernels find it: by-hand, here" in said
    mine = registry.of_directory(clinic.layout, moved)
    assert mine is not None
    shown = {kernel.name: kernel.display_name for kernel in kernels_of(mine, clinic.env)}
    assert shown == {"by-hand": "", "here": "Python 3.11 (there)"}
    for kernel in kernels_of(mine, clinic.env):
        assert os.path.exists(kernel.python), kernel
    assert json.loads(clinic.run("repair", "--json", cwd=moved))["data"]["done"] == []


def variables(path: str, outer: str = "/usr/bin") -> dict[str, str]:
    """Return the variables of a kernel as jupyter_client makes them of its spec."""
    with open(f"{path}/kernel.json") as file:
        templates = json.load(file)["env"]
    return {n: Template(text).safe_substitute({"PATH": outer}) for n, text in templates.items()}


@pytest.mark.parametrize("name", ["an'other one", 'do"llar $x', "$PATH", "é%20\\t"])
def test_what_a_cell_runs_by_an_exclamation_mark_is_the_kernels(clinic: Clinic, name: str) -> None:
    """The variables follow a project, and what somebody added to them stays."""
    project = f"{clinic.root}/here"
    os.mkdir(project)
    clinic.run("create", "-p", "3.11", "--no-pip", cwd=project)
    write(f"{project}/.venv/lib/python3.11/site-packages/ipykernel_launcher.py", "")
    path = installed(clinic, cwd=project)["path"]
    with open(f"{path}/kernel.json") as file:
        spec = json.load(file)
    write(f"{path}/kernel.json", json.dumps(spec | {"env": spec["env"] | {"CUDA": f"{project}/c"}}))
    places = [project, f"{clinic.root}/{name}", f"{clinic.root}/again"]
    for before, after in itertools.pairwise(places):
        os.rename(before, after)
        clinic.run("repair", cwd=after)
        found = variables(path)
        assert found["VIRTUAL_ENV"] == f"{after}/.venv"
        assert found["PATH"] == f"{after}/.venv/bin:/usr/bin"
        assert found["CUDA"] == f"{project}/c", "what isn't the environment's isn't moved"


def test_a_kernel_that_an_earlier_bubble_wrote_gets_the_variables(
    clinic: Clinic, train: Environment
) -> None:
    path = installed(clinic, "train")["path"]
    with open(f"{path}/kernel.json") as file:
        spec = json.load(file)
    del spec["env"]
    write(f"{path}/kernel.json", json.dumps(spec))
    assert "let its Jupyter kernels find it: train" in clinic.run("repair", "train")
    assert variables(path)["VIRTUAL_ENV"] == train.path
    assert json.loads(clinic.run("repair", "train", "--json"))["data"]["done"] == []


def test_variables_follow_a_name(clinic: Clinic, train: Environment) -> None:
    path = installed(clinic, "train")["path"]
    inner = {"argv": [f"{train.path}/bin/python"], "env": {"PATH": f"{train.path}/bin:${{PATH}}"}}
    write(f"{train.path}/share/jupyter/kernels/python3/kernel.json", json.dumps(inner))
    clinic.run("rename", "train", "learn")
    new = f"{clinic.layout.envs}/learn"
    assert variables(path) == {"VIRTUAL_ENV": new, "PATH": f"{new}/bin:/usr/bin"}
    assert variables(f"{new}/share/jupyter/kernels/python3") == {"PATH": f"{new}/bin:/usr/bin"}


def test_a_kernel_whose_repair_was_killed_follows_at_the_next(
    clinic: Clinic, train: Environment
) -> None:
    made = installed(clinic, "train")
    with open(f"{made['path']}/kernel.json") as file:
        spec = json.load(file)
    spec["argv"][0] = f"{clinic.root}/before/bin/python"
    spec["metadata"]["bubble"]["environment"] = f"{clinic.root}/before"
    write(f"{made['path']}/kernel.json", json.dumps(spec))
    clinic.run("repair", "train")
    assert [kernel.name for kernel in kernels_of(train, clinic.env)] == ["train"]


def test_a_repaired_copy_leaves_the_originals_kernel_alone(
    clinic: Clinic, train: Environment
) -> None:
    made = installed(clinic, "train")
    copy = f"{clinic.layout.envs}/copy"
    shutil.copytree(train.path, copy, symlinks=True)
    clinic.run("repair", "copy")
    assert [kernel.path for kernel in kernels_of(train, clinic.env)] == [made["path"]]


def test_a_copy_of_an_environment_has_no_kernel(clinic: Clinic, train: Environment) -> None:
    made = installed(clinic, "train")
    copy = train.replace(name="copy", path=f"{clinic.layout.envs}/copy")
    shutil.copytree(train.path, copy.path, symlinks=True)
    assert remove_kernels(copy, clinic.env) == ()
    assert os.path.exists(made["path"])


def test_what_is_no_spec_is_passed_over_and_no_link_is_followed(
    clinic: Clinic, train: Environment, canary: str
) -> None:
    directory = os.path.dirname(installed(clinic, "train")["path"])
    write(f"{directory}/broken/kernel.json", "{")
    write(f"{directory}/list/kernel.json", "[]")
    write(f"{directory}/number/kernel.json", '{"argv": [1], "metadata": 2}')
    os.makedirs(f"{directory}/empty")
    write(f"{canary}-spec/kernel.json", json.dumps({"argv": [f"{train.path}/bin/python"]}))
    os.symlink(f"{canary}-spec", f"{directory}/link")
    assert [kernel.name for kernel in kernels(clinic.layout, clinic.env)] == ["train"]
    remove_kernels(train, clinic.env)
    assert os.path.exists(f"{canary}-spec/kernel.json")


def test_a_kernel_that_a_killed_process_began_is_finished(
    clinic: Clinic, train: Environment
) -> None:
    del train
    begun = f"{clinic.env['HOME']}/.local/share/jupyter/kernels/train"
    write(f"{begun}/logo-32x32.png", "")
    assert installed(clinic, "train")["path"] == begun
