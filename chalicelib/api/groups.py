"""groups.yaml: read, and held against the same models as any request. What is wrong is said, never raised."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chalicelib.api import requests
from chalicelib.errors import Invalid, NotFound, SortieError
from chalicelib.service.groups import LARGEST_JOBS, Group, Problem
from chalicelib.service.new_job import NewJob

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def load(path: Path, context: requests.RequestContext) -> dict[str, Group]:
    """Every group of the file by name. A file that cannot be read is one group's worth of problems."""
    import yaml  # 20 ms that only the routes of groups pay

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        groups = found["groups"]
        return {str(name): _group(str(name), jobs, context) for name, jobs in groups.items()}
    except (OSError, UnicodeError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        why = f"{path.name} cannot be read ({type(error).__name__}): it must hold `groups:` with lists of jobs by name"
        return {path.name: Group(path.name, (), (), (Problem("", "", why),))}


def named(groups: Mapping[str, Group], name: str) -> Group:
    """Raises NotFound."""
    if name not in groups:
        known = ", ".join(groups) or "none"
        raise NotFound(f"there is no group {name!r}: groups.yaml defines {known}")
    return groups[name]


def _group(name: str, jobs: Any, context: requests.RequestContext) -> Group:
    problems = list(_problems_of_group(name, jobs))
    labels: list[str] = []
    valid: list[NewJob] = []
    for place, given in enumerate(jobs if isinstance(jobs, list) else []):
        label = _label(given, place)
        if label in labels:
            problems.append(Problem(label, "name", "another job of this group has the same name"))
        labels.append(label)
        try:
            valid.append(_job(given, label, context))
        except Invalid as invalid:
            problems += [Problem(label, field_error.loc, field_error.msg) for field_error in invalid.errors]
        except SortieError as error:
            problems.append(Problem(label, "", str(error)))
    return Group(name, labels, valid, problems)


def _problems_of_group(name: str, jobs: Any) -> list[Problem]:
    if not NAME.fullmatch(name):
        return [Problem("", "", "a group's name is 1 to 64 letters, digits, dots, dashes and underscores")]
    if not isinstance(jobs, list) or not jobs:
        return [Problem("", "", "the group has no jobs: give it a list of them")]
    if len(jobs) > LARGEST_JOBS:
        return [Problem("", "", f"a group holds at most {LARGEST_JOBS} jobs")]
    return []


def _label(given: Any, place: int) -> str:
    name = given.get("name") if isinstance(given, dict) else None
    return name if isinstance(name, str) else f"jobs[{place}]"


def _job(given: Any, label: str, context: requests.RequestContext) -> NewJob:
    """A job of a group is a job request with a name. YAML's dates and the like become what JSON would make of them."""
    request = {key: value for key, value in given.items() if key != "name"} if isinstance(given, dict) else given
    raw = json.dumps(request, default=str).encode()
    new = requests.job(raw, context)
    return replace(new, label=label)
