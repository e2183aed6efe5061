"""Small pure-Python wheels, made on the spot: packages to install without an index."""

from __future__ import annotations

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
    requires: Sequence[str] = (),
) -> str:
    """Write a wheel of a package `name`; return its path.

    `script` is a console script of it, which prints the package's name and version, or `says`.
    `modules` are the names of further, empty ones, `requires` the requirements that it has.
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
    files[f"{info}/RECORD"] = "".join(f"{n},,\n" for n in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path
