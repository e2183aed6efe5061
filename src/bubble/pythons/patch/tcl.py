"""Tcl's library, found from environments too: text in and out.

Tcl looks for its scripts beside the program that runs, and an environment's program lies elsewhere;
builds of before August 2025 know no other place. There, `tkinter` is told where they are while it
makes an interpreter of Tcl, and what a program starts isn't told so.
"""

from __future__ import annotations

_IMPORT = "\nimport _tkinter"
_CALLS = (
    ("self.tk = _tkinter.create(", "self.tk = _bubble_call(_tkinter.create, "),
    ("self.tk.loadtk()", "_bubble_call(self.tk.loadtk)"),
)
_FINDING = '''
def _bubble_call(function, *args):
    """Let Tcl and Tk find their scripts: in an environment, they look beside that."""
    import os
    places = {{"TCL_LIBRARY": {tcl!r}, "TK_LIBRARY": {tk!r}}}
    missing = [name for name in places if name not in os.environ]
    if sys.prefix == sys.base_prefix:
        missing = []
    try:
        for name in missing:
            os.environ[name] = f"{{sys.base_prefix}}/lib/{{places[name]}}"
        return function(*args)
    finally:
        for name in missing:
            os.environ.pop(name, None)


'''
_BEFORE = "\nclass Tk("


def patch_tkinter(text: str, tcl: str, tk: str) -> str:
    """Return `tkinter/__init__.py` with Tcl's scripts in `lib/TCL` and Tk's in `lib/TK`.

    Unchanged if it isn't as CPython has it, or is patched already.
    """
    parts = (_IMPORT, _BEFORE, "\nimport sys", *(call for call, _ in _CALLS))
    if any(text.count(part) != 1 for part in parts):
        return text
    for call, found in _CALLS:
        text = text.replace(call, found)
    return text.replace(_BEFORE, f"{_FINDING.format(tcl=tcl, tk=tk)}class Tk(")
