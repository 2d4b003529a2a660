"""What must be true once the faults have stopped and all is quiet: I1 to I6, I9, I10, and the transition table."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from chalicelib.core.job import ENDED, TABLE, Event, Inline, Job, Status, status_at
from chalicelib.core.window import OnRepeat
from tests.pure.faults.recorder import Move, Recorder
from tests.support.fake_containers import Box

OUTCOMES = frozenset({Event.COMPLETE, Event.COMPLETE_UNCLAIMED, Event.FAIL, Event.STOP, Event.BACK_OFF, Event.GIVE_UP})
ENDINGS = OUTCOMES - {Event.BACK_OFF} | {Event.CANCEL}
UNDONE = frozenset({Event.FAIL, Event.STOP, Event.GIVE_UP, Event.CANCEL})


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True, slots=True)
class Removed:
    """When the removal of a schedule was answered: after how many moves, and which its newest slot was then."""

    moves: int
    newest_slot: int


def of_rows(rows: Sequence[Job]) -> Iterator[str]:
    """I1, and what every row promises whoever looks at it."""
    for row in rows:
        if row.status not in ENDED:
            yield f"I1: {row.id} is still {row.status}"
        if row.attempts > row.attempt_limit:
            yield f"I3: {row.id} had {row.attempts} attempts of {row.attempt_limit}"
        if (row.wake_at is None) != (row.status in ENDED):
            yield f"{row.id} is {row.status} and wakes at {row.wake_at}"
        if (row.finished_at is None) != (row.status not in ENDED) or (row.expires_at is None) != (
            row.finished_at is None
        ):
            yield f"{row.id} is {row.status}, finished at {row.finished_at}, and is kept until {row.expires_at}"


def of_moves(recorder: Recorder) -> Iterator[str]:
    """I2 to I4 and the table, move by move."""
    by_job: dict[str, list[Move]] = defaultdict(list)
    for move in recorder.moves:
        by_job[move.before.id].append(move)
        yield from _of_move(move)
    for job_id, moves in by_job.items():
        yield from _of_history(job_id, moves)
    for stray in recorder.strays:
        yield f"I4: a heartbeat held {stray}, which no longer owned it"
    for job_id in recorder.overwritten:
        yield f"I2: the row of {job_id} was written over"


def _of_move(move: Move) -> Iterator[str]:
    before, name = move.before, f"{move.before.id} {move.event}"
    status = before.status if move.event is Event.DUE else status_at(before, move.at)
    if move.event is Event.DUE and before.not_before > move.at:
        yield f"table: {name} at {move.at}, which is before {before.not_before}"
    if TABLE.get((status, move.event)) is not move.after.status:
        yield f"table: {name} led from {status} to {move.after.status}"
    if move.event is Event.CLAIM:
        if before.cancel_requested:
            yield f"I3: {name} although it was asked to stop"
        if before.not_before > move.at:
            yield f"I3: {name} while it was held until {before.not_before}, {before.not_before - move.at} ms more"
        if move.after.attempts != before.attempts + 1:
            yield f"I4: {name} took attempt {move.after.attempts} after {before.attempts}"
    if move.event is Event.STOP and not before.cancel_requested:
        yield f"I3: {name} although nobody had asked for it"
    if move.event is Event.COMPLETE_UNCLAIMED:
        if before.cancel_requested or before.not_before > move.at:
            yield f"I3: {name} while it was held until {before.not_before}, or was asked to stop"
        if move.after.attempts != before.attempts + 1 or move.by != before.attempts:
            yield f"I4: {name} took attempt {move.after.attempts} after {before.attempts}"
        if before.attempts:
            yield f"I4: {name} after {before.attempts} attempts, where a claim is needed"
    if move.event in OUTCOMES and before.status is Status.RUNNING and move.by != before.attempts:
        yield f"I4: {name} was written by attempt {move.by} while {before.attempts} ran"


def _of_history(job_id: str, moves: Sequence[Move]) -> Iterator[str]:
    written = [
        move.after.attempts
        for move in moves
        if move.event in OUTCOMES and (move.before.status is Status.RUNNING or move.event is Event.COMPLETE_UNCLAIMED)
    ]
    for attempt, other in pairwise(sorted(written)):
        if attempt == other:
            yield f"I4: attempt {attempt} of {job_id} came out twice"
    ended = False
    for move in moves:
        if ended and move.event is not Event.RETRY:
            yield f"I3: {job_id} saw {move.event} after it had ended"
        ended = move.event in ENDINGS


def of_outputs(rows: Sequence[Job], inputs: dict[str, bytes], outputs: dict[str, bytes]) -> Iterator[str]:
    """I2: a completed sort's output is its input, sorted. Both by job id, as JSON."""
    for row in rows:
        if row.status is Status.COMPLETED and row.task == "sort":
            asked = json.loads(inputs[row.id])
            want = sorted(asked["array"], reverse=asked.get("descending", False))
            if json.loads(outputs[row.id])["array"] != want:
                yield f"I2: {row.id} is not sorted"
        if row.status is not Status.COMPLETED and row.output is not None:
            yield f"I2: {row.id} is {row.status} and has an output"
        if isinstance(row.output, Inline) and row.error is not None:
            yield f"I2: {row.id} has an output and an error"


def of_windows(rows: Sequence[Job], recorder: Recorder) -> Iterator[str]:
    """I5: any two jobs of one object are a window apart, unless the first had given its place back, or had come to
    nothing and lost it to `reuse`, when the other was decided, and was not retried since."""
    objects: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: recorder.born[row.id]):
        if row.window is not None:
            objects[row.owner, repr(row.object_id)].append(row)
    for jobs in objects.values():
        for first, other in combinations(jobs, 2):
            if not _gave_way(first, other, jobs, recorder):
                yield from _of_pair(first, other)


def _gave_way(first: Job, other: Job, jobs: Sequence[Job], recorder: Recorder) -> bool:
    """From the moves alone, whatever the rows say of who holds which window."""
    decided = recorder.born[other.id]
    moves = [(index, move) for index, move in enumerate(recorder.moves) if move.before.id == first.id]
    before = [(index, move) for index, move in moves if index < decided and move.event in (*UNDONE, Event.RETRY)]
    retried = any(move.event is Event.RETRY for index, move in moves if index >= decided)
    if retried or not before or before[-1][1].event is Event.RETRY:
        return False
    undone, last = before[-1]
    reused = any(job.window and job.window.on_repeat == OnRepeat.REUSE and undone < recorder.born[job.id] <= decided
                 for job in jobs)  # fmt: skip
    return last.before.attempts == 0 or reused


def _of_pair(job: Job, other: Job) -> Iterator[str]:
    first, second = sorted((job, other), key=lambda job: job.run_at)
    assert first.window is not None
    assert second.window is not None
    apart, seconds = second.run_at - first.run_at, first.window.seconds
    if second.window.on_repeat == OnRepeat.DELAY:
        seconds = max(seconds, second.window.seconds)
    if apart < 1000 * seconds:
        yield f"I5: {first.id} and {second.id} of {first.object_id!r} are {apart / 1000:g} s apart"


def of_keys(rows: Sequence[Job], keyed: dict[str, set[str]]) -> Iterator[str]:
    """I6: `keyed` holds the request ids that were sent under a key, and the job ids that answered them."""
    job_ids: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.request_id in keyed:
            job_ids[row.request_id].append(row.id)
    for request_id, ids in job_ids.items():
        if len(ids) > 1:
            yield f"I6: {request_id} made {len(ids)} jobs"
    for request_id, ids_answered in keyed.items():
        if len(ids_answered) > 1:
            yield f"I6: {request_id} was answered with {len(ids_answered)} jobs"


def of_containers(rows: Sequence[Job], boxes: Sequence[Box], now: float) -> Iterator[str]:
    """I9: at most one container of a job runs at a time, none goes on after its job has ended, and what is completed
    has exited with 0."""
    by_job: dict[str, list[Box]] = defaultdict(list)
    for box in boxes:
        by_job[box.name.split("/")[1]].append(box)
    for own in by_job.values():
        for first, other in pairwise(sorted(own, key=lambda box: box.asked_at)):
            if other.asked_at < first.ends_at:
                yield f"I9: {other.name} began {first.ends_at - other.asked_at:g} ms before {first.name} had ended"
    exits = {box.name.split("/", 1)[1]: box.exit_code for box in boxes}
    for row in rows:
        if row.remote and row.status is Status.COMPLETED and exits.get(f"{row.id}/{row.attempts}") != 0:
            yield f"I9: {row.id} is completed, and no container of attempt {row.attempts} has exited with 0"
    ended = {row.id for row in rows if row.status in ENDED}
    for job_id in ended & by_job.keys():
        yield from (f"I9: {box.name} runs on after its job has ended" for box in by_job[job_id] if box.ends_at > now)


def of_runs(runs: Sequence[tuple[str, int]]) -> Iterator[str]:
    """I10: no attempt is run by two workers."""
    for (job_id, attempt), times in Counter(runs).items():
        if times > 1:
            yield f"I10: attempt {attempt} of {job_id} was run {times} times"


def of_schedules(rows: Sequence[Job], recorder: Recorder, removed: Mapping[str, Removed]) -> Iterator[str]:
    """One job a slot, one slot at most ahead, and nothing begins once a removal has been answered. What was put back by
    hand, and slots that were not the newest any more, go on."""
    by_schedule: dict[str, list[Job]] = defaultdict(list)
    for row in rows:
        if row.schedule_id is not None and row.slot_at is not None:
            by_schedule[row.schedule_id].append(row)
    for schedule_id, jobs in by_schedule.items():
        for job, after in pairwise(sorted(jobs, key=lambda job: job.slot_at or 0)):
            assert job.slot_at
            if job.slot_at == after.slot_at:
                yield f"schedules: {job.id} and {after.id} are for one slot"
            if after.created_at < job.slot_at:
                yield f"schedules: {after.id} was made {job.slot_at - after.created_at} ms before {job.id} was due"
        if gone := removed.get(schedule_id):
            yield from _of_removed(jobs, recorder.moves, gone)


def _of_removed(jobs: Sequence[Job], moves: Sequence[Move], gone: Removed) -> Iterator[str]:
    retried = {move.before.id for move in moves if move.event is Event.RETRY}
    starts = (Event.CLAIM, Event.COMPLETE_UNCLAIMED)
    begun = {move.before.id for move in moves[gone.moves :] if move.event in starts and not move.before.attempts}
    for job in jobs:
        assert job.slot_at
        if job.id in begun - retried and job.slot_at >= gone.newest_slot:
            yield f"schedules: {job.id} began after the removal of {job.schedule_id} was answered"
