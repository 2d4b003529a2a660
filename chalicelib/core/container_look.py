"""What a look at an attempt's container means: one pure function from the row, the look and the time to a verdict.

no container known ........ wait for the worker that has the attempt, then start it again: the name makes it the same
starting, running ......... goes on; past its deadline or asked to cancel: stop it
stopped by us ............. timeout, canceled; by somebody else: lost
stopped by itself ......... its exit code
did not start ............. the image or the command is wrong, or there was no room: that costs no attempt
taken away, unknown ....... lost
"""

from dataclasses import dataclass

from chalicelib.core.change import LEASE_GRACE_SECONDS
from chalicelib.core.job import Error, Job, Millis, container_of

STARTER_LIVES_MS: Millis = 960_000
"""A function that may be about to start an attempt's container has ended for certain by then: Lambda's 900 s."""
START_WITHIN_MS: Millis = 840_000
"""Nobody starts an attempt's container later than this, so that at STARTER_LIVES_MS nobody is about to."""
MISSING_BELIEVED_AFTER_MS: Millis = 20_000
"""How long the worker that has claimed the attempt is left alone with starting it."""
FORGOTTEN_AFTER_MS: Millis = 300_000
"""ECS is eventually consistent: a container may be unknown for a while after its start."""
STOP_SECONDS = 30.0
"""From the request to stop a container to its end."""
LOOK_EVERY_MS: Millis = 45_000
"""Less than the dispatcher's minute, so that each round looks."""

TIMEOUT, CANCELED, STUCK, UNWANTED = "timeout", "canceled", "never started", "not wanted any more"
REASON = "sortie: "
"""Before the reason that a stopped container is given: so it is known as ours."""
STARTING = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
RUNNING, STOPPED, MISSING = "RUNNING", "STOPPED", "MISSING"
TAKEN_AWAY = frozenset({"SpotInterruption", "TerminationNotice", "ServiceSchedulerInitiated", "InfrastructureHealth"})
NOT_PULLED = ("CannotPull", "No such image", "image not known", "pull access denied", "manifest unknown")
NOT_RUN = (
    "CannotStartContainer", "CannotCreateContainer", "executable file not found", "no such file or directory",
    "permission denied", "exec format error", "OCI runtime", "exec:",
)  # fmt: skip
NO_SECRET = ("unable to pull secrets", "secretsmanager")
OUT_OF_MEMORY = "OutOfMemoryError"
SIGNALS = {4: "SIGILL", 6: "SIGABRT", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM"}
LONGEST_REASON = 600


@dataclass(frozen=True, slots=True)
class Look:
    """What the engine says of a container, in ECS's words. `detail`: the reason that its own container gives."""

    ref: str
    status: str
    name: str = ""
    started_at: Millis | None = None
    stopped_at: Millis | None = None
    exit_code: int | None = None
    stop_code: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is known yet: look again."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start it (again): the name makes it the same container."""


@dataclass(frozen=True, slots=True)
class Goes:
    """It starts, or runs since `started_at`."""

    started_at: Millis | None


@dataclass(frozen=True, slots=True)
class Stop:
    why: str


@dataclass(frozen=True, slots=True)
class Exited:
    """Of itself, with 0."""

    duration_ms: float


@dataclass(frozen=True, slots=True)
class Broke:
    """The attempt has failed. `exit_code`, where there was one: its last lines belong into the message."""

    error: Error
    exit_code: int | None = None
    duration_ms: float | None = None
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Canceled:
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The engine had no room, which is no fault of the job's."""

    reason: str


Verdict = Wait | Start | Goes | Stop | Exited | Broke | Canceled | NotStarted


def judge(job: Job, look: Look | None, now: Millis) -> Verdict:
    """`look` None: no container of the attempt is known to the engine."""
    assert job.started_at is not None
    age = now - job.started_at
    if look is None:
        return _judge_unknown(job, age)
    if look.status == MISSING:
        return Wait() if age < FORGOTTEN_AFTER_MS else _lost(job, "the engine no longer knows its container")
    if look.status == STOPPED:
        return _judge_stopped(job, look)
    started_at = look.started_at if look.status not in STARTING else None
    if (why := _why_stop(job, look, started_at, now)) and look.status in STARTING | {RUNNING}:
        return Stop(why)
    return Goes(started_at or _known_start(job))


def is_about_to_start(job: Job, now: Millis) -> bool:
    """Its worker lives, as far as anybody knows, and has not said yet what became of the start."""
    return container_of(job) is None and now - (job.started_at or 0) < MISSING_BELIEVED_AFTER_MS


def deadline_of(job: Job) -> Millis | None:
    """When the container that runs is out of time; None while it is not known to run."""
    started_at = _known_start(job)
    return None if started_at is None else started_at + round(job.timeout * 1000)


def lease_end(job: Job) -> Millis:
    """The whole time that an attempt may hold its row: start, time-out, stop."""
    assert job.started_at is not None
    return job.started_at + lease_ms(job.timeout)


def lease_ms(timeout: float) -> Millis:
    return STARTER_LIVES_MS + round((timeout + STOP_SECONDS + LEASE_GRACE_SECONDS) * 1000)


def _judge_unknown(job: Job, age: Millis) -> Verdict:
    if age >= STARTER_LIVES_MS:
        return Canceled() if job.cancel_requested else _lost(job, "no container came of it")
    if job.cancel_requested or age < MISSING_BELIEVED_AFTER_MS or age >= START_WITHIN_MS:
        return Wait()
    return Start()


def _why_stop(job: Job, look: Look, started_at: Millis | None, now: Millis) -> str | None:
    assert job.started_at is not None
    if started_at is not None and now >= started_at + round(job.timeout * 1000):
        return TIMEOUT
    if job.cancel_requested:
        return CANCELED
    if look.status in STARTING and now - job.started_at >= STARTER_LIVES_MS:
        return STUCK
    return None


def _judge_stopped(job: Job, look: Look) -> Verdict:
    duration = _duration(look)
    if look.stop_code == "UserInitiated":  # before the exit code: what was stopped may say 0
        return _judge_stop_of_ours(job, look, duration)
    if look.stop_code == "TaskFailedToStart":
        return _judge_failed_start(look)
    if look.stop_code in TAKEN_AWAY or look.exit_code is None:
        return _lost(job, f"its container was taken away: {_cut(look.reason) or 'the host is gone'}", duration)
    if look.exit_code == 0:
        return Exited(duration or 0.0)
    error = Error("task_error", _describe_exit(look.exit_code, look.detail))
    return Broke(error, look.exit_code, duration)


def _judge_stop_of_ours(job: Job, look: Look, duration: float | None) -> Verdict:
    why = look.reason.removeprefix(REASON) if look.reason.startswith(REASON) else ""
    if why == TIMEOUT:
        message = f"the container ran longer than its timeout of {job.timeout:g} s"
        return Broke(Error("timeout", message), None, duration)
    if why == CANCELED:
        return Canceled(duration)
    if why == STUCK:
        return NotStarted("the container did not start within a quarter of an hour")
    return _lost(job, f"its container was stopped from outside: {_cut(look.reason)}", duration)


def _judge_failed_start(look: Look) -> Verdict:
    said = f"{look.reason} {look.detail}"
    for signs, what in (
        (NO_SECRET, "a secret cannot be read"),
        (NOT_PULLED, "the image cannot be pulled: see that it exists and may be read"),
        (NOT_RUN, "the command cannot be started: see that the image has it"),
    ):
        if any(sign in said for sign in signs):
            return Broke(Error("task_error", f"{what} ({_cut(said.strip())})"), wait_seconds=60.0)
    return NotStarted(_cut(look.reason) or "the container did not start")


def _describe_exit(code: int, detail: str) -> str:
    if OUT_OF_MEMORY in detail:
        return f"out of memory: the container needed more than its `memory` (exit code {code})"
    if code in (126, 127):
        what = "is not executable" if code == 126 else "was not found"
        return f"exit code {code}: most often a command that {what}"
    if code - 128 in SIGNALS:
        return f"exit code {code}: killed by {SIGNALS[code - 128]}"
    return f"exit code {code}"


def _lost(job: Job, why: str, duration: float | None = None) -> Broke:
    return Broke(Error("worker_lost", f"attempt {job.attempts} ended without an outcome: {why}"), None, duration)


def _duration(look: Look) -> float | None:
    if look.started_at is None or look.stopped_at is None:
        return None
    return float(max(0, look.stopped_at - look.started_at))


def _known_start(job: Job) -> Millis | None:
    container = container_of(job)
    return container.started_at if container else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
