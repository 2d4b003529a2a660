"""What a filter keeps of the rows that an index names: the row has the last word."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from chalicelib.core.filters import Filter, keeps
from chalicelib.core.job import Status
from tests.support.fakes import START
from tests.support.rows import row

ALL = Filter("alice", frozenset({Status.PENDING}), "sort", 7, "nightly", "s-1")
FITS: dict[str, Any] = {"task": "sort", "object_id": 7, "group": "nightly", "schedule_id": "s-1"}


@pytest.mark.parametrize(
    "moved",
    [
        {"owner": "bob"}, {"status": Status.RUNNING}, {"not_before": START + 1}, {"task": "sleep"},
        {"object_id": "7"}, {"object_id": None}, {"group": "hourly"}, {"schedule_id": "s-2"}, {"schedule_id": None},
        {"expires_at": START // 1000},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_fits_but_for_one_thing_is_left_out(moved: dict[str, Any]) -> None:
    job = row(**FITS)
    assert keeps(ALL, job, START)
    assert not keeps(ALL, msgspec.structs.replace(job, **moved), START)


@pytest.mark.parametrize("field", FITS)
def test_a_filter_that_does_not_say_takes_any(field: str) -> None:
    job = row(**FITS | {field: "another"})
    assert not keeps(ALL, job, START)
    any_of_it: dict[str, Any] = {field: None}
    assert keeps(replace(ALL, **any_of_it), job, START)
