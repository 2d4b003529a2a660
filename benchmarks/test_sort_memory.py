"""The largest upload of each form that is accepted is sorted within the worker's memory."""

import pytest

from benchmarks import memory


@pytest.mark.parametrize("form", memory.FORMS)
def test_the_largest_upload_is_sorted_within_the_memory_of_the_worker(form: str) -> None:
    _, _, peak = memory.measure(form, 1.0)
    assert peak < memory.WORKER_BYTES, f"{form}: {peak / 1024**2:,.0f} MB"
