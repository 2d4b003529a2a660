"""Does everything answer that a job needs?"""

from chalicelib.core.lane import Lane
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports

NOBODY = "0" * 26


def check(ports: Ports) -> dict[str, str]:
    """What does not answer, with the reason; empty when all is well."""
    looks = {
        "table": lambda: ports.jobs.get(NOBODY),
        "queue": lambda: ports.queue.depth(Lane.LONG),
        "quick queue": lambda: ports.queue.depth(Lane.QUICK),
        "bucket": ports.payloads.check,
    }
    wrong = {}
    for name, look in looks.items():
        try:
            look()
        except Unavailable as error:
            wrong[name] = str(error)
    return wrong
