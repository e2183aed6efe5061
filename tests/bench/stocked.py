"""A store of both contestants with one interpreter in it, and what they are told with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.installs import commands
from bench.measure import run
from bench.server import Server

if TYPE_CHECKING:
    from bench.context import Bench


def stocked(bench: Bench, store: str) -> dict[str, str]:
    """Install the packed interpreter into `store` by bubble and uv; return the variables.

    They name a catalogue with that build alone, whose archive nobody needs any more, and bubble
    finds the uv that it is held against.
    """
    place = bench.place
    env = place.environment(store)
    os.makedirs(env["HOME"], exist_ok=True)  # who has none of his own, has nothing remembered
    env |= {"PATH": f"{os.path.dirname(place.uv)}:{env['PATH']}"}
    del env["UV_NO_CONFIG"]  # it would hide what bubble tells uv by a file
    with Server(place.mirror) as server:
        env |= place.catalogue(bench.packed, server.url)
        for argv in commands(place, bench.packed).values():
            run(argv, env, place.log)
    return env
