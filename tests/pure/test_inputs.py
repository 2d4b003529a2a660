"""What a submit stores beside its row: nothing before the window has decided, and an upload once for all its jobs."""

from dataclasses import replace

import pytest

from chalicelib.core.ids import make_id
from chalicelib.core.job import Status, Stored
from chalicelib.core.window import OnRepeat
from chalicelib.errors import Contended, Invalid, WindowHeld
from chalicelib.ports import ObjectStat
from chalicelib.service.bulk import submit_many
from chalicelib.service.groups import Group, trigger
from chalicelib.service.inputs import upload_key
from chalicelib.service.new_job import NewJob, WindowWish
from chalicelib.service.submit import Submitted
from tests.pure.test_service import Desk
from tests.support import fakes

UPLOAD = make_id(fakes.START, 7)
SORT = NewJob(owner="alice", task="sort", upload=UPLOAD)
LARGE = NewJob(owner="alice", task="sort", input=b'{"array":[%b]}' % b",".join([b"12345"] * 2_000))
DAY = 86_400.0


@pytest.fixture
def desk() -> Desk:
    desk_ = Desk()
    desk_.payloads.put(upload_key("alice", UPLOAD), b"[3,1,2]")
    return desk_


@pytest.mark.parametrize("new", [SORT, LARGE])
@pytest.mark.parametrize("mode", [OnRepeat.REJECT, OnRepeat.REUSE])
def test_a_window_decides_before_anything_is_stored(desk: Desk, new: NewJob, mode: OnRepeat) -> None:
    wished = replace(new, object_id="order-1", window=WindowWish(300, mode))
    desk.submit(wished)
    before = dict(desk.payloads.objects)
    for _ in range(20):
        if mode is OnRepeat.REJECT:
            with pytest.raises(WindowHeld):
                desk.submit(wished)
        else:
            assert not desk.submit(wished).created
    assert desk.payloads.objects == before
    assert len(desk.payloads.copies) == (new is SORT)


def test_a_hundred_jobs_of_one_upload_share_one_copy_in_a_bulk_and_alone(desk: Desk) -> None:
    results = submit_many(desk.ports, "alice", [SORT] * 100, key=None, bodies=[b""] * 100)
    assert all(isinstance(result, Submitted) for result in results)
    desk.submit(SORT)
    trigger(desk.ports, Group("nightly", ["a", "b"], [SORT, SORT], []), "alice", None)
    assert len(desk.payloads.copies) == 1
    desk.payloads.put(upload_key("alice", UPLOAD), b"[9]")
    while any(row.status is Status.PENDING for row in desk.table.jobs.values()):
        desk.work()
    outputs = {row.output for row in desk.table.jobs.values()}
    assert [output.data for output in outputs] == [b'{"array":[1,2,3]}']  # type: ignore[union-attr]


def test_other_contents_another_day_and_a_long_wait_have_copies_of_their_own(desk: Desk) -> None:
    """The bucket removes a copy by its age, and each of its jobs must find it."""
    jobs = [desk.submit(SORT).job, desk.submit(replace(SORT, run_at=desk.clock.now() + 30 * 86_400_000)).job]
    desk.payloads.put(upload_key("alice", UPLOAD), b"[9,8]")
    jobs.append(desk.submit(SORT).job)
    desk.clock.advance(DAY)
    jobs.append(desk.submit(SORT).job)
    keys = [job.input.key for job in jobs if isinstance(job.input, Stored)]
    assert len(set(keys)) == len(desk.payloads.copies) == 4
    assert [key.split("/")[0] for key in keys] == ["inputs", "kept", "inputs", "inputs"]


class Replaced(fakes.MemoryPayloads):
    """Somebody puts to the upload right after each look at it."""

    def stat(self, key: str) -> ObjectStat | None:
        stat = super().stat(key)
        if key.startswith("uploads/"):
            self.objects[key] += b" "
        return stat


def test_an_upload_that_is_replaced_while_its_job_is_accepted_makes_no_job(desk: Desk) -> None:
    payloads = Replaced()
    payloads.objects.update(desk.payloads.objects)
    desk.ports = replace(desk.ports, payloads=payloads)
    with pytest.raises(Contended, match="replaced"):
        desk.submit(SORT)
    assert desk.table.jobs == {}


def test_an_upload_over_the_limit_or_of_somebody_else_is_refused(desk: Desk) -> None:
    desk.ports = replace(desk.ports, settings=replace(desk.ports.settings, upload_limit=6))
    with pytest.raises(Invalid, match="at most 6 bytes"):
        desk.submit(SORT)
    with pytest.raises(Invalid, match="no such upload"):
        desk.submit(replace(SORT, owner="bob"))


def test_an_input_that_holds_more_than_an_upload_may_is_not_read(desk: Desk) -> None:
    job = desk.submit(replace(SORT, max_attempts=1)).job
    assert isinstance(job.input, Stored)
    desk.payloads.put(job.input.key, b"[" + b"1," * 50 + b"1]")
    desk.ports = replace(desk.ports, settings=replace(desk.ports.settings, upload_limit=50))
    desk.work()
    error = desk.table.jobs[job.id].error
    assert error is not None
    assert "cannot be read" in error.message
