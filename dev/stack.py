"""Everything that `make run` starts, as one thing that can be started, watched and stopped."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from dev import containers, emulator, engine, resources, sample
from dev.client import Client
from dev.process import Child, exit_text, module, say
from dev.runner import Runner
from dev.serve import listen
from dev.settings import HOST, STAGE, BadStart, DevSettings, child_environ, private_folder, use_emulator
from dev.watch import Watch

# No functions: whatever can call an emulator that has Lambda can run code here.
SERVICES = "s3,sqs,dynamodb"
TICK = 0.1
SERVER_GRACE = 1.0
# Looking at every source file is not worth doing on each tick.
WATCH_EVERY = 0.5


class Stack:
    def __init__(self, settings: DevSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self.url = f"http://{HOST}:{settings.port}"
        self._launch = emulator.Emulator(
            emulator.free_port(), settings.emulator, settings.data / "ministack",
            verbose=settings.verbose, services=SERVICES, page_port=settings.port,
        )  # fmt: skip
        self.endpoint = settings.endpoint or self._launch.endpoint
        self._environ = child_environ(environ, settings, self.endpoint)
        self._engine: engine.Engine | None = None
        self._emulator: Child | None = None
        self._server: Child | None = None
        self._socket: socket.socket | None = None
        self._lock: TextIO | None = None
        self._runner = Runner(settings, self._environ)
        self._watch = Watch(settings.root)
        self._next_look = 0.0
        self._server_broken = False

    def start(self) -> None:
        """Returns when a sample job has come back sorted; BadStart otherwise."""
        settings = self._settings
        self._socket = _listen(settings.port)
        private_folder(settings.data, "DATA_DIR")
        if settings.endpoint is not None:
            emulator.demand(settings.endpoint)
        if settings.endpoint is None:
            self._lock = _claim(settings.data)
            self._find_engine()
            self._emulator = emulator.start(self._launch, self._environ)
        sources = self._runner.read()
        self._server = self._serve()
        emulator.wait(self.endpoint, self._why_no_emulator, settings.start_limit)
        say("", f"Emulator at {self.endpoint}")
        use_emulator(self._environ)
        resources.create(STAGE, self.endpoint, settings.root)
        if self._environ.get("CONTAINER_IMAGES"):
            containers.prepare(self._environ, self.endpoint)
        self._runner.start(sources)
        sample.wait_until_healthy(self.url, self._check_children, settings.start_limit)
        say("", sample.run(Client(self.url)))

    def tick(self) -> None:
        """Restarts what died or changed; BadStart when the emulator is gone, as the jobs are gone with it."""
        time.sleep(TICK)
        if self._emulator is not None and self._emulator.code is not None:
            raise BadStart(f"The emulator is gone. Start again with: make run\n{self._emulator.tail()}")
        if self._server is not None and self._server.code is not None and not self._server_broken:
            self._server_died(self._server)
        if self._engine is not None and self._engine.child is not None and self._engine.child.code is not None:
            self._revive_engine()
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + WATCH_EVERY
            self._look()

    def stop(self) -> None:
        """The emulator goes last: it saves its state, which the others may still be changing."""
        if self._server is not None:
            self._server.stop(SERVER_GRACE)
        self._runner.stop()
        if self._emulator is not None:
            self._emulator.stop(emulator.STOP_LIMIT)
            if host := self._environ.get("DOCKER_HOST"):
                left = engine.remove_containers(host, self._launch.port)
                say("", f"Containers that were left: {left}, removed.") if left else None
        if self._engine is not None:
            self._engine.stop()
        for resource in (self._socket, self._lock):
            if resource is not None:
                resource.close()

    def _find_engine(self) -> None:
        """Before the emulator starts, which would answer RunTask without one, and run nothing."""
        settings = self._settings
        if settings.emulator == "ministack":
            self._engine = engine.find(self._environ, settings.data / "engine")
        self._environ |= {**containers.variables(settings, self._engine), **self._environ}
        if off := self._environ.get("CONTAINERS_OFF"):
            say("", off)
        else:
            self._launch = replace(self._launch, services=f"{SERVICES},{containers.SERVICES}")

    def _revive_engine(self) -> None:
        """Its containers run on without it."""
        say("", "Podman's service has ended; starting it again.")
        self._engine = engine.start_podman(self._environ, self._settings.data / "engine")

    def _serve(self) -> Child:
        assert self._socket is not None
        fd = self._socket.fileno()
        self._server_broken = False
        command = module("dev.serve", HOST, str(self._settings.port), STAGE, str(fd))
        return Child("routes", command, self._environ, root=self._settings.root, fds=(fd,))

    def _server_died(self, server: Child) -> None:
        """Died by a signal: come back. Ended by itself: the sources do not load, so wait for the next change."""
        self._server_broken = (server.code or 0) >= 0
        text = exit_text(server.code)
        if self._server_broken:
            say("", f"The routes do not start ({text}); they will be tried again when a source file changes.")
        else:
            say("", f"The routes {text}; starting them again.")
            server.kill()
            self._server = self._serve()

    def _look(self) -> None:
        if not (changed := self._watch.changed()):
            return
        try:
            sources = self._runner.read()
        except BadStart as error:
            say("", f"Routes and handlers keep the code they have until the next change. {error}")
            return
        say("", f"Changed: {', '.join(changed)}. Routes and handlers start again.")
        self._replace_server()
        if "resources.yaml" in changed:
            resources.create(STAGE, self.endpoint, self._settings.root)
        self._runner.renew(sources)

    def _replace_server(self) -> None:
        """The new one loads while the old one answers what it has in hand."""
        old = self._server
        if old is not None:
            old.terminate()
        self._server = self._serve()
        if old is not None:
            old.stop(SERVER_GRACE)

    def _check_children(self) -> None:
        for child in (self._emulator, self._server):
            if child is not None and child.code is not None:
                raise BadStart(f"The stack did not start. {child.tail()}")

    def _why_no_emulator(self) -> str | None:
        return self._emulator.why_ended() if self._emulator is not None else None


def _claim(data: Path) -> TextIO:
    """Two emulators would write their state over each other's."""
    try:
        lock = (data / "lock").open("w", buffering=1)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.write(f"{os.getpid()}\n")
    except BlockingIOError:
        raise BadStart(f"Another stack keeps its jobs in {data}. Stop it, or: DATA_DIR=.data/second make run") from None
    except OSError as error:
        raise BadStart(f"DATA_DIR={data}: {error.strerror}. Name a folder that can be written.") from None
    return lock


def _listen(port: int) -> socket.socket:
    try:
        return listen(HOST, port)
    except OSError as error:
        if error.errno == errno.EACCES:
            raise BadStart(f"Port {port} is not allowed to you. Choose one above 1023: PORT=8000 make run") from None
        raise BadStart(
            f"Port {port} is taken. Stop what listens there, or choose another: PORT={port % 65535 + 1} make run"
        ) from None
