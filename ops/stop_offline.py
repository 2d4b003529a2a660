"""`make stop-offline`: ends the emulator that `make deploy-offline` started."""

import os
import sys

from ops import emulator
from ops.deploy_offline import folder_of


def main() -> int:
    print("Stopped." if emulator.stop(folder_of(os.environ)) else "No emulator of make deploy-offline runs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
