"""The smallest shared library with a run path, in every class and byte order."""

from __future__ import annotations

import struct


def build(
    run_path: str, *, wide: bool = True, order: str = "<", tag: int = 29, needed: str = "libc.so.6"
) -> bytes:
    """Return a shared library with nothing but program headers, a dynamic section and strings."""
    strings = b"\0libx.so.1\0" + needed.encode() + b"\0" + run_path.encode() + b"\0behind\0"
    tags = [(14, 1), (1, 11), (tag, 12 + len(needed)), (5, 0x10000), (0, 0)]
    if not run_path:
        del tags[2]
    dynamic = b"".join(struct.pack(order + ("qQ" if wide else "iI"), *pair) for pair in tags)
    size, head = (56, 64) if wide else (32, 52)
    at = head + 2 * size
    text = at + len(dynamic)

    def segment(kind: int, offset: int, address: int, length: int) -> bytes:
        if wide:
            row = (kind, 4, offset, address, address, length, length, 8)
            return struct.pack(order + "IIQQQQQQ", *row)
        row = (kind, offset, address, address, length, length, 4, 4)
        return struct.pack(order + "IIIIIIII", *row)

    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if wide else "I"
    header = ident + struct.pack(
        order + "HHI" + word * 3 + "IHHHHHH", 3, 62, 1, 0, head, 0, 0, head, size, 2, 0, 0, 0
    )
    loads = segment(1, text, 0x10000, len(strings)) + segment(2, at, 0x20000, len(dynamic))
    return header + loads + dynamic + strings
