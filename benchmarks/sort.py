"""How many times as fast as json.loads, sorted and json.dumps the exact sort is, and what memory each takes.

python -m benchmarks.sort [--quick]
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from chalicelib.tasks.sorting import numbers

# chalicelib/__init__.py keeps numpy from its AVX-512 sort; set to nothing, the variable lets numpy have it back.
UNTUNED = {"NPY_DISABLE_CPU_FEATURES": ""}

SIZES = [10**2, 10**4, 10**6, 10**7]
KINDS = ["ints", "floats", "mixed", "bigints"]
BASELINE_SECONDS = 0.3  # measured for at least as long, so that small arrays are sorted many times


def baseline(raw: bytes) -> bytes:
    return json.dumps(sorted(json.loads(raw))).encode()


def sample(kind: str, count: int) -> bytes:
    """A JSON array of random numbers, the same at every call."""
    rng = random.Random(20261121)
    make: dict[str, Callable[[], float]] = {
        "ints": lambda: rng.randint(-(10**9), 10**9),
        "floats": lambda: rng.uniform(-1000, 1000),
        "mixed": lambda: rng.randint(-1000, 1000) if rng.random() < 0.5 else rng.uniform(-1000, 1000),
        "bigints": lambda: rng.randint(-(10**40), 10**40),
    }
    parts = (json.dumps([make[kind]() for _ in range(min(count - at, 10**5))]) for at in range(0, count, 10**5))
    return b"[%b]" % ", ".join(part[1:-1] for part in parts).encode()


def measure(kind: str, count: int, *, rounds: int = 5) -> tuple[float, float]:
    """Seconds of the baseline and of sort(): the best of several, taken in turn within this process."""
    raw = sample(kind, count)
    seconds = _timed(baseline, raw, 1)
    assert seconds > 0
    repeats = max(1, int(BASELINE_SECONDS / rounds / seconds))
    if json.loads(numbers.sort(raw)) != sorted(json.loads(raw)):
        raise AssertionError(f"{kind} {count}: not sorted")
    pairs = [(_timed(baseline, raw, repeats), _timed(numbers.sort, raw, repeats)) for _ in range(rounds)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def cold(kind: str, count: int, *, large: int) -> float:
    """Seconds of the first sort in this process, imports included."""
    raw = sample(kind, count)
    start = perf_counter()
    numbers.sort(raw, large=large)
    return perf_counter() - start


def peak(kind: str, count: int, *, ours: bool) -> int:
    """Bytes which one sort needs at its peak beside the array it is given."""
    raw = sample(kind, count)
    # Linux forgets the peak so far, which was the sample's making, and counts from what is held now.
    Path("/proc/self/clear_refs").write_text("5")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    numbers.sort(raw) if ours else baseline(raw)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def in_new_process(call: str, *, tuned: bool = True) -> list[float]:
    """The answer of one of the functions above, from a process of its own."""
    code = f"import json; from benchmarks import sort; print(json.dumps(sort.{call}))"
    env = os.environ if tuned else os.environ | UNTUNED
    done = subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=True)
    answer = json.loads(done.stdout)
    return answer if isinstance(answer, list) else [answer]


def _timed(function: Callable[[bytes], bytes], raw: bytes, repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        function(raw)
    return (perf_counter() - start) / repeats


def _print_ratios(sizes: list[int]) -> None:
    print(f"{'numbers':>10} {'of':8} {'baseline ms':>12} {'sort ms':>10} {'times':>6} {'MB base':>8} {'MB sort':>8}")
    for count in sizes:
        for kind in KINDS:
            rounds = 5 if count < 10**7 else 1
            base, ours = in_new_process(f"measure({kind!r}, {count}, rounds={rounds})")
            row = f"{count:10,} {kind:8} {base * 1e3:12.3f} {ours * 1e3:10.3f} {base / ours:6.1f}"
            held = [in_new_process(f"peak({kind!r}, {count}, ours={ours})")[0] / 1e6 for ours in (False, True)]
            print(f"{row} {held[0]:8.0f} {held[1]:8.0f}", flush=True)


def _print_untuned() -> None:
    print("\nOne million with numpy's own choice of instructions:")
    for kind in ("ints", "floats"):
        base, ours = in_new_process(f"measure({kind!r}, 1_000_000)", tuned=False)
        print(f"{kind:8} {base * 1e3:9.1f} {ours * 1e3:8.1f} {base / ours:6.1f}", flush=True)


def _print_threshold() -> None:
    print("\nThe first sort in a process, imports included, and a later one (ms):")
    print(f"{'numbers':>10} {'of':8} {'kB':>7} {'without':>8} {'with':>8} {'later without':>14} {'later with':>11}")
    for count in (10**4, 10**5, 2 * 10**5, 5 * 10**5, 10**6):
        for kind in ("ints", "floats"):
            figures = [_first(kind, count, large) for large in (10**12, 0)]
            later = [in_new_process(f"later({kind!r}, {count}, large={large})")[0] for large in (10**12, 0)]
            size = len(sample(kind, count)) // 1000
            row = " ".join(f"{seconds * 1e3:8.1f}" for seconds in figures)
            print(f"{count:10,} {kind:8} {size:7} {row} {later[0] * 1e3:14.2f} {later[1] * 1e3:11.2f}", flush=True)


def _first(kind: str, count: int, large: int) -> float:
    return statistics.median(in_new_process(f"cold({kind!r}, {count}, large={large})")[0] for _ in range(3))


def later(kind: str, count: int, *, large: int) -> float:
    """Seconds of a sort in a process that has sorted before, the best of several."""
    raw = sample(kind, count)
    return min(_timed(lambda raw: numbers.sort(raw, large=large), raw, 1) for _ in range(8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to one million numbers, nothing on thresholds")
    quick = parser.parse_args().quick
    _print_ratios(SIZES[:3] if quick else SIZES)
    if not quick:
        _print_untuned()
        _print_threshold()


if __name__ == "__main__":
    main()
