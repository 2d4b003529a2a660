"""lib/once.js: a request of the page that makes something has one key, until it is known what became of it.

Node runs the page's own modules, and asks a server.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.servers import JOB, Says, answering, script

LIB = Path(__file__).parents[2] / "chalicelib" / "web" / "lib"
BULK = b'{"results":[{"status":202},{"status":%d}]}'
CLICKS = """
globalThis.document = { baseURI: process.env.URL };
globalThis.sessionStorage = { getItem: () => null };
const { poster } = await import("./once.js");
const post = poster();
for (const path of process.env.PATHS.split(" ")) await post(path, { body: '{"task": "sort"}' }).catch(() => {});
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The modules, and a word to Node that they are modules."""
    if shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("no Node")
    shutil.copytree(LIB, tmp_path / "lib")
    (tmp_path / "lib" / "package.json").write_text('{"type": "module"}')
    (tmp_path / "lib" / "clicks.js").write_text(CLICKS)
    return tmp_path / "lib"


def keys(folder: Path, first: Says, paths: str = "jobs jobs") -> list[str]:
    """Of clicks on these paths, the first of which is answered so."""
    with answering(script([first, Says(202, JOB)])) as server:
        env = {"PATH": os.environ["PATH"], "URL": f"{server.url}/", "PATHS": paths}
        subprocess.run(["node", "clicks.js"], cwd=folder, env=env, check=True, timeout=60)
    return [seen.headers["idempotency-key"] for seen in server.seen]


@pytest.mark.parametrize(
    "unknown",
    [
        Says(breaks=0),
        Says(202, JOB, breaks=9),
        Says(500),
        Says(503),
        Says(504, b"<html>"),
        Says(207, BULK % 503),
        Says(401),
        Says(429),
    ],
    ids=["cut", "half", "500", "503", "504", "entry", "401", "429"],
)
def test_a_click_after_an_unknown_outcome_asks_under_the_same_key(folder: Path, unknown: Says) -> None:
    first, second = keys(folder, unknown)
    assert first == second


@pytest.mark.parametrize(
    "known", [Says(202, JOB), Says(409), Says(422), Says(207, BULK % 422)], ids=["202", "409", "422", "entry"]
)
def test_a_click_after_a_known_outcome_asks_for_something_new(folder: Path, known: Says) -> None:
    first, second = keys(folder, known)
    assert first != second


def test_another_request_has_another_key_and_the_first_one_keeps_its_own(folder: Path) -> None:
    first, other, again = keys(folder, Says(504), "jobs/a/run-again jobs/b/run-again jobs/a/run-again")
    assert first == again != other


def test_each_script_that_makes_something_makes_it_under_a_key() -> None:
    """An upload that nobody names makes nothing, and a second retry of a job is refused: those go without."""
    scripts = [path for path in LIB.parent.rglob("*.js") if "vendor" not in path.parts]
    bare = {path.name: path.read_text("utf-8").count('call("POST"') for path in scripts}
    assert {name: count for name, count in bare.items() if count} == {
        "upload.js": 1, "once.js": 1, "jobactions.js": 1,
    }  # fmt: skip
