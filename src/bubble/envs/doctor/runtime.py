"""What only a running interpreter tells: one process for each managed one, side by side.

Builds that are made elsewhere look for certificates, terminals and compilers where that machine
had them (https://gregoryszorc.com/docs/python-build-standalone/main/quirks.html).
"""

from __future__ import annotations

import json
import os
from shlex import quote

from bubble.envs.doctor.finding import ERROR, NOTE, WARNING, Finding, Patient
from bubble.envs.doctor.system import TERMINALS, install_command
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.pythons.probing.isolation import isolated, without_python
from bubble.selection.path import find_system
from bubble.system import process
from bubble.system.http.trust import SYSTEM_BUNDLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.pythons.installed.store import Installation

_TIMEOUT = 30.0  # seconds
_PROBES = 8  # at a time
_SCRIPT = """
import json, sys
found = {}
try:
    import _ssl
    found["certificates"] = list(_ssl.get_default_verify_paths())
except Exception:
    pass
try:
    import _curses
    if sys.argv[1]:
        _curses.setupterm(sys.argv[1], 1)
except ImportError:
    pass
except Exception as error:
    found["terminal"] = str(error)
try:
    import sysconfig
    found["compiler"] = sysconfig.get_config_var("CC") or ""
except Exception:
    pass
print(json.dumps(found))
"""


class Answer(Record):
    """What an interpreter said, or why it didn't.

    `certificates` are the compiled-in file and directory; `terminal` is what was wrong with TERM,
    or ""; `compiler` is what extensions are built with; `failure` is the last line on stderr.
    """

    installation: Installation
    certificates: tuple[str, ...] = ()
    terminal: str = ""
    compiler: str = ""
    failure: str = ""


def running(patient: Patient) -> Iterator[Finding]:
    """Run every managed interpreter once, and look at what it says."""
    from concurrent.futures import ThreadPoolExecutor

    present = [
        i
        for i in store.installations(patient.layout)
        if not i.is_adopted and os.path.exists(i.executable)
    ]
    if not present:
        return
    with ThreadPoolExecutor(max_workers=_PROBES) as pool:
        answers = list(pool.map(lambda i: _ask(i, patient), present))
    yield from _failures(answers, patient)
    whole = [answer for answer in answers if not answer.failure]
    yield from _certificates(whole, patient)
    yield from _terminals(whole, patient)
    yield from _compilers(whole, patient)


def _ask(installation: Installation, patient: Patient) -> Answer:
    term = patient.env.get("TERM", "")
    env = without_python(patient.env)
    argv = isolated(installation.executable, "-B", "-c", _SCRIPT)
    try:
        done = process.run(
            [*argv, "" if term in {"dumb", "unknown"} else term], env=env, timeout=_TIMEOUT
        )
        found = json.loads(done.stdout) if done.status == 0 else {}
        failure = "" if done.status == 0 else _last(done.stderr) or f"status {done.status}"
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        found, failure = {}, printable(str(error))
    paths = found.get("certificates", [])
    return Answer(
        installation=installation,
        certificates=(paths[1], paths[3]) if len(paths) == 4 else (),
        terminal=found.get("terminal", ""),
        compiler=found.get("compiler", ""),
        failure=failure,
    )


def _failures(answers: Sequence[Answer], patient: Patient) -> Iterator[Finding]:
    for answer in answers:
        if not answer.failure:
            continue
        key = answer.installation.key
        name, fix, automatic = "python.broken", f"bubble python verify --repair {key}", True
        if "GLIBC_" in answer.failure:
            # nothing can mend that here but another build, or another system
            name, fix, automatic = "python.libc", f"bubble python uninstall {key}", False
        elif "libcrypt.so.1" in answer.failure:
            name, fix, automatic = (
                "python.library",
                install_command("libcrypt", patient.env, patient.layout),
                False,
            )
        yield Finding(
            id=name,
            severity=ERROR,
            what=f"{key.name} doesn't run: {printable(answer.failure, 300)}",
            where=answer.installation.prefix,
            fix=fix,
            automatic=automatic,
        )


def _certificates(answers: Sequence[Answer], patient: Patient) -> Iterator[Finding]:
    if patient.env.get("SSL_CERT_FILE") or patient.env.get("SSL_CERT_DIR"):
        return  # whether they are right is looked at elsewhere
    bad = [a for a in answers if a.certificates and not _has_certificates(*a.certificates)]
    if not bad:
        return
    bundle = next((path for path in SYSTEM_BUNDLES if os.path.isfile(path)), "")
    yield Finding(
        id="system.certificates",
        severity=WARNING,
        what=f"{_names(bad)} can't find this system's certificates: HTTPS fails in urllib",
        where=bad[0].certificates[0],
        fix=f"export SSL_CERT_FILE={quote(bundle)}"
        if bundle
        else install_command("ca", patient.env, patient.layout),
    )


def _has_certificates(file: str, directory: str) -> bool:
    if os.path.isfile(file):
        return True
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    return any(len(name) == 10 and name[8:] == ".0" for name in names)  # OpenSSL's hashes


def _terminals(answers: Sequence[Answer], patient: Patient) -> Iterator[Finding]:
    bad = [a for a in answers if a.terminal]
    if not bad:
        return
    term = patient.env["TERM"]
    places = [*TERMINALS, *(f"{a.installation.prefix}/share/terminfo" for a in bad)]
    own = [d for d in patient.env.get("TERMINFO_DIRS", "").split(":") if d]
    having = [d for d in places if _describes(d, term)]
    plain = [d for d in places if _describes(d, "xterm")]
    if having:
        fix = f"export TERMINFO_DIRS={quote(':'.join([*own, *having]))}"
    elif plain:
        fix = f"export TERM=xterm TERMINFO_DIRS={quote(':'.join([*own, *plain]))}"
    else:
        fix = install_command("terminfo", patient.env, patient.layout)
    yield Finding(
        id="system.terminfo",
        severity=WARNING,
        what=f"{_names(bad)} can't find the terminal “{printable(term, 40)}”: the prompt's "
        "editing and curses fail",
        where="TERMINFO_DIRS",
        fix=fix,
    )


def _describes(directory: str, term: str) -> bool:
    if not term or "/" in term:
        return False
    first = (term[0], f"{ord(term[0]):x}")
    return any(os.path.exists(f"{directory}/{letter}/{term}") for letter in first)


def _compilers(answers: Sequence[Answer], patient: Patient) -> Iterator[Finding]:
    chosen = patient.env.get("CC", "")
    bad = [
        a for a in answers if a.compiler and not _has((chosen or a.compiler).split()[0], patient)
    ]
    if not bad:
        return
    wanted = (chosen or bad[0].compiler).split()[0]
    other = next((c for c in ("cc", "gcc", "clang") if _has(c, patient)), "")
    yield Finding(
        id="system.compiler",
        severity=NOTE,
        what=f"{_names(bad)} can't build C extensions: {printable(wanted)} is not on PATH",
        where="CC" if chosen else "PATH",
        fix=f"export CC={other}"
        if other
        else install_command("compiler", patient.env, patient.layout),
    )


def _has(program: str, patient: Patient) -> bool:
    if "/" in program:
        return os.access(program, os.X_OK)
    return bool(find_system(program, patient.env, patient.layout))


def _names(answers: Sequence[Answer]) -> str:
    names = [answer.installation.key.name for answer in answers]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" * (len(names) > 3))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
