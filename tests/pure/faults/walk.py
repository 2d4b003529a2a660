"""One seeded random history: the same steps that the state machine draws, without its bookkeeping."""

import random
from collections.abc import Callable

from chalicelib.core.window import OnRepeat
from tests.pure.faults.driver import FAULTS, Driver
from tests.pure.faults.enumeration import Build
from tests.pure.faults.world import ALICE, BOB, memory

SECONDS = (0.5, 3.0, 31.0, 61.0, 200.0, 1_000.0, 4_000.0)
STEPS = 25


def walk(seed: int, build: Build = memory, steps: int = STEPS) -> None:
    """Raises Broken."""
    chance, driver = random.Random(seed), Driver(build, seed)
    acts = _steps(driver, chance)
    weights = [weight for weight, _ in acts]
    for _ in range(steps):
        chance.choices(acts, weights)[0][1]()
    driver.end()


def _steps(driver: Driver, chance: random.Random) -> list[tuple[int, Callable[[], None]]]:
    def owner() -> str:
        return chance.choice((ALICE, ALICE, BOB))

    def which() -> int:
        return chance.randrange(8)

    def submit() -> None:
        name = chance.choice(("sort", "large", "sleep", "fail", "log"))
        on_repeat = chance.choice((None, *OnRepeat))
        wait, seconds = chance.choice((0, 0, 30, 1_000)), chance.choice((60, 61, 300))
        attempts, key = chance.randint(1, 3), chance.choice((None, None, None, 0, 1, 2))
        driver.submit(owner(), name, attempts=attempts, wait=wait, seconds=seconds, on_repeat=on_repeat, key=key)

    def stop() -> None:
        what = chance.choice(list(FAULTS))
        driver.stop_at(chance.randrange(10), what, chance.choice(SECONDS), after=chance.random() < 0.5)

    return [
        (6, submit),
        (1, lambda: driver.submit_many(owner(), chance.randint(1, 3))),
        (1, lambda: driver.trigger(owner())),
        (1, lambda: driver.add_schedule(owner())),
        (1, lambda: driver.remove_schedule(owner(), which())),
        (2, lambda: driver.cancel(owner(), which())),
        (2, lambda: driver.retry(owner(), which())),
        (2, lambda: driver.cancel_soon(which(), chance.choice(SECONDS))),
        (1, lambda: driver.read(owner(), which())),
        (4, lambda: driver.work(chance.choice((1, 3, 10)), chance.choice((900.0, 852.0)))),
        (3, driver.dispatch),
        (3, lambda: driver.wait(chance.choice(SECONDS))),
        (1, lambda: driver.trouble_queue(chance.choice(("lose", "double", "reorder", "delay", "early", "none")))),
        (1, lambda: driver.send_nonsense(chance.choice(("", "nonsense", "💥", "0" * 26)))),
        (1, lambda: driver.lag(on=chance.random() < 0.5)),
        (6, stop),
    ]
