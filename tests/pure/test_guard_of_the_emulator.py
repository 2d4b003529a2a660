"""Which requests the guard before the emulator lets through."""

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from dev.guarded_ministack import refusal
from dev.serial_moto import GuardedMoto

PORTS = frozenset({4566, 8000})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:4566"},
        {"host": "[::1]:4566"},
        {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-site"},
        {"origin": "http://localhost:8000", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:4566", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_clients_and_our_own_page_pass(headers: dict[str, str]) -> None:
    assert refusal({name: [value] for name, value in ({"host": "127.0.0.1:4566"} | headers).items()}, PORTS) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:4566"},
        {"host": "bucket.localhost:4566"},
        {"host": "evil.example:80@127.0.0.1.x"},
        {"host": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost.evil.example:8000"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_what_a_stranger_has_a_browser_send_is_refused(headers: dict[str, str]) -> None:
    assert refusal({name: [value] for name, value in ({"host": "127.0.0.1:4566"} | headers).items()}, PORTS)


def test_a_host_that_is_missing_or_said_twice_is_refused() -> None:
    assert refusal({}, PORTS)
    assert refusal({"host": ["127.0.0.1", "evil.example"]}, PORTS)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"HTTP_HOST": "127.0.0.1:5000"}, "200"),
        ({"HTTP_HOST": "evil.example"}, "403"),
        ({"HTTP_HOST": "127.0.0.1:5000", "HTTP_ORIGIN": "http://evil.example"}, "403"),
        ({"HTTP_HOST": "127.0.0.1:5000", "HTTP_SEC_FETCH_SITE": "cross-site"}, "403"),
    ],
)
def test_motos_server_has_the_same_guard(headers: dict[str, str], status: str) -> None:
    seen = []
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": "/moto-api/data.json"} | headers
    list(GuardedMoto([5000])(environ, lambda line, *rest: seen.append(line)))
    assert seen[0].startswith(status)
