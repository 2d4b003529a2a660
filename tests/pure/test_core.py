"""The small pure pieces: window, dispatching, retry, listing, ids, records, settings."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import config
from chalicelib.core import backoff, dispatch_plan, filters, ids, records, window
from chalicelib.core import job as jobs
from chalicelib.core.change import BEAT_MS, RESEND_AFTER_MS
from chalicelib.core.job import Event, Inline, Job, Status
from chalicelib.core.lane import Lane, lane_of
from chalicelib.core.records import WindowRecord
from chalicelib.core.window import OnRepeat, Open, Reject, Reuse
from tests.support.rows import every_change

NOW = 1_800_000_000_000
MINUTE = 60_000


def row(**more: Any) -> Job:
    fields: dict[str, Any] = {
        "id": ids.make_id(NOW, 1), "owner": "alice", "task": "sort", "status": Status.PENDING, "created_at": NOW,
        "run_at": NOW, "not_before": NOW, "timeout": 60.0, "max_attempts": 3, "attempt_limit": 3,
        "input": Inline(b"{}"), "wake_at": NOW,
    }  # fmt: skip
    return Job(**fields | more)


def planned(job: Job, now: int = NOW) -> dispatch_plan.Plan | None:
    return dispatch_plan.plan(job, now, jitter=0.5, retention=60)


class TestTable:
    def test_what_has_ended_moves_only_by_a_retry(self) -> None:
        leaving = {(status, event) for status, event in jobs.TABLE if status in jobs.ENDED}
        assert leaving == {(Status.FAILED, Event.RETRY), (Status.CANCELED, Event.RETRY)}

    def test_every_open_status_can_end(self) -> None:
        for status in set(Status) - jobs.ENDED - {Status.SCHEDULED}:
            assert {jobs.TABLE[pair] for pair in jobs.TABLE if pair[0] is status} & jobs.ENDED

    def test_what_is_due_may_be_claimed_while_it_is_still_stored_as_scheduled(self) -> None:
        assert jobs.sources(Event.CLAIM) == {Status.SCHEDULED, Status.PENDING, Status.RUNNING}
        assert jobs.status_at(row(status=Status.SCHEDULED), NOW) is Status.PENDING
        assert jobs.status_at(row(status=Status.PENDING, not_before=NOW + 1), NOW) is Status.SCHEDULED

    def test_an_event_leads_to_one_status_wherever_it_starts(self) -> None:
        for (status, event), reached in jobs.TABLE.items():
            assert jobs.target(event) is reached, (status, event)

    def test_a_change_writes_the_status_that_the_table_names(self) -> None:
        decided = [change for change in every_change(row()) if change.event is not None]
        assert {change.event for change in decided} == set(Event) - {Event.CLAIM}
        for change in decided:
            assert change.event is not None
            assert change.statuses <= jobs.sources(change.event)
            reached = {jobs.TABLE.get((status, change.event)) for status in change.statuses} - {None}
            assert reached == {change.fields["status"]}, change.event

    def test_a_row_is_gone_at_its_expiry(self) -> None:
        assert not jobs.is_gone(row(expires_at=NOW // 1000 + 1), NOW)
        assert jobs.is_gone(row(expires_at=NOW // 1000), NOW)
        assert not jobs.is_gone(row(), NOW * 2)


class TestWindow:
    seen = WindowRecord("alice", "order", "a", NOW, NOW + 5 * MINUTE, 1, NOW - MINUTE)

    def decide(
        self, mode: OnRepeat, run_at: int, seconds: int = 300, holder: Job | None = None
    ) -> Open | Reuse | Reject:
        return window.decide(self.seen, holder, mode, run_at, seconds * 1000, NOW)

    @pytest.mark.parametrize("mode", OnRepeat)
    def test_the_first_job_opens_a_window_and_the_next_window_begins_where_it_ends(self, mode: OnRepeat) -> None:
        assert window.decide(None, None, mode, NOW, MINUTE, NOW) == Open(NOW, NOW + MINUTE, 0)
        end = self.seen.ends_at
        assert self.decide(mode, end, holder=row()) == Open(end, end + 5 * MINUTE, end, NOW)

    def test_a_repeat_is_delayed_reused_or_rejected(self) -> None:
        end = self.seen.ends_at
        assert self.decide(OnRepeat.DELAY, NOW + 1, holder=row()) == Open(end, end + 5 * MINUTE, end, NOW)
        assert self.decide(OnRepeat.REUSE, NOW + 1, holder=row()) == Reuse()
        assert self.decide(OnRepeat.REJECT, NOW + 1, holder=row()) == Reject(end)

    def test_a_job_past_its_retention_is_reused_no_more_whether_or_not_its_row_is_there(self) -> None:
        done = row(status=Status.COMPLETED, attempts=1, expires_at=NOW // 1000 + 1)
        assert self.decide(OnRepeat.REUSE, NOW, holder=done) == Reuse()
        gone = row(status=Status.COMPLETED, attempts=1, expires_at=NOW // 1000)
        assert isinstance(self.decide(OnRepeat.REUSE, NOW, holder=gone), Open)

    def test_a_longer_window_looks_back_as_far_as_it_is_long(self) -> None:
        end = self.seen.ends_at
        assert self.decide(OnRepeat.REJECT, end, 600, row()) == Reject(NOW + 10 * MINUTE)
        assert self.decide(OnRepeat.DELAY, end, 600, row()) == Open(NOW + 10 * MINUTE, NOW + 20 * MINUTE, end, NOW)

    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
    def test_a_job_that_came_to_nothing_is_not_reused_and_its_place_is_free(self, status: Status) -> None:
        assert self.decide(OnRepeat.REUSE, NOW + 1, holder=row(status=status, attempts=1)) == Open(
            NOW + 1, NOW + 1 + 5 * MINUTE, NOW - MINUTE, takes_over=True
        )
        assert isinstance(self.decide(OnRepeat.REUSE, NOW + 1, holder=None), Open)

    def test_who_takes_a_later_place_over_stays_out_of_the_window_before(self) -> None:
        end, canceled = NOW + 5 * MINUTE, row(status=Status.CANCELED)
        seen = WindowRecord("alice", "order", "b", end, end + 5 * MINUTE, 2, end, NOW)
        for mode in (OnRepeat.REUSE, OnRepeat.DELAY):
            answer = window.decide(seen, canceled, mode, NOW + 1, 5 * MINUTE, NOW)
            assert answer == Open(end, end + 5 * MINUTE, end, NOW, takes_over=True)
        assert window.decide(seen, canceled, OnRepeat.REJECT, NOW + 1, 5 * MINUTE, NOW) == Reject(end)

    def test_a_window_of_an_older_version_is_taken_over_well_clear_of_the_one_before(self) -> None:
        """It does not say when the job before runs."""
        end, canceled = NOW + 5 * MINUTE, row(status=Status.CANCELED)
        seen = WindowRecord("alice", "order", "b", end, end + 5 * MINUTE, 2, end)
        answer = window.decide(seen, canceled, OnRepeat.DELAY, NOW + 1, 10 * MINUTE, NOW)
        assert answer == Open(end + 10 * MINUTE, end + 20 * MINUTE, end, takes_over=True)

    @pytest.mark.parametrize("mode", OnRepeat)
    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
    def test_only_a_job_that_never_started_gives_its_window_back_in_every_mode(
        self, mode: OnRepeat, status: Status
    ) -> None:
        taken = Open(NOW + 1, NOW + 1 + 5 * MINUTE, NOW - MINUTE, takes_over=True)
        seen = replace(self.seen, floor_run_at=NOW - 10 * MINUTE)
        answers = [
            window.decide(seen, row(status=status, attempts=attempts), mode, NOW + 1, 5 * MINUTE, NOW)
            for attempts in (0, 1)
        ]
        assert answers[0] == replace(taken, floor_run_at=NOW - 10 * MINUTE)
        assert (answers[1] == answers[0]) is (mode is OnRepeat.REUSE)

    def test_a_row_that_is_gone_before_its_time_had_come_gave_its_window_back(self) -> None:
        far = replace(self.seen, run_at=NOW + 5 * MINUTE, ends_at=NOW + 10 * MINUTE, floor=0)
        assert window.decide(far, None, OnRepeat.DELAY, NOW, MINUTE, NOW) == Open(NOW, NOW + MINUTE, 0, takes_over=True)
        assert self.decide(OnRepeat.DELAY, NOW + 1) == Open(
            self.seen.ends_at, NOW + 10 * MINUTE, self.seen.ends_at, NOW
        )


class TestDispatching:
    def test_a_container_that_runs_is_looked_at_and_not_given_up(self) -> None:
        """Its lease is its whole time: only the engine knows what became of it."""
        running = row(status=Status.RUNNING, attempts=1, started_at=0, not_before=0, wake_at=0, remote=True)
        assert planned(running) is None
        assert planned(row(status=Status.RUNNING, attempts=1, started_at=0, not_before=0, wake_at=0)) is not None

    def test_nothing_is_done_before_the_wake_time_or_after_the_end(self) -> None:
        assert planned(row(wake_at=NOW + 1)) is None
        assert planned(row(wake_at=None, status=Status.COMPLETED)) is None
        assert planned(row(status=Status.COMPLETED)) is None

    def test_a_far_job_sleeps_on_until_shortly_before_it_is_due(self) -> None:
        plan = planned(row(not_before=NOW + 10_000_000))
        assert plan is not None
        assert plan.delay is None
        assert plan.change.fields == {"wake_at": NOW + 10_000_000 - dispatch_plan.LOOK_AHEAD_MS}

    @pytest.mark.parametrize(("wait", "delay"), [(1, 1), (1_000, 1), (1_001, 2), (900_000, 900)])
    def test_a_near_job_is_sent_so_that_it_comes_when_due_and_never_before(self, wait: int, delay: int) -> None:
        plan = planned(row(not_before=NOW + wait))
        assert plan is not None
        assert plan.delay == delay
        assert plan.change.fields == {"wake_at": NOW + wait + RESEND_AFTER_MS}

    def test_a_lost_message_is_sent_again_ever_less_often(self) -> None:
        waits = []
        for late in (MINUTE, 10 * MINUTE, 100 * MINUTE):
            plan = planned(row(not_before=NOW - late))
            assert plan is not None
            assert plan.delay == 0
            waits.append(plan.change.fields["wake_at"] - NOW)
        assert waits == sorted(waits)
        assert waits[-1] == dispatch_plan.MAX_RESEND_MS

    def test_a_job_is_given_up_only_when_it_was_sent_after_all_that_time(self) -> None:
        long_ago = NOW - 2 * dispatch_plan.UNDELIVERABLE_AFTER_MS
        never_seen = planned(row(not_before=long_ago, wake_at=long_ago + RESEND_AFTER_MS))
        assert never_seen is not None
        assert never_seen.delay == 0
        sent_in_vain = planned(row(not_before=long_ago, wake_at=NOW))
        assert sent_in_vain is not None
        assert sent_in_vain.change.event is Event.GIVE_UP

    def test_a_running_job_is_looked_at_again_one_beat_after_its_lease(self) -> None:
        plan = planned(row(status=Status.RUNNING, attempts=1, not_before=NOW - BEAT_MS + 5))
        assert plan is not None
        assert (plan.change.event, plan.change.fields, plan.delay) == (None, {"wake_at": NOW + 5}, None)

    @pytest.mark.parametrize(
        ("more", "event"),
        [
            ({"attempts": 1}, Event.BACK_OFF),
            ({"attempts": 3}, Event.GIVE_UP),
            ({"attempts": 1, "cancel_requested": True}, Event.STOP),
        ],
    )
    def test_a_lost_attempt_backs_off_fails_or_stops(self, more: dict[str, Any], event: Event) -> None:
        plan = planned(row(status=Status.RUNNING, not_before=NOW - BEAT_MS, **more))
        assert plan is not None
        assert plan.change.event is event
        assert (plan.delay is not None) == (event is Event.BACK_OFF)

    def test_a_look_that_has_missed_a_round_gives_heartbeats_one_more(self) -> None:
        """The table may have been out of reach for them as well. Once: then the attempt is lost."""
        over = row(status=Status.RUNNING, attempts=1, not_before=NOW - BEAT_MS, wake_at=NOW - 100_001)
        late = planned(over)
        assert late is not None
        assert (late.change.event, late.change.fields, late.delay) == (None, {"wake_at": NOW + BEAT_MS}, None)
        again = planned(msgspec.structs.replace(over, wake_at=NOW + BEAT_MS), NOW + 900_000)
        assert again is not None
        assert again.change.event is Event.BACK_OFF

    def test_a_job_whose_first_look_comes_too_late_is_sent_whatever_waits_in_its_lane(self) -> None:
        """Nothing was sent ahead of its time, and so none of the messages that wait is its own."""
        due = NOW - MINUTE
        far = row(not_before=due, wake_at=due - dispatch_plan.LOOK_AHEAD_MS, pure=True, quick=True)
        for backlog in (False, True):
            plan = dispatch_plan.plan(far, NOW, jitter=0.5, retention=60, backlog=backlog)
            assert plan is not None
            assert plan.delay == 0
            assert "resends" not in plan.change.fields

    def test_a_quick_job_in_a_backlog_is_not_sent_again_for_ten_minutes(self) -> None:
        quick = row(quick=True, pure=True, not_before=NOW - 30_000)
        waits = dispatch_plan.plan(quick, NOW, jitter=0.5, retention=60, backlog=True)
        assert waits is not None
        assert (waits.delay, "resends" in waits.change.fields) == (None, False)
        long_ago = msgspec.structs.replace(quick, not_before=NOW - 600_000)
        long = msgspec.structs.replace(quick, quick=False)
        for job, backlog in ((quick, False), (long_ago, True), (long, True)):
            sent = dispatch_plan.plan(job, NOW, jitter=0.5, retention=60, backlog=backlog)
            assert sent is not None
            assert (sent.delay, sent.change.fields["resends"]) == (0, 1)
            assert lane_of(msgspec.structs.replace(job, resends=1)) is Lane.LONG

    @given(st.integers(0, 10**9))
    def test_a_new_job_is_looked_at_before_it_is_due_or_soon_after(self, wait: int) -> None:
        wake = dispatch_plan.choose_first_wake(NOW + wait, NOW)
        if wait > dispatch_plan.MAX_DELAY_MS:
            assert NOW < wake < NOW + wait
        else:
            assert wake == NOW + wait + RESEND_AFTER_MS


@given(st.integers(1, 1_000) | st.just(1_025), st.floats(0, 1, exclude_max=True))
def test_backoff_is_jittered_over_a_span_that_doubles_up_to_ten_minutes(attempt: int, jitter: float) -> None:
    span = min(600, 2 * 2 ** (attempt - 1))
    assert 0 <= backoff.backoff_seconds(attempt, jitter) <= span
    assert backoff.backoff_seconds(attempt, 0.5) == span / 2


@given(st.tuples(st.integers(0, 2**48 - 1), st.integers(0, 2**80 - 1)), st.data())
def test_ids_sort_as_their_times_do(earlier: tuple[int, int], data: st.DataObject) -> None:
    other = data.draw(st.tuples(st.integers(0, 2**48 - 1), st.integers(0, 2**80 - 1)))
    assert (ids.make_id(*earlier) < ids.make_id(*other)) == (earlier < other)
    assert ids.is_id(ids.make_id(*earlier))


@given(st.text())
def test_only_an_id_is_an_id(text: str) -> None:
    assert not ids.is_id(text) or len(text.encode()) == 26
    assert not ids.is_id(ids.make_id(NOW, 1) + "\n")


def test_a_slot_has_one_id_and_each_slot_another() -> None:
    assert ids.slot_id("s-1", NOW) == ids.slot_id("s-1", NOW)
    assert len({ids.slot_id(name, NOW + at) for name in ("s-1", "s-2") for at in (0, 1)}) == 4


def test_a_pending_filter_looks_into_the_scheduled_list_too() -> None:
    assert filters.wants_due(frozenset({Status.PENDING, Status.RUNNING}))
    assert not filters.wants_due(frozenset(Status))
    assert not filters.wants_due(frozenset({Status.FAILED}))


def test_a_row_has_the_last_word_over_its_index() -> None:
    chosen = filters.Filter("alice", frozenset({Status.PENDING}), task="sort", object_id=1, group="g")
    fits = row(object_id=1, group="g")
    assert filters.keeps(chosen, fits, NOW)
    for other in ({"owner": "bob"}, {"task": "log"}, {"object_id": "1"}, {"group": "h"}, {"expires_at": NOW // 1000}):
        assert not filters.keeps(chosen, row(**{"object_id": 1, "group": "g"} | other), NOW)
    assert not filters.keeps(chosen, row(object_id=1, group="g", status=Status.RUNNING), NOW)


@given(st.lists(st.floats(0.001, 1e7), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_right_to_a_quarter(times: list[float], fraction: float) -> None:
    tally = records.Tally()
    for time in times:
        tally.duration[records.bucket_of(time)] += 1
    reported = records.percentile(tally.duration, fraction)
    exact = next(time for rank, time in enumerate(sorted(times), 1) if rank >= fraction * len(times))
    assert reported is not None
    assert exact <= reported * 1.0001
    assert reported <= max(0.0015, exact * 1.25 * 1.0001 + 0.0005)  # given in thousandths of a millisecond
    assert records.percentile({}, fraction) is None


@pytest.mark.parametrize("value", ["0", "841", "abc", "nan", "inf", "-1", "1e9"])
def test_a_bad_setting_is_named(value: str) -> None:
    with pytest.raises(config.BadSetting, match="JOB_TIMEOUT"):
        config.load({"JOB_TIMEOUT": value})


def test_settings_have_defaults_and_are_read_from_the_environment() -> None:
    assert config.load({"SORTIE_STAGE": "local"}) == config.Settings()
    assert config.load({"JOB_TIMEOUT": "5.5", "JOB_PREFETCH": ""}).job_timeout == 5.5
    assert not config.load({"SORTIE_STAGE": "prod"}).is_open
