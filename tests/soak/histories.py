"""Seeded histories of all kinds on all cores, for as long as they are told to go on."""

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from multiprocessing import get_context

from tests.pure.faults.interleaving import interleave
from tests.pure.faults.walk import walk

KINDS: Mapping[str, Callable[[int], None]] = {"walked": walk, "free": interleave}


def run(seconds: float) -> Counter[str]:
    """How many of each kind held. The first that breaks an invariant ends all, with its kind and seed in a note."""
    cores, total = len(os.sched_getaffinity(0)), Counter[str]()
    with get_context("fork").Pool(cores) as pool:
        for counts in pool.imap_unordered(_run, [seconds] * cores):
            total += counts
    return total


def _run(seconds: float) -> Counter[str]:
    logging.getLogger("sortie").setLevel(logging.WARNING)
    give_up, draw, counts = time.monotonic() + seconds, random.Random(os.urandom(16)), Counter[str]()
    while time.monotonic() < give_up:
        kind, seed = draw.choice(list(KINDS)), draw.randrange(1 << 40)
        try:
            KINDS[kind](seed)
        except BaseException as error:
            raise AssertionError(f"{kind} {seed}: {error}") from error
        counts[kind] += 1
    return counts
