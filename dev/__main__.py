"""`make run`: the whole stack until Ctrl-C or SIGTERM."""

import os
import signal
import sys
from typing import Any

from dev.process import say
from dev.settings import BadStart, load
from dev.stack import Stack


class _Stop(BaseException):
    """Raised where the main thread is, by a signal."""


def main() -> int:
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        stack = Stack(load(os.environ), os.environ)
    except BadStart as error:
        return _refuse(error)
    try:
        stack.start()
        say("", f"Sortie is ready at {stack.url}")
        while True:
            stack.tick()
    except _Stop:
        say("", "Stopping.")
        return 0
    except BadStart as error:
        return _refuse(error)
    finally:
        _undisturbed(stack)


def _undisturbed(stack: Stack) -> None:
    """A second Ctrl-C must not leave a child behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stack.stop()


def _stop(*_: Any) -> None:
    raise _Stop


def _refuse(error: BadStart) -> int:
    print(error, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
