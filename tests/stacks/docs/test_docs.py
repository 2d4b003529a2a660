"""What the docs say holds: the worked task runs, the table of moves is the code's, links lead somewhere."""

import importlib.util
import re
import sys
from pathlib import Path

import msgspec
import pytest

from chalicelib import tasks
from chalicelib.core.job import TABLE, Event, Status
from chalicelib.core.task import TASKS, TaskError

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


class Bystander:
    """A context that only remembers."""

    attempt, deadline = 1, 60.0

    def __init__(self) -> None:
        self.seen: list[float] = []

    def progress(self, fraction: float) -> None:
        self.seen.append(fraction)

    def checkpoint(self) -> None: ...

    def pause(self, seconds: float) -> None: ...


def test_the_worked_task_of_the_docs_runs_as_it_stands_there(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs/tasks.md").read_text("utf-8"), re.DOTALL)
    assert code
    file = tmp_path / "word_count.py"
    file.write_text(code[1], "utf-8")
    spec = importlib.util.spec_from_file_location("word_count_of_the_docs", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        task, context = TASKS["word_count"], Bystander()
        output = task.run(task.decode(b'{"text": "a rose is\\na rose"}'), context)
        assert msgspec.to_builtins(output) == {"words": {"a": 2, "rose": 2, "is": 1}}
        assert context.seen == [0.5, 1.0]
        with pytest.raises(TaskError):
            task.run(task.decode(b'{"text": " "}'), context)
    finally:
        TASKS.pop("word_count", None)
        del sys.modules[spec.name]


def test_the_docs_table_of_moves_is_the_codes() -> None:
    text = (ROOT / "docs/concepts.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z, ]+) \| ([a-z_]+) \| ([a-z]+) \|", text, re.MULTILINE)
    told = {
        (Status(start), Event(event)): Status(end)
        for starts, event, end in rows
        if event in tuple(Event)
        for start in starts.split(", ")
    }
    assert told == dict(TABLE)


def test_the_picture_of_the_docs_is_the_codes() -> None:
    source = (ROOT / "chalicelib/core/job.py").read_text("utf-8")
    picture = source[source.index("                      cancel") : source.index("\n\nA stored")]
    assert picture in (ROOT / "docs/concepts.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_in_the_docs_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_built_in_task_is_registered_by_its_file_alone() -> None:
    assert {"sort", "sleep", "log", "fail"} <= set(tasks.load())


def test_readme_stays_within_its_room() -> None:
    assert (ROOT / "README.md").read_text("utf-8").count("\n") <= 150
