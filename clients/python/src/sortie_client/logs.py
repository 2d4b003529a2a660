"""Plans that read a job's log: the lines of an attempt, and those that come while it runs."""

from __future__ import annotations

from sortie_client import asking, waiting
from sortie_client.plans import Pause, Plan
from sortie_client.retries import Retries

LOOK_AGAIN = 1.0


class Reader:
    """How far a log has been read: `after` is where the service says that the next page begins."""

    def __init__(self, job_id: str, attempt: int | None, follow: bool) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.follow = follow
        self.after: str | None = None
        self.is_done = False


def next_lines(policy: Retries, reader: Reader) -> Plan[list[str]]:
    """The next page. A page without lines ends the log; while it follows, only once the job has ended."""
    while True:
        # Asked first: what the job has written before it ended is then there.
        state = (yield from waiting.job(policy, reader.job_id)) if reader.follow else None
        lines = yield from _page(policy, reader)
        if lines:
            return lines
        if state is None or state.has_ended:
            reader.is_done = True
            return lines
        yield Pause(LOOK_AGAIN)


def _page(policy: Retries, reader: Reader) -> Plan[list[str]]:
    chosen = {"attempt": reader.attempt, "after": reader.after}
    query = {name: str(value) for name, value in chosen.items() if value is not None}
    response = yield from asking.get(policy, f"/jobs/{asking.quoted(reader.job_id)}/log", query)
    lines = response.body.decode("utf-8", "replace").split("\n")[:-1]
    end = response.headers.get("log-after")
    if end is None:
        reader.is_done = bool(lines)  # nothing says where to go on
    elif end == reader.after:
        return []  # nothing stands behind it yet
    else:
        reader.after = end
    return lines
