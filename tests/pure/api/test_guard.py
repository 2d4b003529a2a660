"""The local stage answers programs of this machine and its own page; no other page, and under no other name."""

import json
from typing import Any

import pytest

from chalicelib import config
from chalicelib.core.access import LOCAL
from chalicelib.errors import Misdirected, Unauthorized
from chalicelib.http.guard import refuse_stranger
from chalicelib.http.server import Request
from tests.pure.api.conftest import MemoryApi

JOB = {"array": [1]}


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1", None])
def test_this_machine_is_answered(memory: MemoryApi, host: str | None) -> None:
    assert memory.ask("POST", "/jobs", JOB, host=host).status == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.", "x@localhost"]
)
@pytest.mark.parametrize("path", ["/jobs", "/", "/health"])
def test_another_name_of_this_machine_is_421(memory: MemoryApi, path: str, host: str) -> None:
    answer = memory.ask("GET", path, host=host)
    assert (answer.status, answer.headers["Content-Type"]) == (421, "application/problem+json")
    assert "HOSTS" in answer.body["detail"]
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "empty"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs"), ("POST", "/uploads"), ("GET", "/board")])
def test_another_page_is_403(memory: MemoryApi, method: str, path: str, headers: dict[str, Any]) -> None:
    answer = memory.ask(method, path, JOB if path == "/jobs" else None, host="localhost:8000", **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert memory.queue.sent == 0


def test_a_form_that_opens_a_page_is_403(memory: MemoryApi) -> None:
    """What a browser sends when another page submits a form to here; it says its origin with it."""
    headers: dict[str, Any] = {
        "sec_fetch_site": "cross-site",
        "sec_fetch_mode": "navigate",
        "sec_fetch_dest": "document",
    }
    assert memory.ask("POST", "/groups/group_a/runs", host="localhost:8000", **headers).status == 403
    assert memory.queue.sent == 0


def test_our_own_page_and_a_link_to_it_are_answered(memory: MemoryApi) -> None:
    own: dict[str, Any] = {"origin": "http://localhost:8000", "sec_fetch_site": "same-origin"}
    assert memory.ask("POST", "/jobs", JOB, host="localhost:8000", **own).status == 202
    link: dict[str, Any] = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert memory.ask("GET", "/", host="localhost:8000", **link).status == 200


def test_hosts_that_are_named_are_answered_and_no_others() -> None:
    hosts = config.load({"SORTIE_STAGE": "local", "HOSTS": "localhost:8000, Box:9000"}).hosts
    refuse_stranger("GET", {"Host": "box:9000"}, hosts)
    for host in ("box:9001", "localhost:8001", "localhost"):
        with pytest.raises(Misdirected):
            refuse_stranger("GET", {"Host": host}, hosts)


@pytest.mark.parametrize("environ", [{}, {"SORTIE_STAGE": ""}, {"SORTIE_STAGE": "Local"}, {"SORTIE_STAGE": "dev"}])
def test_only_the_local_stage_is_open(environ: dict[str, str]) -> None:
    assert not config.load(environ).is_open


def test_a_public_route_knows_nobody() -> None:
    with pytest.raises(Unauthorized):
        _ = Request(None, {}, {}, b"", "id", "").principal
    assert Request(LOCAL, {}, {}, b"", "id", "").principal is LOCAL


def test_a_public_route_that_looks_for_an_owner_is_401(memory: MemoryApi) -> None:
    """A view under a public row by mistake gives nothing away."""
    view: Any = memory.module.get_board
    request = Request(None, {}, {}, b"", "id", "")
    with pytest.raises(Unauthorized):
        view(request)
    assert json.loads(memory.ask("GET", "/health").raw) == {"status": "ok"}
