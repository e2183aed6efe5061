"""The plots beside the page, as SVG that reads in light and in dark: made from the page's JSON."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# one colour a contestant, legible on white and on black
COLOURS = {
    "bubble": "#1f9e6e", "uv": "#b455c8", "pyenv": "#3b82d6", "mise": "#d97706",
    "hatch": "#e0528b", "pdm": "#7a8b1f", "virtualenv": "#8b6f5c", "venv": "#0e9aa7",
    "install": "#7c7f87", "venv-pack": "#a3352b", "pex": "#c2a000", "uv, no cache": "#d9a3e4",
}  # fmt: skip
OTHER = "#7c7f87"
LEFT, RIGHT, LINE, TOP = 380, 24, 19, 82
WIDTH = 900
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.quiet{fill:#656d76}"
    ".head{font-weight:600}.grid{stroke:#8c959f;stroke-opacity:.3}.stem{stroke:#8c959f;"
    "stroke-width:2;stroke-opacity:.7}.one{stroke:#1f9e6e;"
    "stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}}"
)


def ratios(document: Mapping[str, Any]) -> str:
    """Return the plot of how many times as much as bubble each peer needs, row by row.

    `document` is what page.write stores. The scale is logarithmic: what is left of the line at 1
    needs less than bubble.
    """
    rows = list(_rows(document))
    values = [value for _, peers in rows for value in peers.values()]
    low = 10 ** math.floor(math.log10(min([*values, 0.5])))
    high = 10 ** math.ceil(math.log10(max([*values, 10])))
    height = TOP + LINE * len(rows) + 16

    def at(value: float) -> float:
        share = math.log10(value / low) / math.log10(high / low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts = [
        _text(
            12, 20, "times what bubble needs (bubble is the line at 1; left of it is less)", "head"
        )
    ]
    parts += _legend(dict.fromkeys(name for _, peers in rows for name in peers), 40)
    for exponent in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x, kind = at(10**exponent), "grid" if exponent else "one"
        parts.append(_line(x, TOP - 4, x, height - 12, kind))
        parts.append(_text(x, TOP - 8, f"{10**exponent:g}", "quiet", "middle"))
    for n, (what, peers) in enumerate(rows):
        y = TOP + LINE * n + LINE / 2
        parts.append(_text(LEFT - 10, y + 4, _short(what), "", "end"))
        ends = [at(value) for value in (1, *peers.values())]
        parts.append(_line(min(ends), y, max(ends), y, "stem"))
        for name, value in peers.items():
            parts.append(
                f'<circle cx="{at(value):.1f}" cy="{y:.1f}" r="5.5"'
                f' fill="{COLOURS.get(name, OTHER)}">'
                f"<title>{escape(what)}: {escape(name)} {value:.2f}</title></circle>"
            )
    return _svg(WIDTH, height, "How many times as much as bubble the others need", parts)


def curves(document: Mapping[str, Any]) -> str:
    """Return one small log-log plot for each curve: milliseconds by how many things there are."""
    found = _curves(document)
    across, wide, high = 2, WIDTH // 2, 210
    parts = [_text(12, 20, "milliseconds, by how many there are", "head")]
    parts += _legend(dict.fromkeys(name for lines in found.values() for name in lines), 40)
    for n, (title, lines) in enumerate(found.items()):
        left, top = (n % across) * wide, 56 + (n // across) * high
        parts += _curve(title, lines, (left + 56, top + 30), (wide - 84, high - 66))
    height = 56 + high * math.ceil(len(found) / across)
    return _svg(WIDTH, height, "How the time grows", parts)


def _curve(
    title: str,
    lines: Mapping[str, Sequence[tuple[int, float]]],
    origin: tuple[float, float],
    size: tuple[float, float],
) -> list[str]:
    points = [point for series in lines.values() for point in series]
    most = max(*(x for x, _ in points), 10)
    low = 10 ** math.floor(math.log10(min(y for _, y in points)))
    high = 10 ** math.ceil(math.log10(max(*(y for _, y in points), low * 1.001)))

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            origin[0] + size[0] * math.log10(x) / math.log10(most),
            origin[1] + size[1] * (1 - math.log10(y / low) / math.log10(high / low)),
        )

    parts = [_text(origin[0], origin[1] - 12, title, "head")]
    for many in sorted({x for x, _ in points}):
        x, y = at(many, low)
        parts.append(_text(x, y + 16, f"{many:,}", "quiet", "middle"))
    for exponent in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x, y = at(1, 10**exponent)
        parts.append(_line(x, y, x + size[0], y, "grid"))
        parts.append(_text(x - 6, y + 4, f"{10**exponent:g}", "quiet", "end"))
    for name, series in lines.items():
        colour = COLOURS.get(name, OTHER)
        places = [at(*point) for point in series]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    return parts


def _rows(document: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, float]]]:
    """Yield what was measured, and the peers' medians in units of bubble's."""
    for section in document["sections"].values():
        for row in section["results"]:
            medians = dict(row["medians"])
            own = medians.pop(row["subject"], 0)
            medians.pop("bare", None)
            for name in [name for name in medians if name.startswith(f"{row['subject']}, ")]:
                del medians[name]  # another way of the same, no peer
            peers = {name: value / own for name, value in medians.items() if own > 0 and value > 0}
            if peers and "curve" not in row:
                yield row["what"], peers


def _curves(document: Mapping[str, Any]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for section in document["sections"].values():
        for row in section["results"]:
            for name, median in row["medians"].items():
                if "curve" in row and median > 0:
                    series = found.setdefault(row["curve"], {}).setdefault(name, [])
                    series.append((row["at"], median))
    return found


def _legend(names: Iterable[str], y: float) -> list[str]:
    parts, x = [], 12.0
    for name in names:
        wide = 34 + 7 * len(name)
        if x + wide > WIDTH:
            x, y = 12.0, y + 18
        parts.append(
            f'<rect x="{x:.0f}" y="{y - 10:.0f}" width="11" height="11"'
            f' fill="{COLOURS.get(name, OTHER)}"/>'
        )
        parts.append(_text(x + 16, y, name))
        x += wide
    return parts


def _short(text: str) -> str:
    return text if len(text) <= 54 else text[:53] + "…"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _svg(width: int, height: float, title: str, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}"'
        f' role="img">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )
