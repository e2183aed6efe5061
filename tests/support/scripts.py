"""Scripts with metadata, and the packages that they ask for, in a directory."""

from __future__ import annotations

import json
import os

from support.wheels import wheel


def block(*dependencies: str, python: str = "", wheels: str = "") -> str:
    """Return a block of metadata, with the packages from a directory."""
    lines = [f"dependencies = {json.dumps(dependencies)}"]
    if python:
        lines.append(f'requires-python = "{python}"')
    if wheels:
        lines += ["[tool.uv]", "no-index = true", f'find-links = ["{wheels}"]']
    return "# /// script\n" + "".join(f"# {line}\n" for line in lines) + "# ///\n"


def two_versions(directory: str, env: dict[str, str]) -> str:
    """Have packages `six` 1.0 and 2.0 in `directory` (made), and no index; return it."""
    env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    os.mkdir(directory)
    wheel(directory, "six", "1.0", script="six")
    wheel(directory, "six", "2.0", script="six")
    return directory
