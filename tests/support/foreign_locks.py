"""One small project as each other tool would lock it, and an index of the wheels that it needs.

The wheels are real and so are the locks' hashes; names are well-known, contents are none.
"""

from __future__ import annotations

import hashlib
import json
import os

from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# name → version, requirements (name, marker), whether only the group dev needs it
PACKAGES: dict[str, tuple[str, tuple[tuple[str, str], ...], bool]] = {
    "certifi": ("2024.8.30", (), False),
    "colorama": ("0.4.6", (), True),
    "idna": ("3.10", (), False),
    "pluggy": ("1.5.0", (), True),
    "pytest": ("8.3.4", (("colorama", "sys_platform == 'win32'"), ("pluggy", "")), True),
    "requests": ("2.32.3", (("certifi", ""), ("idna", "")), False),
}
NEWER = {"idna": "3.11", "certifi": "2025.1.31"}  # what a resolver would take if it were asked
MARKED = {"colorama": "sys_platform == 'win32'"}
# what an environment on this machine gets of it
DEFAULT = {name: p[0] for name, p in PACKAGES.items() if not p[2]}
EVERYTHING = {name: p[0] for name, p in PACKAGES.items() if name not in MARKED}


class Index:
    """Wheels of PACKAGES below `directory`, as an index (`simple/`) serves them.

    `url` is where the directory is served, without a slash at its end.
    """

    def __init__(self, directory: str | None, url: str) -> None:
        assert directory
        self.directory = directory
        self.url = url
        self.files: dict[str, tuple[str, str]] = {}
        os.makedirs(f"{directory}/files", exist_ok=True)
        for name, (version, needed, _) in PACKAGES.items():
            self.add(name, version, needed)
        for name, version in NEWER.items():
            self.add(name, version, (), pinned=False)

    def add(
        self, name: str, version: str, needed: tuple[tuple[str, str], ...], *, pinned: bool = True
    ) -> None:
        """Put a wheel onto the index; what is `pinned` is what the locks name."""
        requires = [n + (f"; {marker}" if marker else "") for n, marker in needed]
        path = wheel(f"{self.directory}/files", name, version, requires=requires)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if pinned:
            self.files[name] = (os.path.basename(path), digest)
        page = f"{self.directory}/simple/{name}/index.html"
        os.makedirs(os.path.dirname(page), exist_ok=True)
        with open(page, "a", encoding="ascii") as out:
            base = os.path.basename(path)
            out.write(f'<a href="{self.url}/files/{base}#sha256={digest}">{base}</a>\n')

    @property
    def env(self) -> dict[str, str]:
        """What makes uv and pip ask this index alone."""
        return {
            "UV_DEFAULT_INDEX": f"file://{self.directory}/simple",
            "UV_NO_CACHE": "1",
            "UV_NO_CONFIG": "1",
            "PIP_INDEX_URL": f"file://{self.directory}/simple",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
        }

    def hashes(self) -> dict[str, str]:
        """Return the pinned wheels' sha256 by name."""
        return {name: digest for name, (_, digest) in self.files.items()}


PYPROJECT = """\
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["requests>=2.31"]  # the client

[dependency-groups]
dev = ["pytest>=8"]
"""
POETRY = """\
[tool.poetry]
name = "shop"
version = "0.1.0"
package-mode = false

[tool.poetry.dependencies]
python = "^3.9"
requests = "^2.31"

[tool.poetry.group.dev.dependencies]
pytest = ">=8"
"""
PIPFILE = """\
[[source]]
name = "company"
url = "https://me:s3cret@index.example/simple"
verify_ssl = true

[packages]
requests = "~=2.31"

[dev-packages]
pytest = ">=8"

[requires]
python_version = "3.11"
"""


def uv_lock(index: Index) -> str:
    """Return uv's lock of PYPROJECT."""
    lines = ['version = 1\nrevision = 3\nrequires-python = ">=3.9"\n']
    for name, (version, needed, _) in PACKAGES.items():
        lines.append(f'[[package]]\nname = "{name}"\nversion = "{version}"')
        lines.append(f'source = {{ registry = "{index.url}/simple" }}')
        if needed:
            lines.append(f"dependencies = [\n{''.join(_uv_steps(needed))}]")
        file, digest = index.files[name]
        url = f"{index.url}/files/{file}"
        size = os.path.getsize(f"{index.directory}/files/{file}")
        pairs = f'url = "{url}", hash = "sha256:{digest}", size = {size}'
        lines.append(f"wheels = [\n    {{ {pairs} }},\n]\n")
    lines.append('[[package]]\nname = "shop"\nversion = "0.1.0"\nsource = { virtual = "." }')
    lines.append('dependencies = [\n    { name = "requests" },\n]\n')
    lines.append('[package.dev-dependencies]\ndev = [\n    { name = "pytest" },\n]\n')
    lines.append(
        '[package.metadata]\nrequires-dist = [{ name = "requests", specifier = ">=2.31" }]'
    )
    return "\n".join(lines) + "\n"


def _uv_steps(needed: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, marker in needed:
        yield f'    {{ name = "{name}"' + (f', marker = "{marker}"' if marker else "") + " },\n"


def pdm_lock(index: Index, *, static: bool) -> str:
    """Return PDM's lock of PYPROJECT; `static` says where its files lie."""
    strategy = '"inherit_metadata"' + (', "static_urls"' if static else "")
    lines = [f'[metadata]\ngroups = ["default", "dev"]\nstrategy = [{strategy}]']
    lines.append('lock_version = "4.5.0"\ncontent_hash = "sha256:0"\n')
    lines.append('[[metadata.targets]]\nrequires_python = ">=3.9"\n')
    for name, (version, _, dev) in PACKAGES.items():
        lines.append(f'[[package]]\nname = "{name}"\nversion = "{version}"')
        lines.append(f'requires_python = ">=3.8"\ngroups = ["{"dev" if dev else "default"}"]')
        if name in MARKED:
            lines.append(f'marker = "{MARKED[name]}"')
        file, digest = index.files[name]
        where = f'url = "{index.url}/files/{file}"' if static else f'file = "{file}"'
        lines.append(f'files = [\n    {{{where}, hash = "sha256:{digest}"}},\n]\n')
    return "\n".join(lines)


def poetry_lock(index: Index, *, version: str = "2.1") -> str:
    """Return Poetry's lock of POETRY: of 2.1, with groups, or of 2.0, with a graph alone."""
    lines = ["# This file is automatically @generated by Poetry.\n"]
    for name, (release, needed, dev) in PACKAGES.items():
        lines.append(f'[[package]]\nname = "{name}"\nversion = "{release}"\ndescription = ""')
        lines.append('optional = false\npython-versions = ">=3.8"')
        if version == "2.1":
            lines.append(f'groups = ["{"dev" if dev else "main"}"]')
            if name in MARKED:
                lines.append(f'markers = "{MARKED[name]}"')
        file, digest = index.files[name]
        lines.append(f'files = [\n    {{file = "{file}", hash = "sha256:{digest}"}},\n]\n')
        if needed:
            lines.append("[package.dependencies]")
            lines += [
                f'{n} = {{version = "*", markers = "{m}"}}' if m else f'{n} = "*"'
                for n, m in needed
            ]
            lines.append("")
    lines.append(f'[metadata]\nlock-version = "{version}"\npython-versions = "^3.9"')
    lines.append('content-hash = "0"\n')
    return "\n".join(lines)


def pipfile_lock(index: Index) -> str:
    """Return pipenv's lock of PIPFILE."""
    sections: dict[str, dict[str, object]] = {"default": {}, "develop": {}}
    for name, (version, _, dev) in PACKAGES.items():
        entry: dict[str, object] = {
            "hashes": [f"sha256:{index.files[name][1]}"],
            "version": f"=={version}",
            "index": "company",
        }
        if name in MARKED:
            entry["markers"] = MARKED[name]
        sections["develop" if dev else "default"][name] = entry
    sources = [{"name": "company", "url": "https://me:s3cret@index.example/simple"}]
    meta = {
        "hash": {"sha256": "0"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.11"},
        "sources": sources,
    }
    return json.dumps({"_meta": meta, **sections}, indent=4)


def hashed_requirements(index: Index) -> str:
    """Return what pip-compile writes for it, without the group dev."""
    lines = ["# This file is autogenerated by pip-compile"]
    for name, version in DEFAULT.items():
        lines += [f"{name}=={version} \\", f"    --hash=sha256:{index.files[name][1]}"]
        lines += ["    # via requests"]
    return "\n".join(lines) + "\n"
