"""Jupyter kernels among other people's: what is another's stays, and what is gone is no failure."""

from __future__ import annotations

import errno
import os
import shutil
import sys

import pytest

from bubble.envs.kernel import (
    SPEC,
    Kernel,
    install_kernel,
    kernels,
    kernels_of,
    move_kernels,
    remove_kernel,
)
from bubble.model.errors import BubbleError
from support.handmade import environment, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


@pytest.fixture
def train(layout: Layout) -> Environment:
    """Return an environment in which what looks like ipykernel lies (a double)."""
    made = environment(layout, "train")
    write(f"{made.path}/lib/python3.11/site-packages/ipykernel_launcher.py")
    return made


@pytest.fixture
def kernel(train: Environment, env: dict[str, str]) -> Kernel:
    return install_kernel(train, env)


def test_a_kernel_that_is_gone_already_is_removed_without_a_word(
    layout: Layout, kernel: Kernel
) -> None:
    shutil.rmtree(kernel.path)
    remove_kernel(kernel, layout)
    assert os.listdir(layout.trash) == []


@pytest.mark.parametrize(("error", "goes"), [(errno.EXDEV, True), (errno.EACCES, False)])
def test_a_kernel_on_another_file_system_goes_where_it_is(
    layout: Layout,
    kernel: Kernel,
    monkeypatch: pytest.MonkeyPatch,
    error: int,
    *,
    goes: bool,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "rename", refuse)
    if goes:
        remove_kernel(kernel, layout)
    else:
        with pytest.raises(PermissionError):
            remove_kernel(kernel, layout)
    assert os.path.lexists(kernel.path) != goes
    assert os.path.lexists(f"{kernel.path}/{SPEC}") != goes


@pytest.mark.parametrize("shown", ["Python 3.11 (train)", "Mine"])
def test_a_kernel_that_moves_keeps_the_name_that_somebody_chose(
    train: Environment, env: dict[str, str], shown: str
) -> None:
    install_kernel(train, env, display_name=shown)
    moved = train.replace(name="other", path=f"{train.path}-other")
    os.rename(train.path, moved.path)
    assert len(move_kernels(train, moved, env)) == 1
    (found,) = kernels_of(moved, env)
    assert found.display_name == shown.replace("train", "other")
    assert found.python == f"{moved.path}/bin/python"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("notes.txt", "mine", "there is a kernel called train already"),
        (SPEC, '{"argv": ["/usr/bin/julia"]}', "already, which runs /usr/bin/julia"),
    ],
)
def test_a_directory_that_holds_something_else_is_left_alone(
    train: Environment, kernel: Kernel, env: dict[str, str], name: str, text: str, said: str
) -> None:
    shutil.rmtree(kernel.path)
    path = write(f"{kernel.path}/{name}", text)
    with pytest.raises(BubbleError) as caught:
        install_kernel(train, env)
    assert caught.value.kind == "usage"
    assert caught.value.message.endswith(said)
    assert os.listdir(kernel.path) == [name]
    with open(path) as file:
        assert file.read() == text


def test_what_a_killed_writer_left_goes_with_the_next_installation(
    train: Environment, kernel: Kernel, env: dict[str, str]
) -> None:
    os.unlink(f"{kernel.path}/{SPEC}")
    for name in (SPEC, "logo-64x64.png"):
        write(f"{kernel.path}/.{name}.4242.0a1b2c3d.tmp")
    assert install_kernel(train, env) == kernel
    assert os.listdir(kernel.path) == [SPEC]


def test_an_environment_without_libraries_gets_no_kernel(
    train: Environment, env: dict[str, str]
) -> None:
    shutil.rmtree(f"{train.path}/lib")
    with pytest.raises(BubbleError, match="train has no ipykernel") as caught:
        install_kernel(train, env)
    assert caught.value.hint == f"uv pip install --python {train.path} ipykernel"
    assert kernels_of(train, env) == []


def test_each_directory_that_jupyter_does_not_search_is_remembered_once(
    layout: Layout, train: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    for prefix in ("one", "two", "one"):
        install_kernel(train, env, prefix=f"{tmp_path}/{prefix}")
    with open(layout.kernels) as file:
        remembered = file.read().splitlines()
    assert remembered == [f"{tmp_path}/{p}/share/jupyter/kernels" for p in ("one", "two")]
    assert len(kernels_of(train, env)) == 2


def test_a_directory_that_a_line_can_not_name_is_not_remembered(
    layout: Layout, train: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    install_kernel(train, env, prefix=f"{tmp_path}/two\nlines")
    assert not os.path.exists(layout.kernels)


def test_on_macos_kernels_are_where_jupyter_has_them_there(
    layout: Layout, train: Environment, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    made = install_kernel(train, env)
    assert made.path == f"{env['HOME']}/Library/Jupyter/kernels/train"
    assert kernels(layout, env) == [made]
