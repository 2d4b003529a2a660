"""Messages: a job id, sent now or later, one or many, each in its lane."""

import pytest

from chalicelib.core.lane import Lane
from chalicelib.ports import Hint
from tests.emulated.contract.conftest import Ground
from tests.support.rows import new_id

LANES = pytest.mark.parametrize("lane", Lane)


@pytest.fixture(autouse=True)
def _empty(ground: Ground) -> None:
    for lane in Lane:
        while messages := ground.mailbox.receive(lane):
            ground.mailbox.delete(lane, [message.receipt for message in messages])


@LANES
def test_a_message_brings_its_job_id_in_its_lane(ground: Ground, lane: Lane) -> None:
    job_id = new_id()
    ground.queue.send([Hint(job_id, lane, "alice")])
    (other,) = set(Lane) - {lane}
    assert ground.mailbox.receive(other) == []
    (message,) = ground.receive(lane)
    assert (message.body, message.receives) == (job_id, 1)
    assert ground.queue.depth(lane).in_flight >= 1
    ground.mailbox.delete(lane, [message.receipt])
    assert ground.mailbox.receive(lane) == []


def test_many_messages_are_sent_in_batches_and_all_come(ground: Ground) -> None:
    """Of several owners, and of no owner that is known."""
    sent = {lane: {new_id() for _ in range(25)} for lane in Lane}
    hints = [Hint(job_id, lane, owner) for lane in Lane for job_id, owner in zip(sent[lane], owners(), strict=True)]
    ground.queue.send(hints)
    for lane in Lane:
        received: set[str] = set()
        while len(received) < 25 and (messages := ground.receive(lane)):
            received |= {message.body for message in messages}
            ground.mailbox.delete(lane, [message.receipt for message in messages])
        assert received == sent[lane]
    ground.queue.send([])


def owners() -> list[str | None]:
    return ["alice"] * 15 + ["bob"] * 5 + [None] * 5


@LANES
def test_a_delayed_message_comes_when_its_delay_is_over(ground: Ground, lane: Lane) -> None:
    job_id = new_id()
    ground.queue.send([Hint(job_id, lane, "alice", 1)])
    assert ground.mailbox.receive(lane) == []
    assert ground.queue.depth(lane).delayed == 1
    (message,) = ground.receive(lane, seconds=5)
    assert message.body == job_id
    ground.mailbox.delete(lane, [message.receipt])


@LANES
def test_the_longest_delay_is_taken(ground: Ground, lane: Lane) -> None:
    before = ground.queue.depth(lane).delayed
    ground.queue.send([Hint(new_id(), lane, "alice", 900)])
    ground.queue.send([Hint(new_id(), lane, "alice", 900), Hint(new_id(), lane, "bob", 899)])
    assert ground.queue.depth(lane).delayed == before + 3


@LANES
def test_the_depth_counts_what_waits(ground: Ground, lane: Lane) -> None:
    before = ground.queue.depth(lane)
    ground.queue.send([Hint(new_id(), lane, "alice") for _ in range(3)])
    assert ground.queue.depth(lane).waiting == before.waiting + 3
    assert ground.queue.dead() == 0
