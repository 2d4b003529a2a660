"""HTTP as clients speak it: media types, codings, validators, HEAD, encoded paths, and what a request id may hold."""

import encodings
import gzip
import json
import logging
from dataclasses import replace
from typing import Any, cast

import pytest

from chalicelib.http.content import decode_content
from tests.pure.api.conftest import MemoryApi

BODY = b'{"array": [3, 1, 2]}'
LIMIT = 5_000_000


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json ; profile=x",
        'application/json; profile="a;b"; charset=utf-8',
        "application/json;",
    ],
)
def test_json_is_json_with_any_parameters(memory: MemoryApi, content_type: str) -> None:
    assert memory.ask("POST", "/jobs", raw=BODY, content_type=content_type).status == 202


@pytest.mark.parametrize(
    "content_type",
    ["text/json", "application/jsonp", "application/json, text/plain", 'application/json; charset="latin-1"', "*/*"],
)
def test_what_is_no_json_is_415(memory: MemoryApi, content_type: str) -> None:
    assert memory.ask("POST", "/jobs", raw=BODY, content_type=content_type).status == 415


@pytest.mark.parametrize("charset", ["\x00", "utf-8\x00", "idna", "utf-16", "a" * 5_000, '"'])
def test_a_charset_is_read_whatever_it_holds_and_nothing_is_kept_of_it(memory: MemoryApi, charset: str) -> None:
    known = len(encodings._cache)
    kind = f'application/json; charset="{charset}"'
    assert memory.ask("POST", "/jobs", raw=BODY, content_type=kind).status == 415
    assert len(encodings._cache) == known


def test_a_body_that_says_no_type_is_415(memory: MemoryApi) -> None:
    answer = memory.ask("POST", "/jobs", raw=BODY, content_type=None)
    assert (answer.status, "Content-Type" in answer.body["detail"]) == (415, True)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_a_gzip_body_is_read(memory: MemoryApi, coding: str) -> None:
    answer = memory.ask("POST", "/jobs", raw=gzip.compress(BODY), content_encoding=coding)
    assert (answer.status, answer.body["input"]) == (202, {"array": [3, 1, 2]})


def test_a_gzip_body_of_two_members_is_read(memory: MemoryApi) -> None:
    raw = gzip.compress(BODY[:7]) + gzip.compress(BODY[7:])
    assert memory.ask("POST", "/jobs", raw=raw, content_encoding="gzip").status == 202


def test_a_gzip_body_counts_unpacked(memory: MemoryApi) -> None:
    raw = gzip.compress(b'{"array": [1' + b" " * LIMIT + b"]}")
    assert len(raw) < 100_000
    assert memory.ask("POST", "/jobs", raw=raw, content_encoding="gzip").status == 413


@pytest.mark.parametrize(
    "raw",
    [gzip.compress(BODY)[:-9], gzip.compress(BODY)[:4], gzip.compress(BODY) + b"more"],
    ids=["truncated", "a head alone", "followed"],
)
def test_a_gzip_body_that_is_broken_is_400(memory: MemoryApi, raw: bytes) -> None:
    answer = memory.ask("POST", "/jobs", raw=raw, content_encoding="gzip")
    assert (answer.status, "gzip" in answer.body["detail"]) == (400, True)


def test_a_gzip_body_whose_bytes_were_lost_on_the_way_says_so(memory: MemoryApi) -> None:
    lost = gzip.compress(BODY).decode("utf-8", "replace").encode()
    answer = memory.ask("POST", "/jobs", raw=lost, content_encoding="gzip")
    assert (answer.status, "has lost bytes" in answer.body["detail"]) == (415, True)


def test_a_plain_body_that_claims_gzip_is_415_here_and_was_decoded_by_the_gateway_there(memory: MemoryApi) -> None:
    assert memory.ask("POST", "/jobs", raw=BODY, content_encoding="gzip").status == 415
    assert decode_content(BODY, "gzip", limit=LIMIT, behind_gateway=True) == BODY


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_another_coding_is_415_by_name(memory: MemoryApi, coding: str) -> None:
    answer = memory.ask("POST", "/jobs", raw=BODY, content_encoding=coding)
    assert (answer.status, coding in answer.body["detail"]) == (415, True)


def test_the_coding_that_changes_nothing_is_taken(memory: MemoryApi) -> None:
    assert memory.ask("POST", "/jobs", raw=BODY, content_encoding="identity").status == 202


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"x", {tag}', '"x",W/"y,z" , W/{tag}', "*"])
@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_what_a_client_has_is_not_sent_again(memory: MemoryApi, path: str, form: str) -> None:
    tag = memory.ask("GET", path).headers["Etag"]
    answer = memory.ask("GET", path, if_none_match=form.format(tag=tag))
    assert (answer.status, answer.raw, answer.headers["Etag"]) == (304, b"", tag)


@pytest.mark.parametrize("form", ['"x"', 'W/"x"', "{bare}", "", '"*"'])
def test_what_a_client_has_of_another_version_is_sent(memory: MemoryApi, form: str) -> None:
    tag = memory.ask("GET", "/").headers["Etag"]
    assert memory.ask("GET", "/", if_none_match=form.format(bare=tag.strip('"'))).status == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health", "/jobs", "/board", "/groups", "/stats"])
def test_head_says_what_get_says_without_a_body(memory: MemoryApi, path: str) -> None:
    whole, head = memory.ask("GET", path), memory.ask("HEAD", path)
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert head.headers.get("Etag") == whole.headers.get("Etag")


def test_head_of_a_job(memory: MemoryApi) -> None:
    job = memory.submit(array=[1])
    assert (memory.ask("HEAD", f"/jobs/{job['id']}").status, memory.ask("HEAD", "/jobs/none").status) == (200, 404)


def test_an_encoded_letter_in_a_path_is_that_letter(memory: MemoryApi) -> None:
    job_id = memory.submit(array=[1])["id"]
    encoded = f"%{ord(job_id[0]):02X}{job_id[1:]}"
    assert memory.ask("GET", f"/jobs/{encoded}").body["id"] == job_id
    assert memory.ask("GET", "/groups/group%5Fa").body == memory.ask("GET", "/groups/group_a").body
    started = memory.ask("POST", "/groups/group%5Fa/runs")
    assert started.headers["Location"].startswith("/groups/group_a/runs/")
    assert memory.ask("GET", started.headers["Location"].replace("_", "%5f")).status == 200


class Lines(logging.Handler):
    """Keeps what is logged, as it would be printed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.mark.parametrize("request_id", ['a","event":"claim","x":"', "a\\", "plain"])
def test_a_bug_is_one_line_of_json_whatever_the_request_id_holds(memory: MemoryApi, request_id: str) -> None:
    lines, broken = Lines(), cast(Any, None)
    logging.getLogger("sortie").addHandler(lines)
    memory.module.ports = replace(memory.ports, jobs=broken)
    answer = memory.ask("GET", "/board", x_request_id=request_id)
    logging.getLogger("sortie").removeHandler(lines)
    assert (answer.status, answer.headers["X-Request-Id"]) == (500, request_id)
    [text] = lines.texts
    assert "\n" not in text
    line = json.loads(text)
    assert (line["event"], line["request_id"], "AttributeError" in line["traceback"]) == ("bug", request_id, True)
