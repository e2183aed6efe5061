"""Through the shim as without it: arguments, environment, descriptors, statuses, process.

A real interpreter tells what reached it, once called by its path and once through the shim, on
the fast path and on the slow one, under every sh that is here.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.fallback import installs_commands
from bubble.selection.shims import rehash
from support.needs import FULL, LINUX_ONLY
from support.realshims import WAYS, RealShims, run, sh
from support.shimworld import counted, shells, write

if TYPE_CHECKING:
    from typing import Any

pytestmark = LINUX_ONLY
SHELLS = tuple(shells())
# what the shell itself changes, by name; docs/shims.md tells people
SHELLS_OWN = {
    "dash": {"OPTIND", "PPID"},
    "bash": {"SHLVL", "_", "OLDPWD", "OPTIND", "PPID", "LINENO", "RANDOM", "HISTCMD", "PS1", "PS4"},
    "busybox": {"SHLVL", "OPTIND", "PPID", "PATH"},
    "ksh": {"SHLVL", "_"},
    "zsh": {"SHLVL", "_", "OLDPWD", "LOGNAME"},
}
# these pass on only what could be a variable of theirs
ONLY_IDENTIFIERS = {"dash", "busybox"}
DROPPED = {b"__PYVENV_LAUNCHER__", b"PYTHONEXECUTABLE", b"IFS"}

REPORT = r"""
import json, os, sys, signal
status = dict(l.rstrip("\n").split(":\t", 1) for l in open("/proc/self/status") if ":\t" in l)
fds = {}
for name in os.listdir("/proc/self/fd"):
    try:
        fds[name] = os.readlink("/proc/self/fd/" + name)
    except OSError:
        pass  # the listing's own
def text(b): return b.decode("latin-1")
cmdline = open("/proc/self/cmdline", "rb").read()
answer = {
    "argv": text(cmdline),
    "environ": text(open("/proc/self/environ", "rb").read()),
    "fds": fds, "umask": status["Umask"], "cwd": os.getcwd(),
    "ignored": status["SigIgn"], "blocked": status["SigBlk"],
    "pid": os.getpid(), "ppid": os.getppid(), "pgid": os.getpgid(0), "sid": os.getsid(0),
    "limits": open("/proc/self/limits").read(), "nice": os.nice(0),
}
with open(os.environ["REPORT"], "w") as file:
    json.dump(answer, file)
"""


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory) -> RealShims:
    made = RealShims(str(tmp_path_factory.mktemp("shims")))
    write(f"{made.root}/report.py", REPORT)
    # commands of the same Python, for what needs no interpreter
    prefix = made.installed[0].prefix
    write(f"{prefix}/bin/ends", '#!/bin/sh\nexit "$1"\n', 0o755)
    write(f"{prefix}/bin/ignored", "#!/bin/sh\nexec grep SigIgn /proc/self/status\n", 0o755)
    rehash(made.layout, sys.executable)
    return made


def report(
    shims: RealShims, argv: list[str | bytes], arguments: tuple[str | bytes, ...], **options: Any
) -> dict[str, Any]:
    path = f"{shims.root}/answer.json"
    env = {os.fsencode(n): os.fsencode(v) for n, v in options.pop("env", shims.env).items()}
    env[b"REPORT"] = os.fsencode(path)
    done = run([*argv, f"{shims.root}/report.py", *arguments], env, shims.tree, **options)
    assert done.returncode == 0, done.stderr
    with open(path) as file:
        answer = json.load(file)
    os.unlink(path)
    assert isinstance(answer, dict)
    return answer


def both(
    shims: RealShims, way: str, shell: str, *arguments: str | bytes, **options: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    shims.take(way)
    return (
        report(shims, [shims.direct], arguments, **options),
        report(shims, shims.argv("python", shell=shell), arguments, **options),
    )


ODD = (
    *(b"", b" ", b"a b", b"\n", b"a\n", b"\n\n", b"'", b'"', b"'\"'", b"\\", b"\\n", b"$HOME"),
    *(b"$(id)", b"`id`", b"*", b"/*", b"?", b"[a-z]*", b"~", b"--", b"-", b"-c", b"-m", b"pip"),
    *(b"-m pip ", b"-c x -m pip ", b"\xff\xfe", b"caf\xc3\xa9", b"\xc3", b"\x01\x1b[31m\x7f"),
    *(b"%s%n", b"!!", b"a=b", b"-n", b"-e", b";", b"&", b"|", b">x", b"#", b"{a,b}", b"\t", b"="),
)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
def test_arguments_come_through_byte_for_byte(shims: RealShims, way: str, shell: str) -> None:
    rng = random.Random(way + shell)
    noise = [bytes(rng.choices(range(1, 256), k=rng.randrange(40))) for _ in range(60)]
    direct, through = both(shims, way, shell, *ODD, *noise)
    assert through["argv"] == direct["argv"]
    assert len(direct["argv"].split("\0")) > len(ODD) + len(noise)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_thousand_arguments_come_through(shims: RealShims, way: str, shell: str) -> None:
    direct, through = both(shims, way, shell, *(str(number) for number in range(100_000)))
    assert through["argv"] == direct["argv"]
    assert direct["argv"].count("\0") > 100_000


@pytest.mark.parametrize("way", WAYS)
def test_one_argument_of_the_largest_size_comes_through(shims: RealShims, way: str) -> None:
    direct, through = both(shims, way, "", "x" * 131_000)
    assert through["argv"] == direct["argv"]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
def test_the_environment_differs_in_what_is_documented_alone(
    shims: RealShims, way: str, shell: str
) -> None:
    env = {os.fsencode(name): os.fsencode(value) for name, value in shims.env.items()}
    del env[b"LC_ALL"], env[b"PWD"]
    env |= {
        b"EMPTY": b"", b"LINES_OF": b"a\nb\n", b"QUOTED": b"'\"$(id)`id`\\", b"BYTES": b"\xff\x80",
        b"IFS": b"x/", b"name": b"n", b"answer": b"a", b"PS4": b"$(id)", b"CDPATH": b"/",
        b"PYTHONDONTWRITEBYTECODE": b"1", b"PYTHONHOME_": b"/x", b"ENV": b"/nonexistent",
        b"__PYVENV_LAUNCHER__": b"/x", b"PYTHONEXECUTABLE": b"/x", b"SHLVL": b"3",
        b"_": b"/usr/bin/env", b"OLDPWD": b"/",
        b"a.b": b"1", b"INPUT_X-Y": b"2", b"GREP_COLORS": b"mt=1", b"LANG": b"C", b"TERM": b"dumb",
    }  # fmt: skip
    direct, through = map(variables, both(shims, way, shell, env=env))
    changed = {
        name for name in direct.keys() | through.keys() if direct.get(name) != through.get(name)
    }
    allowed = DROPPED | {b"PWD"} | {name.encode() for name in SHELLS_OWN[shell]}
    if shell in ONLY_IDENTIFIERS:
        allowed |= {name for name in env if not re.fullmatch(rb"\w+", name, re.ASCII)}
    assert changed <= allowed
    assert not {b"__PYVENV_LAUNCHER__", b"PYTHONEXECUTABLE"} & through.keys()
    assert through[b"PWD"] == os.fsencode(shims.tree)


@pytest.mark.parametrize("way", WAYS)
def test_the_c_locale_stays_what_it_was(shims: RealShims, way: str) -> None:
    env = {name: value for name, value in shims.env.items() if name != "LC_ALL"} | counted()
    direct, through = map(variables, both(shims, way, "", env=env))
    assert b"LC_CTYPE" not in direct
    assert b"LC_CTYPE" not in through
    _, given = both(shims, way, "", env={**env, "LC_CTYPE": "C.UTF-8"})
    assert variables(given)[b"LC_CTYPE"] == b"C.UTF-8"


def variables(answer: dict[str, Any]) -> dict[bytes, bytes]:
    lines = answer["environ"].encode("latin-1").split(b"\0")
    return dict(line.split(b"=", 1) for line in lines if b"=" in line)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
def test_descriptors_mask_directory_limits_and_process_are_those_of_the_caller(
    shims: RealShims, way: str, shell: str
) -> None:
    """Descriptors 4 and 5 too, which the shim itself uses."""
    os.makedirs(f"{shims.root}/files", exist_ok=True)
    opened = [
        os.open(f"{shims.root}/files/{number}", os.O_RDWR | os.O_CREAT) for number in range(3, 12)
    ]

    def prepare() -> None:
        moved = [
            os.dup2(source, number + 200)
            for number, source in zip(range(3, 12), opened, strict=True)
        ]
        for number, source in zip(range(3, 12), moved, strict=True):
            os.dup2(source, number)
        os.closerange(12, 300)
        os.umask(0o137)
        os.nice(1)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

    try:
        direct, through = both(
            shims, way, shell, preexec_fn=prepare, close_fds=False, start_new_session=True
        )
    finally:
        for descriptor in opened:
            os.close(descriptor)
    assert (
        through["fds"].items() >= {str(n): f"{shims.root}/files/{n}" for n in range(3, 12)}.items()
    )
    more = {target for n, target in through["fds"].items() if int(n) > 2 and n not in direct["fds"]}
    # dash keeps its script open for the command where every descriptor up to 9 is in use
    assert more <= ({f"{shims.shims}/python"} if shell == "dash" else set())
    same = {"umask", "cwd", "limits", "nice", "ignored", "blocked"}
    for what in same - ({"blocked"} if shell == "ksh" else set()):  # ksh blocks none
        assert through[what] == direct[what], what
    assert direct["umask"] == "0137"
    # the very process that was started, leading the session that was made for it
    assert through["pid"] == through["pgid"] == through["sid"]
    assert through["ppid"] == os.getpid()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
def test_binary_input_comes_through_from_a_pipe_and_from_a_file_at_its_place(
    shims: RealShims, way: str, shell: str
) -> None:
    data = random.Random(0).randbytes(300_000)
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert shims.run("python", "-c", code, way=way, shell=shell, input=data).stdout == data
    with open(f"{shims.root}/input", "wb+") as file:
        file.write(data)
        file.flush()
        os.lseek(file.fileno(), 1000, os.SEEK_SET)
        done = shims.run("python", "-c", code, way=way, shell=shell, stdin=file)
    assert done.stdout == data[1000:]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2)], ids=str)
def test_closed_standard_descriptors_stay_closed(
    shims: RealShims, way: str, shell: str, closed: tuple[int, ...]
) -> None:
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    plain = {"capture_output": False, "preexec_fn": close, "stdin": subprocess.DEVNULL}
    direct, through = both(shims, way, shell, stdout=2, **plain)
    missing = [{n for n in "012" if n not in answer["fds"]} for answer in (direct, through)]
    assert missing[0] == missing[1] != set()


@pytest.mark.parametrize("way", WAYS)
def test_every_exit_status_comes_through(shims: RealShims, way: str) -> None:
    """Of a real interpreter at the edges, and all 256 of a command that only exits."""
    for status in (0, 1, 2, 126, 127, 128, 255):
        done = shims.run("python", "-c", f"raise SystemExit({status})", way=way)
        assert done.returncode == status
    assert os.path.exists(f"{shims.shims}/ends")
    statuses = range(256) if way == "fast" or FULL else range(0, 256, 15)
    for status in statuses:
        assert shims.run("ends", str(status)).returncode == status


DEADLY = ("SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGINT", "SIGHUP", "SIGPIPE", "SIGUSR1")


@pytest.mark.parametrize("name", DEADLY)
@pytest.mark.parametrize("way", WAYS)
def test_death_by_a_signal_is_seen_by_the_caller(shims: RealShims, way: str, name: str) -> None:
    number = signal.Signals[name]
    code = (
        "import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        f"{number} != 9 and signal.signal({number}, signal.SIG_DFL);"
        f"os.kill(os.getpid(), {number})"
    )
    assert shims.run("python", "-c", code, way=way).returncode == -number


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_is_no_python_finds_sigpipe_as_it_was(shims: RealShims, way: str) -> None:
    """Python ignores it at its start, and what is ignored would stay so."""
    done = shims.run("ignored", way=way)
    assert int(done.stdout.split()[-1], 16) & 1 << signal.SIGPIPE - 1 == 0
    assert int(done.stdout.split()[-1], 16) & 1 << signal.SIGXFSZ - 1 == 0


INSTALLING: tuple[list[str], ...] = (
    ["-m", "pip"], ["-m", "pip", "install", "x"], ["-mpip"], ["-I", "-m", "pip"], ["-Im", "pip"],
    ["-Impip"], ["-W", "ignore", "-m", "pip"], ["-Wignore", "-m", "pip"], ["-X", "utf8", "-mpip"],
    ["-BW", "", "-m", "pip"], ["--check-hash-based-pycs", "never", "-m", "pip"],
    ["-m", "ensurepip"], ["-sEm", "ensurepip", "--user"],
)  # fmt: skip
NOT_INSTALLING: tuple[list[str], ...] = (
    [], ["-c", "x -m pip "], ["-c", "-m pip "], ["-cx", "-m", "pip"], ["x.py", "-m", "pip"],
    ["-m", "pip.x"], ["-m", "venv", "pip"], ["-mvenv", "-m", "pip"], ["--", "-m", "pip"],
    ["-", "-m", "pip"], ["-I", "a:b", "-m", "pip"], ["-I", "m:pip"], ["-V"], ["--version"],
    ["-W", "-m", "pip"], ["-X", "-mpip"], ["-m", ""], ["-m", "", "pip"], ["", "-m", "pip"],
    ["-IW", "-m", "pip"], ["-m", "-m", "pip"], ["--help", "-m", "pip"], ["-I"], ["-m"], ["-W"],
)  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shim_and_bubble_agree_on_what_runs_pip(shims: RealShims, shell: str) -> None:
    with open(f"{shims.shims}/python") as file:
        script = file.read()
    body = script[script.index("_bubble_runs_pip() {") : script.index("# $1 the memo")]
    write(f"{shims.root}/runs_pip", body + '_bubble_runs_pip "$@"\n')
    rng = random.Random(1)
    words = sorted({word for arguments in (*INSTALLING, *NOT_INSTALLING) for word in arguments})
    mixed = [rng.choices(words, k=rng.randrange(1, 5)) for _ in range(60)]
    for arguments in (*INSTALLING, *NOT_INSTALLING, *mixed):
        answer = installs_commands("python3.11", arguments)
        if arguments in INSTALLING or arguments in NOT_INSTALLING:
            assert answer == (arguments in INSTALLING), arguments
        done = run(
            [sh(shims.root, shell), f"{shims.root}/runs_pip", *arguments], shims.env, shims.tree
        )
        assert done.stderr == b""
        assert (done.returncode == 0) == answer, arguments


def test_arguments_that_only_look_like_pip_are_run_in_place(shims: RealShims) -> None:
    code = "import os; print(os.getpid()) # x -m pip "
    shims.take("fast")
    child = subprocess.Popen(
        shims.argv("python", "-c", code), env=shims.env, cwd=shims.tree, stdout=subprocess.PIPE
    )
    out, _ = child.communicate(timeout=60)
    assert int(out) == child.pid
