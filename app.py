"""Sortie's routes and event handlers. The row of a view's name in chalicelib/api/routes.py says the rest of it."""

from typing import Any

from chalice.app import AuthResponse

from chalicelib import wiring
from chalicelib.api.body import RequestContext, parse_traceparent
from chalicelib.api.bulk import parse_bulk, render_bulk
from chalicelib.api.groups import parse_groups, render_groups, render_run, render_started, require_group
from chalicelib.api.jobs import JobAnswer, judge_job, render_job
from chalicelib.api.lists import parse_page, render_board, render_page
from chalicelib.api.problems import plain_problem
from chalicelib.api.prometheus import render_metrics
from chalicelib.api.query import AFTER, ATTEMPT, SPAN, WAIT, query_choice, query_int, query_owner, query_text
from chalicelib.api.run_again import judge_again, parse_changes
from chalicelib.api.schedules import parse_schedule, parse_schedule_page, render_schedule, render_schedules
from chalicelib.api.stats import render_health, render_stats
from chalicelib.api.uploads import parse_upload, render_upload
from chalicelib.core.access import Role
from chalicelib.core.job import Job
from chalicelib.http.assets import file_response, spec_response
from chalicelib.http.events import container_events, render_failures, seconds_left_of
from chalicelib.http.groups_file import read_groups_file
from chalicelib.http.local import install_where_it_runs
from chalicelib.http.server import (Request, Response, Router, Sortie, auth_response, json_response, lines_response,
    problem_response, text_response)  # fmt: skip
from chalicelib.service import (
    ages, bulk, cancel, container_log, containers, dispatch, groups, health, quick, read, rerun, retry, schedules,
    stats, submit, tokens, uploads, work,
)  # fmt: skip

settings = wiring.settings()
ports = wiring.ports(settings)
wiring.log_to_stdout()
vitals, waits = health.Health(), read.Waits()
app = Sortie(settings)
if settings.is_open:
    install_where_it_runs()


@app.authorizer(ttl_seconds=60)
def authorize(request: Any) -> AuthResponse:
    """Bearer tokens: the owner and the role go on to the routes."""
    return auth_response(tokens.authenticate(ports, request.token))


route = Router(app, settings, None if settings.is_open else authorize)


def context_of(request: Request) -> RequestContext:
    trace = parse_traceparent(request.headers.get("traceparent"))
    return RequestContext(ports.tasks, settings, ports.clock.now(), request.principal.owner, request.request_id, trace)


def answer_job(row: Job, max_bytes: int = settings.answer_limit) -> JobAnswer:
    payload, output = read.render_input(ports, row.input), read.render_output(ports, row.output, max_bytes)
    return render_job(row, ports.clock.now(), payload, output)


def job_response(status: int, row: Job, **headers: str) -> Response:
    return json_response(status, answer_job(row), **headers)


@route
def submit_job(request: Request) -> Response:
    entry = judge_job(request.body, context_of(request))
    done = submit.submit_judged(ports, request.principal.owner, entry, key=request.key, body=request.body)
    return job_response(202 if done.created else 200, done.job, Location=f"{request.prefix}/jobs/{done.job.id}")


@route
def submit_bulk(request: Request) -> Response:
    entries, bodies = parse_bulk(request.body, context_of(request))
    results = bulk.submit_many(ports, request.principal.owner, entries, key=request.key, bodies=bodies)
    # A hundred repeats may have a hundred outputs, and all of them share one answer.
    return json_response(207, render_bulk(results, lambda row: answer_job(row, max_bytes=0)))


@route
def list_jobs(request: Request) -> Response:
    page = parse_page(request.query, request.principal, ports.tasks, ports.clock.now())
    rows, cursor = read.list_jobs(ports, page.chosen, page.before, page.limit)
    return json_response(200, render_page(rows, cursor, ports.clock.now()))


@route
def get_job(request: Request, job_id: str) -> Response:
    seconds = query_int(request.query, WAIT)
    return job_response(200, read.wait_for_end(ports, waits, request.principal.sees, job_id, seconds))


@route
def cancel_job(request: Request, job_id: str) -> Response:
    row = cancel.cancel(ports, request.principal.sees, job_id, by=request.principal.owner)
    return job_response(202 if row.cancel_requested else 200, row)


@route
def retry_job(request: Request, job_id: str) -> Response:
    return job_response(202, retry.retry(ports, request.principal.sees, job_id, by=request.principal.owner))


@route
def run_again(request: Request, job_id: str) -> Response:
    changes = parse_changes(request.body)
    parent = read.get_job(ports, request.principal.sees, job_id)
    entry = judge_again(changes, parent, context_of(request))
    done = rerun.run_again(ports, parent, entry, key=request.key, body=request.body, by=request.principal.owner)
    return job_response(202 if done.created else 200, done.job, Location=f"{request.prefix}/jobs/{done.job.id}")


@route
def get_log(request: Request, job_id: str) -> Response:
    attempt, after = query_int(request.query, ATTEMPT) or None, query_text(request.query, AFTER)
    page = container_log.read_log(ports, request.principal.sees, job_id, attempt, after)
    return lines_response(page.lines, page.after)


@route
def get_board(request: Request) -> Response:
    return json_response(200, render_board(read.get_board(ports, query_owner(request.query, request.principal))))


@route
def list_groups(request: Request) -> Response:
    return json_response(200, render_groups(parse_groups(read_groups_file(), context_of(request)).values()))


@route
def get_group(request: Request, name: str) -> Response:
    return json_response(
        200, render_groups([require_group(parse_groups(read_groups_file(), context_of(request)), name)])
    )


@route
def start_run(request: Request, name: str) -> Response:
    group = require_group(parse_groups(read_groups_file(), context_of(request)), name)
    run = groups.trigger(ports, group, request.principal.owner, request.request_id, key=request.key, body=request.body)
    href = f"{request.prefix}/groups/{name}/runs/{run.record.run_id}"
    return json_response(202 if run.created else 200, render_started(run, request.prefix + "/jobs/{id}"), Location=href)


@route
def get_run(request: Request, name: str, run_id: str) -> Response:
    run = groups.get_run(ports, query_owner(request.query, request.principal), name, run_id)
    return json_response(200, render_run(run, ports.clock.now()))


@route
def add_schedule(request: Request) -> Response:
    line, new = parse_schedule(request.body, context_of(request))
    added = schedules.add(ports, line.cron, line.timezone, bytes(line.job), new, key=request.key, body=request.body)
    status, schedule = 201 if added.created else 200, added.schedule
    return json_response(
        status, render_schedule(schedule, ports.clock.now()), Location=f"{request.prefix}/schedules/{schedule.id}"
    )


@route
def list_schedules(request: Request) -> Response:
    owner, after, limit = parse_schedule_page(request.query, request.principal)
    page, cursor = schedules.list_page(ports, owner, after, limit)
    return json_response(200, render_schedules(page, cursor, ports.clock.now()))


@route
def get_schedule(request: Request, schedule_id: str) -> Response:
    schedule = schedules.get(ports, request.principal.sees, schedule_id)
    return json_response(200, render_schedule(schedule, ports.clock.now()))


@route
def remove_schedule(request: Request, schedule_id: str) -> Response:
    schedules.remove(ports, request.principal.sees, schedule_id, by=request.principal.owner)
    return Response(204)


@route
def create_upload(request: Request) -> Response:
    size = parse_upload(request.body).bytes
    upload = uploads.create(ports, request.principal.owner, size, key=request.key, body=request.body)
    return json_response(201, render_upload(upload))


@route
def get_stats(request: Request) -> Response:
    owner, span = query_owner(request.query, request.principal), query_choice(request.query, SPAN)
    return json_response(200, render_stats(stats.stats(ports, owner, span)))


@route
def get_metrics(request: Request) -> Response:
    owner = query_owner(request.query, request.principal)
    figures = stats.stats(ports, owner)
    of_stage = ages.stage_by_lane(ports, figures.lanes) if request.principal.role is Role.ADMIN else None
    return text_response(render_metrics(figures, owner, ages.oldest_by_lane(ports, figures.pending), of_stage))


@route
def get_health(request: Request) -> Response:
    if down := vitals.problems(ports):
        return problem_response(plain_problem(503, "; ".join(down)))
    return json_response(200, render_health(settings.containers_off))


@route
def get_spec(request: Request) -> Response:
    return spec_response(ports.tasks, request.headers.get("if-none-match"))


@route
def get_page(request: Request) -> Response:
    return file_response("pages/index.html", settings, request.headers.get("if-none-match"))


@route
def get_docs(request: Request) -> Response:
    return file_response("pages/docs.html", settings, request.headers.get("if-none-match"))


@route
def get_asset(request: Request, folder: str, name: str) -> Response:
    return file_response(f"{folder}/{name}", settings, request.headers.get("if-none-match"))


@app.on_sqs_message(queue=settings.queue, batch_size=1, name="work")
def on_messages(event: Any) -> Any:
    """The long lane: the job that a message names; the quick lane below takes a batch. What fails stays."""
    return render_failures(work.work(ports, work.parse_messages(event.to_dict()), seconds_left_of(event)))


@app.on_sqs_message(queue=settings.quick_queue, batch_size=settings.prefetch, name="quick")
def on_quick_messages(event: Any) -> Any:
    return render_failures(quick.work_quick(ports, work.parse_messages(event.to_dict()), seconds_left_of(event)))


@app.schedule("rate(1 minute)", name="dispatch")
def on_tick(event: Any) -> None:
    """Start what is due and recover what was lost."""
    dispatch.dispatch(ports, seconds_left_of(event))


@app.on_cw_event(container_events(settings.stage), name="ended")
def on_container(event: Any) -> None:
    """A container runs, or has stopped: settle its job. The event is only a hint."""
    containers.on_event(ports, event.detail.get("startedBy") or "", event.detail["taskArn"])
