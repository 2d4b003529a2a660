"""What the command prints of a job: its text is somebody's, and to the terminal it is text alone."""

import pytest

from sortie_client.answers import Attempt, JobError, JobState
from sortie_client.cli import output, top

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
