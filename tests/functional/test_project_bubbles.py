"""What the other commands know of a project's bubbles: run, status, rollback, list, remove, gc."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from support.needs import which
from support.projects import Site
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


PREFIX = ("python", "-c", "import sys; print(sys.prefix)")


def test_run_finds_the_projects_bubbles_before_those_of_the_machine(site: Site) -> None:
    site.ok("python", "install", site.version)
    site.ok("create", "train", "-p", site.version, "--no-pip")
    the_machines = f"{os.environ['BUBBLE_HOME']}/envs/train"
    refused = site.call("run", "train", *PREFIX)
    assert refused.status == 1, "it is declared, and not made yet"
    assert "bubble sync train" in refused.err
    assert the_machines in refused.err
    assert site.ok("run", the_machines, *PREFIX).out.strip() == the_machines
    done = site.ok("run", "--sync", "train", *PREFIX)
    assert done.out == f"{site.root}/.venvs/train\n"
    for cwd in ("", "train", ".venvs", "train/.venv/lib"):
        done = site.ok("run", "train", *PREFIX, cwd=cwd)
        assert done.out.strip() == f"{site.root}/.venvs/train", cwd
    site.ok("sync")
    assert site.ok("run", "default", *PREFIX, cwd="train").out.strip() == f"{site.root}/.venv"
    elsewhere = site.bubble("run", "train", *PREFIX, cwd=site.directory, env=site.env)
    assert elsewhere.out.strip() == the_machines
    # another project below asks for none of those above it
    os.mkdir(f"{site.root}/other")
    site.write("other/bubble.toml", "[bubbles.default]\n")
    assert site.ok("run", "train", *PREFIX, cwd="other").out.strip() == the_machines
    assert site.call("run", "nobody", "true").status == 1
    site.manifest("this is no manifest")
    assert site.ok("run", the_machines, *PREFIX).out.strip() == the_machines
    # what takes away asks which of two is meant
    refused = site.call("remove", "train")
    assert refused.status == 1
    assert os.path.isdir(the_machines)
    assert os.path.isdir(f"{site.root}/.venvs/train")


NAMED = {
    "run": ("run", "Train", *PREFIX),
    "exec": ("exec", "-p", "train", *PREFIX),
    "shell": ("shell", "--check", "train"),
    "activate": ("activate", "--check", "train"),
    "info": ("info", "train"),
    "export": ("export", "train"),
    "export of its lock": ("export", "train", "--format", "pylock"),
    "clone": ("clone", "train", "copy"),
    "repair": ("repair", "train"),
    "kernel": ("kernel", "install", "train"),
    "lock from it": ("lock", "--from", "train"),
    "sync": ("sync", "train"),
    "lock": ("lock", "train"),
    "status": ("status", "train"),
}
NAMELESS = {"kernel", "lock", "lock from it", "status"}  # they say which one by their results


def test_every_command_takes_the_projects_names_in_every_directory_of_it(site: Site) -> None:
    """Never the machine's environment of that name, which has other packages."""
    site.ok("python", "install", site.version)
    site.ok("create", "train", "-p", site.version, "--no-pip", "--with", "beta")
    the_machines = f"{os.environ['BUBBLE_HOME']}/envs/train"
    own = f"{site.root}/.venvs/train"
    deep = "train/deep"
    os.makedirs(f"{site.root}/{deep}")
    unmade = {*NAMED} - {"sync", "lock", "status", "export of its lock"}
    for command in sorted(unmade):
        done = site.call(*NAMED[command], cwd=deep)
        assert done.status, command
        assert "train is a bubble of" in done.err.lower(), (command, done)
        assert "bubble sync" in done.err, command
    assert "isn't made yet" in site.call("remove", "train", cwd=deep).err
    assert os.path.isdir(the_machines)
    wheel(site.wheels, "ipykernel", "6.0", modules=["ipykernel_launcher"])
    site.edit('["gamma"]', '["gamma", "ipykernel"]')
    site.ok("sync", "train", cwd=deep)
    for command, words in NAMED.items():
        done = site.call(*words, cwd=deep)
        assert done.status == 0, (command, done)
        said = done.out + done.err
        assert own in said or "gamma" in said or command in NAMELESS, command
        assert the_machines not in said, command
        assert "beta" not in said, command
    with open(f"{site.root}/pylock.toml") as file:
        assert 'name = "gamma"' in file.read(), "locked from it"
    with open(f"{os.environ['HOME']}/.local/share/jupyter/kernels/train/kernel.json") as file:
        assert own in file.read()
    refused = site.call("use", "train", cwd=deep)
    assert "directories = " in refused.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_activation_enters_what_the_project_calls_by_that_name(site: Site, shell: str) -> None:
    if not which(shell):
        pytest.skip(f"needs {shell} (apt install {shell})")
    site.ok("python", "install", site.version)
    site.ok("create", "train", "-p", site.version, "--no-pip")
    site.ok("create", "web", "-p", site.version, "--no-pip")
    code = site.ok("init", shell).out
    path = site.write("init", code)
    end = "; or exit 9" if shell == "fish" else " || exit 9"
    show = "echo in:$VIRTUAL_ENV\n"
    enter = f"{'source' if shell == 'fish' else '.'} '{path}'\n"
    home = os.environ["BUBBLE_HOME"]

    def at(directory: str, name: str) -> tuple[int, str, str]:
        script = f"{enter}cd '{directory}'{end}\nbubble activate {name}{end}\n{show}"
        done = subprocess.run(
            [shell, "-c", script],
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, **{k: v for k, v in site.env.items() if v is not None}},
        )  # fmt: skip
        return done.returncode, done.stdout.strip(), done.stderr

    status, out, err = at(f"{site.root}/train", "train")
    assert (status, out) == (9, "")
    assert "isn't made yet" in err
    site.ok("sync", "--all")
    for directory in (site.root, f"{site.root}/train", f"{site.root}/.venvs"):
        assert at(directory, "train")[:2] == (0, f"in:{site.root}/.venvs/train")
        assert at(directory, "default")[:2] == (0, f"in:{site.root}/.venv")
        assert at(directory, "web")[:2] == (0, f"in:{home}/envs/web")
    assert at(site.directory, "train")[:2] == (0, f"in:{home}/envs/train")


def test_a_rollback_and_its_own(site: Site) -> None:
    site.ok("sync")
    nothing = site.call("rollback")
    assert nothing.status == 1
    assert "no environment from before" in nothing.err
    wheel(site.wheels, "alpha", "2.0", script="alpha")
    site.edit('["alpha", "beta"]', '["alpha>=2"]')
    site.ok("sync")
    for expected in ({"alpha": "1.0", "beta": "1.0"}, {"alpha": "2.0"}) * 2:
        done = site.ok("rollback", "--json")
        assert done.json["data"][0]["previous"] == f"{site.root}/.venvs/.previous/default"
        assert site.has() == expected
        said = subprocess.run(
            [f"{site.root}/.venv/bin/alpha"], capture_output=True, text=True, check=True, timeout=60
        )
        assert said.stdout == f"alpha {expected['alpha']}\n"
        state = "in sync" if expected == {"alpha": "2.0"} else "other lock"
        assert site.states()["default"] == state
    site.ok("rollback")
    assert "changed" in site.ok("sync").err
    assert site.has() == {"alpha": "2.0"}
    site.ok("remove", ".venv")
    site.ok("rollback")
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}


def test_a_listing_says_what_is_whose(site: Site) -> None:
    site.ok("sync", "--all")
    site.edit('["gamma"]', '["gamma", "alpha"]')
    site.ok("sync", "train")
    found = {e["path"]: e for e in site.ok("list", "--json").json["data"]}
    train = found[f"{site.root}/.venvs/train"]
    assert (train["bubble"], train["project"], train["previous"]) == ("train", site.root, False)
    before = found[f"{site.root}/.venvs/.previous/train"]
    assert (before["bubble"], before["project"], before["previous"]) == ("train", site.root, True)
    assert {e["state"] for e in found.values()} == {"ok"}
    assert "train (site)" in site.ok("list").out
    assert "train (site, before)" in site.ok("list").out
    assert f"project:      {site.root}" in site.ok("info", "train").out
    assert json.loads(site.ok("doctor", "--json").out)["data"] is not None
    assert "env." not in site.call("doctor").out
    done = site.call("rename", "train", "other")
    assert done.status == 2
    assert "manifest" in done.err
    site.ok("clone", "train", "copy")
    assert "gamma==1.0" in site.ok("export", "train").out


def test_interpreters_of_the_one_before_are_in_use_and_it_goes_when_asked(site: Site) -> None:
    site.ok("sync", "--all")
    site.edit('["gamma"]', '["alpha"]')
    site.ok("sync", "train")
    for path in (".venv", ".venvs/train"):
        site.ok("remove", path)
    kept = f"{site.root}/.venvs/.previous/train"
    refused = site.call("python", "uninstall", site.version)
    assert refused.status == 1
    assert kept in refused.err
    assert kept not in site.ok("gc", "--dry-run").out
    done = site.ok("gc", "--only", "previous")
    assert kept in done.out
    assert not os.path.lexists(kept)
    assert site.call("rollback", "train").status == 1
    states = f"{os.environ['BUBBLE_HOME']}/synced"
    assert not [name for name in os.listdir(states) if not name.startswith("now.")]
    site.ok("python", "uninstall", site.version)


def test_what_the_manifest_has_no_more_is_told(site: Site) -> None:
    site.ok("sync", "--all")
    site.manifest(f'[bubbles.default]\npython = "{site.version}"\ndependencies = ["alpha"]\n')
    site.ok("sync")
    done = site.ok("status")
    assert "bubble remove .venvs/train" in done.err
    site.ok("remove", ".venvs/train")
    assert "bubble remove" not in site.ok("status").err


def test_a_kernel_is_kept_renewed_and_taken_away(site: Site) -> None:
    site.edit("[bubbles.train]", "[bubbles.train]\nkernel = true")
    refused = site.call("sync", "train")
    assert refused.status == 1
    assert "add ipykernel" in refused.err
    wheel(site.wheels, "ipykernel", "6.0", modules=["ipykernel_launcher"])
    site.edit('["gamma"]', '["gamma", "ipykernel"]')
    site.ok("sync", "train")
    kernels = f"{os.environ['HOME']}/.local/share/jupyter/kernels"
    assert os.listdir(kernels) == ["site-train"]

    def spec() -> dict[str, object]:
        with open(f"{kernels}/site-train/kernel.json", encoding="utf-8") as file:
            found: dict[str, object] = json.load(file)
        return found

    first = spec()
    assert "site train" in str(first["display_name"])
    site.edit('"gamma", ', "")
    site.ok("sync", "train")
    assert first["argv"] == spec()["argv"]
    assert first["metadata"] != spec()["metadata"], "it is another environment's now"
    assert site.states()["train"] == "in sync"
    site.ok("rollback", "train")
    assert first["metadata"] == spec()["metadata"]
    site.ok("sync", "train")
    os.unlink(f"{kernels}/site-train/kernel.json")
    assert site.states()["train"] == "not linked"
    site.ok("sync", "train")
    assert spec()
    site.edit("kernel = true", "")
    site.ok("sync", "train")
    assert os.listdir(kernels) == []


def test_a_kernel_comes_along_with_a_moved_project_and_a_copy_gets_its_own(site: Site) -> None:
    wheel(site.wheels, "ipykernel", "6.0", modules=["ipykernel_launcher"])
    site.edit('[bubbles.train]\ndependencies = ["gamma"]',
              '[bubbles.train]\nkernel = true\ndependencies = ["ipykernel"]')  # fmt: skip
    site.ok("sync", "train")
    kernels = f"{os.environ['HOME']}/.local/share/jupyter/kernels"

    def runs() -> dict[str, str]:
        found = {}
        for name in os.listdir(kernels):
            with open(f"{kernels}/{name}/kernel.json", encoding="utf-8") as file:
                found[name] = json.load(file)["argv"][0]
        return found

    moved, other = f"{site.directory}/moved", f"{site.directory}/other"
    os.rename(site.root, moved)
    site.root = moved
    site.ok("sync", "train")
    assert runs() == {"site-train": f"{moved}/.venvs/train/bin/python"}
    shutil.copytree(moved, other, symlinks=True)
    site.root = other
    site.ok("sync", "train")
    assert runs() == {
        "site-train": f"{moved}/.venvs/train/bin/python",
        "other-train": f"{other}/.venvs/train/bin/python",
    }
    site.root = f"{site.directory}/again"
    os.rename(moved, site.root)
    site.edit("kernel = true\n", "")
    site.ok("sync", "train")
    assert list(runs()) == ["other-train"]
