"""What memory the worker needs at its peak to sort the largest input of each form that it accepts.

python -m benchmarks.memory [--share 0.1]

Each attempt runs whole, from the stored upload to the output's bytes, in a process of its own whose resident memory is
measured; the upload lies in a file in place of S3. `--share` scales the upload's bytes and numbers down.
"""

import argparse
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib import wiring
from chalicelib.aws.s3 import S3Payloads
from chalicelib.config import Settings, load
from chalicelib.core.ids import make_id
from chalicelib.core.job import Job, Status, Stored
from chalicelib.core.unpacking import BOM
from chalicelib.service import attempt
from chalicelib.tasks.sorting.numbers import MAX_DIGITS, MAX_NUMBERS

WORKER_BYTES = 3_008 * 1024 * 1024
"""The memory of the long lane's function in resources.yaml."""
BLOCK = 10_000
"""Numbers that are drawn; they repeat until the upload is as large as it may be."""


@dataclass(frozen=True, slots=True)
class Form:
    """`draw` makes a number as text, `most` bytes of it at most. The numbers stand between `head` and `tail`."""

    draw: Callable[[random.Random], str]
    most: int
    head: bytes = b"["
    tail: bytes = b"]"
    between: bytes = b","
    packed: bool = False


WIDEST = Settings().upload_limit // MAX_NUMBERS - 1
"""Bytes of a number when as many of them as may be fill an upload."""
UNPACKED = 0.999
"""Of a packed upload: gzip that stores text as it is adds a little, and takes the most memory to unpack."""


def _digits(rng: random.Random, count: int) -> str:
    return str(rng.randrange(10 ** (count - 1), 10**count))


def _whole(rng: random.Random) -> str:
    return _digits(rng, 18)


def _double(rng: random.Random) -> str:
    return f"0.{_digits(rng, WIDEST - 2)}"


def _wide(rng: random.Random) -> str:
    return _digits(rng, WIDEST)


def _either(rng: random.Random) -> str:
    return _wide(rng) if rng.random() < 0.5 else _double(rng)


FORMS = {
    "array of ints": Form(_whole, 18),
    "array of doubles": Form(_double, WIDEST),
    "array of wide ints": Form(_wide, WIDEST),
    "array of both": Form(_either, WIDEST),
    "array of ints of most digits": Form(lambda rng: _digits(rng, MAX_DIGITS), MAX_DIGITS),
    "object": Form(_either, WIDEST, b'{"array":[', b"]}"),
    "lines": Form(_either, WIDEST, b"", b"\n", b"\n"),
    "lines, one of them blank": Form(_either, WIDEST + 1, b"", b"\n\n1\n", b"\n"),
    "lines that end in a carriage return": Form(_either, WIDEST, b"", b"\r", b"\r"),
    "lines that end in both": Form(_either, WIDEST, b"", b"\r\n", b"\r\n"),
    "byte order mark, array": Form(_either, WIDEST, BOM + b"["),
    "gzip of an array": Form(_either, WIDEST, packed=True),
    "gzip of lines": Form(_either, WIDEST, b"", b"\n", b"\n", packed=True),
    "gzip of byte order mark, array": Form(_either, WIDEST, BOM + b"[", packed=True),
    "gzip of byte order mark, lines": Form(_either, WIDEST, BOM, b"\n", b"\n", packed=True),
}


class FilePayloads(S3Payloads):
    """Payloads where one file is every object, and what is stored is measured and dropped."""

    def __init__(self, path: Path) -> None:
        self.path, self.stored = path, 0

    def put(self, key: str, data: bytes) -> None:
        self.stored = len(data)

    def get(self, key: str, most: int) -> bytes:
        return self.path.read_bytes()


def write(form: Form, share: float, path: Path) -> int:
    """The upload; how many numbers it holds."""
    size = int(Settings().upload_limit * share * (UNPACKED if form.packed else 1)) - len(form.head) - len(form.tail)
    count = min(size // (form.most + len(form.between)), int(MAX_NUMBERS * share))
    with gzip.open(path, "wb", compresslevel=0) if form.packed else path.open("wb") as file:
        file.write(form.head)
        for at, block in enumerate(_blocks(form, count)):
            file.write((form.between if at else b"") + block)
        file.write(form.tail)
    return count


def _blocks(form: Form, count: int) -> Iterator[bytes]:
    rng = random.Random(20261126)
    drawn = [form.draw(rng).encode() for _ in range(min(count, BLOCK))]
    whole = form.between.join(drawn)
    for left in range(count, 0, -len(drawn)):
        yield whole if left >= len(drawn) else form.between.join(drawn[:left])


def sort_one(path: Path) -> dict[str, object]:
    """How the attempt on this upload came out, the bytes it stores, and the most that this process has held."""
    settings = load({"SORTIE_STAGE": "local"})
    payloads = FilePayloads(path)
    ports = replace(wiring.ports(settings), payloads=payloads)
    job = Job(
        id=make_id(0, 1), owner="bench", task="sort", status=Status.RUNNING, created_at=0, run_at=0, not_before=0,
        timeout=settings.max_timeout, max_attempts=1, attempt_limit=1, attempts=1, started_at=0, wake_at=None,
        input=Stored("inputs/bench", path.stat().st_size, raw=True),
    )  # fmt: skip
    outcome = attempt.run(ports, job)
    done = len(outcome.output) if isinstance(outcome, attempt.Completed) else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"outcome": repr(outcome)[:200] if not done else "completed", "output": done, "peak": peak}


def measure(name: str, share: float) -> tuple[int, int, int]:
    """Of one form: how many numbers, bytes of the output, bytes at the peak. The process is the worker's alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        count = write(FORMS[name], share, path)
        code = (
            "import json, sys, pathlib; from benchmarks import memory; "
            "print(json.dumps(memory.sort_one(pathlib.Path(sys.argv[1]))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], env=os.environ, stdout=subprocess.PIPE, check=True
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["outcome"] != "completed":
        raise AssertionError(f"{name}: {answer['outcome']}")
    return count, int(answer["output"]), int(answer["peak"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the largest upload, 0 to 1")
    share = parser.parse_args().share
    print("| form | numbers | output MB | peak MB |", "| --- | ---: | ---: | ---: |", sep="\n")
    for name in FORMS:
        count, output, peak = measure(name, share)
        print(f"| {name} | {count:,} | {output / 1e6:,.0f} | {peak / 1024**2:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
