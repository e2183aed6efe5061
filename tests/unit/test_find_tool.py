"""Tools that bubble calls: never through a shim, nor through a script that becomes one."""

from __future__ import annotations

import os

import pytest

from bubble.selection.path import find_tool
from bubble.system.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ('exec "$HOME/.local/share/bubble/shims/uv" "$@"', False),
        ('exec ~/.pyenv/shims/uv "$@"', False),
        ('bubble exec -p 3.12 uv "$@"', False),
        ('exec pyenv exec uv "$@"', False),
        ('mise x -- uv "$@"', False),
        # one that leads elsewhere is the user's own choice
        ('exec /opt/uv/bin/uv --no-config "$@"', True),
        ('bubble --version; exec /opt/uv/bin/uv "$@"', True),
    ],
)
def test_a_script_that_becomes_a_shim_is_no_tool(tmp_path: Path, body: str, *, taken: bool) -> None:
    path = tmp_path / "tools" / "uv"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "uv"
    real.write_bytes(b"\x7fELF bubble exec uv /shims/uv")
    real.chmod(0o755)
    env = {"PATH": os.pathsep.join([str(path.parent), str(real.parent)])}
    layout = Layout(home=str(tmp_path / "home"), cache=str(tmp_path / "cache"))
    assert find_tool("uv", env, layout) == str(path if taken else real)
