from __future__ import annotations

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.pack.member import Member
from bubble.pythons.pack.relocate import relocate
from bubble.system import elf
from support.small_elf import build
from support.small_prefix import PREFIX, facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.pythons.pack.probe import Facts


def changed(name: str, data: bytes, about: Facts | None = None) -> bytes:
    members = {name: Member(data=data), "lib/python3.11/os.py": Member(data=b"")}
    return relocate(about or facts(), members).members[name].read()


def run_path(name: str, old: str, needed: str = "libpython3.11.so.1.0") -> str:
    found = elf.read(changed(name, build(old, needed=needed)))
    assert found is not None
    return found.run_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bin/python3.11", "$ORIGIN/../lib"),
        ("lib/libpython3.11.so.1.0", "$ORIGIN"),
        ("lib/python3.11/lib-dynload/_ssl.so", "$ORIGIN/../.."),
    ],
)
def test_a_run_path_in_the_prefix_becomes_relative_to_the_file(name: str, expected: str) -> None:
    assert run_path(name, f"{PREFIX}/lib") == expected


def test_a_run_path_elsewhere_is_kept_behind_the_relative_one() -> None:
    assert run_path("bin/python3.11", f"{PREFIX}/lib:/opt/ssl/lib") == "$ORIGIN/../lib:/opt/ssl/lib"


def test_a_run_path_without_the_prefix_stays_on_an_extension() -> None:
    name = "lib/python3.11/lib-dynload/_ssl.so"
    assert run_path(name, "/opt/ssl/lib", "libssl.so.3") == "/opt/ssl/lib"


def test_a_run_path_that_is_relative_already_stays() -> None:
    assert run_path("bin/python3.11", "$ORIGIN/../lib64:$ORIGIN") == "$ORIGIN/../lib64:$ORIGIN"


def test_an_extension_whose_run_path_is_too_short_does_without() -> None:
    data = build("/p/lib", needed="libpython3.11.so.1.0")
    found = elf.read(changed("lib/python3.11/lib-dynload/_x.so", data, facts("/p")))
    assert found is not None
    assert found.run_path == ""


def test_a_binary_whose_run_path_is_too_short_is_refused_with_the_flag_that_helps() -> None:
    data = build("/p/lib", needed="libpython3.11.so.1.0")
    with pytest.raises(BubbleError) as caught:
        changed("bin/python3.11", data, facts("/p"))
    assert caught.value.kind == "unavailable"
    assert "rpath" in caught.value.hint


def test_a_binary_that_finds_libpython_where_the_system_looks_is_refused() -> None:
    data = build("", needed="libpython3.11.so.1.0")
    with pytest.raises(BubbleError, match="finds libpython by the system's search path") as caught:
        changed("bin/python3.11", data)
    assert caught.value.kind == "unavailable"


def test_a_build_for_the_placeholder_names_it_already() -> None:
    text = b"prefix=/install\nlibdir=/install/lib\n"
    assert changed("lib/pkgconfig/python3.pc", text, facts("/install")) == text


def test_a_static_binary_stays_as_it_is() -> None:
    data = build("")
    assert changed("bin/python3.11", data) == data


def test_what_the_system_provides_is_named_and_the_c_library_is_not() -> None:
    members = {
        "bin/python3.11": Member(data=build("")),
        "lib/python3.11/lib-dynload/_ssl.so": Member(data=build("", needed="libssl.so.3")),
        "lib/python3.11/lib-dynload/_own.so": Member(data=build("", needed="libown.so")),
        "lib/libown.so": Member(data=build("")),
    }
    assert relocate(facts(), members).not_bundled == ("libssl.so.3",)


@pytest.mark.parametrize(
    "name",
    [
        "bin/python3.11-config",
        "lib/pkgconfig/python-3.11.pc",
        "lib/python3.11/_sysconfigdata__linux_x86_64-linux-gnu.py",
        "lib/python3.11/config-3.11-x86_64-linux-gnu/Makefile",
    ],
)
def test_files_of_the_configuration_name_the_placeholder(name: str) -> None:
    before = f"'{PREFIX}' -L{PREFIX}/lib -Wl,-rpath,{PREFIX}/lib \"{PREFIX}/include\"\n"
    after = "'/install' -L/install/lib -Wl,-rpath,/install/lib \"/install/include\"\n"
    assert changed(name, before.encode()).decode() == after


def test_the_prefix_is_replaced_in_both_spellings() -> None:
    about = facts(spelled="/link/to/it")
    text = f"{PREFIX}/lib /link/to/it/lib /link/to/italy\n".encode()
    assert changed("lib/pkgconfig/python3.pc", text, about) == (
        b"/install/lib /install/lib /link/to/italy\n"
    )


def test_of_a_shared_prefix_only_the_archives_own_paths_are_replaced() -> None:
    text = (
        b"prefix=/usr\n'/usr/bin/install -c' /usr/lib/python3.11 -L/usr/lib "
        b"/usr/lib/x86_64-linux-gnu /opt/usr/lib /usrlocal\n"
    )
    assert changed("lib/pkgconfig/python3.pc", text, facts("/usr")) == (
        b"prefix=/install\n'/usr/bin/install -c' /install/lib/python3.11 -L/install/lib "
        b"/usr/lib/x86_64-linux-gnu /opt/usr/lib /usrlocal\n"
    )


@pytest.mark.parametrize(
    ("prefix", "libdir", "text", "after"),
    [
        ("/usr", "/usr/lib/x86_64-linux-gnu", "libdir={}", "libdir=/install/lib"),
        ("/usr", "/usr/lib/x86_64-linux-gnu", "'{}/pkgconfig'", "'/install/lib/pkgconfig'"),
        ("/usr", "/usr/lib/x86_64-linux-gnu", "{}/python3.11 -L{}", "{in}/python3.11 -L{in}"),
        ("/usr", "/usr/lib/x86_64-linux-gnu", "{}/libz.so {}-x", "{}/libz.so {}-x"),
        ("/opt/py", "/opt/py/lib64", "LIBDIR={}\t{}/python3.11", "LIBDIR={in}\t{in}/python3.11"),
        ("/opt/py", "/opt/libraries", "{}/pkgconfig", "{in}/pkgconfig"),
    ],
)
def test_the_directory_of_libpython_is_lib_whatever_it_is_called(
    prefix: str, libdir: str, text: str, after: str
) -> None:
    about = facts(prefix).replace(libdirs=(libdir, f"{prefix}/lib"))
    name = "lib/pkgconfig/python3.pc"
    said = changed(name, text.replace("{}", libdir).encode(), about).decode()
    assert said == after.replace("{}", libdir).replace("{in}", "/install/lib")


def test_a_script_finds_its_interpreter_beside_itself() -> None:
    script = f"#!{PREFIX}/bin/python3.11\nimport pydoc\n".encode()
    assert changed("bin/pydoc3.11", script).decode() == (
        "#!/bin/sh\n"
        '\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")/python3.11" "$0" "$@"\n'
        "' '''\n"
        "import pydoc\n"
    )


def test_modules_that_happen_to_name_the_prefix_stay_as_they_are() -> None:
    text = f"EXAMPLE = '{PREFIX}'\n".encode()
    assert changed("lib/python3.11/example.py", text) == text


def test_wheels_kept_elsewhere_by_a_distribution_are_looked_for_inside() -> None:
    about = facts("/usr").replace(wheels="/usr/share/python-wheels/")
    name = "lib/python3.11/_sysconfigdata__x.py"
    text = b"{'WHEEL_PKG_DIR': '/usr/share/python-wheels/'}\n"
    assert changed(name, text, about) == (
        b"{'WHEEL_PKG_DIR': '/install/lib/python3.11/ensurepip/_bundled'}\n"
    )
