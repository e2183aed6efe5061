"""Every link inside the documentation leads somewhere, and every page is reached by one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from support.pages import ROOT, pages, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)(?: \"[^\"]*\")?\)")
_HTML = re.compile(r"<(?:img|a|source)[^>]*?(?:src|href|srcset)=\"([^\"]+)\"")


def prose(text: str) -> str:
    """Return a page without its code and comments."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^ *(```+).*?^ *\1 *$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)[^`].*?\1", "`code`", text)


def links(page: str) -> Iterator[tuple[str, str]]:
    """Yield the target, relative to the repository ("" for the page itself), and the anchor."""
    text = prose(text_of(page))
    for link in [*_LINK.findall(text), *_HTML.findall(text)]:
        if not re.match(r"[a-z+]+:", link):
            path, _, anchor = unquote(link).partition("#")
            place = os.path.join(os.path.dirname(page), path) if path else page
            yield os.path.normpath(place), anchor


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    found: set[str] = set()
    text = re.sub(r"^ *(```+).*?^ *\1 *$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    for title in re.findall(r"^#{1,6} +(.+?)\s*$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        unique, number = name, 0
        while unique in found:
            number += 1
            unique = f"{name}-{number}"
        found.add(unique)
    return found


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    for target, anchor in links(page):
        assert not target.startswith(".."), f"{page}: {target} is outside the repository"
        assert os.path.exists(os.path.join(ROOT, target)), f"{page}: there is no {target}"
        if anchor:
            assert anchor in anchors(target), f"{page}: {target} has no #{anchor}"


def test_every_page_and_picture_is_reached_from_the_readme() -> None:
    reached, waiting = set[str](), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target, _ in links(page)] if page.endswith(".md") else []
    assert set(pages()) <= reached, set(pages()) - reached
    pictures = os.path.join(ROOT, "docs", "pictures")
    drawn = {f"docs/pictures/{name}" for name in os.listdir(pictures)}
    assert drawn <= reached, drawn - reached


def test_the_pictures_are_drawings_that_fetch_nothing() -> None:
    pictures = os.path.join(ROOT, "docs", "pictures")
    for name in os.listdir(pictures):
        with open(os.path.join(pictures, name), encoding="utf-8") as file:
            text = file.read()
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert not re.search(r"@import|@font-face|url\((?!#)|href=\"[^#]", text), name


def test_a_dead_link_and_a_dead_anchor_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "docs/a.md": "[x](b.md#there) [y](#no) `[z](gone)` [w](gone.md)",
        "docs/b.md": "# There",
    }
    monkeypatch.setitem(globals(), "text_of", texts.__getitem__)
    assert list(links("docs/a.md")) == [
        ("docs/b.md", "there"), ("docs/a.md", "no"), ("docs/gone.md", ""),
    ]  # fmt: skip
    assert anchors("docs/b.md") == {"there"}
    assert anchors("docs/a.md") == set()
