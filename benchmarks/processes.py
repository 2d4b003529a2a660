"""What processes have used of the processor. Linux alone knows it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """`seconds`: of the processor, since it started."""

    pid: int
    parent: int
    command: str
    seconds: float


def tree(root: int) -> list[Process]:
    """A process and all that it has started, however far down."""
    alive = {process.pid: process for process in _all()}
    return [process for process in alive.values() if _is_below(process, root, alive)]


def _is_below(process: Process, root: int, alive: dict[int, Process]) -> bool:
    while process.pid != root:
        if process.parent not in alive:
            return False
        process = alive[process.parent]
    return True


def _all() -> list[Process]:
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended
            continue
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        processes.append(Process(int(folder.name), int(fields[1]), command, seconds))
    return processes
