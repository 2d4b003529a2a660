"""Podman's service as a module, so that it ends with its parent: `python -m dev.podman ADDRESS`."""

import signal
import subprocess
import sys


def command(address: str) -> list[str]:
    """Without a time-out: the emulator is silent for as long as no container runs."""
    return ["podman", "system", "service", "--time", "0", address]


def main() -> int:
    service = subprocess.Popen(command(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: service.terminate())
    return service.wait()


if __name__ == "__main__":
    sys.exit(main())
