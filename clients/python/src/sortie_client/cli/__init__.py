"""The command `sortie`: the client for people and shells."""

import sys


def main() -> None:
    try:
        from sortie_client.cli.app import run
    except ImportError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(f"sortie: the command needs {error.name}: pip install 'sortie-client[cli]'")
    sys.exit(run())
