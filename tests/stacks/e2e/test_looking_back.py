"""Lately: found by time, run again with another input, counted for Prometheus, told whose doing it was."""

from prometheus_client.parser import text_string_to_metric_families

from tests.stacks.e2e.service import Service, some_object

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_failed_job_is_found_by_time_and_runs_again_with_another_input(service: Service) -> None:
    thing = some_object()
    request = {"task": "fail", "input": {"message": "no"}, "max_attempts": 1, "object_id": thing}
    answer = service.ask("POST", "/jobs", request, traceparent=TRACE)
    failed = service.ended(answer.body["id"])
    assert (failed["status"], failed["traceparent"]) == ("failed", TRACE)
    lists = {
        query: [job["id"] for job in service.ask("GET", f"/jobs?object_id={thing}&{query}").body["jobs"]]
        for query in ("since=10m", "until=10m", "status=failed&since=10m")
    }
    assert lists == {"since=10m": [failed["id"]], "until=10m": [], "status=failed&since=10m": [failed["id"]]}
    again = service.ask("POST", f"/jobs/{failed['id']}/run-again", {"input": {"message": "no", "times": 0}})
    assert again.status == 202, again.raw
    done = service.ended(again.body["id"])
    assert (done["status"], done["parent_id"], done["object_id"]) == ("completed", failed["id"], thing)


def test_a_stored_input_runs_again(service: Service) -> None:
    numbers = list(range(3_000, 0, -1))
    first = service.ended(service.submit(array=numbers)["id"])
    again = service.ask("POST", f"/jobs/{first['id']}/run-again")
    assert again.status == 202, again.raw
    assert service.ended(again.body["id"])["output"]["array"] == sorted(numbers)


def test_prometheus_reads_the_metrics(service: Service) -> None:
    answer = service.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = {family.name: family.samples for family in text_string_to_metric_families(answer.raw.decode())}
    assert {sample.labels["status"] for sample in families["sortie_jobs_open"]} == {"scheduled", "pending", "running"}
    assert "sortie_jobs_ended_last_hour" in families


def test_who_canceled_a_running_job_is_kept_with_it(service: Service) -> None:
    job = service.submit(task="sleep", input={"seconds": 60})
    service.running(job["id"])
    assert service.ask("DELETE", f"/jobs/{job['id']}").status == 202
    ended = service.ended(job["id"])
    assert (ended["status"], ended["canceled_by"]) == ("canceled", ended["owner"])
    assert ended["canceled_at"] <= ended["finished_at"]
