"""Container jobs: start, settle, stop, tidy up. No function waits while a container runs.

message ─▶ claim ─▶ start (the attempt is the token) ─▶ note the reference, fenced ─▶ return
event, hint, dispatcher ─▶ settle: look at the engine, judge, one fenced write
cancel ─▶ flag in the row ─▶ stop ─▶ settled like any end
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chalicelib.core import change as changes
from chalicelib.core import container_change, container_look
from chalicelib.core.container import (
    Allowed,
    ContainerInput,
    ContainerOutput,
    make_spec,
    name_of,
    parse_name,
    parse_progress,
)
from chalicelib.core.container_look import (
    CANCELED,
    LOOK_EVERY_MS,
    RUNNING,
    STARTING,
    UNWANTED,
    Broke,
    Canceled,
    Exited,
    Goes,
    Look,
    NotStarted,
    Start,
    Stop,
    Wait,
)
from chalicelib.core.dispatch_plan import MAX_DELAY_MS
from chalicelib.core.job import Container, Error, Inline, Job, Millis, Status, container_of
from chalicelib.core.lane import Lane
from chalicelib.errors import Invalid, PayloadMissing, TooLarge, Unavailable
from chalicelib.ports import ChangeRefused, Hint, Ports, StartRefused
from chalicelib.service import log
from chalicelib.service.finish import finish, stop
from chalicelib.service.metrics import Tallies

FIRST_HINTS_SECONDS = (3, 8, 20, 40)
"""After these a container that runs is looked at once more; from then on the dispatcher looks each minute."""
AFTER_STOP_SECONDS = 12
TAIL_LINES, TAIL_BYTES = 20, 3_500
MESSAGE_LIMIT_CHARACTERS = 2_000
OFF = "container jobs are off on this stage: set CONTAINER_IMAGES to the images that may run"
LATE_LINES_SECONDS = 0.4
LARGEST_INPUT_BYTES = 100_000
BAD_INPUT_WAIT_SECONDS = 60.0


class ContainerSettings(Protocol):
    """What the stage says of containers: see config.Settings."""

    @property
    def containers_off(self) -> str: ...

    @property
    def container_images(self) -> Sequence[str]: ...

    @property
    def container_secrets(self) -> Sequence[str]: ...


def allowed(settings: ContainerSettings) -> Allowed:
    """What this stage lets run."""
    off = settings.containers_off or ("" if settings.container_images else OFF)
    return Allowed(settings.container_images, settings.container_secrets, off)


def start(ports: Ports, job: Job, tallies: Tallies, *, again: bool = False) -> None:
    """Start the container of an attempt that has been claimed. `again`: nobody knows whether its worker has, or still
    will; the name makes it the same container. Raises Unavailable: then the dispatcher starts it again."""
    now = ports.clock.now()
    try:
        spec = make_spec(_read_input(ports, job), job, allowed(ports.settings))
        ref = ports.containers.start(name_of(ports.settings.stage, job), spec)
    except (Invalid, PayloadMissing, TooLarge) as error:
        message = f"the container cannot be started: {error}"[:MESSAGE_LIMIT_CHARACTERS]
        broke = Broke(Error("task_error", message), wait_seconds=BAD_INPUT_WAIT_SECONDS)
        return finish(ports, job, _unless_looked_at(job, _change_of_broke(ports, job, broke, message)), None, tallies)
    except StartRefused as refused:
        if not again:  # else its worker may be about to start it: that one's refusal counts
            finish(ports, job, _unless_looked_at(job, _refusal(ports, job, str(refused), now)), None, tallies)
        return None
    return _note(ports, job, ref)


def settle(ports: Ports, job: Job, tallies: Tallies, *, in_round: bool = False) -> None:
    """Look at the container of a running attempt, and do what follows. `in_round`: the dispatcher's, which has to say
    when it looks again. Raises Unavailable."""
    settle_many(ports, [job], tallies, in_round=in_round)


def settle_many(
    ports: Ports, jobs: Sequence[Job], tallies: Tallies, *, in_round: bool, go_on: Callable[[], bool] = lambda: True
) -> None:
    """One look for all of them, and each in turn while it may `go_on`. What goes wrong with one job is logged; the
    others go on."""
    known = {job.id: container.ref for job in jobs if (container := container_of(job))}
    looks = ports.containers.look(list(known.values())) if known else {}
    lines_by = ports.clock.monotonic() + LATE_LINES_SECONDS
    for job in jobs:
        if not go_on():
            return  # the next round finds the rest
        try:
            look = looks.get(known[job.id]) if job.id in known else _find(ports, job)
            _follow(ports, job, look, tallies, lines_by, in_round=in_round)
        except Exception as error:  # one bad row must not keep all the others waiting
            log.warning("container_failed", job=job.id, reason=f"{type(error).__name__}: {error}")


def on_event(ports: Ports, name: str, ref: str) -> None:
    """Something happened to a container, says the engine; what it was is asked, not believed. Raises Unavailable."""
    parsed = parse_name(name)
    if parsed is None or parsed[0] != ports.settings.stage:
        return
    _, job_id, attempt = parsed
    row, tallies = ports.jobs.get(job_id), Tallies(ports)
    if row is None or not _owns(row, attempt, ref):
        _stop_if_it_runs(ports, ref)
        return
    settle(ports, row, tallies)
    tallies.write()


def stop_for_cancel(ports: Ports, job: Job) -> None:
    """After the flag is in the row. Best effort: the worker that starts it, and the dispatcher, see the flag too."""
    container = container_of(job)
    try:
        if container:
            ports.containers.stop(container.ref, CANCELED)
        ports.queue.send([Hint(job.id, Lane.LONG, job.owner, 1)])
    except Unavailable as error:
        log.warning("container_not_stopped", job=job.id, reason=str(error))


def sweep(ports: Ports) -> None:
    """Stop what runs and belongs to no attempt that runs: a start that came too late, a second start of one attempt."""
    named = [(look.ref, parse_name(look.name)) for look in ports.containers.running()]
    ours = [(ref, parsed[1], parsed[2]) for ref, parsed in named if parsed and parsed[0] == ports.settings.stage]
    if not ours:
        return
    rows = {row.id: row for row in ports.jobs.get_many(list({job_id for _, job_id, _ in ours}))}
    for ref, job_id, attempt in ours:
        if _owns(rows.get(job_id), attempt, ref) or _owns(ports.jobs.get(job_id), attempt, ref):  # the first may lag
            continue
        log.warning("container_unwanted", job=job_id, attempt=attempt)
        ports.containers.stop(ref, UNWANTED)


def _owns(row: Job | None, attempt: int, ref: str) -> bool:
    """While the row knows no container of its attempt, whichever there is may be its own."""
    if row is None or row.status is not Status.RUNNING or row.attempts != attempt:
        return False
    container = container_of(row)
    return container is None or container.ref == ref


def _stop_if_it_runs(ports: Ports, ref: str) -> None:
    look = ports.containers.look([ref]).get(ref)
    if look is not None and look.status in STARTING | {RUNNING}:
        ports.containers.stop(ref, UNWANTED)


def _find(ports: Ports, job: Job) -> Look | None:
    """The container of an attempt whose row names none: that was started, and the note of it was lost."""
    refs = ports.containers.find(name_of(ports.settings.stage, job))
    if not refs:
        return None
    looks = ports.containers.look(refs)
    first, *others = sorted(refs, key=lambda ref: (looks[ref].status not in STARTING | {RUNNING}, ref))
    for other in others:
        if looks[other].status in STARTING | {RUNNING}:
            ports.containers.stop(other, UNWANTED)
    return looks[first]


def _follow(
    ports: Ports, job: Job, look: Look | None, tallies: Tallies, lines_by: float, *, in_round: bool
) -> None:  # fmt: skip
    """`lines_by`: when all lines of what has ended by this look have come, on the clock that only goes on."""
    if look is not None and container_of(job) is None:
        job = _note_row(ports, job, look.ref) or job
    now = ports.clock.now()
    match container_look.judge(job, look, now):
        case Start():
            _start_again(ports, job, tallies)
        case Wait():
            _watch(ports, job, now, in_round=in_round)
        case Goes(started_at):
            _go_on(ports, job, started_at, in_round=in_round)
        case Stop(why):
            _stop(ports, job, why, tallies, lines_by, in_round=in_round)
        case Exited(duration_ms):
            _complete(ports, job, look, duration_ms, tallies, lines_by)
        case Canceled(duration_ms):
            finish(ports, job, stop(ports, job, duration_ms), duration_ms, tallies)
        case NotStarted(reason):
            finish(ports, job, _refusal(ports, job, reason, now), None, tallies)
        case Broke() as broke:
            _break(ports, job, look, broke, tallies, lines_by)


def _note(ports: Ports, job: Job, ref: str) -> None:
    row = _note_row(ports, job, ref)
    if row is None:
        return _stop_if_it_runs(ports, ref)
    if row.cancel_requested:
        ports.containers.stop(ref, CANCELED)
    _hint(ports, row.id, 1 if row.cancel_requested else FIRST_HINTS_SECONDS[0])
    return None


def _note_row(ports: Ports, job: Job, ref: str) -> Job | None:
    """None where the row has moved on."""
    try:
        return ports.jobs.apply(container_change.note_container(job, ports.clock.now(), ref))
    except ChangeRefused:
        log.warning("container_too_late", job=job.id, attempt=job.attempts)
        return None


def _watch(ports: Ports, job: Job, now: Millis, *, in_round: bool, **changed: object) -> None:
    """Written when there is something to write: only the dispatcher's round must move the wake time."""
    if not changed and not in_round:
        return
    try:
        ports.jobs.apply(container_change.watch_container(job, now, now + LOOK_EVERY_MS, **changed))
    except ChangeRefused:
        return  # somebody has settled it


def _go_on(ports: Ports, job: Job, started_at: Millis | None, *, in_round: bool) -> None:
    now, changed = ports.clock.now(), dict[str, object]()
    container = container_of(job)
    if container and started_at is not None and container.started_at != started_at:
        changed["container"] = container = msgspec.structs.replace(container, started_at=started_at)
    progress = _read_progress(ports, container) if container and started_at is not None else None
    if progress is not None and progress != job.progress:
        changed["progress"] = progress
    _watch(ports, job, now, in_round=in_round, **changed)
    _hint_again(ports, job, container, now)


def _hint_again(ports: Ports, job: Job, container: Container | None, now: Millis) -> None:
    """A look more, where one is due before the dispatcher's: soon after the start, and at the deadline."""
    assert job.started_at is not None
    age = (now - job.started_at) / 1000
    soon = [seconds - age for seconds in FIRST_HINTS_SECONDS if seconds > age]
    dues = soon[:1]
    if container and container.started_at is not None:
        left = container.started_at / 1000 + job.timeout - now / 1000
        dues += [left] if left * 1000 <= max(LOOK_EVERY_MS * 2, 1) else []
    if dues:
        _hint(ports, job.id, max(1, -int(-min(dues) // 1)))


def _hint(ports: Ports, job_id: str, seconds: int) -> None:
    try:
        ports.queue.send([Hint(job_id, Lane.LONG, None, min(seconds, MAX_DELAY_MS // 1000))])
    except Unavailable as error:
        log.warning("message_not_sent", jobs=[job_id], reason=str(error))


def _stop(ports: Ports, job: Job, why: str, tallies: Tallies, lines_by: float, *, in_round: bool) -> None:
    """And look again at once: an emulator has stopped it by then."""
    container = container_of(job)
    if container is None:
        return
    ports.containers.stop(container.ref, why)
    _watch(ports, job, ports.clock.now(), in_round=in_round)
    look = ports.containers.look([container.ref]).get(container.ref)
    if look is not None and look.status == container_look.STOPPED:
        _follow(ports, job, look, tallies, lines_by, in_round=in_round)
    else:
        _hint(ports, job.id, AFTER_STOP_SECONDS)


def _complete(
    ports: Ports, job: Job, look: Look | None, duration_ms: float, tallies: Tallies, lines_by: float
) -> None:  # fmt: skip
    output = msgspec.json.encode(ContainerOutput(0, _read_tail(ports, job, lines_by)))
    now, retention = ports.clock.now(), ports.settings.retention
    change = changes.complete(job, now, output=Inline(output), duration_ms=duration_ms, retention=retention)
    finish(ports, job, container_change.with_exit(change, job, look), duration_ms, tallies)


def _break(ports: Ports, job: Job, look: Look | None, broke: Broke, tallies: Tallies, lines_by: float) -> None:
    message = broke.error.message
    if broke.exit_code is not None and (tail := _read_tail(ports, job, lines_by)):
        message = f"{message}\n{tail}"
    change = _change_of_broke(ports, job, broke, message[:MESSAGE_LIMIT_CHARACTERS])
    finish(
        ports,
        job,
        container_change.with_exit(change, job, look if broke.exit_code is not None else None),
        broke.duration_ms,
        tallies,
    )


def _change_of_broke(ports: Ports, job: Job, broke: Broke, message: str) -> changes.Change:
    return changes.fail_attempt(
        job, ports.clock.now(), Error(broke.error.type, message), duration_ms=broke.duration_ms,
        jitter=ports.random.uniform(), retention=ports.settings.retention, min_wait_seconds=broke.wait_seconds,
    )  # fmt: skip


def _refusal(ports: Ports, job: Job, reason: str, now: Millis) -> changes.Change:
    jitter, retention = ports.random.uniform(), ports.settings.retention
    return container_change.refuse_start(job, now, reason, jitter=jitter, retention=retention)


def _unless_looked_at(job: Job, change: changes.Change) -> changes.Change:
    """Refused once the dispatcher has looked: it may have started the very container whose start failed here."""
    return msgspec.structs.replace(change, wake_at=job.wake_at)


def _start_again(ports: Ports, job: Job, tallies: Tallies) -> None:
    """Whoever moves the wake time is the only one who does."""
    now = ports.clock.now()
    change = container_change.watch_container(job, now, now + LOOK_EVERY_MS)
    try:
        row = ports.jobs.apply(_unless_looked_at(job, change))
    except ChangeRefused:
        return
    start(ports, row, tallies, again=True)


def _read_input(ports: Ports, job: Job) -> ContainerInput:
    data = job.input.data if isinstance(job.input, Inline) else ports.payloads.get(job.input.key, LARGEST_INPUT_BYTES)
    decoded = ports.tasks[job.task].decode(data)
    assert isinstance(decoded, ContainerInput)
    return decoded


def _read_tail(ports: Ports, job: Job, lines_by: float) -> str:
    """The last lines, as far as they have arrived; worth nothing to the outcome when they cannot be had. Who waits for
    one's late lines has waited for those of all that were looked at with it."""
    container = container_of(job)
    if container is None:
        return ""
    try:
        lines = ports.containers.tail(container.ref, TAIL_LINES)
        if not lines and (left := lines_by - ports.clock.monotonic()) > 0:
            ports.clock.pause(left)
            lines = ports.containers.tail(container.ref, TAIL_LINES)
    except Unavailable as error:
        log.warning("container_log_unavailable", job=job.id, reason=str(error))
        return ""
    return _cut_front("\n".join(line for line in lines if parse_progress(line) is None))


def _cut_front(text: str) -> str:
    """The end of it that takes no more bytes in the row than a small payload may."""
    while len(msgspec.json.encode(text)) > TAIL_BYTES:
        text = text[max(1, len(text) // 8) :]
    return text


def _read_progress(ports: Ports, container: Container) -> float | None:
    try:
        lines = ports.containers.tail(container.ref, TAIL_LINES)
    except Unavailable:
        return None
    said = [fraction for line in lines if (fraction := parse_progress(line)) is not None]
    return said[-1] if said else None


def unsettled(jobs: Sequence[Job], now: Millis) -> list[Job]:
    """Those of the dispatcher's rows that run in a container and whose wake time has come. Not those that a worker is
    about to start: a look that moves the wake time would take the word from it, should there be no room."""
    return [
        job for job in jobs
        if job.remote and job.status is Status.RUNNING and job.wake_at is not None and job.wake_at <= now
        and not container_look.is_about_to_start(job, now)
    ]  # fmt: skip
