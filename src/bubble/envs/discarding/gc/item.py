"""One thing that can go, and the kinds that there are."""

from __future__ import annotations

from bubble.model.record import Record

# kind → what it is; `bubble gc --only` takes these words
KINDS = {
    "scratch": "staging, trash and temporary files of processes that died",
    "links": "minor links that don't lead to the newest installed patch",
    "memos": "answers for directories that are gone, and those of an older format",
    "records": "records of environments that are gone",
    "previous": "environments that bubble rollback would bring back; only if asked for",
    "scripts": "environments that no script uses, or none has used for 60 days",
    "packages": "files of packages that environments shared, and none has any more",
    "kernels": "Jupyter kernels of environments that are gone",
    "seeds": "unpacked copies of pip that no new environment would get",
    "tools": "a uv that bubble fetched, and fetches no more or finds damaged",
    "downloads": "partial downloads, and archives that no catalogue knows",
    "pythons": "patch releases that nothing uses, where a newer one is installed",
}


class Item(Record):
    """One thing that can go.

    `kind` is one of KINDS, `path` absolute, `why` a short clause, `size` bytes on disk that are
    freed.
    """

    kind: str
    path: str
    why: str
    size: int = 0
