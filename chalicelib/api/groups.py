"""Groups and their runs. groups.yaml is held against the models of any request: what is wrong is said, never raised."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from chalicelib.api.body import RequestContext
from chalicelib.api.fields import Time, render_time
from chalicelib.api.jobs import JobSummary, parse_job, render_summary
from chalicelib.core.job import Millis
from chalicelib.errors import FieldError, Invalid, NotFound, SortieError
from chalicelib.service.groups import LARGEST_JOBS, Group, JobFieldError, Run
from chalicelib.service.new_job import NewJob

FILE = "groups.yaml"
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class GroupAnswer(msgspec.Struct):
    name: str
    jobs: list[str]
    problems: list[JobFieldError]


class GroupList(msgspec.Struct):
    groups: list[GroupAnswer]


class RunJob(msgspec.Struct):
    id: str
    href: str


class RunStarted(msgspec.Struct):
    run_id: str
    group: str
    jobs: list[RunJob]


class RunAnswer(msgspec.Struct):
    run_id: str
    group: str
    created_at: Time
    counts: dict[str, int]
    progress: float
    jobs: list[JobSummary]


def parse_groups(file: bytes | None, context: RequestContext) -> dict[str, Group]:
    """Every group of groups.yaml by name. A file that cannot be read is one group's worth of problems."""
    import yaml  # 20 ms that only the routes of groups pay

    try:
        document = yaml.safe_load(file.decode() if file is not None else "")
        groups = document["groups"]
        return {str(name): _parse_group(str(name), jobs, context) for name, jobs in groups.items()}
    except (UnicodeError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        why = f"{FILE} cannot be read ({type(error).__name__}): it must hold `groups:` with lists of jobs by name"
        return {FILE: Group(FILE, (), (), (JobFieldError("", "", why),))}


def require_group(groups: Mapping[str, Group], name: str) -> Group:
    """Raises NotFound."""
    if name not in groups:
        known = ", ".join(groups) or "none"
        raise NotFound(f"there is no group {name!r}: {FILE} defines {known}")
    return groups[name]


def render_groups(groups: Iterable[Group]) -> GroupList:
    return GroupList([GroupAnswer(group.name, list(group.labels), list(group.problems)) for group in groups])


def render_started(run: Run, job_href: str) -> RunStarted:
    """`job_href` holds `{id}`."""
    jobs = [RunJob(row.id, job_href.format(id=row.id)) for row in run.jobs]
    return RunStarted(run.record.run_id, run.record.group, jobs)


def render_run(run: Run, now: Millis) -> RunAnswer:
    rows, record = [render_summary(row, now) for row in run.jobs], run.record
    created_at = render_time(record.created_at)
    return RunAnswer(record.run_id, record.group, created_at, dict(run.counts), run.progress, rows)


def _parse_group(name: str, jobs: Any, context: RequestContext) -> Group:
    problems = list(_check_group(name, jobs))
    labels: list[str] = []
    valid: list[NewJob] = []
    for index, entry in enumerate(jobs if isinstance(jobs, list) else []):
        label = _label_of(entry, index)
        if label in labels:
            problems.append(JobFieldError(label, "name", "another job of this group has the same name"))
        labels.append(label)
        try:
            valid.append(_parse_entry(entry, label, context))
        except Invalid as invalid:
            problems += [JobFieldError(label, error.loc, error.msg) for error in invalid.errors]
        except SortieError as error:
            problems.append(JobFieldError(label, "", str(error)))
    return Group(name, labels, valid, problems)


def _check_group(name: str, jobs: Any) -> list[JobFieldError]:
    if not NAME.fullmatch(name):
        return [JobFieldError("", "", "a group's name is 1 to 64 letters, digits, dots, dashes and underscores")]
    if not isinstance(jobs, list) or not jobs:
        return [JobFieldError("", "", "the group has no jobs: give it a list of them")]
    if len(jobs) > LARGEST_JOBS:
        return [JobFieldError("", "", f"a group holds at most {LARGEST_JOBS} jobs")]
    return []


def _label_of(entry: Any, index: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else f"jobs[{index}]"


def _parse_entry(entry: Any, label: str, context: RequestContext) -> NewJob:
    """A job of a group is a job request with a name. YAML's dates and the like become what JSON would make of them."""
    request = {key: value for key, value in entry.items() if key != "name"} if isinstance(entry, dict) else entry
    raw = json.dumps(request, default=str).encode()
    new = parse_job(raw, context)
    if new.window is not None:
        raise Invalid(FieldError("window", "leave it out: the jobs of a group start together or not at all"))
    return replace(new, label=label)
