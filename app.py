"""Sortie's routes and event handlers: read the request, request one use case, answer. The rest is in chalicelib/."""

from pathlib import Path
from typing import Any

from chalice.app import AuthResponse, AuthRoute

from chalicelib import wiring
from chalicelib.api import answers, requests
from chalicelib.api import groups as files
from chalicelib.core.access import Role
from chalicelib.core.job import Job
from chalicelib.errors import Invalid
from chalicelib.http import assets, server
from chalicelib.http.server import Request, Response, json_response
from chalicelib.service import (
    bulk,
    cancel,
    dispatch,
    groups,
    health,
    read,
    retry,
    schedules,
    stats,
    submit,
    tokens,
    uploads,
    work,
)

HERE = Path(__file__).parent / "chalicelib"
settings = wiring.settings()
ports = wiring.ports(settings)
wiring.log_to_stdout()
app = server.Sortie(app_name="sortie")


@app.authorizer(ttl_seconds=60)
def authorize(request: Any) -> AuthResponse:
    """Bearer tokens: the owner and the role go on to the routes."""
    principal = tokens.authenticate(ports, request.token)
    if principal is None:
        return AuthResponse(routes=[], principal_id="nobody")
    context = {"owner": principal.owner, "role": principal.role.name.lower()}
    return AuthResponse(routes=[AuthRoute("/*", ["*"])], principal_id=principal.owner, context=context)


routes = server.Routes(app, settings, None if settings.is_open else authorize)
READ, SUBMIT = Role.READ, Role.SUBMIT


def context(request: Request) -> requests.RequestContext:
    now = ports.clock.now()
    return requests.RequestContext(ports.tasks, settings, now, request.principal.owner, request.request_id)


def render_job(row: Job, max_bytes: int = settings.answer_limit) -> answers.JobAnswer:
    given, output = read.render_input(ports, row.input), read.render_output(ports, row.output, max_bytes)
    return answers.job(row, ports.clock.now(), given, output)


def job_response(status: int, row: Job, **headers: str) -> Response:
    return json_response(status, render_job(row), **headers)


@routes.add("POST", "/jobs", SUBMIT)
def submit_job(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    key = requests.idempotency_key(request.headers.get("idempotency-key"))
    try:
        done = submit.submit(ports, requests.job(request.body, context(request)), key=key, body=request.body)
    except Invalid:
        earlier = submit.find_earlier(ports, request.principal.owner, key, request.body) if key else None
        if earlier is None:
            raise
        done = submit.Submitted(earlier, created=False)
    return job_response(202 if done.created else 200, done.job, Location=f"{request.prefix}/jobs/{done.job.id}")


@routes.add("POST", "/jobs/bulk", SUBMIT)
def submit_bulk(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    key = requests.idempotency_key(request.headers.get("idempotency-key"))
    wanted, bodies = requests.bulk(request.body, context(request))
    results = bulk.submit_many(ports, wanted, key=key, bodies=bodies)
    # A hundred repeats may have a hundred outputs, and all of them share one answer.
    return json_response(207, answers.bulk(results, lambda row: render_job(row, max_bytes=0)))


@routes.add("GET", "/jobs", READ)
def list_jobs(request: Request) -> Response:
    asked = requests.listing(request.query, request.principal, ports.tasks)
    rows, before = read.list_jobs(ports, asked.chosen, asked.before, asked.limit)
    return json_response(200, answers.job_list(rows, before, ports.clock.now()))


@routes.add("GET", "/jobs/{job_id}", READ)
def get_job(request: Request, job_id: str) -> Response:
    requests.refuse_unknown_query(request.query, ("wait",))
    seconds = requests.query_int(request.query, "wait", 0, 1, 25)
    return job_response(200, read.wait_for_end(ports, request.principal.sees, job_id, seconds))


@routes.add("DELETE", "/jobs/{job_id}", SUBMIT)
def cancel_job(request: Request, job_id: str) -> Response:
    requests.refuse_unknown_query(request.query, ())
    row = cancel.cancel(ports, request.principal.sees, job_id)
    return job_response(202 if row.cancel_requested else 200, row)


@routes.add("POST", "/jobs/{job_id}/retry", SUBMIT)
def retry_job(request: Request, job_id: str) -> Response:
    requests.refuse_unknown_query(request.query, ())
    return job_response(202, retry.retry(ports, request.principal.sees, job_id))


@routes.add("GET", "/board", READ)
def get_board(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ("owner",))
    return json_response(200, answers.board(read.get_board(ports, requests.owner(request.query, request.principal))))


@routes.add("GET", "/groups", READ)
def list_groups(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    found = [answers.group(group) for group in groups_of(request).values()]
    return json_response(200, answers.GroupList(found))


@routes.add("GET", "/groups/{name}", READ)
def get_group(request: Request, name: str) -> Response:
    requests.refuse_unknown_query(request.query, ())
    return json_response(200, answers.GroupList([answers.group(files.named(groups_of(request), name))]))


@routes.add("POST", "/groups/{name}/runs", SUBMIT)
def start_run(request: Request, name: str) -> Response:
    requests.refuse_unknown_query(request.query, ())
    group = files.named(groups_of(request), name)
    run = groups.trigger(ports, group, request.principal.owner, request.request_id)
    started = answers.run_started(run, request.prefix + "/jobs/{id}")
    href = f"{request.prefix}/groups/{name}/runs/{started.run_id}"
    return json_response(202, started, Location=href)


def groups_of(request: Request) -> dict[str, groups.Group]:
    return files.load(HERE / "groups.yaml", context(request))


@routes.add("GET", "/groups/{name}/runs/{run_id}", READ)
def get_run(request: Request, name: str, run_id: str) -> Response:
    requests.refuse_unknown_query(request.query, ("owner",))
    found = groups.get_run(ports, requests.owner(request.query, request.principal), name, run_id)
    return json_response(200, answers.run(found, ports.clock.now()))


@routes.add("POST", "/schedules", SUBMIT)
def add_schedule(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    wanted, new = requests.schedule(request.body, context(request))
    made = schedules.add(ports, wanted.cron, wanted.timezone, bytes(wanted.job), new)
    return json_response(201, answers.schedule(made), Location=f"{request.prefix}/schedules")


@routes.add("GET", "/schedules", READ)
def list_schedules(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ("owner",))
    found = ports.records.schedules(requests.owner(request.query, request.principal))
    return json_response(200, answers.ScheduleList([answers.schedule(one) for one in found]))


@routes.add("DELETE", "/schedules/{schedule_id}", SUBMIT)
def remove_schedule(request: Request, schedule_id: str) -> Response:
    requests.refuse_unknown_query(request.query, ())
    schedules.remove(ports, request.principal.sees, schedule_id)
    return Response(204)


@routes.add("POST", "/uploads", SUBMIT)
def create_upload(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    size = requests.upload(request.body).bytes
    return json_response(201, answers.upload(uploads.create(ports, request.principal.owner, size)))


@routes.add("GET", "/stats", READ)
def get_stats(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ("span", "owner"))
    span = requests.query_choice(request.query, "span", ("hour", "day"))
    return json_response(200, answers.stats(stats.stats(ports, requests.owner(request.query, request.principal), span)))


@routes.add("GET", "/health", None)
def get_health(request: Request) -> Response:
    wrong = health.check(ports)
    if wrong:
        return server.problem_response(503, "not answering: " + ", ".join(wrong))
    return json_response(200, answers.HealthAnswer("ok"))


def asset(name: str, request: Request) -> Response:
    return assets.file(name, settings, request.headers.get("if-none-match"))


@routes.add("GET", "/openapi.json", None)
def get_spec(request: Request) -> Response:
    requests.refuse_unknown_query(request.query, ())
    return asset("openapi.json", request)


@routes.add("GET", "/", None)
def get_page(request: Request) -> Response:
    return asset("pages/index.html", request)


@routes.add("GET", "/docs", None)
def get_docs(request: Request) -> Response:
    return asset("pages/docs.html", request)


@routes.add("GET", "/web/{folder}/{name}", None)
def get_asset(request: Request, folder: str, name: str) -> Response:
    return asset(f"{folder}/{name}", request)


@app.on_sqs_message(queue=settings.queue, batch_size=settings.prefetch, name="work")
def on_messages(event: Any) -> dict[str, Any]:
    """Run the jobs that a batch of messages names; what could not be dealt with stays in the queue."""
    messages = [
        work.Message(record["messageId"], record["body"], record["receiptHandle"])
        for record in event.to_dict()["Records"]
    ]
    failed = work.work(ports, messages, lambda: event.context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


@app.schedule("rate(1 minute)", name="dispatch")
def on_tick(event: Any) -> None:
    """Start what is due and recover what was lost."""
    dispatch.dispatch(ports, lambda: event.context.get_remaining_time_in_millis() / 1000)
