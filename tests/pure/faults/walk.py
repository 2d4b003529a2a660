"""One seeded random history: the same steps that the state machine draws, without its bookkeeping."""

import random
from collections.abc import Callable
from functools import partial

from chalicelib.core.window import OnRepeat
from tests.pure.faults.driver import FAULTS, NAMES, Driver
from tests.pure.faults.enumeration import Build
from tests.pure.faults.world import ALICE, BOB, memory

SECONDS = (0.5, 3.0, 31.0, 61.0, 200.0, 1_000.0, 4_000.0)
STEPS = 25
CONTAINER_TROUBLES = ("take away", "refuse", "lose events", "double events", "none", "none")


def walk(seed: int, build: Build = memory, steps: int = STEPS) -> None:
    """Raises Broken. Of plain ones every second dispatcher writes in batches."""
    build = partial(memory, batch_updates=bool(seed % 2)) if build is memory else build
    draw, driver = random.Random(seed), Driver(build, seed)
    acts = _steps(driver, draw)
    weights = [weight for weight, _ in acts]
    for _ in range(steps):
        draw.choices(acts, weights)[0][1]()
    driver.end()


def _steps(driver: Driver, draw: random.Random) -> list[tuple[int, Callable[[], None]]]:
    def owner() -> str:
        return draw.choice((ALICE, ALICE, BOB))

    def which() -> int:
        return draw.randrange(8)

    def submit() -> None:
        name = draw.choice(NAMES)
        on_repeat = draw.choice((None, *OnRepeat))
        wait, seconds = draw.choice((0, 0, 30, 1_000)), draw.choice((60, 61, 300))
        attempts, key = draw.randint(1, 3), draw.choice((None, None, None, 0, 1, 2))
        driver.submit(owner(), name, attempts=attempts, wait=wait, seconds=seconds, on_repeat=on_repeat, key=key)

    def stop() -> None:
        what = draw.choice(list(FAULTS))
        driver.stop_at(draw.randrange(10), what, draw.choice(SECONDS), after=draw.random() < 0.5)

    def work_in_trouble() -> None:
        what = draw.choice(list(FAULTS))
        driver.work_in_trouble(draw.choice((1, 3, 10)), draw.randrange(3), what, draw.choice(SECONDS))

    return [
        (6, submit),
        (1, lambda: driver.submit_many(owner(), draw.randint(1, 3))),
        (1, lambda: driver.trigger(owner())),
        (1, lambda: driver.add_schedule(owner())),
        (1, lambda: driver.remove_schedule(owner(), which())),
        (2, lambda: driver.cancel(owner(), which())),
        (2, lambda: driver.retry(owner(), which())),
        (1, lambda: driver.contest(draw.randrange(2), draw.randrange(5), retry=draw.random() < 0.5)),
        (1, lambda: driver.repeat(owner(), draw.randrange(3), draw.randrange(5))),
        (1, lambda: driver.lose_answer(owner(), draw.randrange(5))),
        (2, lambda: driver.cancel_soon(which(), draw.choice(SECONDS))),
        (3, lambda: driver.freeze_soon(draw.choice(SECONDS), draw.choice(SECONDS), finish=draw.random() < 0.5)),
        (1, lambda: driver.read(owner(), which())),
        (4, lambda: driver.work(draw.choice((1, 3, 10)), draw.choice((900.0, 852.0)))),
        (4, work_in_trouble),
        (3, driver.dispatch),
        (3, lambda: driver.wait(draw.choice(SECONDS))),
        (1, lambda: driver.trouble_queue(draw.choice(("lose", "double", "reorder", "delay", "early", "none")))),
        (3, driver.events),
        (1, lambda: driver.trouble_containers(draw.choice(CONTAINER_TROUBLES))),
        (1, lambda: driver.send_nonsense(draw.choice(("", "nonsense", "💥", "0" * 26)))),
        (1, lambda: driver.lag(on=draw.random() < 0.5)),
        (6, stop),
    ]
