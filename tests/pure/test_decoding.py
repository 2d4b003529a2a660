"""Whatever a task's input type is, and whatever JSON comes for it: a typed value, or Invalid with a place."""

import json
from contextlib import suppress
from types import GenericAlias
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.decoding import SECOND_LOOK_BYTES
from chalicelib.core.task import TASKS, Context, Task, task
from chalicelib.errors import Invalid
from chalicelib.tasks import load


class Numbers(msgspec.Struct):
    counts: dict[str, int] = {}
    pair: tuple[int, float] = (0, 0.0)
    rows: list[int] = []
    by_number: dict[int, int] = {}


class Odd(msgspec.Struct, rename={"whole": "a.b`[0] c"}):
    whole: list[int]


def task_of(kind: Any) -> Task:
    return Task("odd", "an odd task", lambda value, context: value, kind, kind, False, False, None, None, None)


def kinds() -> st.SearchStrategy[Any]:
    leaves = st.sampled_from([int, float, int | None, str, bool, Any, int | float, Numbers, Odd])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda kind: GenericAlias(dict, (str, kind))),
            inner.map(lambda kind: GenericAlias(list, (kind,))),
            inner.map(lambda kind: GenericAlias(tuple, (kind, ...))),
            st.tuples(inner, inner).map(lambda two: GenericAlias(tuple, two)),
        ),
        max_leaves=4,
    )  # fmt: skip


def values() -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.integers(), st.floats(allow_nan=False), st.integers(-3, 3).map(float), st.text(max_size=3), st.none(),
        st.booleans(),
    )  # fmt: skip
    names = st.sampled_from(["a", "counts", "rows", "pair", "a.b`[0] c", "", "[...]", "é"])
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))


@given(kinds(), values())
def test_any_type_and_any_value_give_an_input_or_invalid(kind: Any, value: Any) -> None:
    with suppress(Invalid):
        task_of(kind).decode(json.dumps(value).encode())


@given(st.lists(st.text('{}[]",:0123456789.eE-+ntfNI\\ax ', max_size=20)))
def test_any_text_gives_an_input_or_invalid(parts: list[str]) -> None:
    with suppress(Invalid):
        task_of(Numbers).decode(("{" + ",".join(parts)).encode())


@pytest.mark.parametrize(
    ("raw", "loc"),
    [
        ('{"counts":{"a":1.5}}', "counts[...]"),
        ('{"counts":{"a":1.0,"b":2.5}}', "counts[...]"),
        ('{"rows":[1.0,2.5]}', "rows[1]"),
        ('{"rows":2.0}', "rows"),
        ('{"by_number":{"1.0":1}}', "by_number"),
        ('{"counts":{"a":3.0,"a":"x"},"rows":7}', "counts[...]"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(raw: str, loc: str) -> None:
    with pytest.raises(Invalid) as caught:
        task_of(Numbers).decode(raw.encode())
    assert caught.value.errors[0].loc == loc


def test_a_float_without_a_fraction_is_an_integer_wherever_one_is_wanted() -> None:
    raw = json.dumps({"counts": {"a": 1.0, "b": 2}, "pair": [3.0, 4.5], "rows": [5.0] * 3_000})
    decoded = task_of(Numbers).decode(raw.encode())
    assert decoded == Numbers({"a": 1, "b": 2}, (3, 4.5), [5] * 3_000)
    assert {type(number) for number in (*decoded.counts.values(), decoded.pair[0], *decoded.rows)} == {int}
    assert task_of(Odd).decode(b'{"a.b`[0] c":[7.0]}') == Odd([7])
    assert task_of(int).decode(b"7.0") == 7


class Bracket(msgspec.Struct, rename={"whole": "a[0]"}):
    a: int
    whole: int


def test_a_name_that_reads_like_a_place_of_another_is_told_from_it() -> None:
    assert task_of(Bracket).decode(b'{"a":1,"a[0]":2.0}') == Bracket(1, 2)


def test_a_large_body_gets_no_second_look() -> None:
    """What only its type asks for is made: the whole of it would take a hundred times its bytes."""
    small, large = (b'{"rows":[1.0],"more":"%s"}' % (b"x" * size) for size in (10, SECOND_LOOK_BYTES))
    assert task_of(Numbers).decode(small) == Numbers(rows=[1])
    with pytest.raises(Invalid):
        task_of(Numbers).decode(large)


def test_a_task_of_another_module_does_not_take_a_name_that_is_taken() -> None:
    load()

    def run(task_input: Numbers, context: Context) -> Numbers:
        return task_input

    with pytest.raises(ValueError, match=r"two tasks are called 'sort': chalicelib\.tasks\.\w+ and tests\."):
        task("sort", summary="another")(run)


def test_a_module_that_is_loaded_again_keeps_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    sort = TASKS["sort"]
    monkeypatch.setitem(TASKS, "sort", sort)
    task("sort", summary="the same, loaded again")(sort.run)
    assert TASKS["sort"].summary == "the same, loaded again"
