"""A worker process: calls one handler of the app, on the main thread, once per JSON line that comes on stdin.

`python -m dev.worker HANDLER TIMEOUT MEMORY FD SLOT`; answers leave as JSON lines on the file descriptor FD.
"""

import importlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from dev.complaint import why
from dev.context import Context
from dev.settings import STAGE


def main() -> None:
    name, timeout, memory, fd, _slot = sys.argv[1:]
    # Ctrl-C is for the supervisor alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    events: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(events,), daemon=True).start()
    with os.fdopen(int(fd), "wb") as answers:
        handler = _load(name)
        _send(answers, {"ready": True})
        while line := events.get():
            context = Context(f"sortie-{STAGE}-{name}", float(timeout), int(memory))
            _send(answers, _call(handler, json.loads(line), context))


def _load(name: str) -> Any:
    sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module("app").app.handler_map[name]
    except Exception as error:
        print(why(error, Path.cwd()), flush=True)
        os._exit(1)


def _listen(events: "queue.SimpleQueue[bytes]") -> None:
    """End of input means that the supervisor is gone, or wants this worker gone: even in the middle of a job."""
    with os.fdopen(os.dup(0), "rb") as lines:
        for line in lines:
            events.put(line)
    os.killpg(0, signal.SIGKILL)


def _call(handler: Any, event: dict[str, Any], context: Context) -> dict[str, Any]:
    try:
        answer = handler(event, context)
        json.dumps(answer)
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        return {"error": f"{type(error).__name__}: {error}"}
    return {"answer": answer}


def _send(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
