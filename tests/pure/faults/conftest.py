"""Says at the end how many histories the fault harness has tried."""

import pytest

from tests.pure.faults import counting


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counting.histories.pop("bitten", None)  # broken on purpose: see test_harness_bites.py
    if counting.histories:
        each = ", ".join(f"{count} {kind}" for kind, count in counting.histories.items())
        terminalreporter.write_line(f"fault harness: {counting.histories.total()} histories tried ({each})")
