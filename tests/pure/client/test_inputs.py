"""What a user gives becomes the JSON of an input, inline or as a source to upload."""

import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sortie_client.errors import BadInput
from sortie_client.estimates import WORTH_IT, EstimatedSource, TooSmall
from sortie_client.inputs import FileSource, Inline, TaskInput, prepare
from sortie_client.requests import prepared_request


def sent(task_input: TaskInput) -> bytes:
    content = task_input.content
    if isinstance(content, Inline):
        return content.json
    text = b"".join(content.pieces())
    assert len(text) == content.size, "the link is signed for this size"
    assert b"".join(content.pieces()) == text, "another try sends the same"
    task_input.close()
    return text


@pytest.mark.parametrize("array", [[3, 1], (3, 1), range(3, 0, -2), np.array([3, 1]), iter([3, 1])])
def test_any_array_stands_beside_the_other_fields(array: Any) -> None:
    task_input = prepare({"descending": True}, array)
    assert json.loads(sent(task_input)) == {"descending": True, "array": [3, 1]}


@pytest.mark.parametrize("make", [list, np.array])
def test_a_large_array_becomes_a_source_and_a_small_one_does_not(make: Any) -> None:
    numbers = make([0.5] * 1_000)
    assert isinstance(prepare(None, numbers, 5_000).content, Inline)
    large = prepare(None, numbers, 3_000)
    assert not isinstance(large.content, Inline)
    assert json.loads(sent(large)) == {"array": [0.5] * 1_000}


def test_a_file_of_json_goes_inline_while_it_is_small(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    path.write_text(" [3, 1]")
    assert json.loads(sent(prepare(None, path))) == {"array": [3, 1]}
    assert json.loads(sent(prepare({"descending": True}, str(path), 5))) == {"descending": True, "array": [3, 1]}
    path.write_text('{"array": [1]}')
    assert json.loads(sent(prepare(None, path))) == {"array": [1]}
    assert json.loads(sent(prepare(path, None))) == {"array": [1]}


def test_a_file_of_lines_is_uploaded_as_it_is_and_an_empty_one_is_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(b"3\n1\n")
    with path.open("rb") as file:
        assert sent(prepare(None, file)) == b"3\n1\n"
    with pytest.raises(BadInput, match="descending cannot stand beside it"):
        prepare({"descending": True}, path)
    path.write_bytes(b" \n")
    assert json.loads(sent(prepare(None, path))) == {"array": []}


def test_a_pipe_is_read_once_and_may_be_sent_twice() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as end:
            end.write(b"2\n1\n")

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb") as pipe:
        assert sent(prepare(None, pipe)) == b"2\n1\n"
    thread.join()


@pytest.mark.parametrize(
    ("task_input", "array", "words"),
    [
        (None, np.zeros((2, 2)), "2 dimensions"),
        (None, np.array([True]), "bool"),
        (None, np.array([1j]), "complex128"),
        (None, "/nowhere/at.all", "No such file"),
        (None, io.StringIO("[1]"), "binary"),
        ({"array": [1]}, [2], "other fields"),
        ({"x": object()}, None, "no JSON"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_way_out(task_input: Any, array: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        prepare(task_input, array)


def test_a_sort_of_nothing_is_asked_what_to_sort() -> None:
    with pytest.raises(BadInput, match="give the numbers"):
        prepared_request({"task": "sort"})


def test_a_long_numpy_array_tells_its_size_before_it_is_encoded() -> None:
    array = np.random.default_rng(5).normal(size=WORTH_IT)
    task_input = prepare({"descending": True}, array)
    assert isinstance(task_input.content, EstimatedSource)
    text = sent(task_input)
    assert json.loads(text) == {"descending": True, "array": array.tolist()}
    assert len(text) < len(text.rstrip()) * 1.01


def test_an_array_whose_samples_mislead_is_counted_first() -> None:
    uneven = np.ones(WORTH_IT)
    uneven[: WORTH_IT // 2] = 0.12345678901234567
    counted = prepare(None, uneven)
    assert isinstance(counted.content, FileSource)
    counted.close()
    hidden = np.full(2 * WORTH_IT, 0.123)
    hidden[1_500:15_000] = -1.2345678901234567e-300  # between two samples
    task_input = prepare(None, hidden, 1_000)
    with pytest.raises(TooSmall):
        list(task_input.content.pieces())  # type: ignore[union-attr]
    assert json.loads(sent(task_input.counted())) == {"array": hidden.tolist()}
