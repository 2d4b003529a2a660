"""Sortie's routes and event handlers: read the request, call one use case, answer. The rest is in chalicelib/."""

from pathlib import Path
from typing import Any

from chalice.app import AuthResponse, AuthRoute

from chalicelib import edge, pages, wiring
from chalicelib.api import answers, requests
from chalicelib.api import groups as files
from chalicelib.core.access import Role
from chalicelib.core.job import Job
from chalicelib.edge import Answer, Call, json_answer
from chalicelib.errors import Invalid
from chalicelib.service import bulk, groups, health, read, schedules, stats, steer, submit, tokens, uploads
from chalicelib.service import dispatch as dispatching
from chalicelib.service import work as working

HERE = Path(__file__).parent / "chalicelib"
settings = wiring.settings()
ports = wiring.ports(settings)
wiring.log_to_stdout()
app = edge.Sortie(app_name="sortie")


@app.authorizer(ttl_seconds=60)
def authorize(request: Any) -> AuthResponse:
    """Bearer tokens: the owner and the role go on to the routes."""
    principal = tokens.principal_of(ports, request.token)
    if principal is None:
        return AuthResponse(routes=[], principal_id="nobody")
    context = {"owner": principal.owner, "role": principal.role.name.lower()}
    return AuthResponse(routes=[AuthRoute("/*", ["*"])], principal_id=principal.owner, context=context)


routes = edge.Routes(app, settings, None if settings.is_open else authorize)
READ, SUBMIT = Role.READ, Role.SUBMIT


def rules(call: Call) -> requests.Rules:
    now = ports.clock.now()
    return requests.Rules(ports.tasks, settings, now, call.principal.owner, call.request_id)


def shown(row: Job, room: int = settings.answer_limit) -> answers.JobAnswer:
    given, output = read.shown_input(ports, row.input), read.shown_output(ports, row.output, room)
    return answers.job(row, ports.clock.now(), given, output)


def job_answer(status: int, row: Job, **headers: str) -> Answer:
    return json_answer(status, shown(row), **headers)


@routes.add("POST", "/jobs", SUBMIT)
def submit_job(call: Call) -> Answer:
    requests.only(call.query, ())
    key = requests.idempotency_key(call.headers.get("idempotency-key"))
    try:
        done = submit.submit(ports, requests.job(call.body, rules(call)), key=key, body=call.body)
    except Invalid:
        earlier = submit.earlier(ports, call.principal.owner, key, call.body) if key else None
        if earlier is None:
            raise
        done = submit.Submitted(earlier, created=False)
    return job_answer(202 if done.created else 200, done.job, Location=f"{call.prefix}/jobs/{done.job.id}")


@routes.add("POST", "/jobs/bulk", SUBMIT)
def submit_bulk(call: Call) -> Answer:
    requests.only(call.query, ())
    key = requests.idempotency_key(call.headers.get("idempotency-key"))
    wanted, bodies = requests.bulk(call.body, rules(call))
    results = bulk.submit_many(ports, wanted, key=key, bodies=bodies)
    # A hundred repeats may have a hundred outputs, and all of them share one answer.
    return json_answer(207, answers.bulk(results, lambda row: shown(row, room=0)))


@routes.add("GET", "/jobs", READ)
def list_jobs(call: Call) -> Answer:
    asked = requests.listing(call.query, call.principal, ports.tasks)
    rows, before = read.page(ports, asked.chosen, asked.before, asked.limit)
    return json_answer(200, answers.job_list(rows, before, ports.clock.now()))


@routes.add("GET", "/jobs/{job_id}", READ)
def get_job(call: Call, job_id: str) -> Answer:
    requests.only(call.query, ("wait",))
    seconds = requests.whole(call.query, "wait", 0, 1, 25)
    return job_answer(200, read.job_when_ended(ports, call.principal.sees, job_id, seconds))


@routes.add("DELETE", "/jobs/{job_id}", SUBMIT)
def cancel_job(call: Call, job_id: str) -> Answer:
    requests.only(call.query, ())
    row = steer.cancel(ports, call.principal.sees, job_id)
    return job_answer(202 if row.cancel_requested else 200, row)


@routes.add("POST", "/jobs/{job_id}/retry", SUBMIT)
def retry_job(call: Call, job_id: str) -> Answer:
    requests.only(call.query, ())
    return job_answer(202, steer.retry(ports, call.principal.sees, job_id))


@routes.add("GET", "/board", READ)
def get_board(call: Call) -> Answer:
    requests.only(call.query, ("owner",))
    return json_answer(200, answers.board(read.board(ports, requests.owner(call.query, call.principal))))


@routes.add("GET", "/groups", READ)
def list_groups(call: Call) -> Answer:
    requests.only(call.query, ())
    found = [answers.group(group) for group in groups_of(call).values()]
    return json_answer(200, answers.GroupList(found))


@routes.add("GET", "/groups/{name}", READ)
def get_group(call: Call, name: str) -> Answer:
    requests.only(call.query, ())
    return json_answer(200, answers.GroupList([answers.group(files.named(groups_of(call), name))]))


@routes.add("POST", "/groups/{name}/runs", SUBMIT)
def start_run(call: Call, name: str) -> Answer:
    requests.only(call.query, ())
    group = files.named(groups_of(call), name)
    run = groups.trigger(ports, group, call.principal.owner, call.request_id)
    started = answers.run_started(run, call.prefix + "/jobs/{id}")
    href = f"{call.prefix}/groups/{name}/runs/{started.run_id}"
    return json_answer(202, started, Location=href)


def groups_of(call: Call) -> dict[str, groups.Group]:
    return files.load(HERE / "groups.yaml", rules(call))


@routes.add("GET", "/groups/{name}/runs/{run_id}", READ)
def get_run(call: Call, name: str, run_id: str) -> Answer:
    requests.only(call.query, ("owner",))
    found = groups.run(ports, requests.owner(call.query, call.principal), name, run_id)
    return json_answer(200, answers.run(found, ports.clock.now()))


@routes.add("POST", "/schedules", SUBMIT)
def add_schedule(call: Call) -> Answer:
    requests.only(call.query, ())
    wanted, new = requests.schedule(call.body, rules(call))
    made = schedules.add(ports, wanted.cron, wanted.timezone, bytes(wanted.job), new)
    return json_answer(201, answers.schedule(made), Location=f"{call.prefix}/schedules")


@routes.add("GET", "/schedules", READ)
def list_schedules(call: Call) -> Answer:
    requests.only(call.query, ("owner",))
    found = ports.records.schedules(requests.owner(call.query, call.principal))
    return json_answer(200, answers.ScheduleList([answers.schedule(one) for one in found]))


@routes.add("DELETE", "/schedules/{schedule_id}", SUBMIT)
def remove_schedule(call: Call, schedule_id: str) -> Answer:
    requests.only(call.query, ())
    schedules.remove(ports, call.principal.sees, schedule_id)
    return Answer(204)


@routes.add("POST", "/uploads", SUBMIT)
def create_upload(call: Call) -> Answer:
    requests.only(call.query, ())
    size = requests.upload(call.body).bytes
    return json_answer(201, answers.upload(uploads.create(ports, call.principal.owner, size)))


@routes.add("GET", "/stats", READ)
def get_stats(call: Call) -> Answer:
    requests.only(call.query, ("span", "owner"))
    span = requests.choice(call.query, "span", ("hour", "day"))
    return json_answer(200, answers.stats(stats.stats(ports, requests.owner(call.query, call.principal), span)))


@routes.add("GET", "/health", None)
def get_health(call: Call) -> Answer:
    wrong = health.check(ports)
    if wrong:
        return edge.problem_answer(503, "not answering: " + ", ".join(wrong))
    return json_answer(200, answers.HealthAnswer("ok"))


def asset(name: str, call: Call) -> Answer:
    return pages.file(name, settings, call.headers.get("if-none-match"))


@routes.add("GET", "/openapi.json", None)
def get_spec(call: Call) -> Answer:
    requests.only(call.query, ())
    return asset("openapi.json", call)


@routes.add("GET", "/", None)
def get_page(call: Call) -> Answer:
    return asset("pages/index.html", call)


@routes.add("GET", "/docs", None)
def get_docs(call: Call) -> Answer:
    return asset("pages/docs.html", call)


@routes.add("GET", "/web/{folder}/{name}", None)
def get_asset(call: Call, folder: str, name: str) -> Answer:
    return asset(f"{folder}/{name}", call)


@app.on_sqs_message(queue=settings.queue, batch_size=settings.prefetch, name="work")
def work(event: Any) -> dict[str, Any]:
    """Run the jobs that a batch of messages names; what could not be dealt with stays in the queue."""
    messages = [
        working.Message(record["messageId"], record["body"], record["receiptHandle"])
        for record in event.to_dict()["Records"]
    ]
    failed = working.work(ports, messages, lambda: event.context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


@app.schedule("rate(1 minute)", name="dispatch")
def dispatch(event: Any) -> None:
    """Start what is due and recover what was lost."""
    dispatching.dispatch(ports, lambda: event.context.get_remaining_time_in_millis() / 1000)
