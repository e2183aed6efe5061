"""Commands for which permissions count, whoever runs the tests: root reads and writes everything.

    subprocess.run([*mortal(), program, …])

As root, the two capabilities that pass over permissions are taken from what the command may ever
have; it stays the same user. As anybody else nothing has to be done.
"""

from __future__ import annotations

import os

from support.needs import not_here, which


def mortal() -> tuple[str, ...]:
    """Return what goes before a command; skip where root can't give its powers away."""
    if os.geteuid():
        return ()
    if which("setpriv") is None:
        not_here("setpriv, by which root gives its powers away")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
