"""The one error class, its kinds, and what each kind means to a calling script.

An error carries what happened and the next step. How it is shown is `cli.output`'s business.
"""

from __future__ import annotations

# kind → exit status; what is not here is 1, "the operation failed"
EXIT_STATUS = {
    "usage": 2,
    "configuration": 2,
    "request": 2,
    "cannot_execute": 126,
    "command_not_found": 127,
    "interrupted": 130,
}

KINDS = frozenset(EXIT_STATUS) | {
    "archive",  # an archive breaks the rules of the extractor
    "catalogue",  # a catalogue can't be read, is older, or contradicts what is known
    "checksum",  # the bytes are not the ones that were asked for
    "declined",  # somebody was asked, and said no
    "download",  # the network or the server failed
    "environment",  # there is no environment there, or it isn't in a state that allows this
    "in_use",  # something still needs what is to be removed
    "internal",  # a fault of bubble itself
    "io",  # the file system said no
    "lock",  # a lock can't be read, isn't its manifest's any more, or isn't for this machine
    "locked",  # another process holds the lock for too long
    "manifest",  # a project's manifest can't be understood, or names what isn't there
    "no_environment",  # no environment has this name
    "no_space",  # the disk is full
    "not_installed",  # nothing installed satisfies the request
    "offline",  # the network is switched off by BUBBLE_OFFLINE
    "permission",  # not allowed, or a read-only file system
    "probe",  # an interpreter doesn't run or isn't what it says
    "resolution",  # no packages satisfy all that is asked of them
    "script",  # a script's metadata can't be understood, or the script can't be read
    "store",  # the store is not in a state that allows this
    "unavailable",  # nothing in the catalogue satisfies the request
    "version_file",  # a version file can't be read or names what it must not
    "verify",  # files differ from the manifest
}


class BubbleError(Exception):
    """What went wrong, in one sentence, and what to do next.

    `kind` is one of `KINDS`; `message` is one line without a final full stop's need for context;
    `hint` is a next step, best a command; `details` holds JSON-ready extras for `--json`.
    Text that comes from outside must have gone through `model.text.printable`.
    """

    def __init__(
        self, kind: str, message: str, *, hint: str = "", details: dict[str, object] | None = None
    ) -> None:
        assert kind in KINDS, kind
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.details = details or {}

    @property
    def exit_status(self) -> int:
        """The process's exit status for this kind of error."""
        return EXIT_STATUS.get(self.kind, 1)

    def replace_hint(self, hint: str) -> BubbleError:
        """Return the same error with another next step."""
        return BubbleError(self.kind, self.message, hint=hint, details=self.details)
