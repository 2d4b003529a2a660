"""The worker of one version, for benchmarks/billed.py: `python billed_worker.py CODE DELAY_MS`, CODE a folder or a zip.

For each number on stdin it submits so many small sorts, works on them ten an invocation, and answers the milliseconds
that the handler took for each. DELAY_MS is what every call to AWS waits more, as on a network.
"""

import json
import os
import sys
import time
from typing import Any

BATCH = 10


def main(code: str, delay: float) -> None:
    sys.path.insert(0, code)
    # Those of the version that the path has just been set to.
    import botocore.httpsession

    from chalicelib import config, wiring

    send = botocore.httpsession.URLLib3Session.send

    def slow_send(session: Any, request: Any) -> Any:
        time.sleep(delay / 1000)
        return send(session, request)

    botocore.httpsession.URLLib3Session.send = slow_send
    ports = wiring.ports(config.load(os.environ))
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(run_round(ports, int(line)))}\n")
        sys.stdout.flush()


def run_round(ports: Any, jobs: int) -> float:
    from chalicelib.service import work as work_of
    from chalicelib.service.new_job import NewJob
    from chalicelib.service.submit import submit

    try:
        from chalicelib.service.quick import work_quick as handle
    except ImportError:
        handle = work_of.work
    new = NewJob(owner="bench", task="sort", input=json.dumps({"array": list(range(10, 0, -1))}).encode())
    ids = [submit(ports, new).job.id for _ in range(jobs)]
    start = time.perf_counter()
    for first in range(0, jobs, BATCH):
        messages = [work_of.Message(job_id, job_id, job_id) for job_id in ids[first : first + BATCH]]
        assert handle(ports, messages, lambda: 900.0) == []
    millis = (time.perf_counter() - start) * 1000 / jobs
    assert ports.jobs.get(ids[-1]).status == "completed"
    return millis


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
