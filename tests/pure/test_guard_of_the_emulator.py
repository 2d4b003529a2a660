"""Which requests the guard before the emulator lets through."""

import pytest

from dev.guarded_ministack import refusal

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
