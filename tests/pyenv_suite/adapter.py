"""pyenv's commands on top of bubble: names in, the form of what is printed out, no decision.

`adapter.py NAME ARGUMENT…` stands for `pyenv-NAME`, with NAME "" for `pyenv` itself. Each asks
the installed `bubble`, mostly with `--json`, and says the answer in pyenv's words. Whether a
command succeeds is bubble's to say; what the number of a failure is (1, 127) is form.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from pyenv_suite.call import BUBBLE, Pyenv, say, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def version_name(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    if arguments[:1] in (["-f"], ["--force"]):
        print(":".join(texts(pyenv.deciding())))
        return 0
    status, data = pyenv.current()
    if data:
        print(":".join(pyenv.names.name_of(a["name"]) for a in data["answers"]))
    return status and 1


def version(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    status, data = pyenv.current()
    for answer in data.get("answers", ()):
        name = pyenv.names.name_of(answer["name"])
        bare = "--bare" in arguments
        print(name if bare else f"{name} (set by {pyenv.origin(data['source'])})")
    return status and 1


def version_origin(pyenv: Pyenv, _arguments: Sequence[str]) -> int:
    print(pyenv.origin(pyenv.deciding()))
    return 0


def version_file(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    source = pyenv.deciding(cwd=arguments[0] if arguments else "", request="")
    if arguments and source["kind"] != "file":
        return 1
    print(source["path"] or pyenv.pin)
    return 0


def version_file_read(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    """Ask what a directory says in which the file is called `.python-version`."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BATS_TEST_TMPDIR")) as directory:
        link = f"{directory}/.python-version"
        os.symlink(os.path.abspath(arguments[0]), link)
        _, told = pyenv.ask("explain", cwd=directory, request="")
    source = next(s for s in told["data"]["considered"] if s["path"] == link)
    error = told.get("error") or {"kind": "", "message": ""}
    if source["error"] or texts(source) == ["system"]:  # which pyenv says by silence
        return 1
    if error["kind"] in {"version_file", "request"}:
        wrong = next(t for t in texts(source) if f"“{t}”" in error["message"])
        say(f"pyenv: invalid version `{wrong}' ignored in `{arguments[0]}'")
        return 1
    print(":".join(texts(source)))
    return 0


def version_file_write(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    force = [a for a in arguments if a in {"-f", "--force"}]
    path, *wanted = [a for a in arguments if a not in force]
    if os.path.abspath(path) == pyenv.pin:
        return _use(pyenv, ["--global", *wanted, *force])
    if os.path.basename(path) != ".python-version":
        say("bubble writes .python-version and the global pin only")
        return 2
    return _use(pyenv, [*wanted, *force], cwd=os.path.dirname(os.path.abspath(path)))


def local(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    cwd = os.getcwd()  # not PYENV_DIR
    if arguments:
        return _use(pyenv, arguments, cwd=cwd)
    source = pyenv.deciding(cwd=cwd, request="")
    if source["kind"] != "file":
        say("pyenv: no local version configured for this directory")
        return 1
    print("\n".join(texts(source)))
    return 0


def global_(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    if arguments:
        return _use(pyenv, ["--global", *arguments])
    source = next(s for s in pyenv.sources(cwd="/", request="") if s["kind"] == "global")
    print("\n".join(texts(source)) or "system")
    return 0


def _use(pyenv: Pyenv, arguments: Sequence[str], cwd: str = "") -> int:
    words = ["--force" if word == "-f" else word for word in arguments]
    status, told = pyenv.ask("use", *words, cwd=cwd)
    if not told["ok"]:
        _say_not_installed(told["error"], words)
    return status and 1


def _say_not_installed(error: Mapping[str, Any], words: Sequence[str]) -> None:
    for word in words:
        if f"“{word}”" in error["message"]:
            say(f"pyenv: version `{word}' not installed")
            return
    say(error["message"])


def versions(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    _, told = pyenv.ask("python", "list", "--installed")
    names = [pyenv.names.name_of(row["key"]) for row in told["data"]]
    if "--skip-envs" not in arguments:
        _, told = pyenv.ask("list")
        names += [pyenv.names.name_of(row["path"]) for row in told["data"]]
    names.sort(key=_order)
    if "--bare" in arguments:
        print("".join(f"{name}\n" for name in names), end="")
        return 0
    _, told = pyenv.ask("current", request="system")
    if told["data"]["answers"][0]["executable"]:
        names.insert(0, "system")
    if not names:
        say("Warning: no Python detected on the system")
        return 1
    _, data = pyenv.current()
    selected = [pyenv.names.name_of(a["name"]) for a in data.get("answers", ())]
    for name in names:
        here = name in selected
        print(f"* {name} (set by {pyenv.origin(data['source'])})" if here else f"  {name}")
    return 0


def _order(name: str) -> list[tuple[int, str]]:
    parts = name.replace("/", ".").split(".")
    return [(int(part) if part.isdigit() else 1 << 30, part) for part in parts]


def prefix(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    status, told = pyenv.ask("current", request=":".join(arguments) or None)
    if not told["ok"]:
        lacking = (told.get("data") or {}).get("missing")
        wanted = lacking or arguments or texts(pyenv.deciding())
        for word in wanted:
            say(f"pyenv: version `{word}' not installed")
        return status and 1
    found = []
    for answer in told["data"]["answers"]:
        if answer["prefix"]:
            found.append(pyenv.names.translated(os.path.realpath(answer["prefix"])))
        elif answer["executable"]:
            found.append(os.path.dirname(os.path.dirname(answer["executable"])))
        else:
            say("pyenv: system version not found in PATH")
            return 1
    print(":".join(found))
    return 0


def which(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    name = next(a for a in arguments if not a.startswith("--"))
    _, told = pyenv.ask("which", name)
    if told["ok"]:
        print(pyenv.names.translated(told["data"]["path"]))
        return 0
    if told["error"]["kind"] != "command_not_found":
        source = pyenv.deciding()
        for text in texts(source):
            say(f"pyenv: version `{text}' is not installed (set by {pyenv.origin(source)})")
    say(f"pyenv: {name}: command not found")
    have = _whence(pyenv, name)
    if have and "--skip-advice" not in arguments:
        say(f"\nThe `{name}' command exists in these Python versions:")
        say("".join(f"  {version}\n" for version in have))
        say("Note: See 'pyenv help global' for tips on allowing multiple")
        say("      Python versions to be found at the same time.")
    return 127


def whence(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    have = _whence(pyenv, arguments[-1])
    print("\n".join(have))
    return 0 if have else 1


def _whence(pyenv: Pyenv, name: str) -> list[str]:
    _, told = pyenv.ask("whence", name)
    found = told["data"] if told["ok"] else []
    names = [pyenv.names.name_of(row["key"]) if row["key"] else row["environment"] for row in found]
    return sorted(names, key=_order)


def exec_(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    """Run it; what it prints has pyenv's paths in the place of the store's."""
    done = subprocess.run(
        [BUBBLE, "exec", *arguments],
        cwd=pyenv.cwd,
        env=pyenv.env,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(pyenv.names.translated(done.stdout), end="")
    return done.returncode


def rehash(pyenv: Pyenv, _arguments: Sequence[str]) -> int:
    status, told = pyenv.ask("rehash", cwd="/")
    if not told["ok"]:
        say(f"pyenv: cannot rehash: {pyenv.root}/shims isn't writable")
    return status and 1


def latest(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    """Make the versions that the test's own `pyenv-versions` names, then ask for the prefix."""
    named = subprocess.run(["pyenv-versions", "--bare"], capture_output=True, text=True, check=True)
    for name in named.stdout.split():
        os.makedirs(f"{pyenv.root}/versions/{name}/bin", exist_ok=True)
        with open(f"{pyenv.root}/versions/{name}/bin/python", "wb") as file:
            os.fchmod(file.fileno(), 0o755)
    pyenv = Pyenv(os.environ)
    status, told = pyenv.ask("current", request=arguments[-1])
    if told["ok"]:
        print(pyenv.names.name_of(told["data"]["answers"][0]["name"]))
    else:
        say(f"pyenv: no installed versions match the prefix `{arguments[-1]}'")
    return status and 1


def init(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    shell = [a for a in arguments if a != "-" and not a.startswith("--")]
    if "--install" in arguments:
        done = subprocess.run(
            [BUBBLE, "init", *shell, "--install"],
            env=pyenv.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            path = done.stderr.removeprefix("error: ").partition(" is ")[0]
            say(f"pyenv: failed to inspect {path}")
        return done.returncode and 1
    with open(f"/proc/{os.getppid()}/comm", encoding="utf-8") as file:
        env = {**pyenv.env, "SHELL": file.read().strip()}
    command = [BUBBLE, "init", *shell]
    return subprocess.run(command, env=env, stderr=subprocess.DEVNULL, check=False).returncode


def sh_shell(pyenv: Pyenv, arguments: Sequence[str]) -> int:
    if not arguments:
        status, told = pyenv.ask("shell")
        if told["ok"] and not told["data"]["value"]:
            say("pyenv: no shell-specific version configured")
        return status
    status, told = pyenv.ask("shell", "--check", *arguments)
    if not told["ok"]:
        _say_not_installed(told["error"], arguments)
        print("false")
    return status and 1


def help_(_pyenv: Pyenv, arguments: Sequence[str]) -> int:
    return main([*arguments, "--help"])


def show_version(pyenv: Pyenv, _arguments: Sequence[str]) -> int:
    done = subprocess.run([BUBBLE, "--version"], env=pyenv.env, capture_output=True, check=False)
    print(f"pyenv {done.stdout.decode().split()[-1]}")
    return done.returncode


COMMANDS: dict[str, Callable[[Pyenv, Sequence[str]], int]] = {
    "--version": show_version,
    "exec": exec_,
    "global": global_,
    "help": help_,
    "init": init,
    "latest": latest,
    "local": local,
    "prefix": prefix,
    "rehash": rehash,
    "sh-rehash": rehash,
    "sh-shell": sh_shell,
    "shell": sh_shell,
    "version": version,
    "version-file": version_file,
    "version-file-read": version_file_read,
    "version-file-write": version_file_write,
    "version-name": version_name,
    "version-origin": version_origin,
    "versions": versions,
    "whence": whence,
    "which": which,
}


def main(words: Sequence[str]) -> int:
    """Run one of pyenv's commands; the rest is bubble's to refuse."""
    command, *arguments = words
    if not command:
        command, *arguments = arguments or [""]
    if command in COMMANDS:
        return COMMANDS[command](Pyenv(os.environ), arguments)
    done = subprocess.run(
        [BUBBLE, *filter(None, [command, *arguments])], capture_output=True, text=True, check=False
    )
    if "there is no command" in done.stderr:
        say(f"pyenv: no such command `{command}'")
    else:
        print(re.sub(r"^bubble (\S+):.*", r"pyenv \1", done.stdout), end="")
        say(done.stderr)
    return done.returncode and 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
