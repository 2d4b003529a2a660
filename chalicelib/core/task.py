"""What a task is: one decorated function with a typed input and output, and the registry of them.

@task("double", summary="Double a number")
def double(number: Number, context: Context) -> Number: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, get_type_hints

import msgspec

from chalicelib.core import decoding
from chalicelib.errors import FieldError, Invalid

SAID_AT_EACH_END = 200


class Context(Protocol):
    """What a running task may ask and say."""

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""

    @property
    def deadline(self) -> float:
        """Seconds this attempt has left."""

    def progress(self, fraction: float) -> None:
        """Say how far the work is, 0 to 1; also a checkpoint. Call it as often as you like: writes are rationed."""

    def checkpoint(self) -> None:
        """Raise when the job was canceled or is out of time; else return."""

    def pause(self, seconds: float) -> None:
        """Wait, with a checkpoint at least once a second."""


class TaskError(Exception):
    """What a task raises when it cannot do its work; the message is shown to whoever asks for the job."""


@dataclass(frozen=True, slots=True)
class Task:
    """`check` looks deeper than the type at submit (raises Invalid); `adopt` turns an upload into an input.

    `quick`: over in milliseconds when its input fits the row, so its jobs are kept out of the `running` list and
    the task list, which saves index writes. `pure`: running it once more has no effect but its output; a task that is
    both takes the quick lane. `remote`: its jobs run in containers, and `run` is never called. `longest`: the longest
    time-out in seconds, where it is not the worker's own.
    """

    name: str
    summary: str
    run: Callable[[Any, Context], Any]
    input: Any
    output: Any
    quick: bool
    pure: bool
    check: Callable[[Any], None] | None
    adopt: Callable[[bytes], bytes] | None
    input_schema: dict[str, Any] | None
    remote: bool = False
    longest: float | None = None

    def decode(self, raw: bytes) -> Any:
        """The typed input; Invalid names the first field that is wrong."""
        try:
            return decoding.decode(raw, self.input)
        except msgspec.ValidationError as error:
            raise Invalid(field_error_of(error)) from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            nan = decoding.find_nan_at(raw, str(error))
            raise Invalid(FieldError("", f"{nan}, not a number" if nan else f"not valid JSON: {error}")) from None

    def validate(self, raw: bytes) -> None:
        task_input = self.decode(raw)
        if self.check:
            self.check(task_input)


TASKS: dict[str, Task] = {}


def task(
    name: str, *, summary: str, quick: bool = False, pure: bool = False, check: Callable[[Any], None] | None = None,
    adopt: Callable[[bytes], bytes] | None = None, input_schema: dict[str, Any] | None = None,
    remote: bool = False, longest: float | None = None,
) -> Callable[[Callable[[Any, Context], Any]], Callable[[Any, Context], Any]]:  # fmt: skip
    """Register the decorated function under `name`; its annotations say what goes in and out."""

    def register(run: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
        hints = get_type_hints(run)
        first = next(iter(hints))
        if name in TASKS and TASKS[name].run.__module__ != run.__module__:
            raise ValueError(f"two tasks are called {name!r}: {TASKS[name].run.__module__} and {run.__module__}")
        TASKS[name] = Task(
            name, summary, run, hints[first], hints["return"], quick, pure, check, adopt, input_schema, remote, longest
        )
        return run

    return register


def field_error_of(error: msgspec.ValidationError) -> FieldError:
    """msgspec's message taken apart: `Expected ... - at `$.array[2]`` is the field_error `array[2]`. Of a name that
    does not fit, the place is the object."""
    msg, _, path = _cut_middle(str(error)).partition(" - at `")
    if path.startswith("key` in `"):
        msg, path = f"{msg} as a name", path.removeprefix("key` in `")
    return FieldError(path.rstrip("`").removeprefix("$").removeprefix("."), msg)


def _cut_middle(said: str) -> str:
    """The beginning says what is wrong, the end where. Between them may stand a name as long as the input."""
    return said if len(said) <= 2 * SAID_AT_EACH_END else f"{said[:SAID_AT_EACH_END]}…{said[-SAID_AT_EACH_END:]}"
