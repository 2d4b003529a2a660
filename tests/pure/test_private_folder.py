"""What is stored on this machine is for its owner alone."""

import stat
from pathlib import Path

import pytest

from dev.settings import BadStart, private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_and_those_above_it_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "data" / "offline", "DATA_DIR")
    assert (mode(tmp_path / "data"), mode(tmp_path / "data" / "offline")) == (0o700, 0o700)


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    private_folder(tmp_path / "data", "DATA_DIR")
    assert mode(tmp_path / "data") == 0o700


def test_a_folder_that_cannot_be_made_is_named_with_its_variable() -> None:
    with pytest.raises(BadStart, match="DATA_DIR=/dev/null/data: Not a directory"):
        private_folder(Path("/dev/null/data"), "DATA_DIR")
