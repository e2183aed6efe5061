"""Run by the interpreter that is asked: tells what it is, as one marked line of JSON.

Parses and runs on every Python since 2.7, imports nothing that isn't asked for (`json` alone
costs 30 ms without bytecode), and answers in ASCII. Its arguments are modules to import.
"""

# Python 2 has no annotations, no f-strings and no `from __future__ import annotations`:
# ruff: noqa: ANN001, ANN201, I002, UP010, UP031
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import absolute_import

import os
import sys


def text(value):
    """Return a JSON string, in ASCII."""
    if not hasattr(value, "isidentifier"):  # Python 2's bytes
        value = value.decode("utf-8", "replace")
    shown = []
    for character in value:
        code = ord(character)
        if code > 0xFFFF:
            code -= 0x10000
            shown.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
        elif 32 <= code < 127 and character not in '"\\':
            shown.append(chr(code))
        else:
            shown.append("\\u%04x" % code)
    return '"' + "".join(shown) + '"'


def libc():
    """Return what the C library says of itself: `glibc 2.36`, or nothing (musl, macOS)."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except ValueError:  # Python 2 doesn't know the name
        import platform

        return " ".join(platform.libc_ver(sys.executable)).strip()
    except (AttributeError, OSError):
        return ""


def site_packages():
    """Return where pip would install to."""
    try:
        import site

        return site.getsitepackages([sys.prefix])[0]
    except (ImportError, AttributeError, TypeError, IndexError):
        import sysconfig

        return sysconfig.get_path("purelib")


def load(module):
    """Import a module.

    `_sqlite3` (since 3.11) only keeps functools.lru_cache for later; without bytecode, functools
    takes longer than all else together, so that something of this name has to do here.
    """
    if module == "_sqlite3" and "functools" not in sys.modules:
        sys.modules["functools"] = stand_in = type(sys)("functools")
        stand_in.__dict__["lru_cache"] = None
        try:
            __import__(module)
        except Exception:  # noqa: BLE001, S110 - the import below tells what is wrong
            pass
        finally:
            del sys.modules["functools"]
    __import__(module)


def main():
    """Import what is asked, then answer."""
    failed = error = ""
    for module in sys.argv[1:]:
        try:
            load(module)
        except BaseException as problem:  # noqa: BLE001 - whatever it is, it is the answer
            failed, error = module, "%s: %s" % (type(problem).__name__, problem)
            break
    about = getattr(sys, "implementation", None)
    machine = (
        os.uname()[4] if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
    )
    fields = [
        ("implementation", about.name if about else "cpython"),
        ("version", ".".join(map(str, sys.version_info[:3]))),
        ("stage", sys.version_info[3]),
        ("abiflags", getattr(sys, "abiflags", "")),
        ("os", sys.platform),
        ("machine", machine),
        ("multiarch", getattr(about, "_multiarch", "")),
        ("libc", libc()),
        ("prefix", sys.prefix),
        ("base_prefix", getattr(sys, "base_prefix", getattr(sys, "real_prefix", sys.prefix))),
        ("executable", sys.executable or ""),
        ("stdlib", os.path.dirname(os.path.abspath(os.__file__))),
        ("site_packages", site_packages()),
        ("failed", failed),
        ("error", error),
    ]
    numbers = [
        ("serial", sys.version_info[4]),
        ("bits", 64 if sys.maxsize > 2**32 else 32),
        ("debug", int(hasattr(sys, "gettotalrefcount"))),
    ]
    pairs = [text(name) + ":" + text(value) for name, value in fields]
    pairs += [text(name) + ":" + str(value) for name, value in numbers]
    # on a line of its own, whatever a sitecustomize left unfinished on stdout
    sys.stdout.write("\nbubble-probe:{" + ",".join(pairs) + "}\n")
    sys.stdout.flush()


main()
