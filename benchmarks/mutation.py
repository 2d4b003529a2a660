"""`make mutate`: takes out each condition and each guard, one at a time, and runs the tests that should find it.

A mutant that no test finds is a survivor: it needs a test, or a line in EXPLAINED that says why it changes nothing.
`python -m benchmarks.mutation core/change` tries only mutants whose name begins so; `--list` names them all.
"""

import ast
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parent.parent
FOLDERS = ("chalicelib", "clients", "dev", "ops", "benchmarks", "tests", "docs", ".chalice")


def tests_of(folder: str, *names: str) -> Sequence[str]:
    return [f"tests/{folder}/test_{name}.py" for name in names]


CORE = tests_of(
    "pure", "changes", "claim", "core", "service", "work", "quick", "heartbeat", "container", "dispatch",
    "dispatch_containers",
)  # fmt: skip
ROUTES = tests_of("pure/api", "windows_given_back", "routes")
FAULTS = tests_of("pure/faults", "histories", "enumeration", "interleaving")
ROWS = tests_of("emulated/contract", "calls", "records", "jobs", "shards", "races", "codec", "changes")
ON_MOTO = [*ROWS, "-k", "not ministack"]
CONTAINERS = [
    *tests_of("pure", "container", "changes", "ecs", "dispatch_containers"), *tests_of("pure/api", "containers"),
]  # fmt: skip
INPUTS = tests_of("pure", "decoding", "inputs", "hostile_bodies", "numbers", "uploads", "largest_inputs")
TIMES = [*tests_of("pure", "times", "schedule", "cron"), *tests_of("pure/api", "bad_input")]
LISTS = [*tests_of("pure/api", "listing", "jobs"), "-k", "not moto"]
TESTS: Mapping[str, Sequence[Sequence[str]]] = {
    "core/change": [[*CORE, *ROUTES], ON_MOTO, FAULTS],
    "core/dispatch_plan": [CORE, FAULTS],
    "core/window": [[*CORE, *ROUTES], FAULTS],
    "core/lane": [CORE, FAULTS],
    "core/access": [[*CORE, *ROUTES], FAULTS],
    "core/job": [[*CORE, *ROUTES], CONTAINERS, LISTS, FAULTS],
    "core/records": [[*CORE, *ROUTES], FAULTS],
    "core/filters": [tests_of("pure", "filters"), LISTS, ON_MOTO],
    "core/container": [CONTAINERS],
    "core/container_change": [CONTAINERS, FAULTS],
    "core/container_look": [CONTAINERS, FAULTS],
    "core/cron": [TIMES],
    "core/schedule": [TIMES, CORE, FAULTS],
    "core/times": [TIMES],
    "core/decoding": [INPUTS],
    "core/unpacking": [INPUTS],
    "core/task": [INPUTS, CORE],
    "service/work": [CORE, FAULTS],
    "service/finish": [CORE, FAULTS],
    "service/quick": [CORE, FAULTS],
    "aws/expressions": [ON_MOTO],
    "aws/records": [ON_MOTO],
    "aws/dynamodb": [ON_MOTO],
}
"""What is mutated, and the tests that should find it: quick ones first."""
GUARDS = ("attempt", "wake_at", "released_by", "unless_canceling", "holds_window")
CONDITIONS = ("append", "not_canceling", "status_in")
SECONDS = 900
EXPLAINED: Mapping[str, str] = {
    "core/change permits: without `row.window is not None`": "only a job with a window is retried as one that holds it",
    "core/decoding find_nan_path: never `b'NaN' not in raw and b'Infinity' not in raw`": "a short cut: none is found",
    "core/decoding holds_long_string: never `raw.rfind(b'\"') <= longest`": "a short cut: the search finds none either",
    "core/dispatch_plan plan: without `job.status is Status.RUNNING`": "what neither waits nor runs has no wake time",
    "core/window _take_over: without `seen.floor`": "a window after none begins at zero, long before any job runs",
    "service/finish _apply_or_stop: without `row.status is Status.RUNNING`": "the stop asks for the status itself",
    "service/finish _apply_or_stop: without `row.attempts == job.attempts`": "the stop asks for the attempt itself",
}
"""Survivors that change nothing, and why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`source`: the whole file without one condition."""

    part: str
    name: str
    file: Path
    source: str


class Cutter(ast.NodeTransformer):
    """Takes out the condition number `target`; `cut` says which that was, None when there are fewer."""

    def __init__(self, target: int) -> None:
        self._target, self._count = target, count()
        self._function = ""
        self.cut: str | None = None

    def _is_target(self, what: str) -> bool:
        if next(self._count) != self._target:
            return False
        self.cut = f"{self._function}: {what}"
        return True

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        outer, self._function = self._function, node.name
        self.generic_visit(node)
        self._function = outer
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        if any(isinstance(operand, ast.Constant | ast.Name) for operand in node.values) and isinstance(node.op, ast.Or):
            return node  # a default, and no condition
        for operand in list(node.values):
            if self._is_target(f"without `{ast.unparse(operand)}`"):
                node.values.remove(operand)
        return node if len(node.values) > 1 else node.values[0]

    def visit_If(self, node: ast.If) -> ast.AST:  # noqa: N802
        """A guard: what it refuses goes on."""
        self.generic_visit(node)
        leaves = isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue) and not node.orelse
        if leaves and self._is_target(f"never `{ast.unparse(node.test)}`"):
            node.test = ast.Constant(False)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        called = ast.unparse(node.func)
        for keyword in list(node.keywords):
            guards = called in ("_move", "_move_by_worker", "Change") and keyword.arg in GUARDS
            claims = called == "msgspec.structs.replace" and self._function == "claim_row"
            if (guards or claims) and self._is_target(f"without {ast.unparse(keyword)}"):
                node.keywords.remove(keyword)
            elif keyword.arg == "ConditionExpression" and self._is_target(f"whatever `{ast.unparse(keyword.value)}`"):
                keyword.value = weakened(keyword.value)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:  # noqa: N802
        """A line that adds a condition to an expression."""
        self.generic_visit(node)
        text = ast.unparse(node)
        adds = any(f".{name}(" in text for name in CONDITIONS) and "sets" not in text and "removes" not in text
        if adds and text.startswith("e.") and self._is_target(f"without `{text}`"):
            return ast.Pass()
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        for position, key in enumerate(node.keys):
            value = node.values[position]
            named = isinstance(key, ast.Constant) and key.value == "ConditionExpression"
            if named and isinstance(value, ast.Constant) and self._is_target(f"whatever `{value.value!r}`"):
                node.values[position] = weakened(value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        text = ast.unparse(node.targets[0])
        if "ConditionExpression" in text and self._is_target(f"whatever `{ast.unparse(node.value)}`"):
            node.value = weakened(node.value)
        return node


def weakened(condition: ast.expr) -> ast.expr:
    """True of every row, and it still names what it named."""
    return ast.parse(f"'(' + ({ast.unparse(condition)}) + ') OR attribute_exists(pk) OR attribute_not_exists(pk)'",
                     mode="eval").body  # fmt: skip


def mutants(part: str) -> Iterator[Mutant]:
    file = Path("chalicelib") / f"{part}.py"
    whole = ast.parse((ROOT / file).read_text())
    for number in count():
        cutter = Cutter(number)
        cut = ast.fix_missing_locations(cutter.visit(deepcopy(whole)))
        if cutter.cut is None:
            return
        yield Mutant(part, f"{part} {cutter.cut}", file, ast.unparse(cut))


class House:
    """A copy of the code, for one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for path in ROOT.iterdir():
            if path.name in FOLDERS:
                shutil.copytree(path, folder / path.name)
            elif path.is_file():
                shutil.copy(path, folder)

    def survives(self, mutant: Mutant) -> bool:
        file = self.folder / mutant.file
        kept = file.read_text()
        file.write_text(mutant.source)
        try:
            return all(self.passes(tests) for tests in TESTS[mutant.part])
        finally:
            file.write_text(kept)

    def passes(self, tests: Sequence[str]) -> bool:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def survivors(chosen: Sequence[Mutant], folder: Path) -> Iterator[str]:
    """Raises SystemExit where a test fails before anything is taken out: it would find every mutant."""
    houses: SimpleQueue[House] = SimpleQueue()
    at_once = len(os.sched_getaffinity(0))
    for number in range(at_once):
        houses.put(House(folder / str(number)))

    def in_house(look: Callable[[House, T], bool], at: T) -> bool:
        house = houses.get()
        try:
            return look(house, at)
        finally:
            houses.put(house)

    parts = {each.part for each in chosen}
    suites = sorted({tuple(tests) for part in parts for tests in TESTS[part]})
    with ThreadPoolExecutor(at_once) as pool:
        for tests, passes in zip(suites, pool.map(partial(in_house, House.passes), suites), strict=True):
            if not passes:
                raise SystemExit(f"nothing is taken out yet, and this fails: pytest {shlex.join(tests)}")
        tried = {pool.submit(in_house, House.survives, mutant): mutant.name for mutant in chosen}
        for future in as_completed(tried):
            print(f"{'SURVIVES' if future.result() else 'found':<9} {tried[future]}", flush=True)
            if future.result():
                yield tried[future]


def main(arguments: Iterable[str]) -> int:
    chosen = [mutant for part in TESTS for mutant in mutants(part)]
    prefixes = tuple(argument for argument in arguments if not argument.startswith("-"))
    if prefixes:
        chosen = [mutant for mutant in chosen if mutant.name.startswith(prefixes)]
    if "--list" in arguments:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        alive = Counter(survivors(chosen, Path(folder)))
    tell("in all", chosen, alive)
    for part in TESTS:
        if of_part := [mutant for mutant in chosen if mutant.part == part]:
            tell(part, of_part, alive)
    return 1 if set(alive) - set(EXPLAINED) else 0


def tell(what: str, tried: Sequence[Mutant], alive: Counter[str]) -> None:
    """One line. A name may be borne by several mutants of a function."""
    left = {mutant.name: alive[mutant.name] for mutant in tried if alive[mutant.name]}
    explained = sum(times for name, times in left.items() if name in EXPLAINED)
    survive = sum(left.values()) - explained
    killed = len(tried) - explained - survive
    print(f"{what}: {len(tried)} mutants, {killed} found, {explained} explained, {survive} survive")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
