"""`make capacity`: jobs a second of one owner and of a stage, the key that breaks first, and dollars.

A few hundred jobs go through the real use cases on MiniStack, whose count of units is right. What they asked of each
partition key is then asked, at rates no laptop reaches, of buckets that are as large as AWS's limits.
"""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.capacity import measure, pages, report
from benchmarks.capacity.clock import SimulatedClock
from benchmarks.capacity.limits import Limits
from benchmarks.capacity.meter import Meter
from chalicelib import config
from dev import emulator, resources, template
from ops.account import Account

JOBS, NAIVE_JOBS = 80, 20
PRICES = Path(__file__).parents[1] / "prices.json"
STAGE, PAGES_STAGE = "local", "pages"
"""Pages have a table of their own: a query of MiniStack's looks at every row."""


def main() -> int:
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with emulator.running() as endpoint:
        account = Account(endpoint)
        settings = replace(config.load(os.environ | {"SORTIE_STAGE": STAGE}), endpoint=endpoint)
        resources.create(STAGE, endpoint)
        meter, clock = Meter(account.client("dynamodb")), SimulatedClock(time.time())
        loads = measure.measured(settings, meter, clock, JOBS, report.NAMES)
        first_draft = measure.measured_naive(account, meter, NAIVE_JOBS)
        resources.create(PAGES_STAGE, endpoint)
        listed = pages.measured(replace(settings, table=f"sortie-{PAGES_STAGE}"), meter)
    limits = replace(Limits(), workers=workers())
    shards = f"LIST_SHARDS={settings.list_shards} WAKE_SHARDS={settings.wake_shards}"
    print(f"{shards} TALLY_SHARDS={settings.tally_shards}\n")
    print(report.text(loads, first_draft, limits, json.loads(PRICES.read_text())))
    print("\n" + "\n".join(pages.lines(listed)))
    return 0


def workers() -> float:
    """MaximumConcurrency of the worker's mapping, as resources.yaml says."""
    source = template.read(STAGE).properties("Work")["Events"]["WorkSqsEventSource"]
    return float(source["Properties"]["ScalingConfig"]["MaximumConcurrency"])


if __name__ == "__main__":
    sys.exit(main())
