"""JSON to typed values: whatever the bytes and the type, a value or an Invalid comes out, in little memory and time."""

import contextlib
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import config, tasks
from chalicelib.api.body import RequestContext, explain
from chalicelib.api.bulk import parse_bulk
from chalicelib.api.jobs import JobRequest, parse_job
from chalicelib.core import decoding
from chalicelib.core.task import Context, Task
from chalicelib.errors import Invalid, Malformed, SortieError

SIZE, MOST_SECONDS, MOST_BYTES, MOST_CHARACTERS = 5_000_000, 3.0, 600_000_000, 1_000


class Counts(msgspec.Struct, forbid_unknown_fields=True):
    counts: dict[str, int]


class Tree(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    below: list["Tree"] = []


def task_of(kind: Any) -> Task:
    def run(payload: Any, context: Context) -> None: ...

    return Task("drawn", "", run, kind, type(None), False, False, None, None, None)


def context() -> RequestContext:
    return RequestContext(tasks.load(), config.load({"SORTIE_STAGE": "local"}), 1_800_000_000_000, "team-a")


def locs(raw: bytes, kind: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        task_of(kind).decode(raw)
    return [error.loc for error in caught.value.errors]


def test_a_fraction_in_a_mapping_is_told_its_place() -> None:
    assert locs(b'{"counts": {"a": 1.5}}', Counts) == ["counts[...]"]
    assert locs(b'{"number": 1, "below": [{"number": 2}, {"number": 0.5}]}', Tree) == ["below[1].number"]
    assert locs(b'{"1.5": 1}', dict[int, int]) == [""]


def test_whole_floats_are_integers_wherever_they_are() -> None:
    assert task_of(Counts).decode(b'{"counts": {"a": 1.0, "b": 2, "c": 3e0}}').counts == {"a": 1, "b": 2, "c": 3}
    tree = task_of(Tree).decode(b'{"number": 1.0, "below": [{"number": 2.0}, {"number": 3.0}]}')
    assert [branch.number for branch in tree.below] == [2, 3]
    many = b"[" + b"1.0," * 300_000 + b"1.0]"
    start = time.monotonic()
    assert task_of(list[int]).decode(many) == [1] * 300_001
    assert time.monotonic() - start < MOST_SECONDS


@pytest.mark.parametrize(
    ("raw", "attempts"),
    [
        (b'{"array":[1],"max_attempts":3.0,"max_attempts":"x"}', None),
        (b'{"array":[1],"max_attempts":"x","max_attempts":3.0}', 3),
        (b'{"array":[1],"max_attempts":"x","max_attempts":2}', 2),
        (b'{"array":[1],"max_attempts":2,"max_attempts":2.5}', None),
        (b'{"array":["x"],"array":[1.0],"max_attempts":5,"max_attempts":4}', 4),
    ],
)
def test_of_a_name_that_comes_twice_the_last_is_judged(raw: bytes, attempts: int | None) -> None:
    if attempts is None:
        with pytest.raises(Invalid):
            parse_job(raw, context())
    else:
        assert parse_job(raw, context()).max_attempts == attempts


def test_what_is_kept_unread_is_text_as_well() -> None:
    """Of a name that comes twice the first value is passed over, and the whole was told again in answers."""
    with pytest.raises(Malformed, match="utf-8"):
        parse_job(b'{"task":"sort","input":{"array":["\xff"],"array":[1]}}', context())


def test_a_doubled_name_in_one_entry_of_a_bulk_harms_no_other() -> None:
    entry = b'{"array":[1],"max_attempts":3.0,"max_attempts":"x"}'
    entries, _ = parse_bulk(b'{"jobs":[{"array":[1]},' + entry + b',{"array":[2]}]}', context())
    assert [isinstance(each, Invalid) for each in entries] == [False, True, False]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([1.0, -2.0, 1.5, 1e300]) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
KINDS = st.recursive(
    st.sampled_from([int, float, str, bool, Counts, Tree, int | float, int | None, msgspec.Raw]),
    lambda inner: (
        inner.map(lambda kind: list[kind])  # type: ignore[valid-type]
        | inner.map(lambda kind: dict[str, kind])  # type: ignore[valid-type]
        | inner.map(lambda kind: tuple[int, kind])  # type: ignore[valid-type]
        | inner.map(lambda kind: msgspec.defstruct("Drawn", [("a", kind), ("b", int, 0)]))
    ),
    max_leaves=3,
)


@settings(max_examples=300)
@given(KINDS, VALUES)
def test_whatever_a_task_takes_and_is_sent_only_invalid_comes_out(kind: Any, value: Any) -> None:
    with contextlib.suppress(Invalid):
        task_of(kind).decode(json.dumps(value).encode())


NAMES = sorted(JobRequest.__struct_fields__)


def pairs_as_text(pairs: list[tuple[str, Any]]) -> bytes:
    """An object whose names may come twice."""
    return ("{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}").encode()


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([*NAMES, "colour"]), VALUES), max_size=6))
def test_whatever_the_names_of_a_job_only_errors_of_ours_come_out(pairs: list[tuple[str, Any]]) -> None:
    raw = pairs_as_text(pairs)
    for parse in (parse_job, lambda body, about: parse_bulk(b'{"jobs":[%b]}' % body, about)):
        with contextlib.suppress(SortieError):
            parse(raw, context())


def fill(head: bytes, part: bytes, tail: bytes) -> bytes:
    return head + part * ((SIZE - len(head) - len(tail)) // len(part)) + tail


FACE = "\U0001f600".encode()
"""A letter that makes text of four bytes a letter out of all that stands beside it."""
LONG_KEY = b"k" * 100_000
BODIES: Mapping[str, Callable[[], bytes]] = {
    "NaN behind a long key": lambda: fill(b'{"task":"sort","input":{"' + LONG_KEY + b'":[0', b",0", b'],"z":NaN}}'),
    "NaN behind nested keys": lambda: fill(b'{"task":"log","input":{"a":[{}', b',{"b":[]}', b'],"z":NaN}}'),
    "nothing but NaN": lambda: fill(b'{"array":[NaN', b",NaN", b"]}"),
    "NaN at the end": lambda: fill(b'{"array":[0', b",0", b",NaN]}"),
    "NaN in a bulk": lambda: fill(b'{"jobs":[{"array":[0', b",0", b",NaN]}]}"),
    "a string at the end": lambda: fill(b'{"array":[0', b",0", b',"x"]}'),
    "an unknown field": lambda: fill(b'{"colour":[[]', b",[]", b"]}"),
    "objects": lambda: fill(b'{"task":"log","input":[{}', b",{}", b"]}"),
    "a doubled name": lambda: fill(b'{"array":[{"a":1}', b',{"a":1}', b'],"max_attempts":1.0,"max_attempts":"x"}'),
    "a long unknown name": lambda: fill(b'{"' + FACE, b"k", b'":1}'),
    "a long unknown name inside": lambda: fill(b'{"array":[1],"window":{"' + FACE, b"k", b'":1}}'),
    "a long word for a choice": lambda: fill(b'{"array":[1],"window":{"on_repeat":"' + FACE, b"k", b'"}}'),
    "many names": lambda: b"{" + b",".join(b'"%d":1' % n for n in range(450_000)) + b"}",
    "a float in a field": lambda: fill(b'{"max_attempts":1.5,"array":[0.5', b",0.5", b"]}"),
    "a cut": lambda: fill(b'{"array":[0', b",0", b""),
    "quotes": lambda: fill(b'{"task":NaN,', b'\\"', b""),
}


def judge(raw: bytes) -> tuple[int | None, float, int]:
    """With how many characters it was refused, in how many seconds, and by how many bytes the process grew."""
    about = context()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        parse_job(raw, about)
        said = None
    except SortieError as error:
        said = len(str(error))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return said, time.process_time() - start, grown * 1024


@pytest.mark.parametrize("name", BODIES)
def test_a_refused_body_costs_little_memory_and_time(name: str) -> None:
    """In a process of its own, whose memory nothing else has grown."""
    raw = BODIES[name]()
    assert len(raw) <= SIZE
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        said, seconds, grown = pool.apply(judge, (raw,))
    assert said is not None
    assert said < MOST_CHARACTERS
    assert seconds < MOST_SECONDS
    assert grown < MOST_BYTES


@pytest.mark.parametrize("raw", [b'{"number":1,"%b":2}', b'{"number":1,"below":[{"number":2},{"%b":2}]}'])
def test_of_a_long_unknown_name_both_ends_and_its_place_are_told(raw: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        task_of(Tree).decode(raw.replace(b"%b", b"begin" + b"k" * 10_000 + b"end"))
    (error,) = map(explain, caught.value.errors)
    assert error.msg == "unknown field: leave it out"
    assert error.loc.removeprefix("below[1].").startswith("begink")
    assert error.loc.endswith("kend")
    assert len(error.loc) < 600


def test_the_place_of_nan_is_found_at_any_depth() -> None:
    assert decoding.find_nan_path(b'{"a":[0,{"b":[NaN]}]}') == ("a[1].b[0]", "NaN")
    assert decoding.find_nan_path(b"[1,-Infinity,NaN]") == ("[1]", "-Infinity")
    assert decoding.find_nan_path(b'{"a":Infinity}') == ("a", "Infinity")
    assert decoding.find_nan_path(b"NaN") == ("", "NaN")
    assert decoding.find_nan_path(b'{"a":"NaN"}') is None
