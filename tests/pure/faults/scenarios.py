"""What clients, workers and dispatchers do, one story each. A story names no fault: the enumeration puts them in."""

from collections.abc import Mapping
from functools import partial

from chalicelib.core.window import OnRepeat
from chalicelib.errors import Invalid, SortieError
from chalicelib.service import bulk, cancel, groups
from chalicelib.service.dispatch_jobs import PART_OF_SINGLES
from chalicelib.service.groups import Group
from chalicelib.service.new_job import NewJob, WindowWish
from chalicelib.service.submit import Submitted
from tests.pure.faults.container_scenarios import CONTAINER_STORIES
from tests.pure.faults.invariants import Broken
from tests.pure.faults.lanes import (
    cancel_between_read_and_write,
    lose_the_quick_message,
    retry_between_read_and_write,
    retry_while_the_write_is_on_its_way,
    run_twice_between_read_and_write,
    work_beside_a_killer,
    work_on_a_job_twice_in_a_batch,
    work_under_heartbeats,
)
from tests.pure.faults.schedule_scenarios import SCHEDULE_STORIES
from tests.pure.faults.story import Story, quietly, task
from tests.pure.faults.world import ALICE, BOB, World, sort_job

DAY = 86_400


def submit_one(world: World) -> None:
    world.submit(sort_job())


def submit_large(world: World) -> None:
    world.submit(sort_job(numbers=200))


def submit_later(world: World) -> None:
    world.submit(sort_job(run_at=world.clock.now() + 100_000))
    world.submit(sort_job(run_at=world.clock.now() + 3 * DAY * 1000))


def submit_with_key(world: World) -> None:
    for _ in range(3):
        world.submit(sort_job(request_id="request-1"), key="key-1")


def repeat_with_key(world: World) -> None:
    """The same request comes again while the first is on its way: whoever stands before its insert meets the row."""
    new = sort_job(request_id="a request")
    world.rival = lambda: world.submit(new, key="a key")
    world.submit(new, key="a key")


def submit_large_with_key(world: World) -> None:
    for _ in range(2):
        world.submit(sort_job(numbers=200, request_id="request-1"), key="key-1")


def submit_in_window(on_repeat: OnRepeat, world: World) -> None:
    wish = WindowWish(300, on_repeat)
    world.rival = lambda: world.submit(sort_job(object_id="order-1", window=wish))
    for owner in (ALICE, ALICE, BOB, ALICE):
        world.submit(sort_job(owner, object_id="order-1", window=wish))


def submit_in_window_with_key(on_repeat: OnRepeat, world: World) -> None:
    for number in (1, 1, 2, 2):
        new = sort_job(object_id=7, window=WindowWish(60, on_repeat), request_id=f"request-{number}")
        world.submit(new, key=f"key-{number}")


def reuse_after_cancel(world: World) -> None:
    delay, reuse = WindowWish(300, OnRepeat.DELAY), WindowWish(300, OnRepeat.REUSE)
    quietly(world, sort_job(object_id="order-1", window=delay))
    canceled = quietly(world, sort_job(object_id="order-1", window=delay))
    with world.gate.opened():
        cancel.cancel(world.ports, ALICE, canceled)
    world.submit(sort_job(object_id="order-1", window=reuse))
    world.submit(sort_job(object_id="order-1", window=delay))


def give_window_back(on_repeat: OnRepeat, world: World) -> None:
    """A place in the far future, canceled and taken again; whose it was is retried meanwhile, and afterwards."""
    wish, far = WindowWish(300, on_repeat), world.clock.now() + 3 * DAY * 1000
    first = quietly(world, sort_job(object_id="order-1", window=wish, run_at=far))
    world.cancel(ALICE, first)
    world.rival = lambda: world.retry(ALICE, first)
    world.submit(sort_job(object_id="order-1", window=wish))
    world.rival = lambda: world.submit(sort_job(object_id="order-1", window=wish))
    world.retry(ALICE, first)
    world.submit(sort_job(object_id="order-1", window=wish))


def take_over_against_a_retry(on_repeat: OnRepeat, world: World) -> None:
    """While another client submits into the window of a canceled job, that job is retried."""
    wish = WindowWish(300, on_repeat)
    first = quietly(world, sort_job(object_id="order-1", window=wish))
    with world.gate.opened():
        world.cancel(ALICE, first)
    world.rival = lambda: world.retry(ALICE, first)
    world.submit(sort_job(object_id="order-1", window=wish))


def retry_against_the_next(on_repeat: OnRepeat, world: World) -> None:
    """While a canceled job is retried, another client submits into its window."""
    wish = WindowWish(300, on_repeat)
    first = quietly(world, sort_job(object_id="order-1", window=wish))
    with world.gate.opened():
        world.cancel(ALICE, first)
    world.rival = lambda: world.submit(sort_job(object_id="order-1", window=wish))
    world.retry(ALICE, first)
    world.submit(sort_job(object_id="order-1", window=wish))


def submit_many(world: World) -> None:
    wish = WindowWish(60, OnRepeat.DELAY)
    entries: list[NewJob | SortieError] = [
        sort_job(), sort_job(numbers=200), Invalid(), sort_job(object_id="a", window=wish),
        sort_job(object_id="a", window=wish), task("fail", '{"message":"no"}', max_attempts=1),
    ]  # fmt: skip
    bodies = [b"{}"] * len(entries)
    answers = world.process(lambda: bulk.submit_many(world.ports, ALICE, entries, key=None, bodies=bodies))
    for answer, new in zip(answers or [], entries, strict=False):
        if isinstance(answer, Submitted) and isinstance(new, NewJob):
            world.promised(answer.job)


def submit_many_with_key(world: World) -> None:
    entries = [sort_job(request_id="request-0"), sort_job(request_id="request-1")]
    for _ in range(2):
        for new in entries:
            world.keyed[str(new.request_id)] |= set()
        world.process(lambda: bulk.submit_many(world.ports, ALICE, entries, key="key", bodies=[b"0", b"1"]))


def trigger_group(world: World) -> None:
    jobs = [sort_job(label="one"), sort_job(label="two", numbers=200), task("sleep", '{"seconds":1}', label="three")]
    group = Group("nightly", ["one", "two", "three"], jobs, [])
    run = world.process(lambda: groups.trigger(world.ports, group, ALICE, None))
    for job in run.jobs if run else []:
        world.promised(job)


def trigger_group_with_key(world: World) -> None:
    group = Group("nightly", ["one", "two"], [sort_job(label="one"), sort_job(label="two", numbers=200)], [])

    def trigger() -> None:
        run = world.process(lambda: groups.trigger(world.ports, group, ALICE, None, key="key-1", body=b""))
        for job in run.jobs if run else []:
            world.promised(job)

    world.rival = trigger
    for _ in range(3):
        trigger()
    if len({row.run_id for row in world.rows()}) > 1:
        raise Broken("I6: one key made two runs")


def work_on_sort(world: World) -> None:
    quietly(world, sort_job())
    world.worker()


def work_on_batch(world: World) -> None:
    for numbers in (1, 2, 200):
        quietly(world, sort_job(numbers=numbers))
    quietly(world, task("fail", '{"message":"no"}', max_attempts=1))
    world.worker()


def work_with_retries(world: World) -> None:
    quietly(world, task("fail", '{"message":"not yet","times":2}', max_attempts=3))
    for _ in range(3):
        world.work_all()
        world.clock.advance(10)


def work_until_failed(world: World) -> None:
    quietly(world, task("fail", '{"message":"never"}', max_attempts=2))
    for _ in range(3):
        world.work_all()
        world.clock.advance(10)


def work_out_of_time(world: World) -> None:
    quietly(world, task("log", '{"message":"on and on","times":0}', max_attempts=1, timeout=5.0))
    world.worker()


def cancel_while_running(world: World) -> None:
    job_id = quietly(world, task("sleep", '{"seconds":8}'))
    world.clock.after(2.5, lambda: world.cancel(ALICE, job_id))
    world.worker()


def cancel_while_failing(world: World) -> None:
    """The request to stop comes after the last checkpoint and before the outcome."""
    job_id = quietly(world, task("sleep", '{"seconds":1}', timeout=0.5))
    world.clock.after(0.5, lambda: world.cancel(ALICE, job_id))
    world.worker()


def cancel_waiting(world: World) -> None:
    job_id = quietly(world, sort_job())
    world.cancel(ALICE, job_id)
    world.cancel(ALICE, job_id)
    world.worker()


def cancel_scheduled(world: World) -> None:
    job_id = quietly(world, sort_job(run_at=world.clock.now() + 5_000))
    world.clock.advance(4)
    world.cancel(ALICE, job_id)
    world.clock.advance(4)
    world.worker()


def retry_failed(world: World) -> None:
    job_id = quietly(world, task("fail", '{"message":"once","times":1}', max_attempts=1))
    with world.gate.opened():
        world.work_all()
    world.retry(ALICE, job_id)
    world.retry(ALICE, job_id)
    world.worker()
    world.retry(ALICE, job_id)


def retry_canceled(world: World) -> None:
    job_id = quietly(world, sort_job())
    world.cancel(ALICE, job_id)
    world.retry(ALICE, job_id)
    world.cancel(ALICE, job_id)
    world.retry(ALICE, job_id)
    world.work_all()


def meddle(world: World) -> None:
    """Everything a stranger tries on somebody else's job."""
    job_id = quietly(world, sort_job(run_at=world.clock.now() + 50_000))
    world.cancel(BOB, job_id)
    world.retry(BOB, job_id)


def dispatch_due(world: World) -> None:
    quietly(world, sort_job(run_at=world.clock.now() + 3_600_000))
    quietly(world, sort_job(run_at=world.clock.now() + 3_700_000))
    for seconds in (3_500, 60, 60):
        world.clock.advance(seconds)
        world.dispatcher()
        world.worker()


def dispatch_lost_messages(world: World) -> None:
    for _ in range(3):
        quietly(world, sort_job())
    world.lose_messages()
    world.clock.advance(61)
    world.dispatcher()
    world.dispatcher()
    world.work_all()


def dispatch_many(world: World) -> None:
    """More than one part of a wave holds."""
    for _ in range(PART_OF_SINGLES + 2):
        quietly(world, sort_job())
    world.lose_messages()
    world.clock.advance(61)
    world.dispatcher()
    world.work_all()


def dispatch_dead_workers(world: World) -> None:
    """One worker died with an attempt left, one without, one while it was asked to stop."""
    quietly(world, sort_job(max_attempts=2))
    quietly(world, sort_job(max_attempts=1))
    stopping = quietly(world, sort_job())
    with world.gate.opened():
        for row in world.rows():
            world.ports.jobs.claim(row.id, world.clock.now(), row.id)
        world.cancel(ALICE, stopping)
    world.lose_messages()
    world.clock.advance(61)
    world.dispatcher()
    world.clock.advance(10)
    world.dispatcher()
    world.work_all()


def dispatch_undeliverable(world: World) -> None:
    quietly(world, sort_job())
    for days in (0, 1, 1, 1, 1):
        world.clock.advance(days * DAY + 3_700)
        world.lose_messages()
        world.dispatcher()
    world.lose_messages()


STORIES: Mapping[str, Story] = {
    story.__name__: story
    for story in (
        submit_one, submit_large, submit_later, submit_with_key, repeat_with_key, submit_large_with_key,
        reuse_after_cancel,
        submit_many, submit_many_with_key, trigger_group, trigger_group_with_key, work_on_sort, work_on_batch,
        work_on_a_job_twice_in_a_batch, work_beside_a_killer, cancel_between_read_and_write,
        retry_between_read_and_write, retry_while_the_write_is_on_its_way, lose_the_quick_message,
        run_twice_between_read_and_write, work_with_retries, work_until_failed, work_out_of_time,
        cancel_while_running, cancel_while_failing, cancel_waiting, cancel_scheduled, retry_failed,
        retry_canceled, meddle, dispatch_due, dispatch_lost_messages, dispatch_many, dispatch_dead_workers,
        dispatch_undeliverable,
    )
} | {
    f"{story.__name__}_{mode}": partial(story, mode)
    for story in (
        submit_in_window, submit_in_window_with_key, give_window_back, take_over_against_a_retry,
        retry_against_the_next,
    )
    for mode in OnRepeat
} | {
    f"work_under_heartbeats_{attempts}": partial(work_under_heartbeats, attempts) for attempts in (1, 2)
} | CONTAINER_STORIES | dict(SCHEDULE_STORIES)  # fmt: skip
