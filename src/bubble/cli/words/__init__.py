"""Other tools' words, and the command that does the same here: the one table of them.

A line is matched from its beginning; its options may stand anywhere behind its first word. In it,
VERSION stands for a Python request, ANACONDA for what pyenv calls Anaconda and its like, SCRIPT for
a file that ends in .py, VARIABLE for NAME=VALUE, SPEC for a requirement that is
more than a name, WORDS for all that is left, PACKAGES for all of
that which is no option, and any other word in capitals for one word that is no option; the answer
has what was typed in their places, and a capital word that nothing stands for stays. What a person
typed stays in the answer wherever the command there takes it. The first line that matches is the
answer, so what is more particular comes first. A `;` separates answers, where it depends on what
was meant. Options of single commands are in `cli.foreign_options`.
"""

from __future__ import annotations

from bubble.cli.words import conda, mise, plain, projects, pyenv, uv

LINES = {
    **pyenv.LINES,
    **uv.LINES,
    **mise.LINES,
    **conda.LINES,
    **projects.LINES,
    **plain.LINES,
}
# what may stand anywhere in another tool's line and says nothing here
NEEDLESS = frozenset(
    {
        *("-y", "--yes", "-q", "--quiet", "-v", "--verbose", "-f", "--force", "--seed", "--clear"),
        *(
            "--dev",
            "--resolved",
            "-U",
            "--upgrade",
            "--relocatable",
            "--override-channels",
            "--no-deps",
        ),
    }
)
NEEDLESS_WITH_VALUE = frozenset(
    {"-c", "--channel", "--solver", "--index", "--index-url", "--default-index", "--group", "-G"}
)
