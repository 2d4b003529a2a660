"""The guarded MiniStack, which also counts the calls that it gets: `GET /calls` says how many of each operation.

Only dev/process.py starts it, for benchmarks/deployed.py. What says that it is WATCHER is not counted.
"""

import json
import os
from collections import Counter
from typing import Any

from dev.guarded_ministack import Asgi, guarded

PATH, WATCHER = "/calls", "watcher"


def counted(app: Asgi) -> Asgi:
    calls: Counter[str] = Counter()

    async def counter(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(calls).encode()})
            return
        if scope["type"] == "http" and (name := operation(dict(scope["headers"]))):
            calls[name] += 1
        await app(scope, receive, send)

    return counter


def operation(headers: dict[bytes, bytes]) -> str:
    """`DynamoDB.PutItem`; empty for what is no call, or is the watcher's."""
    if headers.get(b"user-agent", b"").startswith(WATCHER.encode()):
        return ""
    target, _, name = headers.get(b"x-amz-target", b"").decode("latin-1").partition(".")
    return f"{target.partition('_')[0].removeprefix('Amazon')}.{name}" if name else ""


def main() -> None:
    import ministack.app as ministack  # a second, which only the emulator's own process pays

    ministack.app = counted(guarded(ministack.app, [int(os.environ["GATEWAY_PORT"])]))
    ministack.main()


if __name__ == "__main__":
    main()
