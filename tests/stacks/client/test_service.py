"""The client against the running service: results, errors, batches, and one job however many answers are lost."""

import asyncio
from itertools import islice
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from sortie_client import AsyncSortie, Invalid, JobCanceled, JobFailed, Retries, Sortie, WindowHeld, WrongStatus
from tests.support.loops import run_alone
from tests.support.running import RunningStack
from tests.support.servers import Seen, answering, losing

LIMIT = 90.0


@pytest.mark.parametrize(
    "array",
    [
        [3, 1, 2.5, 10**40, -(2**70)],
        [],
        np.array([3, 1, 2], "uint8"),
        np.array([2**63, 1], "uint64"),
        np.array([], "f4"),
    ],
)
def test_a_result_is_the_input_in_order_in_the_form_it_came(client: Sortie, array: Any) -> None:
    result = client.submit("sort", array=array).result(timeout=LIMIT)
    if isinstance(array, list):
        assert [(type(n), n) for n in result] == [(type(n), n) for n in sorted(array)]
    else:
        assert result.dtype == array.dtype
        assert result.tolist() == sorted(array.tolist())


def test_a_large_array_goes_by_upload_and_comes_back_to_the_bit(client: Sortie) -> None:
    array = np.random.default_rng(3).normal(size=400_000).astype("float32")
    up: list[tuple[int, int]] = []
    down: list[tuple[int, int]] = []
    job = client.submit("sort", array=array, on_progress=lambda *at: up.append(at))
    result = job.result(timeout=LIMIT, on_progress=lambda *at: down.append(at))
    assert up[-1][0] == up[-1][1] > 5_000_000
    assert down[-1][0] == down[-1][1] > 5_000_000
    assert result.tobytes() == np.sort(array).tobytes()


def test_an_id_rebuilds_a_job_elsewhere(stack: RunningStack, client: Sortie) -> None:
    job_id = client.submit(array=[2, 1]).id
    with Sortie(stack.url) as other:
        job = other.job(job_id)
        assert job.result(timeout=LIMIT) == [1, 2]
        assert job.result(dtype="int16").dtype == np.int16
        assert job.input == {"array": [2, 1]}
        assert job.duration_ms is not None


def test_how_a_job_ended_is_what_result_raises(client: Sortie) -> None:
    with pytest.raises(JobFailed, match="task_error: not today") as failed:
        client.submit("fail", {"message": "not today"}, max_attempts=1).result(timeout=LIMIT)
    assert failed.value.error is not None
    assert failed.value.error.type == "task_error"
    later = client.submit("sleep", {"seconds": 1}, run_in="1h")
    assert later.cancel().status == "canceled"
    with pytest.raises(JobCanceled):
        later.result(timeout=LIMIT)
    with pytest.raises(WrongStatus, match="already ended"):
        later.cancel()
    assert later.retry().result(timeout=LIMIT) == {"slept": 1.0}


def test_a_timeout_leaves_the_job_to_go_on(client: Sortie) -> None:
    job = client.submit("sleep", {"seconds": 4})
    with pytest.raises(TimeoutError, match="goes on"):
        job.result(timeout=0.5)
    assert job.result(timeout=LIMIT) == {"slept": 4.0}


def test_a_window_and_a_bad_field_are_refused_in_words(client: Sortie) -> None:
    window = {"seconds": 60, "on_repeat": "reject"}
    thing = uuid4().hex
    client.submit(array=[1], object_id=thing, window=window)
    with pytest.raises(WindowHeld) as held:
        client.submit(array=[1], object_id=thing, window=window)
    assert 0 < (held.value.retry_after or 0) <= 60
    with pytest.raises(Invalid) as refused:
        client.submit(array=[1, "two"])
    assert [fault.loc for fault in refused.value.errors] == ["input.array[1]"]


def test_a_batch_yields_its_jobs_as_they_end(client: Sortie) -> None:
    slow = {"task": "sleep", "input": {"seconds": 600}}
    quick: list[dict[str, Any]] = [{"array": np.array([n, 0], "int16")} for n in range(1, 108)]
    requests = [slow, *quick, {"array": ["x"]}, {"task": "?"}]
    batch = client.submit_many(requests)
    assert set(batch.errors) == {108, 109}
    ended = []
    for job in batch.as_completed(timeout=LIMIT):
        ended.append(job)
        if len(ended) == 107:
            batch[0].cancel()
    assert len(ended) == 108
    assert ended[-1] == batch[0], "the slow one comes last, though it was the first"
    assert batch[5].result().tolist() == [0, 5]
    assert batch[5].result().dtype == np.int16
    with pytest.raises(Invalid):
        batch[108]
    assert repr(batch) == "<Batch of 110: 1 canceled, 107 completed, 2 refused>"


def test_a_batch_that_takes_too_long_is_a_timeout(client: Sortie) -> None:
    batch = client.submit_many([{"task": "sleep", "input": {"seconds": 1}, "run_in": "1h"}, {"array": [1]}])
    ended = []
    with pytest.raises(TimeoutError, match="1 jobs have not ended"):
        ended += list(batch.as_completed(timeout=3))
    batch[0].cancel()


def test_lists_iterate_over_their_pages(client: Sortie) -> None:
    thing = uuid4().hex
    jobs = client.submit_many([{"array": [n], "object_id": thing} for n in range(5)]).jobs
    pages = client.jobs(object_id=thing).pages(limit=2)
    assert sorted(job.id for page in pages for job in page) == sorted(job.id for job in jobs)
    assert len(list(islice(client.jobs(task="sort"), 3))) == 3


def test_a_job_runs_again_with_another_input_and_dtype(client: Sortie) -> None:
    first = client.submit(array=np.array([3, 1], "uint8"), timeout=9)
    first.result(timeout=LIMIT)
    same = first.run_again()
    assert same.result(timeout=LIMIT).dtype == np.uint8
    assert (same.parent_id, same.timeout) == (first.id, 9)
    other = first.run_again(array=np.array([0.5, 0.25]), timeout=8)
    assert other.result(timeout=LIMIT).tolist() == [0.25, 0.5]
    assert (other.parent_id, other.timeout) == (first.id, 8)
    with pytest.raises(WrongStatus, match="has ended"):
        client.submit("sleep", {"seconds": 1}, run_in="1h").run_again()


def test_groups_runs_schedules_and_figures_are_read(client: Sortie) -> None:
    assert {group.name: bool(group.problems) for group in client.groups()}["group_a"] is False
    run = client.start_group("group_a")
    assert len(client.group_run("group_a", run.run_id).jobs) == 3
    schedule = client.add_schedule("0 3 * * *", {"array": [2, 1]}, "Europe/Berlin")
    assert schedule.id in [each.id for each in client.schedules()]
    client.remove_schedule(schedule.id)
    assert schedule.id not in [each.id for each in client.schedules()]
    assert set(client.stats().counts) >= {"pending", "completed"}
    assert client.role() == "admin"
    assert client.board().history is not None


def test_one_job_comes_of_a_submit_whose_answers_are_lost(stack: RunningStack) -> None:
    """Each first and second answer is lost on its way, after the service has done what it says."""
    counts: dict[str, int] = {}

    def is_lost(seen: Seen) -> bool:
        name = seen.headers.get("idempotency-key", f"{seen.method} {seen.path}")
        counts[name] = counts.get(name, 0) + 1
        return counts[name] < 3

    with answering(losing(stack.url, is_lost)) as server, Sortie(server.url, retries=Retries(first=0.01)) as client:
        thing, many = uuid4().hex, uuid4().hex
        job = client.submit(array=[2, 1], object_id=thing)
        batch = client.submit_many([{"array": [n], "object_id": many} for n in range(3)])
        later = client.submit("sleep", {"seconds": 1}, run_in="1h")
        assert later.cancel().status == "canceled"
    with Sortie(stack.url) as direct:
        assert [each.id for each in direct.jobs(object_id=thing)] == [job.id]
        assert sorted(each.id for each in direct.jobs(object_id=many)) == sorted(each.id for each in batch.jobs)
        assert job.result is not None
        assert direct.job(job.id).result(timeout=LIMIT) == [1, 2]


def test_the_async_twin_does_the_same(stack: RunningStack) -> None:
    async def run() -> None:
        async with AsyncSortie(stack.url) as client:
            job = await client.submit("sort", array=np.array([2.5, 1], "float16"))
            result = await job.result(timeout=LIMIT)
            assert (result.tolist(), result.dtype) == ([1.0, 2.5], np.float16)
            batch = await client.submit_many([{"array": [n, 0]} for n in range(12)])
            assert len([job async for job in batch.as_completed(timeout=LIMIT)]) == 12
            jobs = await asyncio.gather(*(client.submit(array=[n, 0]) for n in range(5)))
            results = await asyncio.gather(*(job.result(timeout=LIMIT) for job in jobs))
            assert results == [[0, n] for n in range(5)]
            assert [job.id async for job in client.jobs(task="sort")]

    run_alone(run())
