"""A variable is called by what it holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
HOUSE = ("app.py", "chalicelib", "clients", "dev", "ops", "benchmarks", "tests")
GRAMMAR = {"found", "place", "given", "one", "made", "wanted", "shown"}
"""Words that say how a value came about, and not what it is."""


def bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def test_no_name_is_only_grammar() -> None:
    files = [
        file for part in HOUSE for file in ([ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py"))
    ]
    faults = {
        str(file.relative_to(ROOT)): names
        for file in files
        if (names := GRAMMAR & set(bound(ast.parse(file.read_text()))))
    }
    assert not faults
