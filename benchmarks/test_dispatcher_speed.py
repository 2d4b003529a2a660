"""The dispatcher keeps up, against a stub that answers in 5 ms: 800 due jobs a second, and 2,500 in batches.

The promise was made on a machine where sixteen threads of plain boto3 update 1,026 rows a second against the same stub.
A machine that is slower or busy is held to its own part of it.
"""

import pytest

from benchmarks import dispatcher

TRIES = 5  # of the whole measurement: a busy machine may spoil one


@pytest.mark.parametrize(("batches", "jobs_a_second"), [(False, 800), (True, 2_500)], ids=["single", "batches"])
def test_a_round_moves_as_many_jobs_a_second_as_promised(batches: bool, jobs_a_second: float) -> None:
    tried: list[str] = []
    while len(tried) < TRIES:
        promised = jobs_a_second * min(1.0, dispatcher.bare_updates_a_second() / dispatcher.BARE_UPDATES_A_SECOND)
        moved = dispatcher.measure(batches=batches)
        assert set(moved.written.values()) == set(moved.sent.values()) == {1}
        assert len(moved.written) == len(moved.sent) == dispatcher.ROWS
        if moved.jobs_a_second >= promised:
            return
        tried.append(f"{moved.jobs_a_second:,.0f} of {promised:,.0f}")
    pytest.fail(", ".join(tried))
