"""groups.yaml, read from the disk; what it means is said in api/groups.py."""

from pathlib import Path

FILE = Path(__file__).parent.parent / "groups.yaml"


def read_groups_file() -> bytes | None:
    """None where there is no such file, or none that may be read."""
    try:
        return FILE.read_bytes()
    except OSError:
        return None
