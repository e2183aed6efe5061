"""A bundle: one file with bubble, interpreters, a project's locks and all that they select.

    #!/bin/sh …             the head, HEAD bytes: checks the rest, installs bubble from it, and lets
                            that do the rest (`head.sh`)
    contents.json           what is in it, with the sha256 and size of each file
    bubble/…                the installer, bubble's wheel, the wheels that it needs
    project/…               a project's manifest and locks, byte for byte
    pythons/<tag>/<file>    interpreters' archives: bubble's own, and those that were asked for
    wheels/<sha256>.whl     what the locks select

Behind the head lies a plain tar, which any `tar` lists: `tail -c +16385 FILE | tar -t`. bubble has
no reader for it: each header must be, byte for byte, the one that `contents.json` calls for
(`layout`), so there are no names, links, types or sizes that two readers could take differently.

It is a script, and no archive with one inside, because one command is typed, and nothing is
unpacked before the whole file was held against its digest: `tar` has unpacked by then.
"""
