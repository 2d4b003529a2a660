"""A short soak: `make soak` runs a long one."""

import random
from pathlib import Path

from tests.soak import stack


def test_nothing_is_lost_while_workers_and_routes_are_killed(tmp_path: Path) -> None:
    done = stack.run(tmp_path, 150, seed=random.SystemRandom().randrange(1 << 32), frozen=3.0)
    assert done["killed"]
