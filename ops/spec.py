"""`python -m ops.spec` writes docs/openapi.json, the copy for readers; `--check` only says whether it is current."""

import json
import sys
from pathlib import Path
from typing import Any

from chalicelib import tasks
from chalicelib.api.spec import build_spec

FILE = Path(__file__).parent.parent / "docs" / "openapi.json"
WIDTH = 110


def text() -> str:
    return lay_out(build_spec(tasks.load())) + "\n"


def lay_out(value: Any, margin: str = "") -> str:
    """JSON of which everything stands on one line that fits there."""
    line = json.dumps(value)
    if len(margin) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = margin + " "
    if isinstance(value, list):
        rows, ends = [lay_out(element, inner) for element in value], "[]"
    else:
        rows, ends = [f"{json.dumps(name)}: {lay_out(part, inner)}" for name, part in value.items()], "{}"
    return ends[0] + "\n" + ",\n".join(inner + row for row in rows) + f"\n{margin}" + ends[1]


def main() -> int:
    if "--check" in sys.argv:
        current = FILE.read_text("utf-8") == text()
        print("openapi.json is current" if current else "openapi.json is out of date: run make spec")
        return 0 if current else 1
    FILE.write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
