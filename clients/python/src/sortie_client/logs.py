"""Plans that read a job's log: the lines of an attempt, and those that come while it runs."""

from __future__ import annotations

from sortie_client import asking, waiting
from sortie_client.plans import Pause, Plan
from sortie_client.retries import Retries

LOOK_AGAIN = 1.0


class Reader:
    """How far a log has been read."""

    def __init__(self, job_id: str, attempt: int | None, follow: bool) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.follow = follow
        self.lines = 0
        self.is_done = False


def next_lines(policy: Retries, reader: Reader) -> Plan[list[str]]:
    """The lines behind those that were read. While it follows, an empty answer is looked for again after a second."""
    while True:
        state = (yield from waiting.job(policy, reader.job_id)) if reader.follow else None
        query = {"after": str(reader.lines)} | ({"attempt": str(reader.attempt)} if reader.attempt else {})
        response = yield from asking.get(policy, f"/jobs/{asking.quoted(reader.job_id)}/log", query)
        lines = response.body.decode("utf-8", "replace").splitlines()
        reader.lines += len(lines)
        if state is None or state.has_ended:  # it ended before these lines were read, so none can follow
            reader.is_done = True
            return lines
        if lines:
            return lines
        yield Pause(LOOK_AGAIN)
