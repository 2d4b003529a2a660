"""Histories that hypothesis draws: clients, workers, dispatchers, time, faults and freezes in any order."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from chalicelib.core.window import OnRepeat
from tests.pure.faults import counting
from tests.pure.faults.driver import FAULTS, NAMES, Driver
from tests.pure.faults.walk import CONTAINER_TROUBLES, walk
from tests.pure.faults.world import ALICE, BOB

OWNERS = st.sampled_from([ALICE, BOB])
WHICH = st.integers(0, 7)
SECONDS = st.sampled_from([0.5, 3.0, 31.0, 61.0, 200.0, 1_000.0, 4_000.0])
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.large_base_example, HealthCheck.data_too_large]


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver()

    @rule(
        owner=OWNERS,
        name=st.sampled_from(list(NAMES)),
        attempts=st.integers(1, 3),
        wait=st.sampled_from([0, 0, 30, 1_000]),
        seconds=st.sampled_from([60, 61, 300]),
        on_repeat=st.sampled_from([None, *OnRepeat]),
    )
    def submit(self, owner: str, name: str, attempts: int, wait: int, seconds: int, on_repeat: OnRepeat | None) -> None:
        self.driver.submit(
            owner, name, attempts=attempts, wait=wait, seconds=seconds, on_repeat=on_repeat, key=None
        )  # fmt: skip

    @rule(owner=OWNERS, key=st.integers(0, 2))
    def submit_with_key(self, owner: str, key: int) -> None:
        self.driver.submit(owner, "sort", attempts=3, wait=0, seconds=60, on_repeat=None, key=key)

    @rule(owner=OWNERS, count=st.integers(1, 3))
    def submit_many(self, owner: str, count: int) -> None:
        self.driver.submit_many(owner, count)

    @rule(owner=OWNERS)
    def trigger(self, owner: str) -> None:
        self.driver.trigger(owner)

    @rule(owner=OWNERS, on=st.booleans(), which=WHICH)
    def schedule(self, owner: str, on: bool, which: int) -> None:
        self.driver.add_schedule(owner) if on else self.driver.remove_schedule(owner, which)

    @rule(owner=OWNERS, which=WHICH, act=st.sampled_from(["cancel", "retry", "read"]))
    def steer(self, owner: str, which: int, act: str) -> None:
        {"cancel": self.driver.cancel, "retry": self.driver.retry, "read": self.driver.read}[act](owner, which)

    @rule(object_id=st.integers(0, 1), call=st.integers(0, 4), retry=st.booleans())
    def contest(self, object_id: int, call: int, retry: bool) -> None:
        self.driver.contest(object_id, call, retry=retry)

    @rule(owner=OWNERS, key=st.integers(0, 2), call=st.integers(0, 4))
    def repeat(self, owner: str, key: int, call: int) -> None:
        self.driver.repeat(owner, key, call)

    @rule(owner=OWNERS, call=st.integers(0, 4))
    def lose_answer(self, owner: str, call: int) -> None:
        self.driver.lose_answer(owner, call)

    @rule(which=WHICH, seconds=SECONDS)
    def cancel_soon(self, which: int, seconds: float) -> None:
        self.driver.cancel_soon(which, seconds)

    @rule(seconds=SECONDS, frozen=SECONDS, finish=st.booleans())
    def freeze_soon(self, seconds: float, frozen: float, finish: bool) -> None:
        self.driver.freeze_soon(seconds, frozen, finish=finish)

    @rule(most=st.sampled_from([1, 3, 10]), seconds_left=st.sampled_from([900.0, 852.0]))
    def work(self, most: int, seconds_left: float) -> None:
        self.driver.work(most, seconds_left)

    @rule(most=st.sampled_from([1, 3, 10]), call=st.integers(0, 3), what=st.sampled_from(list(FAULTS)), seconds=SECONDS)
    def work_in_trouble(self, most: int, call: int, what: str, seconds: float) -> None:
        self.driver.work_in_trouble(most, call, what, seconds)

    @rule()
    def dispatch(self) -> None:
        self.driver.dispatch()

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.driver.wait(seconds)

    @rule(what=st.sampled_from(["lose", "double", "reorder", "delay", "early", "none"]))
    def trouble_queue(self, what: str) -> None:
        self.driver.trouble_queue(what)

    @rule()
    def events(self) -> None:
        self.driver.events()

    @rule(what=st.sampled_from(CONTAINER_TROUBLES))
    def trouble_containers(self, what: str) -> None:
        self.driver.trouble_containers(what)

    @rule(body=st.text(max_size=30))
    def send_nonsense(self, body: str) -> None:
        self.driver.send_nonsense(body)

    @rule(on=st.booleans())
    def lag(self, on: bool) -> None:
        self.driver.lag(on=on)

    @rule(
        call=st.integers(0, 9),
        what=st.sampled_from(list(FAULTS)),
        seconds=SECONDS,
        after=st.booleans(),
    )
    def stop_at(self, call: int, what: str, seconds: float, after: bool) -> None:
        self.driver.stop_at(call, what, seconds, after=after)

    def teardown(self) -> None:
        counting.tried("drawn by hypothesis")
        self.driver.end()


Histories.TestCase.settings = settings(
    max_examples=300, stateful_step_count=25, deadline=None, suppress_health_check=SLOW, print_blob=True
)
TestNoHistoryBreaksAnInvariant = Histories.TestCase


@pytest.mark.parametrize("block", range(10))
def test_no_random_walk_breaks_an_invariant(block: int) -> None:
    """Plain seeded walks: ten times as many in the same time, with the seed for whoever looks after one."""
    counting.try_seeds("walked", walk, 400)
