"""What the HTTP tests share: bytes to send, impatient settings, and what must be left behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http.download import Transfer, download
from bubble.system.http.part import Part
from bubble.system.http.settings import Settings
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUICK = Settings(
    connect_timeout=PATIENCE,
    read_timeout=PATIENCE,
    deadline=PATIENCE,
    attempts=3,
    backoff=0.01,
    backoff_limit=0.05,
    retry_after_limit=2,
    segment_threshold=512 * 1024,
    segment_size=128 * 1024,
    segment_after=0.02,
    steal_size=64 * 1024,
    near=60,
)
ALONE = QUICK.replace(connections=1)


def some_bytes(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def begun(path: str, total: int) -> Iterator[Part]:
    """Have the partial file of `path` (absolute), of which nothing but its size is known."""
    part = Part(path, "0" * 64, deadline=time.monotonic())
    part.total = total
    yield part
    part.close()


class Target:
    """A destination, and the download of known bytes to it."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data

    def get(
        self,
        *urls: str,
        env: dict[str, str] | None = None,
        settings: Settings = ALONE,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Transfer:
        """Download, and check that the bytes are right and nothing else is left."""
        done = download(
            urls,
            self.path,
            sha256=sha256(self.data),
            env=env or {},
            settings=settings,
            progress=progress,
        )
        with open(self.path, "rb") as file:
            assert sha256(file.read()) == sha256(self.data)
        assert self.left() == [os.path.basename(self.path)]
        return done

    def fails(
        self, *urls: str, env: dict[str, str] | None = None, settings: Settings = ALONE
    ) -> BubbleError:
        """Download, and return the error; nothing may be at the destination."""
        with pytest.raises(BubbleError) as caught:
            self.get(*urls, env=env, settings=settings)
        assert not os.path.exists(self.path)
        assert caught.value.hint
        assert "\n" not in caught.value.message
        return caught.value

    def left(self) -> list[str]:
        """Return the names in the destination's directory."""
        return sorted(os.listdir(os.path.dirname(self.path)))

    def leave_part(self, *ranges: tuple[int, int], url: str, validator: str = '"v1"') -> None:
        """Write what an interrupted download leaves: these ranges of the right bytes."""
        with open(f"{self.path}.part", "wb") as file:
            for start, end in ranges:
                file.seek(start)
                file.write(self.data[start:end])
        state = {
            "format": 1,
            "sha256": sha256(self.data),
            "url": url,
            "validator": validator,
            "total": len(self.data),
            "done": ranges,
        }
        with open(f"{self.path}.part.json", "w", encoding="ascii") as file:
            json.dump(state, file)
