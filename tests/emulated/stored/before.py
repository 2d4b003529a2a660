"""The version before, from before.zip, as a process of its own: `python before.py STAGE ENDPOINT NOW STEP...`.

Steps: `submit:TASK:INPUT` and `schedule:CRON` print an id, `remove:ID` removes a schedule, `claim:ID` takes an attempt
and leaves it, `dispatch` is one round, `work` runs what the queue shows. NOW, in milliseconds, is what its clock says.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

BATCHES = 5
"""A job that is due by a clock that stands still comes back each second: no more than these are taken."""
sys.path.insert(0, str(Path(__file__).with_name("before.zip")))


class Clock:
    def __init__(self, now: int) -> None:
        self.millis = float(now)

    def now(self) -> int:
        return int(self.millis)

    def monotonic(self) -> float:
        return self.millis / 1000

    def pause(self, seconds: float) -> None:
        self.millis += seconds * 1000


def ports_of(stage: str, endpoint: str, now: int) -> Any:
    from chalicelib import config, wiring  # those of the version before: the path has just been set

    settings: Any = config.load({**os.environ, "SORTIE_STAGE": stage, "AWS_ENDPOINT_URL": endpoint})
    return replace(wiring.ports(settings), clock=Clock(now))


def work(ports: Any, endpoint: str) -> None:
    import boto3

    from chalicelib.service.work import Message
    from chalicelib.service.work import work as work_on

    queue = boto3.client("sqs", endpoint_url=endpoint)
    url = queue.get_queue_url(QueueName=ports.settings.queue)["QueueUrl"]
    for _ in range(BATCHES):
        received = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
        if not received:
            return
        messages = [Message(each["MessageId"], each["Body"], each["ReceiptHandle"]) for each in received]
        assert work_on(ports, messages, lambda: 900.0) == []
        for message in messages:
            queue.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)


def main(stage: str, endpoint: str, now: str, *steps: str) -> None:
    from chalicelib.service import schedules
    from chalicelib.service.dispatch import dispatch
    from chalicelib.service.new_job import NewJob
    from chalicelib.service.submit import submit

    ports = ports_of(stage, endpoint, int(now))
    assert not hasattr(ports, "alarm"), "this is not the version before"
    for step in steps:
        verb, *rest = step.split(":", 2)
        if verb == "submit":
            new = NewJob(owner="alice", task=rest[0], input=rest[1].encode())
            sys.stdout.write(submit(ports, new).job.id + "\n")
        elif verb == "claim":
            ports.jobs.claim(rest[0], ports.clock.now(), "a worker that dies")
        elif verb == "schedule":
            new = NewJob(owner="alice", task="sort", input=b'{"array":[2,1]}')
            schedule: Any = schedules.add(ports, step.partition(":")[2], "UTC", b"{}", new)
            sys.stdout.write(schedule.id + "\n")
        elif verb == "remove":
            schedules.remove(ports, "alice", rest[0])
        elif verb == "dispatch":
            dispatch(ports, lambda: 60.0)
        else:
            work(ports, endpoint)


if __name__ == "__main__":
    main(*sys.argv[1:])
