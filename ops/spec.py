"""`python -m ops.spec` writes chalicelib/web/openapi.json; `--check` only says whether it is current."""

import json
import sys
from pathlib import Path

from chalicelib import tasks
from chalicelib.api import spec

FILE = Path(__file__).parent.parent / "chalicelib" / "web" / "openapi.json"


def text() -> str:
    return json.dumps(spec.build(tasks.load()), indent=1) + "\n"


def main() -> int:
    if "--check" in sys.argv:
        current = FILE.read_text("utf-8") == text()
        print("openapi.json is current" if current else "openapi.json is out of date: run make spec")
        return 0 if current else 1
    FILE.write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
