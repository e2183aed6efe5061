"""Which shared libraries are packed: what a run path leads to, as the loader goes."""

from __future__ import annotations

import os

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.pack.libraries import carry
from bubble.pythons.pack.member import Member
from bubble.pythons.pack.relocate import relocate
from bubble.system import elf
from support.small_elf import build
from support.small_prefix import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

MODULE = "lib/python3.11/lib-dynload/_ssl.so"


class Tree:
    """A prefix at `prefix`, its members by name, and whatever lies beside it."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self.prefix = f"{self.root}/prefix"
        self.members: dict[str, Member] = {}
        self.executable = self.add("bin/python3.11", "")

    def write(self, path: str, run_path: str, needed: str = "libc.so.6", tag: int = 29) -> str:
        path = path if path.startswith("/") else f"{self.root}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(build(run_path, needed=needed, tag=tag))
        return path

    def add(self, name: str, run_path: str, needed: str = "libc.so.6", tag: int = 29) -> str:
        path = self.write(f"{self.prefix}/{name}", run_path, needed, tag)
        self.members[name] = Member(source=path)
        return path

    def packed(self) -> dict[str, Member]:
        carried = carry(self.executable, self.members)
        self.members |= carried.members
        done = relocate(facts(self.prefix), self.members, carried.through)
        self.not_bundled = done.not_bundled
        return done.members

    def run_path(self, name: str) -> str:
        found = elf.read(self.packed()[name].read())
        assert found is not None
        return found.run_path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("tag", [15, 29], ids=["RPATH", "RUNPATH"])
@pytest.mark.parametrize(
    "entry", ["$ORIGIN/../../../../x.libs", "${ORIGIN}/../../../../x.libs", "absolute", "inside"]
)
def test_what_a_run_path_leads_to_is_packed_and_found_there(
    tree: Tree, entry: str, tag: int
) -> None:
    places = {"absolute": f"{tree.root}/x.libs", "inside": f"{tree.prefix}/own/libraries"}
    lies = places.get(entry, f"{tree.root}/x.libs")
    tree.write(f"{lies}/libssl-1234.so.3", "")
    tree.add(MODULE, places.get(entry, entry), "libssl-1234.so.3", tag)
    assert tree.run_path(MODULE) == "$ORIGIN/../.."
    assert tree.members["lib/libssl-1234.so.3"].read() == build("")
    assert tree.not_bundled == ()


def test_what_a_library_needs_comes_with_it_by_its_own_run_path_or_its_users(tree: Tree) -> None:
    tree.write("x.libs/liba.so.1", "$ORIGIN/more", "libb.so.1")
    tree.write("x.libs/more/libb.so.1", "", "libc2.so.1")
    tree.write("x.libs/libc2.so.1", "")
    tree.executable = tree.add("bin/python3.11", "$ORIGIN/../../x.libs", "liba.so.1", 15)
    members = tree.packed()
    assert {"lib/liba.so.1", "lib/libb.so.1", "lib/libc2.so.1"} <= set(members)
    assert tree.run_path("lib/liba.so.1") == "$ORIGIN"
    assert tree.run_path("bin/python3.11") == "$ORIGIN/../lib"


def test_what_lies_where_every_system_looks_is_the_systems(tree: Tree) -> None:
    there = next(
        (f"{d}/{n}" for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")
         if os.path.isdir(d) for n in sorted(os.listdir(d)) if ".so." in n
         and not n.startswith(("ld-", "libc.", "libm.", "libgcc_s"))),
        "",
    )  # fmt: skip
    if not there:
        pytest.skip("not here: no library of the system")
    directory, name = os.path.split(there)
    tree.add(MODULE, directory, name)
    assert f"lib/{name}" not in tree.packed()
    assert tree.not_bundled == (name,)


def test_what_no_run_path_leads_to_is_named(tree: Tree) -> None:
    tree.add(MODULE, "$ORIGIN/../../../../x.libs", "libssl.so.3")
    assert tree.run_path(MODULE) == "$ORIGIN/../../../../x.libs"
    assert tree.not_bundled == ("libssl.so.3",)


def test_a_needed_entry_that_is_a_path_is_known_by_its_name(tree: Tree) -> None:
    tree.add("lib/libpython3.11.so.1.0", "")
    tree.add("bin/python3.11", "", "$ORIGIN/../lib/libpython3.11.so.1.0")
    tree.packed()
    assert tree.not_bundled == ()


def test_a_library_behind_links_is_packed_once(tree: Tree) -> None:
    real = tree.write("x.libs/libssl.so.3.0.1", "")
    os.symlink("libssl.so.3.0.1", f"{tree.root}/x.libs/libssl.so.3")
    tree.members["lib/libssl.so.3.0.1"] = Member(source=real)
    tree.add(MODULE, f"{tree.root}/x.libs", "libssl.so.3")
    assert tree.packed()["lib/libssl.so.3"].target == "libssl.so.3.0.1"


def test_two_libraries_of_one_name_are_refused_by_name(tree: Tree) -> None:
    tree.write("x.libs/libssl.so.3", "")
    tree.add("lib/libssl.so.3", "", "libother.so")
    tree.add(MODULE, f"{tree.root}/x.libs", "libssl.so.3")
    with pytest.raises(BubbleError, match=r"two libraries are called libssl\.so\.3"):
        tree.packed()


def test_a_run_path_without_room_is_refused_by_the_name_of_its_file(tree: Tree) -> None:
    tree.add(MODULE, "/o/l", "libssl.so.3")
    with pytest.raises(BubbleError, match=r"_ssl\.so finds its libraries by the run path /o/l"):
        relocate(facts(tree.prefix), tree.members, {MODULE: frozenset(("/o/l",))})
