"""What the command prints of a job: its text is somebody's, and to the terminal it is text alone."""

import io
import json
from contextlib import redirect_stdout

import msgspec
import pytest

from sortie_client import waiting
from sortie_client.answers import Attempt, JobError, JobState
from sortie_client.cli import output, top
from sortie_client.plans import Fetch
from sortie_client.retries import Retries

ESCAPES = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202egnp.exe\r"
MARKUP = "[/red] [link=http://evil.example]here[/link] array[x]: :bomb:"


def failed(text: str) -> JobState:
    error = JobError(type="task_error", message=text)
    attempt = {"attempt": 1, "started_at": "2027-01-15T08:00:00Z", "ended_at": "2027-01-15T08:00:00Z"}
    fields = {"task": "fail", "status": "failed", "error": error, "object_id": text, "label": text, "group": text}
    state = JobState(id="01m8ajb7wq7emshq9pr7vcyfxn", **fields)  # type: ignore[arg-type]
    state.attempt_log = [Attempt(**attempt, outcome="task_error", error=error)]  # type: ignore[arg-type]
    return state


def printed(state: JobState, capsys: pytest.CaptureFixture[str]) -> str:
    """Every way in which a job is shown."""
    state.attempt_log[0].ended_at = state.attempt_log[0].started_at = None  # type: ignore[assignment]
    output.put_jobs([state])
    output.put_job(state)
    for table in (top.running([state], 5), top.scheduled([state], 5), top.history([state], 5)):
        output.console().print(table)
    return capsys.readouterr().out + output.ended_line(state)


def test_no_text_of_a_job_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(failed(ESCAPES), capsys)
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(said)
    assert "\\x1b" in said


def test_no_text_of_a_job_is_markup(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(failed(MARKUP), capsys)
    assert "[/red]" in said
    assert "array[x]: :bomb:" in said


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("\x1b[1;31mred\x1b[0m\ttab", "\x1b[1;31mred\x1b[0m\ttab"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("ünïcode 🎉\xa0", "ünïcode 🎉\xa0"),
    ],
)
def test_of_what_a_line_of_a_log_may_do_to_a_terminal_colours_are_left(line: str, seen: str) -> None:
    assert output.visible_line(line) == seen


class Screen(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_json_commands_no_terminal_and_is_the_same_json(is_terminal: bool) -> None:
    """A program reads what came, letter by letter. What JSON itself escapes (\\x1b) is one kind of many."""
    held = io.BytesIO()
    stdout = Screen(held) if is_terminal else io.TextIOWrapper(held)
    value = ESCAPES + "\x7f\x9d\u2066\U000e0041 ünïcode 🎉"
    with redirect_stdout(stdout):
        output.put_json({"error": value})
    text = held.getvalue().decode()
    assert json.loads(text) == {"error": value}
    assert is_terminal is not bool({"\x1b", "\x07", "\x7f", "\x9b", "\x9d", "\u202e", "\U000e0041"} & set(text))
    assert "ünïcode 🎉" in text


def test_an_output_that_comes_in_pieces_commands_no_terminal() -> None:
    """White space that the sender of JSON is free to choose, and a letter that two pieces share."""
    held = io.BytesIO()
    screen = Screen(held)
    whole = '{"tail":\r"\x9b2J é"}\n'.encode()
    state = JobState(id="01m8ajb7wq7emshq9pr7vcyfxn", task="container", status="completed")
    state.output = msgspec.Raw(b'{"href":"http://127.0.0.1:9/","bytes":%d}' % len(whole))
    with redirect_stdout(screen):
        fetch = next(waiting.saved(Retries(), state, output.json_out(), None))
    assert isinstance(fetch, Fetch)
    for at in range(len(whole)):
        fetch.sink.feed(whole[at : at + 1])
    assert held.getvalue().decode() == '{"tail": "\\u009b2J é"}\n'
