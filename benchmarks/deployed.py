"""Jobs a second of a deployed Sortie, beside those of a plain Chalice app with one table and one queue.

python -m benchmarks.deployed [--jobs 500] [--rounds 3]

Each is deployed as a CloudFormation stack to a MiniStack of its own, which starts anew for each deployment, the two in
turn; `quick` and the plain app's worker have the same MaximumConcurrency and the same batches. After one job to try
the stack, 16 clients send 500 small sorts, and the clock stops when the table says that the last is completed. Last,
Sortie with the layer's libraries in the zip of all its functions, as it was before they had a layer.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks import deployed_run, plain_stack
from benchmarks.deployed_run import Run, Target
from benchmarks.hot_path import CLIENTS
from dev import command
from ops import build, cloudformation, tokens
from ops.account import Account

STAGE = "dev"
AT_LEAST = 0.9
"""Of the plain app's jobs a second."""
PARTS: Sequence[tuple[str, Callable[[Run], Mapping[str, float]], int]] = (
    ("processes", lambda run: run.started, 0),
    ("processor s", lambda run: run.seconds, 2),
    ("calls a job", lambda run: run.calls, 2),
)
"""What else is said of a run, by name: its title and the digits of its figures."""
PLAIN, SORTIE, ONE_ZIP = "plain", "Sortie", "Sortie, one zip"


@dataclass(frozen=True, slots=True)
class Subject:
    """`deploy`: to the emulator of an account."""

    zip: Path
    deploy: Callable[[Account], Target]


def subjects(folder: Path) -> dict[str, Subject]:
    """Built once: every deployment of a subject has the same bytes."""
    plain = plain_stack.package(folder / "plain")
    lean = build.build(STAGE, folder / "lean", for_aws=False)
    whole = replace(lean, zip=_one_zip(lean, folder / "whole.zip"))
    return {
        PLAIN: Subject(plain.zip, partial(_deploy_plain, plain)),
        SORTIE: Subject(lean.zip, partial(_deploy_sortie, lean)),
        ONE_ZIP: Subject(whole.zip, partial(_deploy_sortie, whole)),
    }


def _deploy_plain(built: plain_stack.PlainPackage, account: Account) -> Target:
    return Target(plain_stack.deploy(account, built), plain_stack.TABLE, {})


def _deploy_sortie(package: build.Package, account: Account) -> Target:
    outputs = cloudformation.deploy(account, STAGE, package, lambda _: None)
    records = tokens.records_of(account, STAGE)
    token = tokens.create(records, "bench", "submit", None, now=time.time())
    return Target(cloudformation.api_url(account, outputs), f"sortie-{STAGE}", {"Authorization": f"Bearer {token}"})


def _one_zip(package: build.Package, target: Path) -> Path:
    shutil.copy(package.zip, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as whole, zipfile.ZipFile(package.layer) as layer:
        for name in layer.namelist():
            whole.writestr(name.removeprefix("python/"), layer.read(name))
    return target


def compare(jobs: int, rounds: int, say: Callable[[str], None]) -> float:
    """Sortie's jobs a second, as a part of the plain app's: medians."""
    with tempfile.TemporaryDirectory() as name:
        each = subjects(Path(name))
        runs: dict[str, list[Run]] = {name: [] for name in each}
        say(f"{jobs} jobs, {CLIENTS} clients; load {_load()} at the start")
        say("| run | jobs a second | submitted after s | done after s | load |")
        say("| --- | ---: | ---: | ---: | ---: |")
        for turn in [PLAIN, SORTIE] * rounds + [ONE_ZIP]:
            run = deployed_run.run(each[turn].deploy, jobs)
            runs[turn].append(run)
            say(f"| {turn} | {run.jobs_a_second:.0f} | {run.submitted:.2f} | {run.done:.2f} | {_load()} |")
        say("\n".join(["", *_figures(each, runs)]))
    return _median(runs[SORTIE], _speed) / _median(runs[PLAIN], _speed)


def _figures(each: Mapping[str, Subject], runs: Mapping[str, Sequence[Run]]) -> list[str]:
    rows = [
        ("jobs a second", [f"{_median(runs[name], _speed):.0f}" for name in each]),
        ("zip, MB", [f"{subject.zip.stat().st_size / 1e6:.2f}" for subject in each.values()]),
        ("files in it", [str(len(zipfile.ZipFile(subject.zip).namelist())) for subject in each.values()]),
        ("import of app.py, ms", [f"{deployed_run.import_ms(subject.zip):.0f}" for subject in each.values()]),
        ("first request, ms", [f"{_median(runs[name], lambda run: run.first_ms):.0f}" for name in each]),
    ]
    for title, parts, digits in PARTS:
        names = sorted({name for of_one in runs.values() for run in of_one for name in parts(run)})
        rows += [(f"{title}: {name}", [_part(runs[it], parts, name, digits) for it in each]) for name in names]
    head = [f"| median | {' | '.join(each)} |", f"| --- |{' ---: |' * len(each)}"]
    return head + [f"| {title} | {' | '.join(cells)} |" for title, cells in rows]


def _part(runs: Sequence[Run], parts: Callable[[Run], Mapping[str, float]], name: str, digits: int) -> str:
    return f"{_median(runs, lambda run: parts(run).get(name, 0)):.{digits}f}"


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return statistics.median(map(of, runs))


def _speed(run: Run) -> float:
    return run.jobs_a_second


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratio = compare(options.jobs, options.rounds, lambda text: print(text, flush=True))
    print(f"\nSortie / plain: {ratio:.2f} (at least {AT_LEAST}: {'held' if ratio >= AT_LEAST else 'MISSED'})")


if __name__ == "__main__":
    command.run(main)
