"""Messages: a job id, sent now or later, one or many."""

import pytest

from tests.emulated.contract.conftest import Ground
from tests.support.rows import new_id


@pytest.fixture(autouse=True)
def _empty(ground: Ground) -> None:
    while messages := ground.mailbox.receive():
        ground.mailbox.delete([message.receipt for message in messages])


def test_a_message_brings_its_job_id(ground: Ground) -> None:
    job_id = new_id()
    ground.queue.send(job_id)
    (message,) = ground.receive()
    assert message.body == job_id
    assert ground.queue.depth().in_flight >= 1
    ground.mailbox.delete([message.receipt])
    assert ground.mailbox.receive() == []


def test_many_messages_are_sent_in_batches_and_all_come(ground: Ground) -> None:
    ids = {new_id() for _ in range(25)}
    ground.queue.send_many([(job_id, 0) for job_id in ids])
    received: set[str] = set()
    while len(received) < 25 and (messages := ground.receive()):
        received |= {message.body for message in messages}
        ground.mailbox.delete([message.receipt for message in messages])
    assert received == ids
    ground.queue.send_many([])


def test_a_delayed_message_comes_when_its_delay_is_over(ground: Ground) -> None:
    job_id = new_id()
    ground.queue.send(job_id, 1)
    assert ground.mailbox.receive() == []
    assert ground.queue.depth().delayed == 1
    (message,) = ground.receive(seconds=5)
    assert message.body == job_id
    ground.mailbox.delete([message.receipt])


def test_the_longest_delay_is_taken(ground: Ground) -> None:
    before = ground.queue.depth().delayed
    ground.queue.send(new_id(), 900)
    ground.queue.send_many([(new_id(), 900), (new_id(), 899)])
    assert ground.queue.depth().delayed == before + 3


def test_a_message_given_back_is_seen_again_at_once(ground: Ground) -> None:
    ids = {new_id() for _ in range(12)}
    ground.queue.send_many([(job_id, 0) for job_id in ids])
    taken = ground.receive() + ground.receive()
    assert ground.mailbox.receive() == []
    ground.queue.give_back([message.receipt for message in taken])
    again = ground.receive() + ground.receive()
    assert {message.body for message in again} == {message.body for message in taken}
    ground.mailbox.delete([message.receipt for message in again])
    ground.queue.give_back([])


def test_the_depth_counts_what_waits(ground: Ground) -> None:
    before = ground.queue.depth()
    ground.queue.send_many([(new_id(), 0) for _ in range(3)])
    assert ground.queue.depth().waiting == before.waiting + 3
    assert ground.queue.depth().dead == 0
