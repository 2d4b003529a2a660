"""What the quick lane bills, beside the worker of the version before: milliseconds of the handler a job, in one run.

python -m benchmarks.billed [--jobs 100]

Each version is a process of its own on a stage of its own, both on one emulator; they take turns with small sorts, ten
an invocation, and the best round of each counts. The version before stands in tests/emulated/stored/before.zip. AWS is
not on this machine: in the second line every call waits three milliseconds more, which is about what DynamoDB takes.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

from dev import command, emulator, resources
from dev.settings import ROOT

VERSIONS = {"before": str(ROOT / "tests" / "emulated" / "stored" / "before.zip"), "now": str(ROOT)}
WORKER = ROOT / "benchmarks" / "billed_worker.py"
ROUNDS = 5
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
DELAYS_MS = (0.0, 3.0)
AT_MOST = 0.5
"""Of what the version before bills."""


class Worker:
    """A process of one version, which runs a round when it is told to."""

    def __init__(self, name: str, endpoint: str, delay: float) -> None:
        stage = f"billed-{name}-{delay:g}"
        resources.create(stage, endpoint)
        own = {"SORTIE_STAGE": stage, "AWS_ENDPOINT_URL": endpoint, "BUCKET_NAME": f"{stage}-payloads"}
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), VERSIONS[name], str(delay)], env={**os.environ, **own, "PYTHONPATH": ""},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, jobs: int) -> float:
        """Milliseconds a job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{jobs}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate()


def compare(jobs: int, delay: float) -> Mapping[str, float]:
    """Milliseconds a job that each version bills."""
    os.environ |= ACCESS
    with emulator.running() as endpoint:
        workers = {name: Worker(name, endpoint, delay) for name in VERSIONS}
        rounds = [{name: worker.run(jobs) for name, worker in workers.items()} for _ in range(ROUNDS + 1)]
        for worker in workers.values():
            worker.stop()
    return {name: min(each[name] for each in rounds[1:]) for name in VERSIONS}  # the first round warms up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100)
    jobs = parser.parse_args().jobs
    print(
        "| a call waits ms | before ms | now ms | ratio | at most |", "| ---: | ---: | ---: | ---: | ---: |", sep="\n"
    )
    for delay in DELAYS_MS:
        billed = compare(jobs, delay)
        before, now = billed["before"], billed["now"]
        print(f"| {delay:g} | {before:.2f} | {now:.2f} | {now / before:.2f} | {AT_MOST} |", flush=True)


if __name__ == "__main__":
    command.run(main)
