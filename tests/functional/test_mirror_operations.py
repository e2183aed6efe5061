from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest

from bubble.model.download import UPSTREAM, Download
from bubble.model.errors import BubbleError
from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.installing.mirror import Created, Mirror, create
from bubble.system.host import host_platform
from support.builds import archive_path, small_archive, small_mirror
from support.fault_handlers import status
from support.fault_server import serve
from support.needs import NOT_ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout

VERSIONS = ("3.9.1", "3.10.2", "3.11.9")


def upstream(tmp_path: Path, *versions: str, base: str = UPSTREAM) -> tuple[str, list[Download]]:
    """Return a directory that looks like upstream's releases, and downloads that point there."""
    directory = str(tmp_path / "upstream")
    downloads = []
    for version in versions:
        found = small_archive(f"{directory}/20240726", version)
        name = quote(os.path.basename(archive_path(found)))
        downloads.append(found.replace(url=f"{base}20240726/{name}"))
    return directory, downloads


def make(
    directory: Path | str,
    downloads: list[Download],
    layout: Layout,
    env: dict[str, str],
    *,
    mirror: str = "",
    base_url: str = "",
) -> Created:
    return create(
        str(directory),
        downloads,
        layout=layout,
        env=env,
        platform=host_platform(env),
        mirror=mirror,
        base_url=base_url,
    )


def check(directory: Path | str) -> dict[str, str]:
    """Hold a mirror against its own sums and catalogue; return url by version."""
    listed = {}
    with open(f"{directory}/SHA256SUMS", encoding="ascii") as file:
        for line in file:
            digest, name = line.rstrip("\n").split("  ")
            listed[name] = digest
            with open(f"{directory}/{name}", "rb") as archive:
                assert hashlib.file_digest(archive, "sha256").hexdigest() == digest
            tag, base = name.split("/")
            with open(f"{directory}/{tag}/SHA256SUMS", encoding="ascii") as own:
                assert f"{digest}  {base}\n" in own.readlines()
    with open(f"{directory}/catalogue.json", encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries.values():
        name = "/".join(entry["url"].split("/")[-2:]).replace("%2B", "+")
        assert listed[name] == entry["sha256"]
    assert os.listdir(f"{directory}/.partial") == []
    return {"{major}.{minor}.{patch}".format(**e): e["url"] for e in entries.values()}


def test_a_mirror_holds_what_was_asked_for_with_sums_and_a_catalogue(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, *VERSIONS)
    with serve(source) as server:
        made = make(tmp_path / "mirror", downloads, layout, env, mirror=server.url)
    assert made.added == tuple(downloads)
    assert made.failed == ()
    name = downloads[0].file_name
    assert check(tmp_path / "mirror")["3.9.1"] == f"20240726/{quote(name)}"
    for download in downloads:
        with open(f"{source}/{download.asset}", "rb") as one:
            assert (tmp_path / "mirror" / download.asset).read_bytes() == one.read()


def test_what_a_mirror_serves_can_be_used_as_catalogue_and_as_mirror(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, *VERSIONS)
    mirror = tmp_path / "a mirror"
    make(mirror, downloads, layout, env, mirror=f"file://{source}")
    with serve(str(mirror)) as server:
        env = {**env, "BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        found = open_catalogue(layout, env).downloads(host_platform(env))
        assert {str(d.key.version) for d in found} == set(VERSIONS)
        # a second mirror of the first, by the catalogue's own addresses, past the cache
        other = layout.replace(cache=str(tmp_path / "other cache"))
        assert make(tmp_path / "second", list(found), other, env).failed == ()
        # and by upstream's addresses, as BUBBLE_MIRROR has it
        third = layout.replace(cache=str(tmp_path / "third cache"))
        assert make(tmp_path / "third", downloads, third, env, mirror=server.url).failed == ()
    assert check(tmp_path / "second") == check(tmp_path / "third") == check(mirror)


def test_what_is_there_already_is_kept_without_asking_anybody(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, *VERSIONS[:2])
    with serve(source) as server:
        make(tmp_path / "mirror", downloads[:1], layout, env, mirror=server.url)
        before = len(server.log)
        again = make(tmp_path / "mirror", downloads[:1], layout, env, mirror=server.url)
        assert len(server.log) == before
        grown = make(tmp_path / "mirror", downloads, layout, env, mirror=server.url)
    assert again.kept == tuple(downloads[:1])
    assert again.added == ()
    assert grown.added == tuple(downloads[1:])
    assert set(check(tmp_path / "mirror")) == {"3.9.1", "3.10.2"}


def test_a_download_in_the_cache_is_not_fetched_again(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    with serve(source) as server:
        make(tmp_path / "one", downloads, layout, env, mirror=server.url)
        before = len(server.log)
        assert make(tmp_path / "two", downloads, layout, env, mirror=server.url).failed == ()
        assert len(server.log) == before
    assert check(tmp_path / "two") == check(tmp_path / "one")


def test_a_damaged_archive_in_the_mirror_is_mended(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    (tmp_path / "mirror" / downloads[0].asset).write_bytes(b"damaged")
    made = make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    assert made.added == tuple(downloads)
    check(tmp_path / "mirror")


def test_one_that_fails_is_reported_and_the_others_are_done(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, *VERSIONS)
    with serve(source) as server:
        server.put(f"/{downloads[1].asset}", status(404))
        server.put(f"/{downloads[1].asset.replace('+', '%2B')}", status(404))
        unverifiable = downloads[2].replace(sha256="")
        wanted = [downloads[1], unverifiable, downloads[0]]
        made = make(tmp_path / "mirror", wanted, layout, env, mirror=server.url)
    assert made.added == (downloads[0],)
    assert [(f.download, f.error.kind) for f in made.failed] == [
        (downloads[1], "download"),
        (unverifiable, "unavailable"),
    ]
    assert set(check(tmp_path / "mirror")) == {"3.9.1"}


def test_other_bytes_than_the_catalogue_says_never_reach_the_mirror(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    with open(f"{source}/{downloads[0].asset}", "ab") as file:
        file.write(b"\0")
    made = make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    assert [f.error.kind for f in made.failed] == ["checksum"]
    assert not (tmp_path / "mirror" / downloads[0].asset).exists()


def test_a_published_archive_is_never_replaced_by_other_bytes(tmp_path: Path) -> None:
    small_mirror(str(tmp_path), [{"version": "3.11.9", "extra_files": 3}])
    before = (tmp_path / "SHA256SUMS").read_bytes()
    with pytest.raises(BubbleError) as caught:
        small_mirror(str(tmp_path), [{"version": "3.11.9", "extra_files": 4}])
    assert caught.value.kind == "store"
    assert "tag" in caught.value.hint
    assert (tmp_path / "SHA256SUMS").read_bytes() == before
    check(tmp_path)


def test_the_same_bytes_may_be_published_again_and_another_tag_beside_them(
    tmp_path: Path,
) -> None:
    small_mirror(str(tmp_path), ["3.11.9", "3.11.9", {"version": "3.11.9", "tag": "20250101"}])
    assert list(check(tmp_path)) == ["3.11.9"]
    assert check(tmp_path)["3.11.9"].startswith("20250101/")
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 2


def test_an_archive_that_was_deleted_leaves_the_lists_with_the_next_change(tmp_path: Path) -> None:
    small_mirror(str(tmp_path), ["3.10.2", "3.11.9"])
    next((tmp_path / "20240726").glob("cpython-3.10.2*")).unlink()
    small_mirror(str(tmp_path), ["3.9.1"])
    assert set(check(tmp_path)) == {"3.9.1", "3.11.9"}


def test_a_base_address_makes_the_catalogue_fit_for_other_tools(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    base = "https://builds.example/python/"
    made = make(
        tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}", base_url=base
    )
    assert made.failed == ()
    url = check(tmp_path / "mirror")["3.11.9"]
    assert url == f"https://builds.example/python/20240726/{quote(downloads[0].file_name)}"


def test_processes_that_publish_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom support.builds import small_mirror\n"
        "small_mirror(sys.argv[1], [{'version': v, 'extra_files': 1} for v in sys.argv[2:]])\n"
    )
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    batches = [[f"3.{minor}.{patch}" for patch in range(3)] for minor in range(8, 14)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "mirror"), *batch],
            env={**os.environ, "PYTHONPATH": tests},
        )
        for batch in batches
    ]
    assert [process.wait(120) for process in running] == [0] * len(batches)
    assert set(check(tmp_path / "mirror")) == {v for batch in batches for v in batch}


def test_a_reader_never_sees_a_build_whose_archive_is_missing(tmp_path: Path) -> None:
    small_mirror(str(tmp_path), ["3.8.0"])
    finished = threading.Event()
    broken: list[str] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not finished.is_set():
            catalogue = json.loads((tmp_path / "catalogue.json").read_text())
            sums = (tmp_path / "SHA256SUMS").read_text()
            for entry in catalogue.values():
                name = entry["url"].replace("%2B", "+")
                if not (tmp_path / name).exists() or f"{entry['sha256']}  {name}\n" not in sums:
                    broken.append(name)
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        small_mirror(str(tmp_path), [f"3.9.{patch}" for patch in range(15)])
    finally:
        finished.set()
        reader.join()
    assert reads
    assert broken == []


def test_what_a_killed_writer_left_is_swept_and_a_living_ones_file_is_not(tmp_path: Path) -> None:
    small_mirror(str(tmp_path), ["3.8.0"])
    dead = tmp_path / ".partial" / "dead"
    dead.write_bytes(b"half of an archive")
    with Mirror(str(tmp_path)).partial("alive") as alive:
        small_mirror(str(tmp_path), ["3.9.0"])
        assert os.path.exists(alive.path)
        assert not dead.exists()
    check(tmp_path)


def test_an_unfinished_file_goes_when_its_writer_fails(tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), Mirror(str(tmp_path)).partial("x") as partial:
        descriptor = os.open(partial.path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        raise ZeroDivisionError
    assert os.listdir(tmp_path / ".partial") == []


def test_a_catalogue_that_is_none_is_not_overwritten(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "catalogue.json").write_text("my notes\n")
    with pytest.raises(BubbleError) as caught:
        make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    assert caught.value.kind == "catalogue"
    assert (tmp_path / "mirror" / "catalogue.json").read_text() == "my notes\n"


def test_a_mirror_that_is_a_file_is_an_error_of_one_line(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    (tmp_path / "mirror").write_text("a file\n")
    with pytest.raises(BubbleError) as caught:
        make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    assert caught.value.kind == "io"
    assert "\n" not in caught.value.message


@NOT_ROOT
def test_a_mirror_that_may_not_be_written_is_an_error_of_permission(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    source, downloads = upstream(tmp_path, "3.11.9")
    (tmp_path / "mirror").mkdir(mode=0o555)
    with pytest.raises(BubbleError) as caught:
        make(tmp_path / "mirror", downloads, layout, env, mirror=f"file://{source}")
    assert caught.value.kind == "permission"


def test_a_file_that_is_no_archive_is_refused_whatever_the_catalogue_says(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    _, downloads = upstream(tmp_path, "3.11.9")
    hostile = downloads[0].replace(url="https://host.invalid/20240726/SHA256SUMS")
    made = make(tmp_path / "mirror", [hostile], layout, env)
    assert [f.error.kind for f in made.failed] == ["unavailable"]
