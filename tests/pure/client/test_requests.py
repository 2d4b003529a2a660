"""What goes over the wire, and what the client makes of answers that do not come or come wrong. Sync and async."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sortie_client import (
    AsyncSortie,
    Forbidden,
    Invalid,
    NotFound,
    Retries,
    Sortie,
    SortieError,
    StillRunning,
    Throttled,
    Unauthorized,
    Unavailable,
    Unreachable,
    WindowHeld,
    WrongStatus,
)
from sortie_client.estimates import WORTH_IT
from tests.support.loops import run_alone
from tests.support.servers import DONE, JOB, Says, Seen, Server, answering, script

QUICK = Retries(first=0.01, longest=0.02)
Act = Callable[[Any], Any]


def sync(url: str, act: Act) -> Any:
    with Sortie(url, "secret", retries=QUICK) as client:
        return act(client)


def awaited(url: str, act: Act) -> Any:
    async def run() -> Any:
        async with AsyncSortie(url, "secret", retries=QUICK) as client:
            return await act(client)

    return run_alone(run())


BOTH = pytest.mark.parametrize("ask", [sync, awaited], ids=["sync", "async"])


@BOTH
@pytest.mark.parametrize(
    "trouble", [Says(503), Says(500), Says(429), Says(202, JOB, breaks=0), Says(202, JOB, breaks=9)]
)
def test_a_post_is_sent_again_under_the_key_of_its_first_try(ask: Any, trouble: Says) -> None:
    with answering(script([trouble, trouble, Says(202, JOB)])) as server:
        job = ask(server.url, lambda client: client.submit("sort", array=[2, 1]))
    assert job.status == "pending"
    assert len(server.seen) == 3
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1
    assert len({seen.body for seen in server.seen}) == 1


@BOTH
def test_two_submits_have_two_keys_unless_they_are_told_otherwise(ask: Any) -> None:
    with answering(script([Says(202, JOB)])) as server:
        for key in (None, None, "mine", "mine"):
            ask(server.url, lambda client, key=key: client.submit("sort", array=[1], idempotency_key=key))
    keys = [seen.headers["idempotency-key"] for seen in server.seen]
    assert len(set(keys)) == 3
    assert keys[2:] == ["mine", "mine"]


@BOTH
def test_a_windows_refusal_is_told_at_once_with_the_time_that_is_left(ask: Any) -> None:
    body = b'{"type":"urn:sortie:window-held","title":"t","status":429,"detail":"the window holds a job"}'
    with answering(script([Says(429, body, {"Retry-After": "42"})])) as server, pytest.raises(WindowHeld) as held:
        ask(server.url, lambda client: client.submit("sort", array=[1]))
    assert held.value.retry_after == 42
    assert len(server.seen) == 1


@BOTH
@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, Invalid, 1), (401, Unauthorized, 1), (403, Forbidden, 1), (404, NotFound, 1), (409, WrongStatus, 1),
        (415, Invalid, 1), (422, Invalid, 1), (429, Throttled, 6), (503, Unavailable, 6),
    ],
)  # fmt: skip
def test_a_problem_is_an_error_of_its_own_kind(ask: Any, status: int, kind: type[Exception], tries: int) -> None:
    body = json.dumps({"type": "about:blank", "title": "t", "status": status, "detail": "why",
                       "errors": [{"loc": "array[2]", "msg": "no"}] if status == 422 else []}).encode()  # fmt: skip
    said = Says(status, body, {"X-Request-Id": "r-1"})
    with answering(script([said])) as server, pytest.raises(kind) as told:
        ask(server.url, lambda client: client.submit("sleep", {"seconds": 1}))
    assert str(told.value) == ("array[2]: no" if status == 422 else "why")
    assert told.value.request_id == "r-1"  # type: ignore[attr-defined]
    assert len(server.seen) == tries


@BOTH
def test_what_is_no_service_is_told_in_one_line(ask: Any) -> None:
    with answering(script([Says(200, b"<html>hello</html>")])) as server, pytest.raises(Unreachable, match="no Sortie"):
        ask(server.url, lambda client: client.job("x"))
    with pytest.raises(Unreachable, match=r"nothing answers at http://127.0.0.1:\d+.*3 tries"):
        ask(server.url, lambda client: client.job("x"))


@BOTH
def test_the_token_goes_to_the_service_and_not_to_the_store(ask: Any) -> None:
    store_seen: list[Seen] = []

    def answer(seen: Seen) -> Says:
        if seen.path == "/uploads":
            href = f"{server.url}/store/in"
            return Says(201, json.dumps({"id": "u", "href": href, "headers": {"X-Mark": "m"}}).encode())
        if seen.path.startswith("/store/"):
            store_seen.append(seen)
            return Says(200, b'{"array":[1,2]}')
        link = json.dumps({"href": f"{server.url}/store/out", "bytes": 15}).encode()
        return Says(202, JOB.replace(b'"pending"', b'"completed","output":' + link))

    steps: list[tuple[int, int]] = []
    numbers = list(range(900_000))
    with answering(answer) as server:
        job = ask(server.url, lambda client: client.submit(array=numbers, on_progress=lambda *at: steps.append(at)))
        assert ask(server.url, lambda client: _result(client, job)) == [1, 2]
    size = len(json.dumps(numbers).replace(" ", "")) + len('{"array":}')
    assert json.loads(server.seen[0].body) == {"bytes": size}
    assert json.loads(server.seen[2].body) == {"task": "sort", "input": {"upload": "u"}}
    assert [seen.method for seen in store_seen] == ["PUT", "GET"]
    assert json.loads(store_seen[0].body) == {"array": numbers}
    assert store_seen[0].headers["x-mark"] == "m"
    assert all("authorization" not in seen.headers for seen in store_seen)
    assert server.seen[0].headers["authorization"] == "Bearer secret"
    assert steps[-1] == (size, size)
    assert steps == sorted(steps)


@BOTH
def test_what_a_service_finds_too_large_for_a_request_goes_by_upload(ask: Any) -> None:
    def answer(seen: Seen) -> Says:
        if seen.path == "/uploads":
            return Says(201, json.dumps({"id": "u", "href": f"{server.url}/store"}).encode())
        is_large = seen.path == "/jobs" and b"array" in seen.body
        return Says(413, b'{"status":413,"detail":"too large"}') if is_large else Says(202, JOB)

    with answering(answer) as server:
        ask(server.url, lambda client: client.submit(array=[3, 1, 2]))
    assert [seen.path for seen in server.seen] == ["/jobs", "/uploads", "/store", "/jobs"]
    assert server.seen[2].body == b'{"array":[3,1,2]}'
    assert json.loads(server.seen[3].body)["input"] == {"upload": "u"}


@BOTH
def test_an_estimate_that_was_too_small_is_made_good_by_a_second_upload(ask: Any) -> None:
    hidden = np.full(2 * WORTH_IT, 0.123)
    hidden[1_500:15_000] = -1.2345678901234567e-300

    def answer(seen: Seen) -> Says:
        return Says(201, json.dumps({"id": f"u{len(server.seen)}", "href": f"{server.url}/store"}).encode())

    with answering(answer) as server, pytest.raises(Unreachable, match="no Sortie"):
        ask(server.url, lambda client: client.submit(array=hidden))
    whole = server.seen[-2]
    assert json.loads(whole.body) == {"array": hidden.tolist()}
    assert json.loads(server.seen[-3].body) == {"bytes": len(whole.body)}


def _result(client: Any, job: Any) -> Any:
    job._client = client
    return job.result()


@BOTH
def test_an_output_that_breaks_off_is_fetched_anew_by_a_fresh_link(ask: Any) -> None:
    whole = b'{"array":[%b]}' % b",".join(b"%d" % n for n in range(300_000))
    hrefs = iter(range(10))

    def answer(seen: Seen) -> Says:
        if seen.path.startswith("/store/"):
            return Says(200, whole, breaks=None if seen.path == "/store/2" else 1_500_000)
        link = json.dumps({"href": f"{server.url}/store/{next(hrefs)}", "bytes": len(whole)}).encode()
        return Says(200, JOB.replace(b'"pending"', b'"completed","output":' + link))

    async def result_of(client: AsyncSortie) -> Any:
        return await (await client.job("x")).result()

    with answering(answer) as server:
        act = (lambda client: client.job("x").result()) if ask is sync else result_of
        assert ask(server.url, act) == list(range(300_000))


@BOTH
def test_a_redirect_is_no_answer(ask: Any) -> None:
    """A store that a proxy or a region redirects has taken nothing and given nothing."""
    elsewhere = Says(307, b"<Error>elsewhere</Error>", {"Location": "http://other.example/x?signature=secret"})

    def answer(seen: Seen) -> Says:
        if seen.path == "/uploads":
            return Says(201, json.dumps({"id": "u", "href": f"{server.url}/store"}).encode())
        if seen.path == "/store":
            return elsewhere
        link = json.dumps({"href": f"{server.url}/store", "bytes": 15}).encode()
        return Says(200, JOB.replace(b'"pending"', b'"completed","output":' + link))

    async def result_of(client: AsyncSortie) -> Any:
        return await (await client.job("x")).result()

    told = r"^HTTP 307: redirected to http://other\.example/x, which is not followed"
    with answering(answer) as server:
        for act in (lambda client: client.job("x").result()) if ask is sync else result_of, _submit_large:
            with pytest.raises(SortieError, match=told):
                ask(server.url, act)
        assert "/jobs" not in [seen.path for seen in server.seen], "nothing is made of an upload that was not stored"
    with answering(script([elsewhere])) as server, pytest.raises(SortieError, match=told):
        ask(server.url, lambda client: client.submit(array=[2, 1]))


def _submit_large(client: Any) -> Any:
    return client.submit(array=list(range(900_000)))


@BOTH
def test_a_lost_answer_to_a_cancel_or_a_retry_is_no_error(ask: Any) -> None:
    for act, then in (("cancel", b'"canceled"'), ("retry", b'"pending"')):
        lost, refused = Says(202, JOB, breaks=0), Says(409, b'{"status":409,"detail":"the job has moved"}')
        state = Says(200, JOB.replace(b'"pending"', then))
        first = Says(200, JOB.replace(b'"pending"', b'"failed"'))

        async def both(client: AsyncSortie, act: str = act) -> Any:
            return await getattr(await client.job("x"), act)()

        with answering(script([first, lost, refused, state])) as server:
            call = (lambda client, act=act: getattr(client.job("x"), act)()) if ask is sync else both
            assert ask(server.url, call).status == then.decode().strip('"')
        with answering(script([first, refused, state])) as server, pytest.raises(WrongStatus):
            ask(server.url, call)


@BOTH
def test_a_result_that_does_not_come_in_time_is_a_timeout_and_tells_the_status(ask: Any) -> None:
    async def result_of(client: AsyncSortie) -> Any:
        return await (await client.job("x")).result(timeout=0.3)

    with answering(script([Says(200, JOB)])) as server, pytest.raises(TimeoutError, match="pending") as late:
        ask(server.url, (lambda client: client.job("x").result(timeout=0.3)) if ask is sync else result_of)
    assert isinstance(late.value, StillRunning)
    assert len(server.seen) < 10, "a service that does not hold its answer is not stormed"


@BOTH
def test_entries_of_a_bulk_that_read_503_are_sent_again_and_no_others(ask: Any) -> None:
    def answer(seen: Seen) -> Says:
        jobs = json.loads(seen.body)["jobs"]
        rounds.append(jobs)
        results = [_entry(index, job, len(rounds)) for index, job in enumerate(jobs)]
        return Says(207, json.dumps({"results": results}).encode())

    rounds: list[Any] = []
    requests = [{"task": "sleep", "input": {"seconds": index}} for index in range(150)]
    with answering(answer) as server:
        batch = ask(server.url, lambda client: client.submit_many(requests))
    assert [len(jobs) for jobs in rounds] == [100, 98, 98, 50]
    assert [index for index, job in enumerate(rounds[1]) if job] == list(range(1, 98, 3)), "each at its own place"
    assert server.seen[0].headers["idempotency-key"] == server.seen[1].headers["idempotency-key"]
    assert server.seen[3].headers["idempotency-key"] != server.seen[0].headers["idempotency-key"]
    assert len(batch.jobs) == 149
    assert {index: type(error) for index, error in batch.errors.items()} == {99: Invalid}
    assert [job.id for job in batch.jobs] == [f"id{index}" for index in [*range(99), *range(100, 150)]]


@BOTH
def test_a_batch_of_which_a_part_was_made_is_not_lost(ask: Any) -> None:
    def answer(seen: Seen) -> Says:
        jobs = json.loads(seen.body)["jobs"]
        if len(jobs) < 100:
            return Says(503)
        return Says(207, json.dumps({"results": [_entry(index, job, 3) for index, job in enumerate(jobs)]}).encode())

    requests = [{"task": "sleep", "input": {"seconds": index + 1_000}} for index in range(150)]
    with answering(answer) as server:
        batch = ask(server.url, lambda client: client.submit_many(requests))
        assert (len(batch.jobs), len(batch.errors)) == (100, 50)
        assert {type(error) for error in batch.errors.values()} == {Unavailable}
        with pytest.raises(Unavailable):
            ask(server.url, lambda client: client.submit_many(requests[:50]))


def _entry(index: int, job: Any, round_: int) -> Any:
    if not job:
        return {"status": 422, "problem": {"type": "t", "title": "t", "status": 422, "detail": "no task"}}
    number = job["input"]["seconds"]
    if number == 99:
        return {"status": 422, "problem": {"type": "t", "title": "t", "status": 422, "detail": "not this one"}}
    if number < 100 and index % 3 == 1 and round_ < 3:
        return {"status": 503, "problem": {"type": "t", "title": "t", "status": 503, "detail": "later"}}
    return {"status": 202, "job": {"id": f"id{number}", "task": "sleep", "status": "pending"}}


@BOTH
@pytest.mark.parametrize("follow", [False, True])
def test_a_log_is_read_page_by_page_to_its_end(ask: Any, follow: bool) -> None:
    """A line is what ends in a line feed. Where the log is followed, its last line comes late."""
    lines = ["one", "", "two\u2028still two", "late"]
    looks = 0

    def answer(seen: Seen) -> Says:
        nonlocal looks
        path, _, query = seen.path.partition("?")
        if not path.endswith("/log"):
            looks += 1
            return Says(200, DONE if looks > 5 else JOB)
        after = int(query.removeprefix("after=") or 0)
        written = lines[:3] if follow and looks < 5 else lines
        page = written[after : after + 2]
        text = "".join(f"{line}\n" for line in page)
        return Says(200, text.encode(), {"Log-After": str(after + len(page))})

    async def read(client: AsyncSortie) -> Any:
        return [line async for line in (await client.job("x")).log(follow=follow)]

    with answering(answer) as server:
        act = (lambda client: list(client.job("x").log(follow=follow))) if ask is sync else read
        assert ask(server.url, act) == lines


def test_filters_stand_in_the_query_as_the_service_reads_them() -> None:
    with answering(script([Says(200, b'{"jobs":[],"next":"c"}'), Says(200, b'{"jobs":[],"next":null}')])) as server:
        assert sync(server.url, lambda client: list(client.jobs(status="failed", since="1h", object_id="7"))) == []
    assert server.seen[0].path == "/jobs?status=failed&object_id=%227%22&since=1h&limit=100"
    assert server.seen[1].path.endswith("&cursor=c")


def test_a_completed_job_needs_one_request_for_its_result() -> None:
    with answering(script([Says(200, DONE)])) as server:
        assert sync(server.url, lambda client: client.job("01m8aek5rf07k6ds0twh8pd1qt").result()) == [1, 2]
    assert len(server.seen) == 1


def test_a_job_is_one_line_with_its_status() -> None:
    said = b'"failed","error":{"type":"task_error","message":"two\\nlines"}'
    server: Server
    with answering(script([Says(200, JOB.replace(b'"pending"', said))])) as server:
        line = repr(sync(server.url, lambda client: client.job("x")))
    assert line == "<Job 01m8aek5rf07k6ds0twh8pd1qt sort failed (task_error: two lines)>"
