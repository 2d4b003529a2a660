"""An output that is streamed into a file: what stood there stays, and of a try that broke off nothing does."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sortie_client import Unreachable
from tests.pure.client.test_requests import BOTH, sync
from tests.support.servers import JOB, Says, Seen, Server, answering, script

WHOLE = b'{"array":[%b]}' % b",".join(b"%d" % n for n in range(20_000))
BEFORE = b"a month of results\n"


def store(server: Callable[[], Server], answers: Sequence[Says]) -> Callable[[Seen], Says]:
    """A job whose output lies behind a link, and what the store says to one fetch after the other."""
    says = script(answers)

    def answer(seen: Seen) -> Says:
        if seen.path == "/store":
            return says(seen)
        link = json.dumps({"href": f"{server().url}/store", "bytes": len(WHOLE)}).encode()
        return Says(200, JOB.replace(b'"pending"', b'"completed","output":' + link))

    return answer


def save(ask: Any, file: Any, *answers: Says, on_progress: Any = None) -> None:
    async def awaited(client: Any) -> None:
        await (await client.job("x")).save(file, on_progress=on_progress)

    with answering(store(lambda: server, answers)) as server:
        ask(
            server.url,
            (lambda client: client.job("x").save(file, on_progress=on_progress)) if ask is sync else awaited,
        )


def appended(path: Path) -> Any:
    """As a shell's `>>` gives it: it stands at 0, and writes at the end."""
    path.write_bytes(BEFORE)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb")


BREAKS = Says(200, WHOLE + b"[1]", breaks=90_000)


@BOTH
@pytest.mark.parametrize("answers", [[Says(200, WHOLE)], [BREAKS, BREAKS, Says(200, WHOLE)]], ids=["once", "anew"])
def test_a_file_that_is_appended_to_keeps_what_stood_there(ask: Any, answers: list[Says], tmp_path: Path) -> None:
    with appended(tmp_path / "file") as file:
        save(ask, file, *answers)
        file.write(b"\n")
    assert (tmp_path / "file").read_bytes() == BEFORE + WHOLE + b"\n"


def test_the_command_appends_where_the_shell_does(tmp_path: Path) -> None:
    program = "import sys; from sortie_client.cli.app import run; sys.exit(run())"
    with answering(store(lambda: server, [Says(200, WHOLE)])) as server, appended(tmp_path / "file") as file:
        environ = {"SORTIE_URL": server.url, "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, "-c", program, "show", "--output", "x"]
        subprocess.run(words, env=environ | {"XDG_CONFIG_HOME": str(tmp_path)}, stdout=file, check=True)
    assert (tmp_path / "file").read_bytes().rstrip(b"\n") == BEFORE + WHOLE


def test_what_others_have_appended_meanwhile_is_not_taken_back(tmp_path: Path) -> None:
    path, theirs = tmp_path / "file", b"a line of somebody else's\n"

    def write(done: int, total: int) -> None:
        if theirs not in path.read_bytes():
            with path.open("ab") as other:
                other.write(theirs)

    with appended(path) as file, pytest.raises(Unreachable, match="others write to the file"):
        save(sync, file, BREAKS, Says(200, WHOLE), on_progress=write)
    assert path.read_bytes().startswith(BEFORE)
    assert theirs in path.read_bytes()


@BOTH
def test_a_try_that_broke_off_is_taken_back_to_where_the_output_began(ask: Any) -> None:
    file = io.BytesIO()
    file.write(BEFORE)
    save(ask, file, Says(200, WHOLE + b"[1]", breaks=len(WHOLE) + 2), Says(200, WHOLE))
    assert file.getvalue() == BEFORE + WHOLE


def test_what_stands_behind_an_output_is_written_over_and_not_cut_off() -> None:
    behind = b"x" * (len(WHOLE) + 5)
    for answers in ([Says(200, WHOLE)], [BREAKS, Says(200, WHOLE)]):
        file = io.BytesIO(behind)
        save(sync, file, *answers)
        assert file.getvalue() == WHOLE + behind[-5:]
