"""A table of requests that are wrong, each with the status it must get and the place it must be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

DEEP = 100_000
WEEK_PAST = "2026-01-01T00:00:00Z"  # the clock of the tests stands in January 2027


@dataclass(frozen=True, slots=True)
class Bad:
    name: str
    status: int
    locs: Sequence[str]
    raw: bytes = b""
    path: str = "/jobs"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


def bad(name: str, raw: bytes, *locs: str, status: int = 422, path: str = "/jobs", **headers: str) -> Bad:
    return Bad(name, status, list(locs), raw, path, headers=headers)


def job(name: str, loc: str, **fields: Any) -> Bad:
    """A good job but for these fields."""
    return bad(name, msgspec.json.encode({"array": [1], **fields}), loc)


def task(name: str, loc: str, task: Any, payload: Any) -> Bad:
    return bad(name, msgspec.json.encode({"task": task, "input": payload}), loc)


def schedule(name: str, loc: str, **fields: Any) -> Bad:
    body = {"cron": "* * * * *", "timezone": "UTC", "job": {"array": [1]}, **fields}
    return bad(name, msgspec.json.encode(body), loc, path="/schedules")


def query(name: str, loc: str, path: str, status: int = 422) -> Bad:
    return Bad(name, status, [loc] if loc else [], path=path, method="GET")


NOT_JSON = {
    "nothing": b"",
    "a blank": b" ",
    "one brace": b"{",
    "a truncated array": b'{"array": [1, 2',
    "a truncated word": b'{"array": tru',
    "a truncated string": b'{"task": "so',
    "a trailing comma": b'{"array": [1],}',
    "two objects": b'{"array": [1]} {"array": [1]}',
    "single quotes": b"{'array': [1]}",
    "a comment": b'{"array": [1]} // sorted please',
    "a form": b"array=1&array=2",
    "invalid UTF-8 in a key": b'{"\xff": 1}',
    "invalid UTF-8 in a value": b'{"task": "\xc3\x28"}',
    "an overlong UTF-8 sequence": b'{"task": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"task": "\xed\xa0\x80"}',
    "UTF-16": '{"array": [1]}'.encode("utf-16"),
    "a raw NUL in a string": b'{"task": "a\x00b"}',
    "NUL alone": b"\x00",
    "deep braces": b'{"array":' * DEEP,
    "deep brackets in the array": b'{"array":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep brackets in an input": b'{"task":"log","input":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "quotes and backslashes without an end": b'{"task":NaN,' + b'\\"' * DEEP,
    "a lone surrogate": b'{"task": "\\ud800"}',
    "a key without quotes": b"{array: [1]}",
}
WHOLE = {"null": b"null", "a number": b"7", "a string": b'"array"', "an array": b"[3, 1, 2]", "a boolean": b"true"}

BODIES = [
    *(bad(name, raw, status=400) for name, raw in NOT_JSON.items()),
    *(bad(f"{name} for a body", raw, "") for name, raw in WHOLE.items()),
    bad("deep brackets", b"[" * DEEP, ""),
    bad("deep brackets that close", b"[" * DEEP + b"]" * DEEP, ""),
    bad("deep brackets in a field", b'{"task":' + b"[" * DEEP + b"]" * DEEP + b"}", "task"),
    bad("brackets in the array", b'{"array":' + b"[" * 500 + b"]" * 500 + b"}", "array[0]"),
    bad("an empty object", b"{}", "task"),
    bad("NaN", b'{"array": [1, NaN]}', "array[1]"),
    bad("Infinity", b'{"array": [Infinity]}', "array[0]"),
    bad("minus Infinity", b'{"array": [1, 2, -Infinity]}', "array[2]"),
    bad("a number over a double", b'{"array": [1, 1e400]}', "array[1]"),
    bad("NaN in an input", b'{"task": "sort", "input": {"array": [NaN]}}', "input.array[0]"),
    bad("1e400 in an input", b'{"task": "sort", "input": {"array": [1e400]}}', "input.array[0]"),
    bad("an integer of 4,001 digits", b'{"array": [0, ' + b"9" * 4_001 + b"]}", "array[1]"),
    bad("an integer of 50,000 digits", b'{"array": [' + b"9" * 50_000 + b"]}", "array[0]"),
    bad("a string of digits", b'{"array": [1, "2"]}', "array[1]"),
    bad("a null element", b'{"array": [null]}', "array[0]"),
    bad("a boolean element", b'{"array": [1, true]}', "array[1]"),
    bad("a nested array", b'{"array": [1, [2]]}', "array[1]"),
    bad("an object element", b'{"array": [{}]}', "array[0]"),
    job("an object for an array", "array", array={}),
    job("a null array", "array", array=None),
    job("a string for an array", "array", array="[1]"),
    job("an array beside a task", "task", task="sort"),
    job("an array beside an input", "input", input={"array": [1]}),
    bad("a task without an input", b'{"task": "sort"}', "input"),
    bad("an input without a task", b'{"input": {"array": [1]}}', "task"),
    task("an unknown task", "task", "shuffle", {"array": [1]}),
    task("an empty task name", "task", "", {}),
    task("a task that is a number", "task", 7, {}),
    task("a null input", "input", "sort", None),
    task("an empty input", "input.array", "sort", {}),
    task("an array for an input", "input", "sort", [1]),
    task("descending as text", "input.descending", "sort", {"array": [], "descending": "yes"}),
    task("an unknown field of sort", "input.colour", "sort", {"array": [1], "colour": "red"}),
    task("an unknown field of sleep", "input.unit", "sleep", {"seconds": 1, "unit": "h"}),
    task("negative sleep", "input.seconds", "sleep", {"seconds": -1}),
    task("sleep over a day", "input.seconds", "sleep", {"seconds": 86_401}),
    task("sleep in words", "input.seconds", "sleep", {"seconds": "1s"}),
    task("a message of 1,001 characters", "input.message", "log", {"message": "x" * 1_001}),
    task("half a time", "input.times", "log", {"message": "x", "times": 1.5}),
    task("a negative interval", "input.interval", "log", {"message": "x", "interval": -0.1}),
    task("minus one failure", "input.times", "fail", {"message": "x", "times": -1}),
    task("an upload that never was", "input.upload", "sort", {"upload": "01h00000000000000000000000"}),
    task("an upload id that is none", "input.upload", "sort", {"upload": "../../etc/passwd"}),
    task("an empty upload id", "input.upload", "sort", {"upload": ""}),
    task("an upload that is a number", "input.upload", "sort", {"upload": 7}),
    task("an upload beside an array", "input.upload", "sort", {"upload": "01h00000000000000000000000", "array": []}),
    job("an unknown field", "colour", colour="red"),
    job("a field in other letters", "Array", Array=[1]),
    job("a name with a NUL", "a\x00b", **{"a\x00b": 1}),
    job("an empty object_id", "object_id", object_id=""),
    job("an object_id of 129 characters", "object_id", object_id="x" * 129),
    job("an object_id over 2**53", "object_id", object_id=2**53 + 1),
    job("an object_id of 10**30", "object_id", object_id=10**30),
    job("half an object_id", "object_id", object_id=0.5),
    job("a boolean object_id", "object_id", object_id=True),
    job("a window without an object_id", "window", window={"seconds": 5}),
    job("a window with a null object_id", "window", window={}, object_id=None),
    job("a window of no seconds", "window.seconds", window={"seconds": 0}, object_id=1),
    job("a window over a day", "window.seconds", window={"seconds": 86_401}, object_id=1),
    job("a window of text", "window.seconds", window={"seconds": "5"}, object_id=1),
    job("another word for on_repeat", "window.on_repeat", window={"on_repeat": "skip"}, object_id=1),
    job("an unknown field of window", "window.minutes", window={"minutes": 1}, object_id=1),
    job("a number for a window", "window", window=300, object_id=1),
    job("run_in and run_at", "run_at", run_in=5, run_at="2027-02-01T00:00:00Z"),
    job("a negative run_in", "run_in", run_in=-1),
    job("a run_in in weeks", "run_in", run_in="2w"),
    job("a run_in without a unit", "run_in", run_in="30"),
    job("a run_in of two units", "run_in", run_in="1h30m"),
    job("a run_in with a sign", "run_in", run_in="-5s"),
    job("a run_in over a year", "run_in", run_in="367d"),
    job("a run_in over all numbers", "run_in", run_in=10**400),
    job("a run_in of many digits", "run_in", run_in="9" * 5_000 + "s"),
    job("a boolean run_in", "run_in", run_in=True),
    job("a past run_at", "run_at", run_at=WEEK_PAST),
    job("a past run_at in the other form", "run_at", run_at="01-01-2026 00:00:00"),
    job("a run_at over a year ahead", "run_at", run_at="2029-01-01T00:00:00Z"),
    job("a run_at without an offset", "run_at", run_at="2027-02-01T00:00:00"),
    job("a run_at that is no date", "run_at", run_at="2027-02-30T00:00:00Z"),
    job("a run_at in words", "run_at", run_at="tomorrow"),
    job("a run_at as a number", "run_at", run_at=1_800_000_000),
    job("a run_at in the year 0", "run_at", run_at="0000-01-01T00:00:00Z"),
    job("a run_at in other digits", "run_at", run_at="٢٠٢٧-02-01T00:00:00Z"),
    job("no timeout", "timeout", timeout=0),
    job("a timeout over 840 seconds", "timeout", timeout=841),
    job("a timeout of text", "timeout", timeout="60"),
    job("no attempts", "max_attempts", max_attempts=0),
    job("eleven attempts", "max_attempts", max_attempts=11),
    job("half an attempt", "max_attempts", max_attempts=2.5),
    job("null attempts", "max_attempts", max_attempts=None),
    bad("1e400 as a timeout", b'{"array": [1], "timeout": 1e400}', "timeout"),
    bad("NaN as a timeout", b'{"array": [1], "timeout": NaN}', "timeout"),
    bad("NaN in a bulk", b'{"jobs": [{"array": [1]}, {"array": [1, NaN]}]}', "jobs[1].array[1]", path="/jobs/bulk"),
    bad("a huge integer as attempts", b'{"array": [1], "max_attempts": ' + b"9" * 5_000 + b"}", "max_attempts"),
]

GOOD = b'{"array": [1]}'
SHAPES = [
    bad("text for a content type", GOOD, status=415, content_type="text/plain"),
    bad("a form for a content type", GOOD, status=415, content_type="application/x-www-form-urlencoded"),
    bad("an octet stream", GOOD, status=415, content_type="application/octet-stream"),
    bad("latin-1 as charset", GOOD, status=415, content_type="application/json; charset=latin-1"),
    bad("an empty content type", GOOD, status=415, content_type=" "),
    bad("a content type that is none", GOOD, status=415, content_type="json"),
    bad("a key of 256 characters", GOOD, "Idempotency-Key", idempotency_key="k" * 256),
    bad("an empty key", GOOD, "Idempotency-Key", idempotency_key=""),
    bad("a key with a blank", GOOD, "Idempotency-Key", idempotency_key="a b"),
    bad("a key beyond ASCII", GOOD, "Idempotency-Key", idempotency_key="clé"),
    bad("a query on submit", GOOD, "wait", path="/jobs?wait=1"),
    bad("a query on bulk", b'{"jobs": [{"array": [1]}]}', "x", path="/jobs/bulk?x="),
    bad("a bulk that is a list", b'[{"array": [1]}]', "", path="/jobs/bulk"),
    bad("a bulk without jobs", b"{}", "jobs", path="/jobs/bulk"),
    bad("a bulk of a number", b'{"jobs": 7}', "jobs", path="/jobs/bulk"),
    bad("an unknown field of bulk", b'{"jobs": [{"array": [1]}], "all": true}', "all", path="/jobs/bulk"),
    bad("a truncated bulk", b'{"jobs": [{"array": [1]}', status=400, path="/jobs/bulk"),
    schedule("a cron line of six fields", "cron", cron="0 * * * * *"),
    schedule("a cron line of four fields", "cron", cron="* * * *"),
    schedule("an empty cron line", "cron", cron=""),
    schedule("a cron line of words", "cron", cron="every day at noon ok"),
    schedule("a cron line out of range", "cron", cron="61 * * * *"),
    schedule("a cron line that never fires", "cron", cron="0 0 30 2 *"),
    schedule("a cron line of 401 characters", "cron", cron="1," * 196 + "1 * * * *"),
    schedule("a cron line beyond ASCII", "cron", cron="٥ * * * *"),
    schedule("a cron line that is a number", "cron", cron=5),
    schedule("an unknown time zone", "timezone", timezone="Mars/Olympus"),
    schedule("an empty time zone", "timezone", timezone=""),
    schedule("a path for a time zone", "timezone", timezone="../../etc/passwd"),
    schedule("a null time zone", "timezone", timezone=None),
    schedule("a scheduled job with run_in", "job.run_in", job={"array": [1], "run_in": 5}),
    schedule("a scheduled job with run_at", "job.run_at", job={"array": [1], "run_at": "2027-02-01T00:00:00Z"}),
    schedule("a scheduled job of an upload", "job.input.upload",
             job={"task": "sort", "input": {"upload": "01h00000000000000000000000"}}),
    schedule("a bad number in a scheduled job", "job.array[0]", job={"array": ["x"]}),
    schedule("a null job", "job", job=None),
    schedule("a scheduled job larger than a row can hold", "job", job={"array": [1] * 200_000}),
    schedule("an unknown field of a schedule", "every", every=5),
    bad("a schedule without a job", b'{"cron": "* * * * *"}', "job", path="/schedules"),
    bad("an upload that does not say how long it is", b"{}", "bytes", path="/uploads"),
    bad("an upload without a body", b"", "bytes", path="/uploads"),
    bad("an upload of no bytes", b'{"bytes": 0}', "bytes", path="/uploads"),
    bad("an upload of text", b'{"bytes": "7"}', "bytes", path="/uploads"),
    bad("an upload over the limit", b'{"bytes": 1000000001}', "bytes", path="/uploads"),
    bad("an unknown field of an upload", b'{"bytes": 7, "name": "x"}', "name", path="/uploads"),
    bad("an upload that is a list", b"[]", "", path="/uploads"),
    bad("an upload of white space", b"\n", status=400, path="/uploads"),
    Bad("a retry of no job", 404, [], path="/jobs/01h00000000000000000000000/retry"),
    Bad("a cancel of no job", 404, [], path="/jobs/nothing", method="DELETE"),
    Bad("a run of no group", 404, [], path="/groups/group_z/runs"),
    Bad("a schedule that never was", 404, [], path="/schedules/s-1", method="DELETE"),
    Bad("a schedule's id longer than a key", 404, [], path="/schedules/s-" + "0" * 3_000, method="DELETE"),
]  # fmt: skip

QUERIES = [
    query("a limit of 0", "limit", "/jobs?limit=0"),
    query("a limit of 101", "limit", "/jobs?limit=101"),
    query("a negative limit", "limit", "/jobs?limit=-1"),
    query("a limit of 10**30", "limit", "/jobs?limit=" + "9" * 30),
    query("a limit in words", "limit", "/jobs?limit=ten"),
    query("half a limit", "limit", "/jobs?limit=1.5"),
    query("an empty limit", "limit", "/jobs?limit="),
    query("a limit in other digits", "limit", "/jobs?limit=%D9%A5"),
    query("two limits", "limit", "/jobs?limit=5&limit=5"),
    query("a cursor of noise", "cursor", "/jobs?cursor=%00%ff"),
    query("an empty cursor", "cursor", "/jobs?cursor="),
    query("a cursor of another service", "cursor", "/jobs?cursor=eyJwayI6IDF9"),
    query("a long cursor", "cursor", "/jobs?cursor=" + "A" * 5_000),
    query("an unknown status", "status", "/jobs?status=done"),
    query("an empty status", "status", "/jobs?status="),
    query("an empty object_id to look for", "object_id", "/jobs?object_id="),
    query("a long object_id to look for", "object_id", "/jobs?object_id=" + "x" * 129),
    query("a group longer than a key", "group", "/jobs?group=" + "x" * 3_000),
    query("a task longer than a key", "task", "/jobs?task=" + "x" * 3_000),
    query("an unknown filter", "colour", "/jobs?colour=red"),
    query("no seconds to wait", "wait", "/jobs/01h00000000000000000000000?wait=0"),
    query("26 seconds to wait", "wait", "/jobs/01h00000000000000000000000?wait=26"),
    query("a word to wait", "wait", "/jobs/01h00000000000000000000000?wait=long"),
    query("another span", "span", "/stats?span=week"),
    query("a job that never was", "", "/jobs/01h00000000000000000000000", 404),
    query("a job id that is none", "", "/jobs/%00", 404),
    query("a long job id", "", "/jobs/" + "0" * 3_000, 404),
    query("a group that never was", "", "/groups/group_z", 404),
    query("a run that never was", "", "/groups/group_a/runs/01h00000000000000000000000", 404),
    query("a run id that is none", "", "/groups/group_a/runs/x", 404),
    query("a file outside the folder", "", "/web/lib/..%2f..%2f..%2fapp.py", 404),
    query("a file that is not there", "", "/web/lib/nothing.js", 404),
]
