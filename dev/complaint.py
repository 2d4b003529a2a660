"""What to tell a developer whose app does not load."""

import traceback
from pathlib import Path

from dev.settings import ROOT


def why(error: Exception, root: Path) -> str:
    """The error and the lines of the app that led to it, without the frames of Chalice and importlib."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if _is_own(Path(each.filename), root)]
    return "".join(traceback.format_list(own) + traceback.format_exception_only(error)).rstrip()


def _is_own(file: Path, root: Path) -> bool:
    inside = file.is_relative_to(root) and not file.is_relative_to(ROOT / "dev")
    return inside and ".venv" not in file.parts
