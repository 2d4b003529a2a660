"""Into how many parts busy lists are split may only grow: what a smaller number would leave out is not left out."""

import os
from collections.abc import Iterator

import pytest

from chalicelib.core.shards import Shards
from dev import resources, shards
from dev.settings import BadStart
from tests.support import emulators
from tests.support.emulators import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    with emulators.moto("shards") as on:
        yield on


def test_fewer_than_the_table_has_seen_are_refused_by_name_and_nothing_else_is(stage: Stage) -> None:
    shards.refuse_fewer(stage.table, stage.table_name, Shards(lists=8, wake=8))
    shards.refuse_fewer(stage.table, stage.table_name, Shards(lists=8, wake=20))
    with pytest.raises(BadStart, match="LIST_SHARDS=2, and it was 8.*WAKE_SHARDS=8, and it was 20"):
        shards.refuse_fewer(stage.table, stage.table_name, Shards())
    shards.refuse_fewer(stage.table, stage.table_name, Shards(lists=20, wake=20, tallies=2))
    with pytest.raises(BadStart, match="TALLY_SHARDS=1, and it was 2"):
        shards.refuse_fewer(stage.table, stage.table_name, Shards(lists=20, wake=20))


def test_a_table_of_the_version_before_has_two_lists_and_eight_wake_shards(stage: Stage) -> None:
    stage.table.delete_item(TableName=stage.table_name, Key={"pk": {"S": shards.PK}})
    with pytest.raises(BadStart, match="LIST_SHARDS=1, and it was 2"):
        shards.refuse_fewer(stage.table, stage.table_name, Shards(lists=1))
    shards.refuse_fewer(stage.table, stage.table_name, Shards())


def test_a_new_table_takes_any_number_and_holds_to_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIST_SHARDS", "1")
    resources.create("small")
    resources.create("small")
    monkeypatch.setenv("LIST_SHARDS", "3")
    resources.create("small")
    monkeypatch.setenv("LIST_SHARDS", "2")
    with pytest.raises(BadStart, match="LIST_SHARDS=2, and it was 3"):
        resources.create("small")
    assert os.environ["LIST_SHARDS"] == "2"
