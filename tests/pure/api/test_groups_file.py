"""groups.yaml as people write it: what is wrong is told with its line, and harms nothing beside it."""

from typing import Any

import pytest

from chalicelib import config, tasks
from chalicelib.api.body import RequestContext
from chalicelib.api.groups import parse_groups
from chalicelib.service.groups import Group

GOOD = "  good:\n    - name: a\n      array: [2, 1]\n"


def parse(text: str | bytes | None) -> dict[str, Group]:
    context = RequestContext(tasks.load(), config.load({"SORTIE_STAGE": "local"}), 1_800_000_000_000, "team-a")
    return parse_groups(text.encode() if isinstance(text, str) else text, context)


def problems(group: Group) -> list[str]:
    return [" ".join(filter(None, (each.job, each.loc, each.msg))) for each in group.problems]


def is_good(groups: dict[str, Group]) -> bool:
    return len(groups["good"].jobs) == 1 and not groups["good"].problems


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("{name: x, array: &a [1, *a]}", "holds itself"),
        ('{name: "\\ud800", array: [1]}', "name"),
        ('{name: x, task: "\\ud800", input: {}}', "surrogate"),
        ("{name: x, array: [1], 2026-01-01: 1}", "2026-01-01"),
        ("{name: x, array: [1], ? [a, b] : 1}", "a name"),
        ("{name: x, array: [1], {a: b}: 1}", "a name"),
        ("{name: x, array: !!python/object:os.system [1]}", "tag"),
        ("{name: x, array: !!binary aGk=}", "tag"),
        ("{name: x, array: !!set {a, b}}", "tag"),
        ("{name: x, array: [1], array: [2]}", "twice"),
        ("{name: x, name: y, array: [2]}", "twice"),
        ("{name: 5, array: [1]}", "quotes"),
        ("{name: no, array: [1]}", "quotes"),
        ("{name: 2026-01-01, array: [1]}", "quotes"),
        ("{name: [x], array: [1]}", "name"),
        ("{name: x, array: [.nan]}", "NaN"),
        ("{name: x, array: [.inf]}", "Infinity"),
        ("[1]", ""),
        ("null", ""),
        ("word", ""),
        ("{name: x}", "task"),
        ("{name: x, array: [1], <<: 5}", "<<"),
    ],
)
def test_whatever_a_job_says_is_a_problem_of_that_job(job: str, told: str) -> None:
    groups = parse(f"groups:\n  bad:\n    - {job}\n{GOOD}")
    [text] = problems(groups["bad"])
    assert told in text
    assert groups["bad"].problems[0].job
    assert is_good(groups)


@pytest.mark.parametrize(
    ("entry", "name", "told"),
    [
        ("  good: []\n", "good", "line 5: the group 'good' is there twice"),
        ("  no: [{name: x, array: [1]}]\n", "no", "line 5: YAML reads no as a boolean: put it in quotes"),
        ("  12:30: [{name: x, array: [1]}]\n", "12:30", "line 5: YAML reads 12:30 as a whole number: put it in quotes"),
        ("  1e3: [{name: x, array: [1]}]\n", "1e3", ""),
        ("  5: [{name: x, array: [1]}]\n", "5", "line 5: YAML reads 5 as a whole number: put it in quotes"),
        ("  ~: [{name: x, array: [1]}]\n", "~", "line 5: YAML reads ~ as null: put it in quotes"),
        ("  2026-01-01: [{name: x, array: [1]}]\n", "2026-01-01", "as a date: put it in quotes"),
        ("  a b: [{name: x, array: [1]}]\n", "a b", "letters"),
        ("  empty:\n", "empty", "no jobs"),
        ("  mapping: {name: x, array: [1]}\n", "mapping", "list"),
        ("  loop: &l [*l]\n", "loop", "holds itself"),
    ],
)
def test_a_group_is_named_as_it_is_written_and_told_its_line(entry: str, name: str, told: str) -> None:
    groups = parse(f"groups:\n{GOOD}{entry}")
    assert name in groups
    assert told in " ".join(problems(groups[name]))
    assert told == "" or groups[name].problems
    assert name == "good" or is_good(groups)


def test_the_text_of_a_name_in_quotes_is_good() -> None:
    groups = parse('groups:\n  "no": [{name: "5", array: [1]}]\n  \'12:30\': [{name: x, array: [1]}]\n')
    assert [problems(group) for group in groups.values()] == [[], ["a group's name is 1 to 64 letters, digits, dots, "
                                                                   "dashes and underscores"]]  # fmt: skip
    assert groups["no"].labels == ["5"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groups:\n  a:\n\t- {name: x, array: [1]}\n", "line 3, column 1: found character '\\t'"),
        ("groups:\n  a: [1\n", "line 3, column 1"),
        ("groups: [\n", "line 2"),
        ("groups: 5\n", "groups:"),
        ("- a\n", "groups:"),
        ("5\n", "groups:"),
        ("", "groups:"),
        ("grops:\n" + GOOD, "line 1: unknown name 'grops'"),
        ("groups:\n" + GOOD + "grops: {}\n", "line 5: unknown name 'grops'"),
        ("groups:\n" + GOOD + "groups:\n" + GOOD, "line 5: 'groups' is there twice"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        ("groups: *nobody\n", "line 1"),
        (b"groups:\n  a: \xff\n", "UTF-8"),
        (b"groups:\n  a: \x00\n", "characters"),
        (None, "not there"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_place(text: str | bytes | None, told: str) -> None:
    groups = parse(text)
    [problem] = problems(groups["groups.yaml"])
    assert told in problem


def test_an_unknown_name_beside_groups_leaves_the_groups_alone() -> None:
    assert is_good(parse("groups:\n" + GOOD + "grops: {}\n"))


def test_aliases_and_merges_are_read() -> None:
    groups = parse(
        "groups:\n  a:\n    - &first {name: x, task: sleep, input: {seconds: 1}}\n    - {<<: *first, name: y}\n" + GOOD
    )
    assert (groups["a"].labels, problems(groups["a"])) == (["x", "y"], [])
    assert is_good(groups)


def test_aliases_that_grow_without_end_are_one_jobs_problem() -> None:
    lines = ["groups:", "  bad:", "    - name: x", "      input:", "        a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"        a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    groups = parse("\n".join(lines) + "\n" + GOOD)
    [text] = problems(groups["bad"])
    assert "too large" in text
    assert is_good(groups)


def test_values_are_what_json_would_say(capsys: Any) -> None:
    groups = parse("groups:\n  a:\n    - {name: x, array: [1, -2, 0x10, 1.5, 1e3, 10000000000000000000000]}\n")
    assert problems(groups["a"]) == []
    assert groups["a"].jobs[0].input == b'{"array":[1,-2,16,1.5,1000.0,10000000000000000000000]}'
