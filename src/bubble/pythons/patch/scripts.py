"""Scripts in `bin` that run wherever the build lies, and however they are called: text in and out.

A launcher finds the interpreter beside itself, so the store may be moved, and a path may have
spaces and any length (a `#!` line has neither). Upstream's form needs `realpath`, which macOS
before 13 lacks, and two child processes; this one needs `readlink`, and only for a symlink.
"""

from __future__ import annotations

import re

from bubble.pythons.patch.build_vars import drop_flags

# To sh, the line `''':'` is the command `:`; to Python, it opens a string that ends at `'''`.
_LAUNCHER = """\
#!/bin/sh
''':'
f=$0
while [ -h "$f" ]; do
case $f in */*) d=${{f%/*}} ;; *) d=. ;; esac
f=$(readlink "$f")
case $f in /*) ;; *) f=$d/$f ;; esac
done
case $f in */*) d=${{f%/*}} ;; *) d=. ;; esac
exec "$d/{interpreter}"{options} "$0" "$@"
'''
"""
_NAME = r"(?:python|pypy|graalpy)[\w.]*"
# `#!/install/bin/python3.9 -E`; not `#!/usr/bin/env python3`, which wants what it says
_ABSOLUTE = re.compile(rf"#![ \t]*/\S*/(?P<name>{_NAME})(?P<options>(?: -[\w=]+)*)[ \t]*\r?\n")
# `"exec" "$(dirname $0)/python3.9" "$0" "$@"`: upstream's until 2024-12-03; fails on a space
_DIRNAME = re.compile(
    rf'#!/bin/sh\n"exec" "\$\(dirname \$0\)/(?P<name>{_NAME})"(?P<options>) "\$0" "\$@"\n'
)
# `'''exec' "/some/where/bin/python3" "$0" "$@"`: pip's, when a path is too long or has spaces
_LONG = re.compile(
    rf"#!/bin/sh\n'''exec' \"?/[^\"\n]*/(?P<name>{_NAME})\"?(?P<options>(?: -[\w=]+)*)"
    r" \"\$0\" \"\$@\"\n' '''\n"
)
_SHELL = re.compile(r"^exit_with_usage ?\(\)", re.MULTILINE)  # python-config is no Python
_ASSIGNMENT = re.compile(r"[A-Za-z_]+=")
_OWN_PREFIX = 'prefix_real=$(installed_prefix "$0")'
_PREFIX_OF_LINK = """\
self=$0
while [ -h "$self" ]; do
    link=$(readlink "$self")
    case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
prefix_real=$(unset CDPATH && cd "$(dirname "$self")/.." && pwd)"""
# what is printed goes through a shell again (`eval`, make), if only the path needs it
_PREFIX_FOR_SHELL = r"""prefix=$prefix_real
case $prefix in
    *[!A-Za-z0-9_./+=:@%,-]*)
        prefix=$(echo "$prefix" |
            LC_ALL=C sed 's/[[:punct:][:space:]]/\\&/g; s|\\\([_./+=:@%,-]\)|\1|g')
        ;;
esac"""
_EMBEDDED = re.compile(r'^LIBS_EMBED="(?=-lpython)(?!.*-Wl,-rpath)', re.MULTILINE)
_SHARED = 'PY_ENABLE_SHARED="1"'
_CONFIGDIR = ('echo "$LIBPL"', 'echo "$prefix_real${LIBPL#"$prefix"}"')  # no flag: as it is
_BUILT_TO = re.compile(r'^prefix="(?P<path>/[^"$`\\]*)"$', re.MULTILINE)
_MOVED = re.compile(r'\$\(echo "(?P<text>[^"]*)" \| sed "s#\$prefix#\$prefix_real#"\)')


def patch_script(text: str, *, bin_path: str = "", names: frozenset[str]) -> str:
    """Return a script of `bin` that runs the interpreter of its own installation.

    `bin_path` leads from the script's directory to `bin` (`../../../bin/`); `names` are the files
    in `bin`. Unchanged if it names no interpreter by path, or one that `bin` doesn't have.
    """
    for pattern in (_DIRNAME, _ABSOLUTE, _LONG):
        found = pattern.match(text)
        if found and found["name"] in names:
            body = text[found.end() :]
            if _SHELL.search(body):
                return f"#!/bin/sh\n{body}"
            return launcher(f"{bin_path}{found['name']}", found["options"], body)
    return text


def launcher(interpreter: str, options: str, body: str) -> str:
    """Return a script that runs `body` by the interpreter at a path relative to the script's own.

    `options` are the interpreter's, each with a space before it.
    """
    return _LAUNCHER.format(interpreter=interpreter, options=options) + body


def patch_config_script(text: str) -> str:
    """Return the shell script `python3.X-config` fit for spaces, and for being linked to.

    Upstream's finds its prefix by `dirname` of `$0`, unquoted, and hands it to sed unescaped, to
    put it in the place of the directory that it was built for, except in LIBS. A program that is
    linked by it runs this libpython, wherever that lies: else it would run the distribution's, if
    there is one. A script that is patched already, and any other, is returned as it is.
    """
    if _OWN_PREFIX not in text:
        return text
    text = text.replace(_OWN_PREFIX, _PREFIX_OF_LINK)
    lines = (drop_flags(x) if _ASSIGNMENT.match(x) else x for x in text.split("\n"))
    return _at_its_prefix("\n".join(lines))


def _at_its_prefix(text: str) -> str:
    """Return the config script with `prefix` where it lies, so that sed has nothing to do."""
    built_to = _BUILT_TO.search(text)
    if built_to is None:
        return text
    old = re.compile(rf"{re.escape(built_to['path'])}(?![\w.-])")
    text = _MOVED.sub(lambda moved: f'"{moved["text"]}"', text)
    head, _, tail = text.partition(built_to[0])
    lines = (old.sub("${prefix}", x) if _ASSIGNMENT.match(x) else x for x in tail.split("\n"))
    text = head + _PREFIX_FOR_SHELL + "\n".join(lines)
    if _SHARED in text and re.search("^libdir=", text, re.MULTILINE):
        text = _EMBEDDED.sub(r'LIBS_EMBED="-Wl,-rpath,${libdir} ', text)
    return text.replace(*_CONFIGDIR)
