"""Many clients at once: a window holds one job, a key makes one job."""

from datetime import datetime
from itertools import pairwise

from tests.stacks.e2e.service import Service, some_object


def test_under_delay_many_clients_get_a_window_each(service: Service) -> None:
    body = {"array": [1], "object_id": some_object(), "window": {"seconds": 60, "on_repeat": "delay"}}
    answers = service.at_once(service.clients, body)
    assert [answer.status for answer in answers] == [202] * service.clients
    times = sorted(datetime.fromisoformat(answer.body["run_at"]) for answer in answers)
    assert all((later - earlier).total_seconds() == 60 for earlier, later in pairwise(times))
    for answer in answers:
        service.ask("DELETE", f"/jobs/{answer.body['id']}")


def test_under_reuse_many_clients_get_one_job(service: Service) -> None:
    body = {"array": [1], "object_id": some_object(), "window": {"seconds": 60, "on_repeat": "reuse"}}
    answers = service.at_once(service.clients, body)
    assert len({answer.body["id"] for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == [200] * (service.clients - 1) + [202]


def test_under_reject_one_of_many_clients_gets_a_job(service: Service) -> None:
    body = {"array": [1], "object_id": some_object(), "window": {"seconds": 60, "on_repeat": "reject"}}
    answers = service.at_once(service.clients, body)
    assert sorted(answer.status for answer in answers) == [202] + [429] * (service.clients - 1)
    waits = [int(answer.headers["Retry-After"]) for answer in answers if answer.status == 429]
    assert all(0 < wait <= 60 for wait in waits)


def test_one_key_sent_by_many_clients_makes_one_job(service: Service) -> None:
    answers = service.at_once(min(20, service.clients), {"array": [2, 1]}, **{"Idempotency-Key": some_object()})
    assert len({answer.body["id"] for answer in answers}) == 1
    assert {answer.status for answer in answers} <= {200, 202}
    assert service.ended(answers[0].body["id"])["attempts"] == 1
