"""Numbers in log lines are rounded: what a float adds of its own tells nobody anything."""

import json
import logging
from typing import Any

import pytest

from chalicelib.service import log
from tests.support.rows import row


def logged(caplog: pytest.LogCaptureFixture) -> Any:
    return json.loads(caplog.messages[-1])


def test_seconds_and_metrics_are_rounded(caplog: pytest.LogCaptureFixture) -> None:
    logger, level = logging.getLogger("sortie"), logging.getLogger("sortie").level
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        log.transition("complete", row(), "running", seconds=0.000059999999999999995)
        assert logged(caplog)["seconds"] == 0.00006
        log.metrics_line("local", 0, {}, {"duration": [0.1 + 0.2]})
        assert logged(caplog)["Duration"] == [0.3]
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
