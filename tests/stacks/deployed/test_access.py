"""Every route of the app, asked with every kind of token: who gets what, and that strangers learn nothing."""

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.api import routes
from dev.client import Answer
from ops import tokens
from tests.support.deployed_stack import DeployedStack

PUBLIC = {"/", "/docs", "/health", "/openapi.json", "/web/{folder}/{name}"}
NEVER_WAS = "01aaaaaaaaaaaaaaaaaaaaaaaa"
ROUTES = sorted((method, route.path) for route in routes.ROUTES for method in route.methods)
GUARDED = [(method, path) for method, path in ROUTES if path not in PUBLIC]
WITH_IDS = [(method, path) for method, path in GUARDED if re.search(r"\{\w*id\}", path)]
LOOKS = ("GET", "HEAD")
MARK = "7777000111"


@dataclass(frozen=True)
class Tokens:
    owner: str
    read: str
    submit: str
    admin: str
    stranger: str
    expired: str
    revoked: str


@dataclass(frozen=True)
class Things:
    """What the owner has: ids by the name they have in a path."""

    job_id: str
    schedule_id: str
    run_id: str
    name: str


@pytest.fixture(scope="module")
def held(deployed: DeployedStack) -> Tokens:
    revoked = deployed.new_token("team-b", "submit")
    assert tokens.revoke(tokens.records_of(deployed.account, deployed.stage), revoked)
    return Tokens(
        owner=deployed.new_token("team-a", "submit"),
        read=deployed.new_token("team-b", "read"),
        submit=deployed.new_token("team-b", "submit"),
        admin=deployed.token,
        stranger=deployed.new_token("team-c", "submit"),
        expired=deployed.new_token("team-b", "submit", days=-1),
        revoked=revoked,
    )


@pytest.fixture(scope="module")
def things(deployed: DeployedStack, held: Tokens) -> Things:
    job_id = deployed.submit({"array": [int(MARK), 1], "object_id": "mine", "window": {}}, token=held.owner)
    schedule = {"cron": "0 0 1 1 *", "job": {"array": [int(MARK)]}}
    schedule_id = deployed.ask("POST", "/schedules", schedule, token=held.owner).body["id"]
    groups = deployed.ask("GET", "/groups", token=held.owner).body["groups"]
    name = next(group["name"] for group in groups if not group["problems"])
    run = deployed.ask("POST", f"/groups/{name}/runs", token=held.owner)
    deployed.ended(job_id)
    return Things(job_id, schedule_id, run.body["run_id"], name)


def filled(path: str, things: Things, **other: str) -> str:
    values = {field: getattr(things, field) for field in Things.__dataclass_fields__} | other
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)


def ask(deployed: DeployedStack, method: str, path: str, token: str | None) -> Answer:
    body: Any = None if method in (*LOOKS, "DELETE") else {}
    return deployed.ask(method, path, body, token=token)


def seen(answer: Answer, *secrets: str) -> tuple[int, dict[str, str], str]:
    """What a client sees, without what differs between any two requests."""
    skipped = ("date", "x-request-id", "x-amzn-requestid", "x-amz-request-id", "content-length")
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in skipped}
    text = re.sub(r'"request_id": *"[^"]*"', "", answer.raw.decode())
    for secret in secrets:
        text = text.replace(secret, "ID")
    return answer.status, headers, text


@pytest.mark.parametrize("kind", ["none", "garbage", "expired", "revoked"])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_valid_token_every_route_gives_the_same_nothing(
    deployed: DeployedStack, held: Tokens, things: Things, method: str, path: str, kind: str
) -> None:
    token = {"none": None, "garbage": "x" * 43, "expired": held.expired, "revoked": held.revoked}[kind]
    answer = ask(deployed, method, filled(path, things), token)
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    if method != "HEAD":
        assert (answer.body["status"], answer.body["title"]) == (401, "A token is needed")
        assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert "team" not in answer.raw.decode()


@pytest.mark.parametrize("role", ["read", "submit", "admin"])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_each_role_may_do_what_it_may_and_no_more(
    deployed: DeployedStack, held: Tokens, things: Things, method: str, path: str, role: str
) -> None:
    answer = ask(deployed, method, filled(path, things, job_id=NEVER_WAS, schedule_id=NEVER_WAS), getattr(held, role))
    if method not in LOOKS and role == "read":
        assert answer.status == 403
        assert answer.body["type"] == "urn:sortie:forbidden"
    else:
        assert answer.status not in (401, 403)
        assert answer.status < 500


@pytest.mark.parametrize(("method", "path"), WITH_IDS)
def test_somebody_elses_id_answers_as_one_that_never_was(
    deployed: DeployedStack, held: Tokens, things: Things, method: str, path: str
) -> None:
    never = {"job_id": NEVER_WAS, "run_id": NEVER_WAS, "schedule_id": f"s-{NEVER_WAS}"}
    theirs = ask(deployed, method, filled(path, things), held.stranger)
    absent = ask(deployed, method, filled(path, things, **never), held.stranger)
    assert theirs.status == 404
    ids = (things.job_id, things.schedule_id, things.run_id)
    assert seen(theirs, *ids) == seen(absent, *sorted(never.values(), key=len, reverse=True))


@pytest.mark.parametrize("path", ["/jobs", "/jobs?object_id=mine", "/board", "/schedules", "/stats", "/groups"])
def test_lists_of_a_stranger_hold_nothing_of_the_owner(
    deployed: DeployedStack, held: Tokens, things: Things, path: str
) -> None:
    answer = deployed.ask("GET", path, token=held.stranger)
    assert answer.status == 200
    text = json.dumps(answer.body)
    for secret in (things.job_id, things.schedule_id, things.run_id, MARK, "team-a"):
        assert secret not in text


def test_metrics_are_an_owners_own_and_those_of_the_queues_an_admins(deployed: DeployedStack, held: Tokens) -> None:
    own = deployed.ask("GET", "/metrics", token=held.read).raw.decode()
    assert 'sortie_oldest_pending_seconds{owner="team-b",lane="quick"} ' in own
    assert "sortie_queue_" not in own
    assert "team-a" not in own
    whole = deployed.ask("GET", "/metrics?owner=team-a", token=held.admin).raw.decode()
    assert 'sortie_jobs_open{owner="team-a"' in whole
    for lane in ("quick", "long"):
        assert f'sortie_queue_messages{{lane="{lane}",state="waiting"}} ' in whole
        assert f'sortie_queue_oldest_seconds{{lane="{lane}"}} ' in whole


def test_windows_and_idempotency_keys_of_two_owners_do_not_meet(
    deployed: DeployedStack, held: Tokens, things: Things
) -> None:
    window = {"seconds": 3600, "on_repeat": "reject"}
    body = {"array": [2, 1], "object_id": "mine", "window": window}
    mine = deployed.ask("POST", "/jobs", body, token=held.stranger, Idempotency_Key="same")
    other = deployed.ask("POST", "/jobs", {"array": [9]}, token=held.submit, Idempotency_Key="same")
    assert (mine.status, other.status) == (202, 202)


def test_an_upload_of_another_owner_cannot_be_used(deployed: DeployedStack, held: Tokens) -> None:
    upload = deployed.ask("POST", "/uploads", {"bytes": 9}, token=held.owner).body["id"]
    request = {"task": "sort", "input": {"upload": upload}}
    assert deployed.ask("POST", "/jobs", request, token=held.stranger).status == 422


def test_an_admin_sees_and_steers_every_owners_job(deployed: DeployedStack, held: Tokens, things: Things) -> None:
    job = deployed.ask("GET", f"/jobs/{things.job_id}", token=held.admin)
    assert (job.status, job.body["owner"]) == (200, "team-a")
    assert deployed.ask("DELETE", f"/jobs/{things.job_id}", token=held.admin).status == 409


@pytest.mark.parametrize("path", sorted(PUBLIC - {"/web/{folder}/{name}"}))
def test_what_is_public_says_nothing_of_jobs(deployed: DeployedStack, things: Things, path: str) -> None:
    answer = deployed.ask("GET", path, token=None)
    assert answer.status == 200
    assert things.job_id not in answer.raw.decode()


def test_tokens_are_listed_without_themselves_and_only_digests_are_stored(deployed: DeployedStack) -> None:
    arguments = ("--stage", deployed.stage, "--endpoint", deployed.endpoint)
    created = deployed.run("ops.tokens", "create", "--owner", "team-d", "--role", "read", "--days", "90", *arguments)
    listed = deployed.run("ops.tokens", "list", *arguments)
    assert "team-d" in listed
    assert created.strip() not in listed
    rows = deployed.account.client("dynamodb").scan(TableName="sortie-dev")["Items"]
    assert created.strip() not in str(rows)
    name = next(line.split()[0] for line in listed.splitlines() if "team-d" in line)
    assert deployed.ask("GET", "/jobs", token=created.strip()).status == 200
    deployed.run("ops.tokens", "revoke", name, *arguments)
    assert "team-d" not in deployed.run("ops.tokens", "list", *arguments)


def test_no_payload_and_no_token_is_in_any_log(deployed: DeployedStack, held: Tokens, things: Things) -> None:
    marks = {"sort": {"array": [88990011223344]}, "fail": {"message": "hush-hush"}, "log": {"message": "hush-hush"}}
    for task, task_input in marks.items():
        request = {"task": task, "input": task_input, "max_attempts": 1}
        deployed.ended(deployed.submit(request, token=held.owner, X_Request_Id="trace-me"))
    deployed.ask("POST", "/jobs", {"array": ["hush-hush"]}, token=held.owner)
    time.sleep(1)
    lines = deployed.log_lines()
    text = "\n".join(lines)
    for secret in ("hush-hush", "88990011223344", MARK, *vars(held).values()):
        assert secret not in text
    told = [json.loads(line) for line in lines if line.startswith('{"_aws"')]
    assert sum(each.get("Completed", 0) for each in told) >= 1
    assert sum(each.get("Failed", 0) for each in told) >= 1
    assert all(len(each["Duration"]) <= 100 for each in told if "Duration" in each)
    moves = [json.loads(line) for line in lines if line.startswith('{"event":"')]
    assert {move["event"] for move in moves if move.get("request_id") == "trace-me"} >= {"submit", "claim", "complete"}


@pytest.mark.parametrize("path", ["/jobs", "/board", "/schedules", "/stats", "/groups/{name}/runs/{run_id}"])
def test_an_admin_sees_what_any_owner_has_and_nobody_else_does(
    deployed: DeployedStack, held: Tokens, things: Things, path: str
) -> None:
    asked = f"{filled(path, things)}?owner=team-a"
    own = deployed.ask("GET", filled(path, things), token=held.owner)
    seen_by_admin = deployed.ask("GET", asked, token=held.admin)
    assert seen_by_admin.status == 200
    assert seen_by_admin.body.keys() == own.body.keys()
    if path in ("/jobs", "/board"):
        assert things.job_id in json.dumps(seen_by_admin.body)
    refused = deployed.ask("GET", asked, token=held.stranger)
    assert refused.status == 403
    nobody = deployed.ask("GET", f"{filled(path, things)}?owner=team-never", token=held.stranger)
    assert seen(refused) == seen(nobody)
