"""YAML read as a tree of texts: nothing is constructed, referred to, or guessed.

PyYAML's scanner is used for the syntax alone. Scalars stay the texts that they are (`3.10` is not
3.1, `no` not false); anchors, aliases and tags, by which a page of YAML becomes gigabytes or an
object, are refused, and so is what is deeper or has more parts than any environment.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DEEPEST = 20  # levels
_MOST = 40_000  # parts; an export of a large environment has a thousand
_SLOWEST = 1 << 16  # characters of one line, which is looked at again and again


class Text(Record):
    """A scalar, as it is written, and its line (from 1)."""

    text: str
    line: int


class Node(Record):
    """A list (`items`) or a mapping (`pairs`, whose keys are texts), and its line (from 1)."""

    line: int
    items: tuple[Node | Text, ...] = ()
    pairs: tuple[tuple[str, Node | Text], ...] = ()

    def get(self, key: str) -> Node | Text | None:
        """Return the value of a key, the last one where it is there twice."""
        return next((value for name, value in reversed(self.pairs) if name == key), None)


def read_yaml(text: str) -> Node | Text | None:
    """Return the one document in `text`, None where there is none; raise BubbleError(usage)."""
    import yaml

    if any(len(line) > _SLOWEST for line in text.split("\n")):
        raise _refused("it has a line that is too long", 1)
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        return _document(_checked(events))
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or "it is no YAML"
        line = int(getattr(mark, "line", 0)) + 1
        raise _refused(printable(str(what), 120), line) from None
    except (RecursionError, ValueError) as error:
        raise _refused(f"it is no YAML ({type(error).__name__})", 1) from None


def _checked(events: Iterator[Any]) -> Iterator[Any]:
    """Pass the events on, as long as they are those of a plain tree."""
    import yaml

    depth = 0
    for count, event in enumerate(events):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors and aliases (&, *) aren't read", line)
        if getattr(event, "tag", None):
            raise _refused("tags (!) aren't read", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or count > _MOST:
            raise _refused("it is deeper or has more parts than an environment", line)
        yield event


def _document(events: Iterator[Any]) -> Node | Text | None:
    import yaml

    found: Node | Text | None = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused("it has more than one document", _line(event))
            found = _value(next(events), events)
    return found


def _value(event: Any, events: Iterator[Any]) -> Node | Text:
    import yaml

    line = _line(event)
    if isinstance(event, yaml.ScalarEvent):
        null = event.implicit[0] and event.value in {"~", "null", "Null", "NULL"}
        return Text(text="" if null else event.value, line=line)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_value(event, events))
        return Node(line=line, items=tuple(items))
    pairs = []
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _value(event, events)
        if not isinstance(key, Text):
            raise _refused("a key is no text", key.line)
        pairs.append((key.text, _value(next(events), events)))
    return Node(line=line, pairs=tuple(pairs))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _refused(why: str, line: int) -> BubbleError:
    return BubbleError("usage", f"line {line}: {why}", hint="mend the file, and import it again")
