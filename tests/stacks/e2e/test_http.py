"""HTTP as clients speak it, the same on the development stack and on a deployed one, as far as API Gateway lets one."""

import gzip
import json

import pytest

from tests.stacks.e2e.service import Service

BODY = json.dumps({"array": list(range(600, 0, -1))}).encode()


@pytest.mark.parametrize("content_type", ['application/json; charset="utf-8"', "application/json; profile=x"])
def test_json_with_parameters_is_json(service: Service, content_type: str) -> None:
    assert service.ask("POST", "/jobs", BODY, **{"Content-Type": content_type}).status == 202


def test_what_is_no_json_is_415(service: Service) -> None:
    answer = service.ask("POST", "/jobs", BODY, **{"Content-Type": "text/plain"})
    assert (answer.status, answer.headers["Content-Type"]) == (415, "application/problem+json")


def test_what_a_client_has_is_not_sent_again(service: Service) -> None:
    for path in ("/", "/openapi.json"):
        tag = service.ask("GET", path).headers["ETag"]
        for known in (tag, f'W/{tag}, "x"', "*"):
            assert service.ask("GET", path, **{"If-None-Match": known}).status == 304


def test_head_says_what_get_says_without_a_body(service: Service) -> None:
    for path in ("/", "/docs", "/openapi.json", "/health", "/jobs", "/board", "/groups", "/stats", "/schedules", "/x"):
        head, whole = service.ask("HEAD", path), service.ask("GET", path)
        assert (head.status, head.raw) == (whole.status, b""), path
        assert head.headers["Content-Type"].startswith(whole.headers["Content-Type"].partition(";")[0]), path


def test_an_encoded_letter_in_a_path_is_that_letter(service: Service) -> None:
    assert service.ask("GET", "/groups/group%5Fa").body == service.ask("GET", "/groups/group_a").body
    job_id = service.submit(array=[1])["id"]
    assert service.ask("GET", f"/jobs/%{ord(job_id[0]):02X}{job_id[1:]}").body["id"] == job_id


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/jobs/none", 404),
        ("POST", "/jobs", 422),
        ("GET", "/jobs?colour=red", 422),
        ("DELETE", "/jobs/none", 404),
    ],
)
def test_a_refusal_is_a_problem_with_the_id_of_its_request(
    service: Service, method: str, path: str, status: int
) -> None:
    answer = service.ask(method, path, {} if method == "POST" else None)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.headers["X-Request-Id"]


def is_deployed(service: Service) -> bool:
    return bool(service.headers)


@pytest.mark.parametrize(
    ("method", "path", "local", "deployed"),
    [
        ("GET", "/no/such/route", 404, 404),
        ("HEAD", "/no/such/route", 404, 404),
        ("PUT", "/jobs", 405, 404),
        ("DELETE", "/health", 405, 404),
        ("OPTIONS", "/jobs", 405, 404),
        ("OPTIONS", "/no/such/route", 404, 404),
        ("GET", f"/{'x' * 9_000}", 404, 404),
    ],
)
def test_what_no_route_answers_is_a_problem_with_the_id_of_its_request(
    service: Service, method: str, path: str, local: int, deployed: int
) -> None:
    """On a deployed stage the gateway says so by itself: it knows no route for the method."""
    answer = service.ask(method, path)
    assert answer.status == (deployed if is_deployed(service) else local)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"]
    if is_deployed(service) and method != "HEAD":
        assert answer.body["request_id"] == answer.headers["X-Request-Id"]


def test_a_body_beyond_the_limit_is_a_problem_with_the_id_of_its_request(service: Service) -> None:
    answer = service.ask("POST", "/jobs", b"[" + b"1," * 2_600_000 + b"1]")
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    assert answer.headers["X-Request-Id"]
    assert "POST /uploads" in answer.body["detail"]


def test_a_gzip_body_is_read_or_refused_in_those_words(service: Service) -> None:
    """API Gateway unpacks it. The emulator that stands in for it takes it for text, and loses bytes: it is told."""
    answer = service.ask("POST", "/jobs", gzip.compress(BODY), **{"Content-Encoding": "gzip"})
    if is_deployed(service):
        assert answer.status == 415
        assert "the gateway in front has not unpacked this gzip body" in answer.body["detail"]
    else:
        assert answer.status == 202


def test_a_body_that_claims_gzip_counts_as_unpacked_behind_a_gateway_alone(service: Service) -> None:
    answer = service.ask("POST", "/jobs", BODY, **{"Content-Encoding": "gzip"})
    assert answer.status == (202 if is_deployed(service) else 415)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_another_coding_is_refused_by_its_name(service: Service, coding: str) -> None:
    answer = service.ask("POST", "/jobs", BODY, **{"Content-Encoding": coding})
    assert (answer.status, f"'{coding}'" in answer.body["detail"]) == (415, True)
