"""Which points of a kill the short form of a sweep leaves out."""

from __future__ import annotations

from support.sweep import Point, telling

STORE = "/disk/home"


def points(*calls: tuple[str, str]) -> list[Point]:
    return [
        Point(name, number, f"{STORE}/{path}", path) for number, (name, path) in enumerate(calls)
    ]


def test_only_what_repeats_where_nobody_looks_is_left_out() -> None:
    staged = points(*(("openat", f"staging/one/lib/{number}") for number in range(20)))
    assert [p.ordinal for p in telling(staged, full=False)] == [0, 1, 6, 12, 18, 19]
    other = points(*(("unlinkat", f"staging/one/lib/{number}") for number in range(3)))
    assert telling([*staged, *other], full=False)[-3:] == other
    assert telling(staged, full=True) == staged


def test_every_change_that_others_see_stays() -> None:
    seen = points(
        *(("rename", f"shims/{number}") for number in range(20)),
        *(("link", f"registry/{number}") for number in range(20)),
        *(
            ("renameat", "staging"),
            ("mkdirat", "staging"),
            ("unlinkat", "trash"),
            ("rmdir", "trash"),
        ),
        *(("write", f"{number}.tmp") for number in range(20)),
    )
    assert telling(seen, full=False) == seen


def test_a_lock_and_an_empty_file_are_tried_once_or_twice() -> None:
    locks = points(*((name, f"locks/{n}") for n in range(5) for name in ("openat", "pwrite64")))
    left = telling(locks, full=False)
    assert [p.name for p in left].count("pwrite64") == 2
    assert [p.name for p in left].count("openat") == 5
    files = points(*((name, f"{n}.tmp") for n in range(5) for name in ("fchmod", "rename")))
    left = telling(files, full=False)
    assert [p.name for p in left].count("fchmod") == 1
    assert [p.name for p in left].count("rename") == 5
