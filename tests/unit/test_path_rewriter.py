"""Paths in texts: each language's own spelling, the whole path, and back again."""

from __future__ import annotations

import ast
import itertools
import json
import os
import shlex
import shutil
import subprocess
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.envs.changing.path_rewriter import PathRewriter
from bubble.envs.making.activation import QUOTES
from support.needs import needs

HARD = " '\"%é#$\\&;~+@=[](){}!*?|<>`^,ß\u0301\u2028🐍\t"
NEIGHBOURS = [
    *("/x/p copy/src", "/x/pé/src", "/x/p2/src", "/x/p.old", "/x/p-1", "/x/p+1", "/x/p@2/src"),
    *("/x/p~", "/x/p%20q", "/x/p#1", "/mnt/x/p/src", "/é/x/p", "x/p", "//x/p"),
]
NAMES = st.text(st.sampled_from(f"ab.-_1{HARD}"), min_size=1, max_size=12).filter(
    lambda name: name.strip(" .\t") and name not in {".", ".."} and name == name.strip()
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
TAILS = st.sampled_from(["", "/src", "/src/a b", "/it's"])


def there_and_back(rewriter: str, text: str, old: str, new: str) -> tuple[str, str]:
    forth = getattr(PathRewriter([(old, new)]), rewriter)(text)
    return forth, getattr(PathRewriter([(new, old)]), rewriter)(forth)


@given(old=PATHS, new=PATHS, tail=TAILS)
def test_a_json_string_stays_json(old: str, new: str, tail: str) -> None:
    text = json.dumps({"argv": [f"{old}{tail}", "-m"], "é": "é"}, indent=1, ensure_ascii=False)
    forth, back = there_and_back("json", text, old, new)
    assert json.loads(forth) == {"argv": [f"{new}{tail}", "-m"], "é": "é"}
    assert json.loads(back) == json.loads(text)


@given(old=PATHS, new=PATHS, tail=TAILS, safe=st.sampled_from(["/", "/'()!$&*+,;=:@~"]))
def test_a_url_is_quoted_and_nothing_else_is(old: str, new: str, tail: str, safe: str) -> None:
    text = json.dumps({"url": f"file://{quote(f'{old}{tail}', safe=safe)}"})
    forth, back = there_and_back("json", text, old, new)
    for said, path in ((forth, new), (back, old)):
        url = json.loads(said)["url"]
        assert url.isascii()
        assert unquote(urlsplit(url).path) == f"{path}{tail}"


@given(old=PATHS, new=PATHS, tail=TAILS, double=st.booleans())
def test_a_python_literal_stays_one(old: str, new: str, tail: str, double: bool) -> None:
    literal = json.dumps(f"{old}{tail}", ensure_ascii=False) if double else repr(f"{old}{tail}")
    text = f"# of {old}\nMAPPING = {{'it': {literal}}}  # don't\nOTHER = b'x'\n"
    forth, back = there_and_back("python", text, old, new)
    for said, path in ((forth, new), (back, old)):
        values: dict[str, object] = {}
        exec(compile(said, "finder", "exec"), values)
        assert values["MAPPING"] == {"it": f"{path}{tail}"}


@given(old=PATHS, new=PATHS, tail=TAILS)
def test_a_line_of_a_path_file_is_plain_text(old: str, new: str, tail: str) -> None:
    text = f"import site; site.x = {old!r}\n{old}{tail}\n# {old}\n/elsewhere{old}\n"
    rewriter = PathRewriter([(old, new)])
    lines = rewriter.path_file(text, "/sp", "/sp").split("\n")
    assert lines[1] == f"{new}{tail}"
    assert lines[2:] == [f"# {old}", f"/elsewhere{old}", ""]
    assert ast.literal_eval(lines[0].partition(" = ")[2]) == new
    back = PathRewriter([(new, old)]).path_file("\n".join(lines), "/sp", "/sp")
    assert back.split("\n")[1:] == text.split("\n")[1:]


def value_in_sh(shell: str, script: str) -> str:
    done = subprocess.run(
        [shell, "-c", f'{script}printf %s "$A"'], capture_output=True, check=True, timeout=60
    )
    return os.fsdecode(done.stdout)


SPECIAL = ["/plain/x", "/my work", "/Anna's", '/do"uble', "/50%20", "/josé", "/c#", "/a$b `c`",
           "/back\\slash", "/it's \"both\" $x"]  # fmt: skip


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_a_path_in_a_shell_script_means_itself(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"not here: {shell}")
    forms = (QUOTES["activate"], shlex.quote)
    for old in SPECIAL:
        for new in SPECIAL:
            if old == new:
                continue
            for quoting, tail in itertools.product(forms, ("", "/bin:x")):
                text = f"A={quoting(old)}{tail}\n"
                forth, back = there_and_back_in_sh(text, old, new)
                assert value_in_sh(shell, forth) == f"{new}{tail}", (text, new)
                assert value_in_sh(shell, back) == f"{old}{tail}", (text, new)


def there_and_back_in_sh(text: str, old: str, new: str) -> tuple[str, str]:
    forth = PathRewriter([(old, new)]).shell(text, QUOTES["activate"])
    return forth, PathRewriter([(new, old)]).shell(forth, QUOTES["activate"])


@pytest.mark.parametrize("new", SPECIAL)
@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('A="/old/x"', "{}"),
        ('A="$Y:/old/x:/old/x/bin"', "y:{}:{}/bin"),
        ("A='pre:/old/x/y'", "pre:{}/y"),
        ("A=/old/x:$Y", "{}:y"),
        ('A="/old/x"/bin', "{}/bin"),
        ('A="$Y/old/x"', "y/old/x"),  # the path begins with what the variable has
    ],
)
def test_quotes_that_a_path_stands_in_go_on_to_hold(new: str, text: str, means: str) -> None:
    forth = PathRewriter([("/old/x", new)]).shell(text, QUOTES["activate"])
    assert value_in_sh("sh", f"Y=y; {forth}; ") == means.replace("{}", new)


@needs("fish")
def test_a_path_in_a_fish_script_means_itself() -> None:
    for old in SPECIAL:
        for new in SPECIAL:
            text = f"set -g A {QUOTES['activate.fish'](old)}\n"
            forth = PathRewriter([(old, new)]).shell(text, QUOTES["activate.fish"])
            done = subprocess.run(
                ["fish", "--no-config", "-c", f"{forth}printf %s $A"],
                capture_output=True,
                check=True,
            )
            assert os.fsdecode(done.stdout) == new, (old, new)


@pytest.mark.parametrize("other", NEIGHBOURS)
@pytest.mark.parametrize("kind", ["json", "python", "lines", "path_file", "configuration"])
def test_a_neighbour_is_left_alone(kind: str, other: str) -> None:
    rewriter = PathRewriter([("/x/p", "/new")])
    if kind == "path_file":
        assert rewriter.path_file(f"{other}\n", "/sp", "/sp") == f"{other}\n"
        return
    text = {"json": json.dumps([other]), "python": f"A = {other!r}\n", "lines": f"{other}\n",
            "configuration": f"home = {other}\n"}[kind]  # fmt: skip
    assert getattr(rewriter, kind)(text) == text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///x/p", "file:///new%20p"),
        ("file://localhost/x/p/a%20b", "file://localhost/new%20p/a%20b"),
        ("git+file:///x/p@v1#egg=x", "git+file:///new%20p@v1#egg=x"),
        ("file:///x/p@2/src", "file:///x/p@2/src"),
        ("file:///x/p%20copy/src", "file:///x/p%20copy/src"),
        ("file:///x/p%C3%A9", "file:///x/p%C3%A9"),
        ("https://h.example/x/p", "https://h.example/x/p"),
    ],
)
def test_a_url_is_one_as_a_whole(url: str, expected: str) -> None:
    rewriter = PathRewriter([("/x/p", "/new p")])
    assert json.loads(rewriter.json(json.dumps({"url": url}))) == {"url": expected}
    assert rewriter.text(f"pkg @ {url}") == f"pkg @ {expected}"


def test_all_paths_change_in_one_pass() -> None:
    rewriter = PathRewriter([("/a/.venv", "/b/.venv"), ("/a", "/b"), ("/b", "/c")])
    assert rewriter.text("/a/.venv/bin:/a/src:/b/src") == "/b/.venv/bin:/b/src:/c/src"
    assert rewriter.path("/a") == "/b"
    assert rewriter.path("/ab") == "/ab"


def test_a_relative_line_leads_where_it_led() -> None:
    rewriter = PathRewriter([("/p/.venv", "/clone")])
    before, after = "/p/.venv/lib/python3.12/site-packages", "/clone/lib/python3.12/site-packages"
    line = "../../../../src\n"
    assert rewriter.path_file(line, before, after) == "/p/src\n"
    assert rewriter.path_file("inside\n../x\n", before, after) == "inside\n../x\n"
    moved = PathRewriter([("/p/.venv", "/q/.venv"), ("/p", "/q")])
    assert moved.path_file(line, before, before.replace("/p/", "/q/")) == line


def test_what_is_no_language_of_its_own_stays_as_it_is() -> None:
    rewriter = PathRewriter([("/x", "/it's")])
    assert rewriter.json('{"a": "\\u00zz", "b": "/x"') == '{"a": "\\u00zz", "b": "/it\'s"'
    assert rewriter.python('a = f"{b}/x"\n') == 'a = f"{b}/x"\n', "it would need an escape"
    assert rewriter.python("a = b'/x/y'\n") == 'a = b"/it\'s/y"\n'
    assert rewriter.python("a = '''/x/\ny'''\n") == 'a = "/it\'s/\\ny"\n'
    assert rewriter.python("a = '\\d/x'\n") == "a = '\\d/x'\n"
