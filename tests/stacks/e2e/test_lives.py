"""Lives of jobs that do not go straight: failed, late, canceled, retried, out of time."""

from datetime import datetime, timedelta
from typing import Any

from tests.stacks.e2e.service import LIMIT, Service
from tests.support.running import until


def seconds_between(earlier: str, later: str) -> float:
    gap: timedelta = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return gap.total_seconds()


def test_a_job_that_fails_twice_completes_at_its_third_attempt(service: Service) -> None:
    job = service.submit(task="fail", input={"message": "not yet", "times": 2})
    done = service.ended(job["id"])
    assert (done["status"], done["attempts"], done["output"]) == ("completed", 3, {"attempts": 3})


def test_a_job_that_always_fails_uses_its_attempts_up_and_may_be_retried_by_hand(service: Service) -> None:
    job = service.submit(task="fail", input={"message": "no"}, max_attempts=2)
    failed = service.ended(job["id"])
    assert (failed["status"], failed["attempts"]) == ("failed", 2)
    assert failed["error"] == {"type": "task_error", "message": "no"}
    assert service.ask("POST", f"/jobs/{job['id']}/retry").status == 202
    again = service.ended(job["id"])
    assert (again["status"], again["attempts"]) == ("failed", 4)


def test_a_job_over_its_timeout_is_ended_and_the_next_one_runs(service: Service) -> None:
    job = service.submit(task="sleep", input={"seconds": 60}, timeout=1, max_attempts=1)
    done = service.ended(job["id"])
    assert (done["status"], done["error"]["type"]) == ("failed", "timeout")
    assert 900 <= done["duration_ms"] <= 5_000
    assert service.ended(service.submit(array=[2, 1])["id"])["status"] == "completed"


def test_a_log_without_end_is_ended_by_its_timeout(service: Service) -> None:
    payload = {"message": "still here", "times": 0, "interval": 0.1}
    job = service.submit(task="log", input=payload, timeout=1, max_attempts=1)
    assert service.ended(job["id"])["error"]["type"] == "timeout"


def test_a_job_is_due_to_the_second(service: Service) -> None:
    job = service.submit(array=[2, 1], run_in="3s")
    assert job["status"] == "scheduled"
    assert 2.5 < seconds_between(job["created_at"], job["run_at"]) <= 3
    done = service.ended(job["id"])
    assert 0 <= seconds_between(done["run_at"], done["started_at"]) < 3


def test_a_canceled_job_never_starts_though_its_message_is_on_its_way(service: Service) -> None:
    job = service.submit(array=[1], run_in=2)
    later = service.submit(array=[1], run_in=4)
    canceled = service.ask("DELETE", f"/jobs/{job['id']}")
    assert (canceled.status, canceled.body["status"]) == (200, "canceled")
    service.ended(later["id"])
    after = service.job(job["id"])
    assert (after["status"], after["started_at"], after["attempts"]) == ("canceled", None, 0)
    assert service.ask("DELETE", f"/jobs/{job['id']}").status == 409


def test_progress_is_seen_while_a_job_runs_which_then_stops_when_canceled(service: Service) -> None:
    job = service.submit(task="sleep", input={"seconds": 60})
    service.running(job["id"])

    def progressed() -> Any:
        return service.job(job["id"])["progress"]

    assert 0 < until(progressed, LIMIT, "the job says how far it is") < 0.5
    answer = service.ask("DELETE", f"/jobs/{job['id']}")
    assert answer.status == 202
    done = service.ended(job["id"])
    assert (done["status"], done["error"]["type"], done["output"]) == ("canceled", "canceled", None)
    assert done["duration_ms"] < 30_000
