"""`bubble bundle show`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.program.bundle.contents import Contents

EXAMPLES = (
    ("bubble bundle show site.sh", "what is in it, and whether it is whole"),
    ("bubble bundle show site.sh --json", "with the hash of each file"),
)
DETAILS = (
    "Every hash is held against the file's bytes; nothing is unpacked, and nothing of it is run.\n"
    "On a machine without bubble: sh FILE --check."
)
JSON = "{file, sha256, size, bubble, platforms, pythons, locks, wheels, files}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a bundle")


def execute(options: Namespace, context: Context) -> Outcome:
    """Check it, and tell."""
    from bubble.model.text import size
    from bubble.program.bundle.reading import Bundle
    from bubble.system.files import sha256_of

    path = os.path.abspath(options.file)
    task = context.output.progress().task(os.path.basename(path))
    with Bundle(path, progress=task.part) as bundle:
        task.finish("")
        sha256 = sha256_of(path) or ""
        found = data_of(bundle.contents, path, sha256, bundle.size)
        found["files"] = [file.as_dict() for file in bundle.contents.files]
        total = f"{size(bundle.size)}, whole, sha256 {sha256}"
    return Outcome(data=found, lines=(*lines_of(bundle.contents), total))


def data_of(contents: Contents, path: str, sha256: str, size: int) -> dict[str, object]:
    """Return what is in a bundle, as JSON has it."""
    return {
        "file": path,
        "sha256": sha256,
        "size": size,
        "bubble": contents.bubble,
        "platforms": [host.as_dict() for host in contents.hosts],
        "pythons": [python.as_dict() for python in contents.pythons],
        "locks": contents.locks,
        "wheels": [{**w.as_dict(), "platforms": list(w.platforms)} for w in contents.wheels],
    }


def lines_of(contents: Contents) -> tuple[str, ...]:
    """Return what is in a bundle, for people."""
    from bubble.model.text import size

    sizes = {file.name: file.size for file in contents.files}
    own = sum(n for name, n in sizes.items() if name.startswith("bubble/"))
    lines = [f"bubble {contents.bubble} ({size(own)}) for:"]
    for host in contents.hosts:
        what = (
            "glibc" if "-gnu" in host.platform else "macOS" if "darwin" in host.platform else "musl"
        )
        lines.append(
            f"  {host.platform}" + (f", with {what} {host.libc} or newer" if host.libc else "")
        )
    for python in contents.pythons:
        why = "" if python.chosen else ", bubble's own"
        lines.append(f"{python.key}, build {python.build} ({size(sizes[python.file])}){why}")
    if contents.locks:
        names = ", ".join(f"{bubble} ({lock})" for bubble, lock in contents.locks.items())
        lines.append(f"a project: {names}")
    lines += [
        f"  {wheel.file} ({size(sizes[f'wheels/{wheel.sha256}.whl'])})" for wheel in contents.wheels
    ]
    return tuple(lines)
