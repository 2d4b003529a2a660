"""Runs a module as a child that ends with its parent: `python -m dev.lifeline MODULE [ARGS...]`.

The parent holds the only write end of the child's stdin. However the parent dies, SIGKILL included, the pipe closes.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 8.0


def main() -> None:
    module, *args = sys.argv[1:]
    threading.Thread(target=_watch, daemon=True).start()
    sys.argv = [module, *args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch() -> None:
    """Ask once, so that an emulator can save what it holds, then end the whole process group."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
