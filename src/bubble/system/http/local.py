"""`file://`: opening a regular file, without a pipe or a device hanging the reader."""

from __future__ import annotations

import os
import stat

from bubble.model.urls import shown
from bubble.system.http.address import local_path
from bubble.system.http.exchange import ExchangeError


def open_local(url: str, limit: int) -> tuple[int, int]:
    """Return a descriptor, which the caller closes, and the size of the file that `url` names.

    Raises BubbleError(usage) for a broken URL, ExchangeError for what is no readable regular file
    or is larger than `limit`.
    """
    path = local_path(url)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise ExchangeError(
            f"{shown(url)}: {os.strerror(error.errno or 0)}",
            retry=False,
            hint="check the path",
            missing=isinstance(error, (FileNotFoundError, NotADirectoryError)),
        ) from None
    about = os.fstat(fd)
    if stat.S_ISREG(about.st_mode) and about.st_size <= limit:
        return fd, about.st_size
    os.close(fd)
    wrong = "too large" if stat.S_ISREG(about.st_mode) else "not a regular file"
    raise ExchangeError(f"{shown(url)}: {wrong}", retry=False, hint="check the path")
