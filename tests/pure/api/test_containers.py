"""What the API says of container jobs where none may run, and of logs that are not there."""

from tests.pure.api.conftest import Api


def test_a_container_job_is_refused_where_they_are_off(api: Api) -> None:
    answer = api.ask("POST", "/jobs", {"task": "container", "input": {"image": "busybox:1"}})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, "input")
    assert "CONTAINER_IMAGES" in answer.body["detail"]
    upload = {"upload": "01m8ajb7wq7emshq9pr7vcyfxn"}
    answer = api.ask("POST", "/jobs", {"task": "container", "input": upload})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, "input.upload")


def test_the_longest_timeout_is_the_tasks_own(api: Api) -> None:
    for task, task_input, seconds, loc in (
        ("sleep", {"seconds": 1}, 841, "timeout"),
        ("sleep", {"seconds": 1}, 43_201, "timeout"),
    ):
        answer = api.ask("POST", "/jobs", {"task": task, "input": task_input, "timeout": seconds})
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, loc)
    assert api.submit(task="sleep", input={"seconds": 1}, timeout=840)["timeout"] == 840


def test_only_container_jobs_have_a_log(api: Api) -> None:
    job = api.submit(array=[2, 1])
    assert (job["phase"], job["elapsed_ms"], job["container"]) == (None, None, None)
    assert api.ask("GET", f"/jobs/{job['id']}/log").status == 404
    assert api.ask("GET", "/jobs/01m8ajb7wq7emshq9pr7vcyfxn/log").status == 404
    assert api.ask("GET", f"/jobs/{job['id']}/log?after=a b").status == 422
    assert api.ask("GET", f"/jobs/{job['id']}/log?attempt=0").status == 422
