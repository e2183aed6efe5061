"""A project that can be installed to be worked on, with nothing but what lies in it."""

from __future__ import annotations

# a build backend (PEP 660) that lies in the project and needs nothing
BACKEND = """
import os, zipfile
def get_requires_for_build_editable(settings=None):
    return []
get_requires_for_build_wheel = get_requires_for_build_editable
def build_editable(directory, settings=None, metadata=None):
    name, info = "mine-1.0-py3-none-any.whl", "mine-1.0.dist-info"
    files = {
        "mine.pth": os.getcwd() + "/src\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n"
        "Provides-Extra: dev\\nRequires-Dist: demo; extra == 'dev'\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "/RECORD"] = "".join(f"{n},,\\n" for n in [*files, info + "/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return name
build_wheel = build_editable
"""
PROJECT = """
[project]
name = "mine"
version = "1.0"
[project.optional-dependencies]
dev = ["demo"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# the same as a shell's commands, in the working directory; its extra needs nothing
MADE_BY_SHELL = f"""
mkdir -p src; touch src/mine.py
cat >pyproject.toml <<'END'
{PROJECT.replace('["demo"]', "[]")}
END
cat >backend.py <<'END'
{BACKEND.replace("Requires-Dist: demo; extra == 'dev'", "X-Nothing: more")}
END
"""
