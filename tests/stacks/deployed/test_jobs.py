"""Jobs through the deployed API: real function processes, event source mapping, rule and dead letters."""

import os
import signal
import subprocess
from typing import Any

from tests.support.deployed_stack import DeployedStack, until
from tests.support.running import processes


def work_processes(deployed: DeployedStack) -> list[int]:
    return [each.pid for each in processes() if each.parent == deployed.pid and "sortie-dev-work" in each.command]


def mapping(deployed: DeployedStack, function: str) -> dict[str, Any]:
    listed = deployed.account.client("lambda").list_event_source_mappings(FunctionName=f"sortie-dev-{function}")
    (only,) = listed["EventSourceMappings"]
    return dict(only)


def set_mapping(deployed: DeployedStack, function: str, *, enabled: bool) -> None:
    state = "Enabled" if enabled else "Disabled"
    uuid = mapping(deployed, function)["UUID"]
    deployed.account.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=enabled)
    until(lambda: mapping(deployed, function)["State"] == state, 30, "the mapping's state")


def queue_url(deployed: DeployedStack, name: str) -> str:
    return str(deployed.account.client("sqs").get_queue_url(QueueName=f"sortie-dev-{name}")["QueueUrl"])


def test_a_small_sort_comes_back_exact(deployed: DeployedStack) -> None:
    big = 2**70
    job_id = deployed.submit({"array": [big, 0.1, -3, 1e300, 3, 3.0]})
    job = deployed.ended(job_id)
    assert job["status"] == "completed"
    assert [repr(number) for number in job["output"]["array"]] == ["-3", "0.1", "3", "3.0", str(big), "1e+300"]


def test_what_outgrows_a_row_goes_through_the_bucket(deployed: DeployedStack) -> None:
    numbers = list(range(30_000, 0, -1))
    job = deployed.ended(deployed.submit({"array": numbers}))
    assert job["status"] == "completed", job["error"]
    assert job["output"]["array"] == sorted(numbers)


def test_a_large_upload_is_sorted_with_the_libraries_of_the_layer(deployed: DeployedStack) -> None:
    text = b"\n".join(b"%d" % number for number in range(400_000, 0, -1))
    upload = deployed.ask("POST", "/uploads", {"bytes": len(text)}).body
    put = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "--data-binary", "@-", upload["href"]]
        + [part for name, value in upload["headers"].items() for part in ("-H", f"{name}: {value}")],
        input=text,
        capture_output=True,
        check=True,
    )
    assert put.stdout == b"200"
    job = deployed.ended(deployed.submit({"task": "sort", "input": {"upload": upload["id"]}}))
    assert job["status"] == "completed", job["error"]


def test_a_schedule_and_a_group_live_in_the_deployed_table(deployed: DeployedStack) -> None:
    schedule = deployed.ask(
        "POST", "/schedules", {"cron": "0 3 * * *", "timezone": "Europe/Berlin", "job": {"array": [1]}}
    )
    assert schedule.status == 201, schedule.raw
    assert deployed.ask("DELETE", f"/schedules/{schedule.body['id']}").status == 204
    groups = deployed.ask("GET", "/groups").body["groups"]
    name = next(group["name"] for group in groups if group["jobs"] and not group["problems"])
    assert deployed.ask("POST", f"/groups/{name}/runs").status == 202


def test_a_window_and_a_batch_are_written_under_the_least_privileges(deployed: DeployedStack) -> None:
    job = {"array": [2, 1], "object_id": "one", "window": {"seconds": 60, "on_repeat": "reuse"}}
    first, second = deployed.ask("POST", "/jobs", job), deployed.ask("POST", "/jobs", job)
    assert (first.status, second.status, second.body["id"]) == (202, 200, first.body["id"])
    bulk = deployed.ask("POST", "/jobs/bulk", {"jobs": [{"array": [2, 1]}] * 5})
    ids = [result["job"]["id"] for result in bulk.body["results"]]
    assert {deployed.ended(job_id)["status"] for job_id in ids} == {"completed"}


def test_nothing_was_refused_to_the_functions(deployed: DeployedStack) -> None:
    assert not [line for line in deployed.log_lines() if "AccessDenied" in line]


def test_every_page_and_asset_is_served_as_it_is(deployed: DeployedStack) -> None:
    page = deployed.ask("GET", "/", token=None)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.raw.startswith(b"<!doctype html>")
    assert deployed.ask("GET", "/openapi.json", token=None).body["openapi"].startswith("3.1")
    assert deployed.ask("GET", "/health", token=None).body == {"status": "ok"}


def test_a_route_that_is_not_there_is_a_problem(deployed: DeployedStack) -> None:
    answer = deployed.ask("GET", "/nowhere")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_nothing_is_lost_while_the_event_source_stands_still(deployed: DeployedStack) -> None:
    set_mapping(deployed, "quick", enabled=False)
    try:
        jobs = [deployed.submit({"array": [number, 2, 1]}) for number in range(12)]
        assert {deployed.job(job_id)["status"] for job_id in jobs} == {"pending"}
    finally:
        set_mapping(deployed, "quick", enabled=True)
    assert {deployed.ended(job_id)["status"] for job_id in jobs} == {"completed"}


def test_what_is_received_too_often_becomes_a_dead_letter(deployed: DeployedStack) -> None:
    queue = deployed.account.client("sqs")
    live, dead = queue_url(deployed, "jobs"), queue_url(deployed, "dead")
    set_mapping(deployed, "work", enabled=False)
    try:
        queue.send_message(QueueUrl=live, MessageBody="not-a-job")
        for _ in range(7):
            queue.receive_message(QueueUrl=live, VisibilityTimeout=0, WaitTimeSeconds=1)
        assert until(lambda: deployed.ask("GET", "/stats").body["queue"]["dead"] == 1, 10, "a dead letter")
    finally:
        set_mapping(deployed, "work", enabled=True)
        queue.purge_queue(QueueUrl=dead)


def test_bytes_that_are_no_job_id_stop_nothing(deployed: DeployedStack) -> None:
    for body in ("", "x" * 1000, '{"a":1}', "\u0001\u2603"):
        if body.strip("\u0001"):
            deployed.account.client("sqs").send_message(
                QueueUrl=queue_url(deployed, "jobs"), MessageBody="b" + body[1:]
            )
    assert deployed.ended(deployed.submit({"array": [2, 1]}))["status"] == "completed"


def test_a_killed_worker_loses_nothing(deployed: DeployedStack) -> None:
    """The lease runs out, the rule wakes the dispatcher, the next attempt completes."""
    job_id = deployed.submit({"task": "sleep", "input": {"seconds": 4}, "timeout": 6})
    beside = deployed.submit({"array": [3, 2, 1]})
    until(lambda: deployed.job(job_id)["status"] == "running", 20, "a running job", every=0.1)
    killed = work_processes(deployed)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    job = deployed.ended(job_id, 150)
    assert (job["status"], job["attempts"]) == ("completed", 2)
    assert job["attempt_log"][0]["outcome"] == "worker_lost"
    assert deployed.ended(beside, 150)["status"] == "completed"
