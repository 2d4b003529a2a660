"""`make run`: the whole stack until Ctrl-C or SIGTERM."""

import os
import signal
import sys
from typing import Any


class _Stop(BaseException):
    """Raised where the main thread is, by the first signal; later ones change nothing."""


def main() -> int:
    stack: Any = None
    try:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGTERM, _stop)
        # Half a second of imports, in which somebody may change their mind already.
        from dev.command import explain
        from dev.process import say
        from dev.settings import load
        from dev.stack import Stack

        try:
            stack = Stack(load(os.environ), os.environ)
            stack.start()
            say("", f"Sortie is ready at {stack.url}")
            while True:
                stack.tick()
        except Exception as error:
            if (message := explain(error)) is None:
                raise
            print(message, file=sys.stderr, flush=True)
            return 1
    except _Stop:
        print("Stopping.", flush=True)
        return 0
    finally:
        # A second Ctrl-C must not leave a child behind.
        _ignore_signals()
        if stack is not None:
            stack.stop()


def _stop(*_: Any) -> None:
    _ignore_signals()
    raise _Stop


def _ignore_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
