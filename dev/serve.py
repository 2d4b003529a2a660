"""`chalice local` on a socket that the stack keeps open: `python -m dev.serve HOST PORT STAGE FD`.

While changed sources are loaded, connections wait in the socket's backlog instead of being refused.
"""

import logging
import os
import signal
import socket
import sys
from socketserver import BaseServer
from typing import Any

from chalice.cli import cli
from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

# Chalice listens with a backlog of 5; one connection more, and clients wait a second for the next SYN.
BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """OSError when the port is taken or not allowed."""
    return socket.create_server((host, port), backlog=BACKLOG)


def main() -> None:
    host, port, stage, fd = sys.argv[1:]
    signal.signal(signal.SIGTERM, _leave)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # Headers and body leave in two writes: with Nagle's algorithm each keep-alive request waits 40 ms for an ACK.
    ChaliceRequestHandler.disable_nagle_algorithm = True
    if not os.environ.get("VERBOSE"):
        ChaliceRequestHandler.log_message = _silent
    # Requests in hand are answered after SIGTERM, for as long as the stack waits.
    ThreadedHTTPServer.daemon_threads = False
    ThreadedHTTPServer.request_queue_size = BACKLOG
    ThreadedHTTPServer.handle_error = _complain
    ThreadedHTTPServer.server_bind = lambda server: _adopt(server, int(fd))
    # The stack watches the sources itself: Chalice's own watcher walks .venv and .data every second.
    options = ["--stage", stage, "--host", host, "--port", port, "--no-autoreload"]
    cli(args=["local", *options], obj={})


def _adopt(server: Any, fd: int) -> None:
    server.socket.close()
    server.socket = socket.socket(fileno=fd)
    server.server_address = server.socket.getsockname()
    server.server_name, server.server_port = server.server_address


def _complain(server: Any, request: Any, client: Any) -> None:
    """A client that went away is no error of the server's."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        BaseServer.handle_error(server, request, client)


def _leave(*_: Any) -> None:
    sys.exit(0)


def _silent(*_: Any) -> None:
    return


if __name__ == "__main__":
    main()
