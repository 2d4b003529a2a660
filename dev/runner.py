"""Drives the app's queue and schedule handlers as Lambda and EventBridge would: `python -m dev.runner`.

queue    -> QueueSlot    (thread) -> Environment -> worker process -> handler     x WORKERS
schedule -> ScheduleSlot (thread) -> Environment -> worker process -> handler
ECS      -> EventSlot    (thread) -> Environment -> worker process -> handler, where there is an engine
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import msgspec

from chalicelib import config
from dev import command, emulator
from dev.containers import EventSlot
from dev.environment import Environment
from dev.process import say
from dev.settings import STAGE, BadStart, DevSettings, child_environ, load
from dev.slots import QueueSlot, ScheduleSlot, Slot
from dev.sources import EventSource, OtherSource, QueueSource, ScheduleSource, Source
from dev.watch import Watch

LIST_LIMIT = 60.0
STOP_GRACE = 3.0


class Runner:
    """A slot per schedule and up to WORKERS per queue."""

    def __init__(self, settings: DevSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._slots: list[Slot] = []
        self._sources: list[Source] = []

    def read(self) -> list[Source]:
        """The sources of the code as it is now; BadStart when the app does not load."""
        command = [sys.executable, "-m", "dev.sources", STAGE]
        done = subprocess.run(
            command,
            cwd=self._settings.root,
            env=dict(self._environ),
            capture_output=True,
            timeout=LIST_LIMIT,
            check=False,
        )
        if done.returncode:
            raise BadStart(f"app.py does not load:\n{done.stderr.decode(errors='replace').rstrip()}")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Source])

    def start(self, sources: list[Source]) -> None:
        self._sources = sources
        self._slots = [slot for source in sources for slot in self._make(source)]
        for slot in self._slots:
            slot.begin()

    def renew(self, sources: list[Source]) -> None:
        """New code from the next batch on; new slots when the sources themselves differ."""
        if sources == self._sources:
            for slot in self._slots:
                slot.renew()
        else:
            self.stop()
            self.start(sources)

    def stop(self) -> None:
        for slot in self._slots:
            slot.end()
        give_up = time.monotonic() + STOP_GRACE
        for slot in self._slots:
            slot.finish(max(0.0, give_up - time.monotonic()))
        self._slots = []

    def _make(self, source: Source) -> list[Slot]:
        name = source.function.name
        match source:
            case QueueSource():
                count = min(self._settings.workers, source.concurrency or self._settings.workers)
                return [self._queue_slot(f"{name}-{n}", source) for n in range(1, count + 1)]
            case ScheduleSource():
                every = self._settings.schedule_every
                return [ScheduleSlot(name, self._environment(name, source), source, every)]
            case EventSource():
                on = not config.load(self._environ).containers_off and config.load(self._environ).container_images
                return [EventSlot(name, self._environment(name, source), source, self._environ)] if on else []
            case OtherSource():
                say("", f"{name}: {source.kind} handlers run on AWS and when deployed offline, but not here.")
                return []

    def _queue_slot(self, name: str, source: QueueSource) -> Slot:
        return QueueSlot(name, self._environment(name, source), source, self._environ["AWS_ENDPOINT_URL"])

    def _environment(self, name: str, source: Source) -> Environment:
        return Environment(name, source.function, self._environ, self._settings.root)


def main() -> None:
    """The runner alone, beside a `chalice local` and an emulator that somebody else has started."""
    settings = load(os.environ)
    if settings.endpoint is None:
        raise BadStart("The runner alone needs AWS_ENDPOINT_URL; `make run` starts everything.")
    emulator.demand(settings.endpoint)
    runner = Runner(settings, child_environ(os.environ, settings, settings.endpoint))
    watch, ending = Watch(settings.root), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    runner.start(runner.read())
    while not ending.wait(0.5):
        if watch.changed():
            _renew(runner)
    runner.stop()


def _renew(runner: Runner) -> None:
    try:
        runner.renew(runner.read())
    except BadStart as error:
        say("", f"Handlers keep the code they have: {error}")


if __name__ == "__main__":
    command.run(main)
