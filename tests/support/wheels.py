"""Small pure-Python wheels, made on the spot: packages to install without an index."""

from __future__ import annotations

import base64
import hashlib
import zipfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def wheel(
    directory: str,
    name: str,
    version: str,
    script: str = "",
    *,
    says: str = "",
    modules: Sequence[str] = (),
    hashed: bool = False,
    requires: Sequence[str] = (),
) -> str:
    """Write a wheel of a package `name`; return its path.

    `script` is a console script of it, which prints the package's name and version, or `says`.
    `modules` are the names of further, empty ones, `requires` the requirements that it has.
    `hashed` has RECORD list hashes and sizes.
    """
    said = says or f"{name} {version}"
    path = f"{directory}/{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"def main():\n    print({said!r})\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {requirement}\n" for requirement in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        **{f"{module}.py": "" for module in modules},
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script} = {name}:main\n"
    rows = [f"{n},{recorded(text) if hashed else ','}\n" for n, text in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def recorded(text: str) -> str:
    """Return what RECORD says of a file: its hash, and its size in bytes."""
    data = text.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"sha256={digest},{len(data)}"
