"""AWS calls for each thing a user does, counted."""

from collections import Counter
from dataclasses import replace

from chalicelib.core.change import RESEND_AFTER_MS
from chalicelib.core.filters import Filter
from chalicelib.core.ids import first_id
from chalicelib.core.job import ENDED, Job, Status, Stored
from chalicelib.core.lane import Lane
from chalicelib.service import cancel, read
from chalicelib.service.ages import oldest_by_lane, stage_by_lane
from chalicelib.service.bulk import submit_many
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.rerun import run_again
from chalicelib.service.stats import stats
from chalicelib.service.submit import submit
from tests.emulated.budgets.conftest import Metered
from tests.support.fakes import START

SMALL = NewJob(owner="alice", task="sort", input=b'{"array":[3,1,2]}')


def newest(on: Metered) -> Job:
    return read.list_jobs(on.ports, Filter("alice"), None, 1)[0][0]


def test_a_small_sort_job_takes_two_calls_to_submit_and_one_to_run(on_moto: Metered) -> None:
    job = submit(on_moto.ports, SMALL).job
    assert on_moto.meter.calls == Counter(PutItem=1, SendMessage=1)
    on_moto.work()
    assert on_moto.meter.calls == Counter(BatchGetItem=1, UpdateItem=2)  # the batch's read, outcome, the batch's tally
    assert read.get_job(on_moto.ports, "alice", job.id).status is Status.COMPLETED


def test_the_read_and_the_tally_are_one_call_each_for_the_whole_batch(on_moto: Metered) -> None:
    for _ in range(10):
        submit(on_moto.ports, SMALL)
    on_moto.work()
    assert on_moto.meter.calls == Counter(BatchGetItem=1, UpdateItem=11)


def test_a_trace_takes_no_call_more_and_run_again_reads_its_parent_once(on_moto: Metered) -> None:
    traced = replace(SMALL, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    job = submit(on_moto.ports, traced).job
    assert on_moto.meter.calls == Counter(PutItem=1, SendMessage=1)
    on_moto.work()
    assert on_moto.meter.calls == Counter(BatchGetItem=1, UpdateItem=2)
    on_moto.meter.reset()
    parent = read.get_job(on_moto.ports, "alice", job.id)
    run_again(on_moto.ports, parent, replace(SMALL, parent_id=job.id), key=None, body=b"", by=parent.owner)
    assert on_moto.meter.calls == Counter(GetItem=1, PutItem=1, SendMessage=1)


def test_a_large_input_is_copied_for_a_new_run_and_not_read(on_moto: Metered) -> None:
    large = b'{"array":[' + b"1," * 5_000 + b"1]}"
    parent = submit(on_moto.ports, NewJob(owner="alice", task="sort", input=large)).job
    on_moto.work()
    on_moto.meter.reset()
    ended = read.get_job(on_moto.ports, "alice", parent.id)
    assert isinstance(ended.input, Stored)
    again = NewJob(owner="alice", task="sort", kept=ended.input, parent_id=parent.id)
    run_again(on_moto.ports, ended, again, key=None, body=b"", by=ended.owner)
    assert on_moto.meter.calls == Counter(GetItem=1, CopyObject=1, PutItem=1, SendMessage=1)


def test_a_span_of_time_takes_no_call_more(on_moto: Metered) -> None:
    submit(on_moto.ports, SMALL)
    calls = []
    for chosen in (Filter("alice"), Filter("alice", since=first_id(START - 1_000), until=first_id(START + 1_000))):
        on_moto.meter.reset()
        assert len(read.list_jobs(on_moto.ports, chosen, None, 5)[0]) == 1
        calls.append(on_moto.meter.calls.copy())
    assert calls[0] == calls[1]


def test_the_ages_of_the_lanes_take_one_read_while_quick_jobs_wait(on_moto: Metered) -> None:
    for pending, calls in ((0, Counter()), (3, Counter(BatchGetItem=1))):
        submit_many(on_moto.ports, "alice", [SMALL] * pending, key=None, bodies=[b""] * pending)
        waiting = stats(on_moto.ports, "alice").pending
        on_moto.meter.reset()
        oldest_by_lane(on_moto.ports, waiting)
        assert on_moto.meter.calls == calls


def test_the_ages_of_a_stage_take_a_read_of_the_oldest_jobs_however_many_wait(on_moto: Metered) -> None:
    idle = stats(on_moto.ports, "alice").lanes
    on_moto.meter.reset()
    assert set(stage_by_lane(on_moto.ports, idle).values()) == {0.0}
    assert not on_moto.meter.calls
    for _ in range(3):
        submit_many(on_moto.ports, "alice", [SMALL] * 100, key=None, bodies=[b""] * 100)
        on_moto.clock.advance(1)
    busy = stats(on_moto.ports, "alice").lanes
    on_moto.meter.reset()
    assert stage_by_lane(on_moto.ports, busy)[Lane.QUICK] == 3
    assert on_moto.meter.calls == Counter(Query=8, BatchGetItem=1)


def test_an_idempotency_key_costs_one_write_and_one_read_more(on_moto: Metered) -> None:
    submit(on_moto.ports, SMALL, key="key", body=b"{}")
    assert on_moto.meter.calls == Counter(PutItem=2, GetItem=1, SendMessage=1)
    on_moto.meter.reset()
    submit(on_moto.ports, SMALL, key="key", body=b"{}")
    assert on_moto.meter.calls == Counter(PutItem=1, GetItem=1)


def test_a_bulk_of_a_hundred_takes_four_writes_and_ten_sends(on_moto: Metered) -> None:
    answers = submit_many(on_moto.ports, SMALL.owner, [SMALL] * 100, key=None, bodies=[b""] * 100)
    assert len(answers) == 100
    assert on_moto.meter.calls == Counter(BatchWriteItem=4, SendMessageBatch=10)


def test_one_job_is_read_with_one_consistent_get(on_moto: Metered) -> None:
    job = submit(on_moto.ports, SMALL).job
    on_moto.meter.reset()
    read.get_job(on_moto.ports, "alice", job.id)
    assert on_moto.meter.calls == Counter(GetItem=1)
    assert [params["ConsistentRead"] for params in on_moto.meter.reads] == [True]


def test_a_large_payload_is_one_object_in_and_one_out(on_moto: Metered) -> None:
    submit(on_moto.ports, NewJob(owner="alice", task="sort", input=b'{"array":[' + b"1," * 5_000 + b"1]}"))
    assert on_moto.meter.calls == Counter(PutObject=1, PutItem=1, SendMessage=1)
    on_moto.work()
    assert on_moto.meter.calls == Counter(UpdateItem=3, GetObject=1, PutObject=1)


def test_a_job_that_is_not_pure_is_claimed(on_moto: Metered) -> None:
    submit(on_moto.ports, NewJob(owner="alice", task="sleep", input=b'{"seconds":0}'))
    on_moto.work()
    assert on_moto.meter.calls == Counter(UpdateItem=3)  # claim, outcome, tally


def test_a_chatty_task_writes_its_progress_every_two_seconds(on_moto: Metered) -> None:
    """A minute of sleep says how far it is 240 times."""
    submit(on_moto.ports, NewJob(owner="alice", task="sleep", input=b'{"seconds":60}', timeout=120.0))
    on_moto.work()
    assert on_moto.meter.calls["UpdateItem"] - 3 <= 30


def test_an_idle_dispatcher_asks_each_shard_and_the_schedules_once(on_moto: Metered) -> None:
    dispatch(on_moto.ports, lambda: 60.0)
    assert on_moto.meter.calls == Counter(Query=9)


def test_the_dispatcher_moves_each_wake_time_and_sends_in_batches(on_moto: Metered) -> None:
    submit_many(on_moto.ports, SMALL.owner, [SMALL] * 20, key=None, bodies=[b""] * 20)
    on_moto.clock.advance(61)
    on_moto.meter.reset()
    dispatch(on_moto.ports, lambda: 60.0)
    assert on_moto.meter.calls["UpdateItem"] == 20
    assert on_moto.meter.calls["SendMessageBatch"] + on_moto.meter.calls["SendMessage"] <= 8
    assert on_moto.meter.calls["Query"] == 9
    assert on_moto.meter.calls["BatchGetItem"] <= 8


def test_where_the_table_takes_batches_one_call_moves_25_wake_times(on_ministack: Metered) -> None:
    ports = on_ministack.ports
    due = on_ministack.clock.now() + 3_600_000
    later = replace(SMALL, owner="batches", run_at=due)
    submit_many(ports, later.owner, [later] * 60, key=None, bodies=[b""] * 60)
    on_ministack.clock.advance(3_500)
    on_ministack.meter.reset()
    dispatch(ports, lambda: 60.0)
    assert 3 <= on_ministack.meter.calls["BatchExecuteStatement"] <= 4
    assert on_ministack.meter.calls["UpdateItem"] == 0
    assert on_ministack.meter.calls["SendMessageBatch"] >= 6
    rows = ports.jobs.get_many(ports.jobs.page(Filter(later.owner), None, 60, on_ministack.clock.now()))
    assert [row.wake_at for row in rows] == [due + RESEND_AFTER_MS] * 60


def test_stats_cost_the_same_however_many_jobs_have_ended(on_moto: Metered) -> None:
    def cost() -> Counter[str]:
        on_moto.meter.reset()
        stats(on_moto.ports, "alice")
        return on_moto.meter.calls.copy()

    before = cost()
    assert before == Counter(BatchGetItem=1, Query=10, GetQueueAttributes=3)
    for _ in range(3):
        submit_many(on_moto.ports, SMALL.owner, [SMALL] * 10, key=None, bodies=[b""] * 10)
        on_moto.work()
    items_read = on_moto.meter.items_read
    assert cost() == before
    assert on_moto.meter.items_read - items_read <= 61
    assert newest(on_moto).status in ENDED


def test_a_cancel_is_a_read_a_write_and_a_tally(on_moto: Metered) -> None:
    job = submit(on_moto.ports, SMALL).job
    on_moto.meter.reset()
    cancel.cancel(on_moto.ports, "alice", job.id)
    assert on_moto.meter.calls == Counter(GetItem=1, UpdateItem=2)
