"""Where log lines go."""

import logging
import sys


def log_to_stdout() -> None:
    """One line a record, as it is: the lines are JSON already."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("sortie")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
