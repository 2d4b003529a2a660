"""Numbers go in and come back sorted: three, two hundred thousand in one request, a million by upload."""

import json
import random

from dev.client import fetch
from tests.stacks.e2e.service import Service

DICE = random.Random(7)


def test_three_numbers_come_back_sorted(service: Service) -> None:
    job = service.submit(array=[3, 1, 2.5])
    assert service.ended(job["id"])["output"] == {"array": [1, 2.5, 3]}


def test_200_000_numbers_go_in_and_come_out_inline(service: Service) -> None:
    numbers = [DICE.uniform(-1e6, 1e6) for _ in range(200_000)]
    job = service.submit(array=numbers)
    assert service.ended(job["id"])["output"]["array"] == sorted(numbers)


def test_a_million_floats_by_upload_come_back_exactly_by_link(service: Service) -> None:
    numbers = [DICE.random() for _ in range(1_000_000)]
    data = json.dumps(numbers).encode()
    upload = service.ask("POST", "/uploads", {"bytes": len(data)}).body
    put = fetch("PUT", upload["href"], data, upload["headers"])
    assert put.status == 200, put.raw
    job = service.submit(task="sort", input={"upload": upload["id"]})
    done = service.ended(job["id"])
    assert (done["status"], set(done["output"])) == ("completed", {"href", "bytes"})
    got = fetch("GET", done["output"]["href"])
    assert len(got.raw) == done["output"]["bytes"]
    assert json.loads(got.raw)["array"] == sorted(numbers)


def test_a_body_over_5_mb_is_told_of_uploads(service: Service) -> None:
    answer = service.ask("POST", "/jobs", b'{"array":[' + b"1," * 2_600_000 + b"1]}")
    assert (answer.status, "/uploads" in answer.body["detail"]) == (413, True)


def test_an_upload_that_never_was_is_refused_at_once(service: Service) -> None:
    answer = service.ask("POST", "/jobs", {"task": "sort", "input": {"upload": "01h00000000000000000000000"}})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, "input.upload")


def test_a_bulk_of_a_hundred_runs_to_the_end(service: Service) -> None:
    jobs = [{"array": [number, 0]} for number in range(100)]
    answer = service.ask("POST", "/jobs/bulk", {"jobs": jobs})
    assert (answer.status, [each["status"] for each in answer.body["results"]]) == (207, [202] * 100)
    outputs = [service.ended(each["job"]["id"])["output"] for each in answer.body["results"]]
    assert outputs == [{"array": [0, number]} for number in range(100)]
