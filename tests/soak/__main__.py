"""`make soak SECONDS=3600 JOBS=10000`: histories for so long, then so many jobs on a stack that is being killed."""

import os
import random
import shutil
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.soak import histories, stack
from tests.support import engines


def main() -> int:
    seconds, jobs = float(os.environ.get("SECONDS", "60")), int(os.environ.get("JOBS", "500"))
    counts = histories.run(seconds)
    print(f"{counts.total():,} histories held: {dict(counts)}", flush=True)
    seed = random.SystemRandom().randrange(1 << 32)
    has_engine = all(shutil.which(name) for name in ("podman", "busybox"))
    with tempfile.TemporaryDirectory() as folder, engines.own_engine() if has_engine else nullcontext() as engine:
        done = stack.run(Path(folder), jobs, seed=seed, engine=engine)
    print(f"seed {seed}: {dict(done)}; nothing lost, no second outcome, every output right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
