"""Environments that are filled at once share one pool, while its files are thrown away."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from bubble.system.pool_upkeep import contents as pooled
from bubble.system.pool_upkeep import drop
from support.sharing import FILES, PACKAGES, TEXTS, Shelf, require_fresh, shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

MANY = 24


def test_each_has_what_it_had_whoever_was_first(layout: Layout) -> None:
    shelf = Shelf(layout)
    roots = [shelf.filled() for _ in range(MANY)]
    shelf.share(roots[0])
    begun, done = threading.Event(), threading.Event()

    def throw_away() -> None:
        while not done.is_set():  # in use or not: nobody loses anything
            drop(layout.packages, [name for name, _, _ in pooled(layout.packages)])
            begun.set()

    with ThreadPoolExecutor(5) as crew:
        dropping = crew.submit(throw_away)
        try:
            assert begun.wait(60)
            list(crew.map(shelf.share, roots[1:]))
        finally:
            done.set()
        dropping.result()
    for root in roots:
        assert os.listdir(root) == ["lib"]
        require_fresh(root)
        for path in FILES & TEXTS.keys():
            with open(f"{root}/{PACKAGES}/{path}") as file:
                assert file.read() == TEXTS[path]
    assert shared(shelf.add(), shelf.add()) == FILES
