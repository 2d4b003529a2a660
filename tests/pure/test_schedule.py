"""When a schedule makes its jobs: at the lead before each slot, one ahead at most, across clock changes and outages."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.core.job import Millis
from chalicelib.core.records import Schedule
from chalicelib.core.schedule import LEAD_MS, first_wake, give_up, next_slot, plan
from chalicelib.core.times import to_millis
from tests.pure.test_cron import BERLIN, CLOCK_CHANGES, CRONS, LINES, MINUTE, TIMES, ZONES, Line, at, next_or_none

ROUND_MS: Millis = 60_000
HOUR_MS: Millis = 3_600_000


def schedule(line: str = "* * * * *", zone: str = "UTC", now: Millis = 0, *, ahead: bool = True) -> Schedule:
    first = next_or_none(line, zone, at("1970-01-01") + timedelta(milliseconds=now))
    assert first is not None
    slot = to_millis(first)
    return Schedule("s-1", "alice", line, zone, b"", b"", now, now, slot, first_wake(slot, ahead=ahead))


def steps(stands: Schedule, now: Millis, *, ahead: bool = True) -> tuple[list[Millis], Schedule]:
    """What one round makes, and the row after it."""
    slots = []
    while step := plan(stands, now, ahead=ahead):
        assert step.after.wake_at > stands.wake_at, "a step that moves no wake time lets a second dispatcher in"
        slots += [] if step.slot is None else [step.slot]
        stands = step.after
    return slots, stands


def rounds(stands: Schedule, begin: Millis, end: Millis, *, ahead: bool = True) -> list[tuple[Millis, Millis]]:
    """(slot, when it was made) of each job, with a round each minute from `begin` on."""
    jobs: list[tuple[Millis, Millis]] = []
    for now in range(begin, end, ROUND_MS):
        slots, stands = steps(stands, now, ahead=ahead)
        jobs += [(slot, now) for slot in slots]
    return jobs


def firings(line: Line, zone: str, begin: Millis, end: Millis) -> list[Millis]:
    """Minute by minute, as Debian's cron has it."""
    whole = at("1970-01-01") + timedelta(milliseconds=begin - begin % 60_000)
    minutes = [whole + n * MINUTE for n in range(1, (end - begin) // 60_000 + 2)]
    return [to_millis(t) for t in minutes if line.fires(t, ZoneInfo(zone)) and begin < to_millis(t) <= end]


@settings(deadline=None, max_examples=80)
@given(LINES, CLOCK_CHANGES, st.integers(1, ROUND_MS - 1), st.booleans())
def test_where_clocks_are_set_each_slot_has_one_job_made_at_the_lead_before_it(
    line: Line, change: tuple[str, str], phase: Millis, ahead: bool
) -> None:
    zone, day = change
    begin = to_millis(at(day)) - 18 * HOUR_MS
    end = begin + 40 * HOUR_MS
    first = next_or_none(str(line), zone, at(day) - timedelta(hours=18))
    assume(first is not None and to_millis(first) < end)
    jobs = rounds(schedule(str(line), zone, begin, ahead=ahead), begin + phase, end + LEAD_MS + ROUND_MS, ahead=ahead)
    assert [slot for slot, _ in jobs if slot <= end] == firings(line, zone, begin, end)
    early = [slot - made_at for slot, made_at in jobs if slot > begin + phase + ROUND_MS]
    if ahead:
        assert all(0 < lead <= LEAD_MS for lead in early)
    else:
        assert all(-ROUND_MS <= lead <= 0 for lead in early)


@settings(deadline=None, max_examples=60)
@given(CRONS, ZONES, TIMES, st.lists(st.integers(1, 5 * HOUR_MS), min_size=1, max_size=30), st.booleans())
def test_whenever_rounds_come_one_slot_at_most_is_ahead_and_what_was_missed_is_caught_up_once(
    line: str, zone: str, start: datetime, gaps: list[Millis], ahead: bool
) -> None:
    begin = to_millis(start)
    assume(next_or_none(line, zone, start) is not None)
    stands, now, jobs = schedule(line, zone, begin, ahead=ahead), begin, []
    for gap in gaps:
        now += gap
        slots, after = steps(stands, now, ahead=ahead)
        assert sum(slot <= now for slot in slots) <= 1
        assert sum(slot > now for slot in slots) + (stands.last > max(now, begin)) <= 1
        jobs += [(slot, now) for slot in slots]
        stands = after
    assert all(late > early for (early, _), (late, _) in pairwise(jobs)), "a slot twice, or out of order"
    assert all(made_at >= early for (early, _), (_, made_at) in pairwise(jobs)), "made before the slot ahead had come"
    assert all(ahead or slot <= made_at for slot, made_at in jobs)


def test_a_daily_line_sleeps_until_its_lead() -> None:
    daily = schedule("0 3 * * *", now=0)
    slot = 3 * HOUR_MS
    assert daily.wake_at == slot - LEAD_MS
    assert plan(daily, slot - LEAD_MS - 1, ahead=True) is None
    [job_slot], stands = steps(daily, slot - LEAD_MS)
    assert (job_slot, stands.last) == (slot, slot)
    assert (stands.next_run_at, stands.wake_at) == (slot + 24 * HOUR_MS, slot + 24 * HOUR_MS - LEAD_MS)


def test_an_outage_is_caught_up_once_and_the_next_slot_is_made_ahead_in_the_same_round() -> None:
    slots, _ = steps(schedule("0 * * * *"), 5 * HOUR_MS + 58 * 60_000)
    assert slots == [5 * HOUR_MS, 6 * HOUR_MS]


def test_the_slot_that_is_ahead_is_the_next_one_until_it_has_come() -> None:
    stands = schedule("0 * * * *")
    assert next_slot(stands, 0) == HOUR_MS
    _, stands = steps(stands, HOUR_MS - 60_000)
    assert next_slot(stands, HOUR_MS - 1) == HOUR_MS
    assert next_slot(stands, HOUR_MS) == 2 * HOUR_MS


def test_a_dispatcher_that_is_late_shows_the_slot_that_it_still_owes() -> None:
    assert next_slot(schedule("0 * * * *"), HOUR_MS + 5_000) == HOUR_MS


def test_a_row_of_the_version_before_wakes_at_its_slot_and_goes_ahead_from_the_next_one() -> None:
    old = replace(schedule("0 * * * *", ahead=False), last=0)
    assert old.wake_at == HOUR_MS
    slots, stands = steps(old, HOUR_MS + 20_000)
    assert (slots, stands.wake_at) == ([HOUR_MS], 2 * HOUR_MS - LEAD_MS)


def test_a_job_that_cannot_be_made_ahead_is_tried_at_its_slot_and_then_left_out() -> None:
    stands = schedule("0 * * * *")
    now = HOUR_MS - 60_000
    step = plan(stands, now, ahead=True)
    assert step
    early = give_up(stands, step, now)
    assert early.slot is None
    assert (early.after.last, early.after.next_run_at, early.after.wake_at) == (0, HOUR_MS, HOUR_MS)
    step = plan(early.after, HOUR_MS, ahead=True)
    assert step
    assert step.slot == HOUR_MS
    late = give_up(early.after, step, HOUR_MS)
    assert late.slot is None
    assert (late.after.last, late.after.next_run_at) == (HOUR_MS, 2 * HOUR_MS)
    assert late.after.wake_at > early.after.wake_at
    assert give_up(late.after, late, HOUR_MS) == late


@pytest.mark.parametrize(
    ("line", "last", "ahead"),
    [("0 * * * *", 0, False), ("0 3 * * *", 0, True), ("* * * * *", HOUR_MS, True)],
    ids=["its jobs are made at their slots", "its slot is far", "the slot of before is still to come"],
)
def test_a_row_that_wakes_too_early_makes_no_job(line: str, last: Millis, ahead: bool) -> None:
    """As rows of another version may, or of a stage whose tasks are others."""
    now = HOUR_MS - 60_000
    early = replace(schedule(line), last=last, wake_at=now)
    step = plan(early, now, ahead=ahead)
    assert step
    assert step.slot is None
    assert (step.after.last, step.after.wake_at > now) == (last, True)


@pytest.mark.parametrize("seconds", [1, 59, 61])
def test_when_the_clock_goes_back_both_slots_of_a_star_are_made_ahead(seconds: int) -> None:
    begin = to_millis(at("2026-10-25T01:45", BERLIN))
    jobs = rounds(schedule("30 * * * *", BERLIN, begin), begin + seconds * 1000, begin + 3 * HOUR_MS)
    expected = [to_millis(at("2026-10-25T02:30", BERLIN, fold=fold)) for fold in (0, 1)]
    assert [slot for slot, _ in jobs][:2] == expected
