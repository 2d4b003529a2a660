"""For the whole suite: a running stack that tests share, which tests run side by side, and what it all has cost."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.pure.faults import counting
from tests.support.running import RunningStack

# A deadline measures the machine, which others use too: what a test says about time it says in its own words.
settings.register_profile("sortie", deadline=None)
settings.load_profile("sortie")

HISTORIES = "histories"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """`.url` of the service, `.endpoint` of the emulator, `.env` of its processes."""
    running = RunningStack(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2`: whatever watches a stack runs in one process, and each other file as a whole in any."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group("stacks" if file.startswith("tests/stacks/") else file))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its counts to the one that prints them."""
    counting.histories.pop("bitten", None)  # broken on purpose: see test_harness_bites.py
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[HISTORIES] = dict(counting.histories)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    counting.histories.update(Counter(getattr(node, "workeroutput", {}).get(HISTORIES, {})))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many histories the fault harness has tried, and what each floor of the suite has cost."""
    if counting.histories:
        kinds = ", ".join(f"{count} {kind}" for kind, count in counting.histories.items())
        terminalreporter.write_line(f"fault harness: {counting.histories.total()} histories tried ({kinds})")
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.split("/")[1]] += report.duration
    for floor, spent in sorted(seconds.items()):
        terminalreporter.write_line(f"{floor}: {spent:.0f} s")
