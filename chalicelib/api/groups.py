"""Groups and their runs. groups.yaml is held against the models of any request: what is wrong is said, never raised."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from chalicelib.api.body import RequestContext
from chalicelib.api.fields import Time, render_time
from chalicelib.api.groups_text import (
    MAPPING,
    SEQUENCE,
    BadText,
    Node,
    clean,
    entries,
    line_of,
    make_reader,
    read_document,
    read_name,
    to_json,
)
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
    """Every group of groups.yaml by name. What is wrong with the file itself is a group of the file's name."""
    groups: dict[str, Group] = {}
    wrong: list[str] = []
    seen = False
    try:
        for name, _, key, node in entries(read_document(file)):
            if name != "groups":
                wrong.append(f"{line_of(key)}: unknown name {name!r}: the file holds `groups:` alone")
            elif seen:
                wrong.append(f"{line_of(key)}: 'groups' is there twice")
            else:
                seen = True
                groups = _parse_mapping(node, context)
    except BadText as error:
        wrong.append(str(error))
    if not groups and not wrong:
        wrong.append("the file must hold `groups:` with lists of jobs by name")
    problems = [JobFieldError("", "", f"{FILE}: {words}") for words in wrong]
    return groups | ({FILE: Group(FILE, (), (), problems)} if problems else {})


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


def _parse_mapping(node: Node, context: RequestContext) -> dict[str, Group]:
    if node.id != MAPPING:
        raise BadText("`groups:` must hold lists of jobs by name")
    groups: dict[str, Group] = {}
    for name, problem, key, jobs in entries(node):
        problems = [JobFieldError("", "", problem)] if problem else []
        if name in groups:
            problems.append(JobFieldError("", "", f"{line_of(key)}: the group {name!r} is there twice"))
            groups[name] = replace(groups[name], problems=[*groups[name].problems, *problems])
        else:
            groups[name] = _parse_group(name, jobs, problems, context)
    return groups


def _parse_group(name: str, jobs: Node, problems: list[JobFieldError], context: RequestContext) -> Group:
    elements = list(jobs.value) if jobs.id == SEQUENCE else []
    problems += _check_group(name, jobs, elements) if not problems else []
    labels: list[str] = []
    valid: list[NewJob] = []
    for index, node in enumerate(elements):
        label, wrong = _read_label(node, index)
        if label in labels:
            wrong.append(JobFieldError(label, "name", "another job of this group has the same name"))
        labels.append(label)
        try:
            valid.append(_parse_entry(node, label, context)) if not wrong else None
        except Invalid as invalid:
            wrong += [JobFieldError(label, clean(error.loc), clean(error.msg)) for error in invalid.errors]
        except (SortieError, BadText, RecursionError) as error:
            wrong.append(JobFieldError(label, "", clean(str(error))))
        problems += wrong
    return Group(name, labels, valid, problems)


def _check_group(name: str, jobs: Node, elements: list[Node]) -> list[JobFieldError]:
    if not NAME.fullmatch(name):
        return [JobFieldError("", "", "a group's name is 1 to 64 letters, digits, dots, dashes and underscores")]
    if not elements:
        return [JobFieldError("", "", f"{line_of(jobs)}: the group has no jobs: give it a list of them")]
    if len(elements) > LARGEST_JOBS:
        return [JobFieldError("", "", f"a group holds at most {LARGEST_JOBS} jobs")]
    return []


def _read_label(node: Node, index: int) -> tuple[str, list[JobFieldError]]:
    """The name of a job, or its place in the list, and what is wrong with the name."""
    label = f"jobs[{index}]"
    names = [value for key, value in node.value if key.value == "name"] if node.id == MAPPING else []
    if not names:
        return label, []
    name, problem = read_name(names[0])
    return (label, [JobFieldError(label, "name", problem)]) if problem else (name, [])


def _parse_entry(node: Node, label: str, context: RequestContext) -> NewJob:
    """A job of a group is a job request with a name."""
    entry = make_reader().read(node)
    request = {key: value for key, value in entry.items() if key != "name"} if isinstance(entry, dict) else entry
    new = parse_job(to_json(request), context)
    if new.window is not None:
        raise Invalid(FieldError("window", "leave it out: the jobs of a group start together or not at all"))
    return replace(new, label=label)
