"""The bytecode of an installation that many use and few may write to.

An interpreter writes it as it goes, where it may. Whoever may not would compile what they import at
each start anew; and what root happened to run first would be there by chance.
"""

from __future__ import annotations

from bubble.pythons.probing.isolation import isolated, without_python
from bubble.pythons.probing.stdlib import stdlib_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.pythons.installed.store import Installation

_TIMEOUT = 900.0  # seconds; half a minute of both processors is usual


def write_bytecode(installation: Installation, env: Mapping[str, str]) -> None:
    """Let an installation compile its library; what can't be (tests of bad syntax) stays.

    An adopted one is its installer's. Raises OSError where it can't be started or doesn't end.
    """
    from bubble.system.process import run

    if installation.is_adopted:
        return
    options = ("-m", "compileall", "-q", "-j", "0")
    argv = isolated(installation.executable, *options, stdlib_of(installation))
    run(argv, env=without_python(env), timeout=_TIMEOUT)
