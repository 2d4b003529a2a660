"""The text of groups.yaml as nodes that know their lines, and a node as the value that JSON would have there.

PyYAML's own values lose what was written: `no:` becomes False, `12:30` 750, and the second of two names wins.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Node = Any
"""One of yaml's: `id` says scalar, sequence or mapping."""
SCALAR, SEQUENCE, MAPPING = "scalar", "sequence", "mapping"
MOST_NODES = 1_000_000
PREFIX = "tag:yaml.org,2002:"
KINDS = {"bool": "a boolean", "int": "a whole number", "float": "a number", "null": "null", "timestamp": "a date"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class BadText(ValueError):
    """Words for whoever wrote the file, with the line where that is known."""


def read_document(file: bytes | None) -> Node:
    """Raises BadText."""
    import yaml  # 20 ms that only the routes of groups pay

    if file is None:
        raise BadText("the file is not there, or may not be read")
    try:
        document: Any = yaml.compose(file.decode(), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise BadText(f"the file is not UTF-8 at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        raise BadText(_explain(error)) from None
    except yaml.YAMLError as error:
        words = clean(str(error).splitlines()[0])
        raise BadText(f"the file holds characters that YAML does not allow: {words}") from None
    except RecursionError:
        raise BadText("the file is nested too deeply") from None
    if document is None or document.id != MAPPING:
        raise BadText("the file must hold `groups:` with lists of jobs by name")
    return document


def line_of(node: Node) -> str:
    return f"line {node.start_mark.line + 1}"


def read_name(node: Node) -> tuple[str, str]:
    """A name as it is written, and what is wrong with it, if anything is."""
    if node.id != SCALAR:
        return line_of(node), f"{line_of(node)}: a name is text, no list and no mapping"
    text = clean(node.value) or '""'
    kind = KINDS.get(node.tag.removeprefix(PREFIX))
    if node.tag == f"{PREFIX}str" or node.tag == f"{PREFIX}merge":
        return text, "" if text == node.value else f"{line_of(node)}: {text} holds what is no character"
    return text, f"{line_of(node)}: YAML reads {text} as {kind or 'something else'}: put it in quotes"


def clean(text: str) -> str:
    """Text that UTF-8 can hold: an escape in YAML may stand for half a character."""
    return text.encode("utf-8", "backslashreplace").decode()


def make_reader() -> "Reader":
    from yaml.constructor import SafeConstructor

    return Reader(SafeConstructor())


@dataclass(slots=True)
class Reader:
    """Nodes to values. Aliases may lead back into what they are part of, or make a small text grow without end."""

    constructor: Any
    left: int = MOST_NODES
    above: set[int] = field(default_factory=set)

    def read(self, node: Node) -> Any:
        """What JSON would have there. Raises BadText."""
        self.left -= 1
        if self.left < 0:
            raise BadText("too large once its aliases are written out")
        if node.id == SCALAR:
            return self._read_scalar(node)
        if id(node) in self.above:
            raise BadText(f"{line_of(node)}: it holds itself by an alias")
        self.above.add(id(node))
        try:
            return self._read_inner(node)
        finally:
            self.above.discard(id(node))

    def _read_inner(self, node: Node) -> Any:
        if node.tag == f"{PREFIX}seq":
            return [self.read(element) for element in node.value]
        if node.tag == f"{PREFIX}map":
            return self._read_mapping(node)
        raise _bad_tag(node)

    def _read_mapping(self, node: Node) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            name, problem = read_name(key)
            if problem:
                raise BadText(problem)
            if key.tag == f"{PREFIX}merge":
                merged = self._read_merge(value) | merged
            elif name in own:
                raise BadText(f"{line_of(key)}: {name!r} is there twice")
            else:
                own[name] = self.read(value)
        return merged | own

    def _read_merge(self, node: Node) -> dict[str, Any]:
        value = self.read(node)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise BadText(f"{line_of(node)}: << merges a mapping or a list of them")
        merged: dict[str, Any] = {}
        for part in parts:
            merged = part | merged
        return merged

    def _read_scalar(self, node: Node) -> Any:
        kind, text = node.tag.removeprefix(PREFIX), str(node.value)
        if kind == "str":
            return float(text) if node.style is None and _NUMBER.fullmatch(text) else text
        if kind == "timestamp" or (kind in ("int", "float") and ":" in text):
            return text  # a time is written in JSON as text
        if kind not in KINDS:
            raise _bad_tag(node)
        try:
            return self.constructor.construct_object(node)
        except ValueError:
            raise BadText(f"{line_of(node)}: {clean(text[:50])} is not {KINDS[kind]}") from None


def entries(node: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Name, what is wrong with it, its node, and the node of its value."""
    for key, value in node.value:
        name, problem = read_name(key)
        yield name, problem, key, value


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _bad_tag(node: Node) -> BadText:
    return BadText(f"{line_of(node)}: the tag {clean(node.tag)} is not read here")


def _explain(error: Any) -> str:
    """The parser's words, and where."""
    mark = error.problem_mark or error.context_mark
    words = clean(", ".join(filter(None, (error.problem, error.context))))
    return f"line {mark.line + 1}, column {mark.column + 1}: {words}" if mark else words
