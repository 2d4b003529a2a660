"""Podman's service as a module, so that it ends with its parent: `python -m dev.podman ADDRESS`."""

import subprocess
import sys


def command(address: str) -> list[str]:
    """Without a time-out: the emulator is silent for as long as no container runs."""
    return ["podman", "system", "service", "--time", "0", address]


if __name__ == "__main__":
    sys.exit(subprocess.call(command(sys.argv[1])))
