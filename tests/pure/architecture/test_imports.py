"""Imports run one way, and every file stays small enough to be read at one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import imports

ROOT = Path(__file__).parents[3]
PURE = {"base64", "binascii", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "itertools"} | {
    "heapq", "json", "math", "re", "typing", "zlib", "zoneinfo", "__future__", "operator", "bisect", "array",
}  # fmt: skip
RULES: dict[str, set[str]] = {
    "chalicelib/core/*.py": {"chalicelib.core", "chalicelib.errors", "msgspec", "cronsim"} | PURE,
    "chalicelib/errors.py": {"dataclasses"},
    "chalicelib/ports.py": {"chalicelib.core", "chalicelib.config", "chalicelib.errors", "contextlib"} | PURE,
    "chalicelib/config.py": PURE,
    "chalicelib/tasks/*.py": {"chalicelib.core", "chalicelib.errors", "msgspec", "pkgutil", "importlib", "logging"}
    | {"chalicelib.tasks.sorting"}
    | PURE,
    "chalicelib/tasks/sorting/*.py": {"chalicelib.tasks.sorting", "msgspec", "numpy", "orjson", "simdjson", "os", "sys"}
    | PURE,
    "chalicelib/system/*.py": {"chalicelib.core", "chalicelib.ports", "chalicelib.errors", "chalicelib.system"}
    | {"concurrent", "contextlib", "logging", "os", "secrets", "signal", "sys", "threading", "time", "types"}
    | PURE,
    "chalicelib/service/*.py": {"chalicelib.core", "chalicelib.ports", "chalicelib.errors", "chalicelib.service"}
    | {"chalicelib.config", "msgspec", "logging", "threading", "contextlib"}
    | PURE,
    "chalicelib/api/*.py": {"chalicelib.core", "chalicelib.errors", "chalicelib.api", "chalicelib.service"}
    | {"chalicelib.ports", "chalicelib.config", "msgspec", "http", "yaml"}
    | PURE,
    "chalicelib/http/*.py": {"chalicelib.core", "chalicelib.errors", "chalicelib.api", "chalicelib.http"}
    | {"chalicelib.config", "chalice", "msgspec", "logging", "pathlib", "sys", "uuid"}
    | {"codecs", "contextlib", "email", "http", "socket", "time", "traceback", "urllib"}
    | PURE,
    "chalicelib/aws/*.py": {"chalicelib.core", "chalicelib.ports", "chalicelib.errors", "chalicelib.aws"}
    | {"msgspec", "botocore", "concurrent", "contextlib", "gc", "gzip", "pathlib"}
    | PURE,
    "clients/python/src/sortie_client/*.py": {"sortie_client", "msgspec", "httpx2", "numpy", "os", "io", "time"}
    | {"threading", "asyncio", "tempfile", "tomllib", "types", "importlib", "fcntl"}
    | PURE - {"json", "dataclasses"},
    "clients/python/src/sortie_client/cli/*.py": {"sortie_client", "msgspec", "click", "rich", "numpy", "os", "sys"}
    | {"time", "select", "termios", "tty", "tempfile", "contextlib", "unicodedata", "codecs"}
    | PURE,
}
LAZY = {
    "numpy",
    "orjson",
    "simdjson",
    "yaml",
    "yaml.constructor",
    "botocore.config",
    "chalicelib.aws.session",
    "chalicelib.tasks.sorting",
}
"""What may be imported inside a function: libraries that only some requests need."""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written from the root"
            package = node.module == "chalicelib"
            yield from ((f"chalicelib.{n.name}" if package else node.module or "", node.lineno) for n in node.names)


def allowed(name: str, rule: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in rule for length in range(1, len(parts) + 1))


@pytest.mark.parametrize("pattern", RULES)
def test_each_layer_imports_only_what_lies_inside_it(pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files, f"{pattern} matches nothing"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for name, line in imported(parsed(path))
        if not allowed(name, RULES[pattern])
    ]
    assert wrong == []


def ours() -> list[Path]:
    folders = ("chalicelib", "clients", "dev", "ops", "tests", "benchmarks")
    return [ROOT / "app.py", *(path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))]


def test_nothing_that_is_deployed_imports_what_is_not() -> None:
    deployed = [path for path in ours() if path.name == "app.py" or "chalicelib" in path.parts]
    wrong = [
        f"{path.name}:{line} imports {name}"
        for path in deployed
        for name, line in imported(parsed(path))
        if name.split(".")[0] in ("dev", "ops", "tests", "benchmarks", "moto", "pytest")
    ]
    assert wrong == []


def test_only_large_libraries_are_imported_inside_functions() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in ours()
        if "chalicelib" in path.parts or path.name == "app.py"
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
        for name, line in imported(function)
        if name not in LAZY
    ]
    assert wrong == []


def test_there_are_no_import_cycles() -> None:
    graph = {module(path): {name for name, _ in imported(parsed(path))} for path in (ROOT / "chalicelib").rglob("*.py")}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name in graph and name not in done:
            for other in graph[name]:
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in ours():
        text = path.read_text("utf-8")
        limit = 250 if path.name == "app.py" else 400
        if text.count("\n") > limit:
            wrong.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines, at most {limit}")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 50:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: over 50 lines")
    assert wrong == []


def test_no_test_replaces_code_with_a_mock() -> None:
    words = ("unittest.mock", "mock." + "patch", "monkeypatch.setattr")
    tests = [path for path in ours() if "tests" in path.parts and path != Path(__file__)]
    assert [
        str(path.relative_to(ROOT)) for path in tests if any(word in path.read_text("utf-8") for word in words)
    ] == []


def test_contributing_shows_the_imports_as_they_are() -> None:
    assert imports.draw() in (ROOT / "CONTRIBUTING.md").read_text("utf-8"), "run make imports and put the list in"
