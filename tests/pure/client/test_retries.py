"""When a request is sent again, and how long the pause before is."""

from hypothesis import given
from hypothesis import strategies as st

from sortie_client.plans import Broken, Response
from sortie_client.retries import AGAIN, Retries, pause_before_next

POLICY = Retries()
UNMET, BROKE = Broken("nothing answers", met=False), Broken("broke", met=True)


def pause(came: Response | Broken, tried: int = 1, chance: float = 0.0, paused: float = 0.0) -> float | None:
    return pause_before_next(POLICY, tried, came, chance=chance, paused=paused)


@given(st.integers(200, 599).filter(lambda status: status not in AGAIN))
def test_an_answer_that_another_try_cannot_change_is_final(status: int) -> None:
    assert pause(Response(status)) is None


def test_a_service_that_asks_for_time_gets_at_least_that() -> None:
    for status in (429, 503):
        for chance in (0.0, 0.5, 1.0):
            asked = pause(Response(status, {"retry-after": "7"}), chance=chance)
            assert asked is not None
            assert 7 < asked < 8


def test_a_window_that_holds_a_job_is_an_answer_and_no_reason_to_try_again() -> None:
    held = Response(429, {"retry-after": "1"}, b'{"type":"urn:sortie:window-held","status":429}')
    assert pause(held) is None
    assert pause(Response(429, {"retry-after": "1"}, b'{"type":"urn:sortie:contended"}')) is not None


def test_pauses_grow_and_chance_spreads_them() -> None:
    longest = [pause(Response(503), tried) for tried in range(1, 6)]
    assert longest == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert [pause(Response(503), tried, chance=1.0) for tried in range(1, 6)] == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_tries_are_bounded_in_number_and_in_time() -> None:
    assert pause(Response(503), POLICY.tries) is None
    assert pause(BROKE, POLICY.tries - 1) is not None
    assert pause(BROKE, POLICY.tries) is None
    assert pause(Response(503, {"retry-after": "30"}), paused=31) is None
    assert pause(Response(503, {"retry-after": "3600"})) is None
    assert pause(Response(503, {"retry-after": "\N{SUPERSCRIPT TWO}"})) == 0.2  # a digit, and no number


def test_where_nothing_listens_few_tries_are_enough() -> None:
    assert pause(UNMET, POLICY.unmet - 1) is not None
    assert pause(UNMET, POLICY.unmet) is None
