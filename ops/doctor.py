"""What an endpoint keeps of AWS's word: `ENDPOINT=http://localhost:4566 make doctor`, about half a minute.

Without ENDPOINT it asks MiniStack and moto's server, each started for the purpose. It makes a table, queues, a bucket
and a function of its own, probes them, and removes them.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dev import emulator
from dev.settings import HOST, child_environ, load
from ops import probes
from ops.probes import Broken, Place

Row = tuple[bool, str]


def examine(endpoint: str) -> dict[str, Row]:
    """Each probe's verdict; whatever goes wrong in one is its own answer, and the next is asked all the same."""
    with probes.place(endpoint) as where:
        return {name: _ask(probe, where) for name, probe in probes.ALL.items()}


def _ask(probe: Callable[[Place], str], where: Place) -> Row:
    try:
        return True, probe(where)
    except Broken as broken:
        return False, str(broken)
    except Exception as error:  # an emulator may answer anything
        return False, f"{type(error).__name__}: {error}"[:100]


@contextmanager
def started(name: str) -> Iterator[str]:
    """An emulator of one's own on a free port."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(load({}), emulator=name, data=Path(folder))
        port = emulator.free_port()
        endpoint = f"http://{HOST}:{port}"
        child = emulator.start(settings, child_environ(os.environ, settings, endpoint), port)
        try:
            emulator.wait(endpoint, child, 60)
            yield endpoint
        finally:
            child.stop(15)


def print_table(columns: Mapping[str, Mapping[str, Row]]) -> None:
    print("| what Sortie relies on | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for name in probes.ALL:
        cells = [("yes" if kept else "**no**") + (f": {note}" if note else "") for kept, note in _row(columns, name)]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _row(columns: Mapping[str, Mapping[str, Row]], name: str) -> list[Row]:
    return [column[name] for column in columns.values()]


def main() -> int:
    endpoint = os.environ.get("ENDPOINT")
    if endpoint:
        columns = {endpoint: examine(endpoint)}
    else:
        columns = {}
        for name in ("ministack", "moto"):
            with started(name) as address:
                columns[name] = examine(address)
    print_table(columns)
    needed = [kept for column in columns.values() for name, (kept, _) in column.items() if name in probes.NEEDED]
    return 0 if all(needed) else 1


if __name__ == "__main__":
    sys.exit(main())
