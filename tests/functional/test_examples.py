"""Every example that a command's help gives is run, in a place where what it names is there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from bubble.cli.table import COMMANDS
from bubble.pythons.catalogue.catalogue import open_catalogue
from bubble.system.layout import Layout
from support.builds import TAG
from support.editable_project import MADE_BY_SHELL
from support.needs import needs, real_uv
from support.pages import Step
from support.reader import Library, Reader, with_needed

if TYPE_CHECKING:
    from pathlib import Path

# of the catalogue that bubble comes with: an older one is refused
NEWEST = open_catalogue(Layout(home="/nonexistent", cache="/nonexistent"), {}).date.replace("-", "")
PYTHONS = """
export BUBBLE_CATALOG=$READER_DOUBLES
bubble python install 3.12.4 3.11.9
"""
SHELL = f"""
{PYTHONS}
eval "$(bubble init bash)"
"""
# small environments of doubles, without pip
ENVIRONMENTS = f"""
{PYTHONS}
mkdir -p ~/code/site ~/project; (cd ~/code/site; bubble create -p 3.12 --no-pip)
cd ~/project; bubble create -p 3.12 --no-pip; bubble create train -p 3.12 --no-pip
"""
# real ones, for what pip does
REAL = """
bubble python install 3.12
mkdir ~/project; cd ~/project; echo requests >requirements.txt
"""
# a project, and an index of wheels for uv
PROJECT = r"""
export UV_OFFLINE=1 UV_FIND_LINKS=$PIP_FIND_LINKS
bubble python install 3.12
mkdir ~/project; cd ~/project
printf 'python = "3.12"\n[bubbles.default]\ndependencies = ["requests"]\n' >bubble.toml
printf '[bubbles.train]\n[bubbles.evaluate]\n' >>bubble.toml
"""
# a project that its lock alone describes
BUNDLE = r"""
export BUBBLE_CATALOG=$READER_REAL
mkdir ~/project; cd ~/project
archive=$(ls "$(dirname "$READER_REAL")"/*/cpython-3.12.*.tar.gz)
version=${archive##*/cpython-}; version=${version%%+*}; sum=$(sha256sum "$archive")
printf 'lock-version = "1.0"\ncreated-by = "me"\npackages = []\n' >pylock.toml
printf '[tool.bubble]\nformat = 1\n[tool.bubble.python]\nversion = "%s"\n' "$version" >>pylock.toml
printf '[[tool.bubble.python.builds]]\nkey = "cpython-%s-%s"\n' \
    "$version" "$READER_PLATFORM" >>pylock.toml
printf 'build = "1"\nurl = "file://%s"\nsha256 = "%s"\n' "$archive" "${sum%% *}" >>pylock.toml
"""
BUNDLED = f"{BUNDLE}\nbubble bundle create site.sh --project . --release $READER_RELEASE"
PACKED = f"""
{REAL}
bubble create train -p 3.12 --no-pip; bubble create -p 3.12 --no-pip
"""
# what a command's examples find, and, below the words of one example, what that one alone needs
SCENES = {
    "python install": PYTHONS,
    "python list": PYTHONS,
    "python find": f"{PYTHONS}\nbubble python install 3.13t",
    "python uninstall": f"{PYTHONS}\nbubble python install 3.10 3.13t",
    "python upgrade": "export BUBBLE_CATALOG=$READER_DOUBLES; bubble python install 3.12.0 3.11.4",
    "python verify": PYTHONS,
    "python adopt": 'mkdir -p ~/.pyenv/versions; ln -s "$READER_PYTHON" ~/.pyenv/versions/3.11.7',
    "python update": PYTHONS,
    "new": "mkdir ~/project; cd ~/project; echo requests >requirements.txt",
    "lock": PROJECT,
    "sync": PROJECT,
    "status": f"{PROJECT}\nbubble sync --all",
    "rollback": f"""
        {PROJECT}
        bubble sync --all
        .venv/bin/pip uninstall -qy requests; .venvs/train/bin/pip install -q requests
        bubble sync --all
    """,
    "create": REAL,
    "remove": ENVIRONMENTS,
    "run": ENVIRONMENTS,
    "use": PYTHONS,
    "local": PYTHONS,
    "global": PYTHONS,
    "which": f"{PYTHONS}\nbubble use 3.12",
    "whence": PYTHONS,
    "exec": f"{PYTHONS}\nbubble use 3.12; bubble create train -p 3.12 --no-pip\n"
    "printf 'test:\n\\tpython -V\n' >Makefile",
    "explain": f"{PYTHONS}\nbubble use 3.12",
    "rehash": PYTHONS,
    "list": ENVIRONMENTS,
    "info": ENVIRONMENTS,
    "clone": ENVIRONMENTS,
    "rename": ENVIRONMENTS,
    "repair": ENVIRONMENTS,
    "adopt": """
        mkdir ~/project ~/.virtualenvs; cd ~/project
        "$READER_PYTHON/bin/python3" -m venv --without-pip .venv
        "$READER_PYTHON/bin/python3" -m venv --without-pip ~/.virtualenvs/site
    """,
    "export": f"{REAL}\nbubble create -r requirements.txt; bubble clone .venv train",
    "pack": PACKED,
    "unpack": f"{PACKED}\nbubble pack train -o train.tar.gz",
    "doctor": PYTHONS,
    "config unset": "bubble config set cache-dir ~/scratch/bubble",
    "gc": ENVIRONMENTS,
    "cache size": PYTHONS,
    "cache prune": PYTHONS,
    "kernel install": f"{REAL}\nbubble create train -p 3.12 ipykernel; bubble clone train .venv",
    "kernel list": ENVIRONMENTS,
    "kernel remove": (
        f"{REAL}\nbubble create train -p 3.12 ipykernel && bubble kernel install train"
    ),
    "shell": SHELL,
    "activate": f"""
        {SHELL}
        bubble create web -p 3.12 --no-pip
        mkdir -p ~/project/tools; cd ~/project; bubble create -p 3.12 --no-pip
        cp -r ~/.local/share/bubble/envs/web tools/env
    """,
    "deactivate": f"{SHELL}\nbubble create web -p 3.12 --no-pip; bubble activate web",
    "import": """
        mkdir -p ~/.pyenv/versions; ln -s "$READER_PYTHON" ~/.pyenv/versions/3.11.7
        mkdir ~/project; cd ~/project; printf 'dependencies: [pandas]\\n' >environment.yml
        printf '{"_meta": {}, "default": {"requests": {"version": "==2.31.0", "hashes":
            ["sha256:%064d"]}}}' 0 >Pipfile.lock
    """,
    "init": "mkdir -p ~/.config/fish",
    "completions": "mkdir -p ~/.zfunc ~/.config/fish/completions",
    "bundle create": BUNDLE,
    "bundle install": BUNDLED,
    "bundle show": BUNDLED,
    "mirror create": "export BUBBLE_CATALOG=$READER_DOUBLES",
    "mirror pack": """
        mkdir -p ~/.pyenv/versions; ln -s "$READER_PYTHON" ~/.pyenv/versions/3.11.7
    """,
}
COMMANDS_OF_3_12 = """
for name in black pip; do
    command=$(dirname "$(bubble python find 3.12)")/$name
    echo "#!/bin/sh" >"$command"; chmod +x "$command"; bubble rehash
done
"""
SCRIPT = r"""
printf '# /// script\n# dependencies = []\n# ///\n' >report.py
"""
# what one example needs beyond that
BEFORE = {
    "bubble create --script report.py": SCRIPT,
    "bubble lock --script report.py": SCRIPT,
    "bubble run report.py --week 12": SCRIPT,
    "bubble run --locked report.py": r"""
        printf 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n' >report.py.lock
    """,
    "bubble python install": "cd; echo 3.12 >.python-version",
    "bubble python install --from python.tar.gz --sha256 HEX 3.12.4": """
        HEX=$(cd "$(dirname "$READER_DOUBLES")"; grep "3.12.4.*$(uname -m)" SHA256SUMS)
        HEX=${HEX%% *}
        cp "$(dirname "$READER_DOUBLES")"/*/cpython-3.12.4*"$(uname -m)"*.tar.gz python.tar.gz
        bubble python uninstall --force 3.12.4
    """,
    "bubble python update --url file:///srv/python/catalogue.json": f"""
        mkdir /srv/python; sed s/{TAG}/{NEWEST}/ "$READER_DOUBLES" >/srv/python/catalogue.json
    """,
    "bubble python adopt /usr/bin/python3": "bubble python uninstall 3.11",
    "bubble create": "bubble use 3.12",
    "bubble create -r requirements.txt": "bubble remove .venv",
    "bubble create -e '.[dev]'": f"bubble remove .venv\n{MADE_BY_SHELL}",
    "bubble run train python train.py": "echo 'print(1)' >train.py",
    "bubble run --env-file .env train python -V": "echo DEBUG=1 >.env",
    "bubble run .venv pytest -x": (
        "printf '#!/bin/sh\nexit 0\n' >.venv/bin/pytest; chmod +x .venv/bin/pytest"
    ),
    "bubble whence black": COMMANDS_OF_3_12,
    "bubble which pip": COMMANDS_OF_3_12,
    "bubble explain black": COMMANDS_OF_3_12,
    "bubble clone train ~/code/site/.venv": "bubble remove ~/code/site/.venv",
    "bubble repair": "mv ~/project ~/moved; cd ~/moved",
    "bubble repair train": "bubble python install 3.12.0; bubble python uninstall --force 3.12.4",
    "bubble adopt ~/.virtualenvs/site --name site": "bubble remove ~/.virtualenvs/site",
    "bubble lock --all --check": "bubble lock --all",
    "bubble lock --from .venv": "bubble sync",
    "bubble sync --all --locked": "bubble lock --all",
    "bubble export pylock.toml -o requirements.txt": """
        printf 'lock-version = "1.0"\\ncreated-by = "me"\\npackages = []\\n' >pylock.toml
    """,
    "bubble pack train --for spark": "rm -f train.tar.gz",
    "bubble pack train --no-python": "rm -f train.tar.gz",
    "bubble pack train --check train.tar.gz": "bubble pack train -o train.tar.gz --force",
    "bubble kernel install train --prefix /opt/jupyter": "bubble kernel remove train",
}
NOT_RUN = {
    "bubble run --sync train python train.py": "test_project_bubbles.py has it",
    **dict.fromkeys(
        (
            "bubble self update",
            "bubble self update --to 0.2.0",
            "bubble self update --from ~/Downloads/bubble-0.2",
            "bubble self update --back",
            "bubble self uninstall --all",
        ),
        "of what install.sh installed; test_install_script.py has them",
    ),
    "bubble bundle create bubble.sh 3.12": "as with a project, and pip takes its time",
    "bubble bundle create bubble.sh 3.12 --platform aarch64-unknown-linux-gnu": (
        "wants an index with wheels for it"
    ),
    "bubble init pwsh | Out-String | iex": "PowerShell's own words",
    "bubble init nu | save -f ~/.bubble.nu": "Nushell's own words; test_shell_nu.py has it",
    "bubble init fish | source": "fish's own words; test_shell_init.py has it",
    "bubble import poetry.lock --lock": "wants uv; test_import_locks.py has it",
}


def examples(words: str) -> list[str]:
    """Return the command lines that the help of a command shows."""
    module = import_module(f"bubble.cli.commands.{COMMANDS[words][0]}")
    return [line for line, _ in module.EXAMPLES]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(str(tmp_path_factory.mktemp("library")))


@needs("bash", "make")
@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_example_runs(words: str, library: Library, tmp_path: Path) -> None:
    uv = real_uv() if PROJECT in SCENES.get(words, "") else ""
    more = with_needed(library) if SCENES.get(words) == BUNDLE else {}
    with Reader(str(tmp_path), library, more=more) as reader:
        if uv:
            reader.check(Step(0, f"mkdir -p ~/bin; ln -s {uv} ~/bin; PATH=~/bin:$PATH"), words)
        reader.check(Step(0, SCENES.get(words, ":")), words)
        for line in examples(words):
            if line not in NOT_RUN:
                reader.check(Step(0, BEFORE.get(line, ":")), line)
                reader.check(Step(0, line.replace("HEX", "$HEX")), words)


def test_the_tables_name_commands_and_examples_that_there_are() -> None:
    assert SCENES.keys() <= COMMANDS.keys()
    every = {line for words in COMMANDS for line in examples(words)}
    assert BEFORE.keys() <= every, BEFORE.keys() - every
    assert NOT_RUN.keys() <= every, NOT_RUN.keys() - every
