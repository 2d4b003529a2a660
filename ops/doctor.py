"""What an endpoint keeps of AWS's word: `ENDPOINT=http://localhost:4566 make doctor`, about a minute.

Without ENDPOINT it asks MiniStack and moto's server, each started for the purpose. It makes a table, queues, a bucket
a function and a cluster of its own, probes them, and removes them.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import probes
from benchmarks.probes import Broken, Sandbox
from dev import command, emulator, engine
from dev.settings import address

Row = tuple[bool, str]


def examine(endpoint: str) -> dict[str, Row]:
    """Each probe's verdict; whatever goes wrong in one is its own answer, and the next is asked all the same."""
    with probes.prepare(endpoint) as sandbox:
        return {name: judge(probe, sandbox) for name, probe in probes.ALL.items()}


def judge(probe: Callable[[Sandbox], str], sandbox: Sandbox) -> Row:
    """What one probe says of it."""
    try:
        return True, probe(sandbox)
    except Broken as broken:
        return False, str(broken)
    except Exception as error:  # an emulator may answer anything
        return False, f"{type(error).__name__}: {error}"[:100]


def print_table(columns: Mapping[str, Mapping[str, Row]]) -> None:
    print("| what Sortie relies on | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for name in probes.ALL:
        cells = [("yes" if kept else "**no**") + (f": {note}" if note else "") for kept, note in _row(columns, name)]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _row(columns: Mapping[str, Mapping[str, Row]], name: str) -> list[Row]:
    return [column[name] for column in columns.values()]


@contextmanager
def _an_engine() -> Iterator[None]:
    """For MiniStack's containers: one that answers, or Podman's service for as long as the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        reachable = engine.find(os.environ, Path(folder)) if engine.has_sdk() else None
        if reachable is not None:
            os.environ["DOCKER_HOST"] = reachable.host
        try:
            yield
        finally:
            if reachable is not None:
                reachable.stop()
                os.environ.pop("DOCKER_HOST") if reachable.child else None


def main() -> int:
    if endpoint := address(os.environ, "ENDPOINT"):
        columns = {endpoint: examine(emulator.demand(endpoint))}
    else:
        columns = {}
        for name in emulator.NAMES:
            with _an_engine(), emulator.running(name) as endpoint:
                columns[name] = examine(endpoint)
    print_table(columns)
    needed = [kept for column in columns.values() for name, (kept, _) in column.items() if name in probes.NEEDED]
    return 0 if all(needed) else 1


if __name__ == "__main__":
    command.run(main)
