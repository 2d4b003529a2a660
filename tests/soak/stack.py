"""Mixed jobs on `make run`, while its workers, dispatcher and routes are killed and its emulator stands still or starts
again on what it has kept. At the end nothing is lost, nothing has two outcomes, and every output is right."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.client import Answer, Client, NoAnswer, fetch
from tests.support.running import RunningStack

ATTEMPTS, STRIKES = 10, 20
KILLED = ("dev.worker", "dev.serve")
ENDED = ("completed", "failed", "canceled")
ENDINGS = (
    '"event":"complete"',
    '"event":"complete_unclaimed"',
    '"event":"fail"',
    '"event":"give_up"',
    '"event":"stop"',
)
GIVE_UP_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Promised:
    """What becomes of a job: its status, and its output where it completes."""

    request: Mapping[str, Any]
    status: str
    output: Any = None


def draw_job(draw: random.Random, *, containers: bool) -> Promised:
    kind = draw.choices(("sort", "large", "sleep", "fails once", "fails", "later", "container"),
                        (70, 5, 8, 6, 3, 6, 2 if containers else 0))[0]  # fmt: skip
    more: dict[str, Any] = {"max_attempts": ATTEMPTS}
    numbers = [draw.randrange(1 << 30) for _ in range(40_000 if kind == "large" else draw.randrange(1, 200))]
    match kind:
        case "sleep":
            return Promised({"task": "sleep", "input": {"seconds": draw.random()}, **more}, "completed")
        case "fails once":
            return Promised({"task": "fail", "input": {"message": "once", "times": 1}, **more}, "completed")
        case "fails":
            return Promised({"task": "fail", "input": {"message": "always"}, "max_attempts": 1}, "failed")
        case "container":
            task_input = {"image": "docker.io/library/busybox:1.36", "command": ["echo", "done"]}
            return Promised({"task": "container", "input": task_input, **more}, "completed")
        case _:
            later = {"run_in": f"{draw.randrange(1, 20)}s"} if kind == "later" else {}
            return Promised({"array": numbers, **later, **more}, "completed", sorted(numbers))


class Chaos:
    """What goes wrong, each at its own time. `frozen`: the most seconds that the emulator stands still."""

    def __init__(self, start: Callable[[], RunningStack], draw: random.Random, frozen: float) -> None:
        self._start, self._draw, self._frozen = start, draw, frozen
        self.stack = start()
        self.count = Counter[str]()
        self.lines: list[str] = []

    def strike(self) -> None:
        act = self._draw.choices((self._kill, self._freeze, self._restart), (40, 3, 1))[0]
        act()

    def _kill(self) -> None:
        targets = [each for each in self.stack.descendants() if any(name in each.command for name in KILLED)]
        if targets:
            target = self._draw.choice(targets)
            os.kill(target.pid, signal.SIGKILL)
            self.count["killed"] += 1

    def _freeze(self) -> None:
        emulators = [each.pid for each in self.stack.descendants() if each.command.endswith("guarded_ministack.py")]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in emulators:
                os.kill(pid, number)
            if number is signal.SIGSTOP:
                time.sleep(self._draw.uniform(0.5, self._frozen))
        self.count["frozen"] += 1

    def _restart(self) -> None:
        self.close()
        self.stack = self._start()
        self.count["started again"] += 1

    def close(self) -> None:
        self.stack.stop()
        self.lines += self.stack.lines


def run(folder: Path, jobs: int, *, seed: int, frozen: float = 30.0, engine: str | None = None) -> Counter[str]:
    """What was done to it. `engine`: the DOCKER_HOST for container jobs. Raises AssertionError with the seed."""
    draw, start = random.Random(seed), time.monotonic()
    environ = {"DOCKER_HOST": engine} if engine else {}
    chaos = Chaos(lambda: RunningStack(folder, **environ), draw, frozen)
    try:
        promised: dict[str, Promised] = {}
        bulk = min(50, max(1, jobs // STRIKES))
        for number in range(0, jobs, bulk):
            batch = [draw_job(draw, containers=engine is not None) for _ in range(min(bulk, jobs - number))]
            promised |= dict(zip(_submit(chaos, batch, f"{seed}-{number}"), batch, strict=True))
            chaos.strike()
        _wait(chaos, promised)
        chaos.count["jobs"], chaos.count["seconds"] = len(promised), round(time.monotonic() - start)
        _check(chaos, promised)
    except AssertionError as error:
        error.add_note(f"seed {seed}: {dict(chaos.count)}")
        raise
    finally:
        chaos.close()
    _check_outcomes(chaos.lines, promised)
    return chaos.count


def _ask(chaos: Chaos, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """Until the service answers: whatever is asked here may be asked again."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up:
        try:
            answer = Client(chaos.stack.url, timeout=35.0).ask(method, path, body, **headers)
        except NoAnswer:
            time.sleep(0.2)
            continue
        if answer.status < 500 and answer.status != 429:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{method} {path} was not answered in {GIVE_UP_SECONDS:g} s")


def _submit(chaos: Chaos, batch: Sequence[Promised], key: str) -> list[str]:
    """Their ids, in order. The whole bulk goes again under its key until each entry has its job."""
    body = {"jobs": [each.request for each in batch]}
    while True:
        answer = _ask(chaos, "POST", "/jobs/bulk", body, **{"Idempotency-Key": key})
        results = answer.body.get("results")
        assert results is not None, answer
        refused = [result for result in results if result["status"] not in (200, 202, 503)]
        assert not refused, refused[0]
        if all(result["status"] != 503 for result in results):
            return [result["job"]["id"] for result in results]
        time.sleep(0.2)


def _wait(chaos: Chaos, promised: Mapping[str, Promised]) -> None:
    """Until everything has ended, with a blow now and then for as long as most of it has not."""
    open_, give_up = set(promised), time.monotonic() + GIVE_UP_SECONDS
    while open_:
        assert time.monotonic() < give_up, f"{len(open_)} jobs never end, such as {min(open_)}"
        open_ -= {job_id for job_id in sorted(open_)[:200] if _job(chaos, job_id)["status"] in ENDED}
        if len(open_) > len(promised) / 2:
            chaos.strike()
        time.sleep(0.5)


def _job(chaos: Chaos, job_id: str) -> Any:
    answer = _ask(chaos, "GET", f"/jobs/{job_id}")
    assert answer.status == 200, f"{job_id} is lost: {answer}"
    return answer.body


def _check(chaos: Chaos, promised: Mapping[str, Promised]) -> None:
    for job_id, expected in promised.items():
        job = _job(chaos, job_id)
        assert job["status"] == expected.status, (job_id, job["status"], job.get("error"), expected.request)
        if expected.output is not None:
            output = job["output"]
            whole = fetch("GET", output["href"]).body if "href" in output else output
            assert whole["array"] == expected.output, f"{job_id} is not sorted"


def _check_outcomes(lines: Sequence[str], promised: Mapping[str, Promised]) -> None:
    """No job's end is in the log twice."""
    twice = [job_id for job_id, times in Counter(_ended(lines)).items() if times > 1 and job_id in promised]
    assert not twice, f"two outcomes: {twice}"


def _ended(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if any(ending in line for ending in ENDINGS) and (begin := line.find("{")) >= 0:
            yield json.loads(line[begin:]).get("job", "")
