"""Fixtures for the whole suite: a running stack, shared by the tests that look at it from outside."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.running import RunningStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """`.url` of the service, `.endpoint` of the emulator, `.env` of its processes."""
    running = RunningStack(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


# A deadline measures the machine, which others use too: what a test says about time it says in its own words.
settings.register_profile("sortie", deadline=None)
settings.load_profile("sortie")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each floor of the suite has cost: pure, emulated, stacks."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.split("/")[1]] += report.duration
    for floor, total in seconds.items():
        terminalreporter.write_line(f"{floor}: {total:.0f} s")
