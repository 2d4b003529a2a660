"""The command `sortie` as a shell sees it: stdout, stderr, stdin, exit codes."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.stacks.client.conftest import MAIN, Command

SLOW = '{"seconds": 60}'


def test_numbers_come_back_in_the_form_they_came(sortie: Command, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("3\n1\n2.5\n")
    done = sortie("sort", "n.txt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n2.5\n3\n", "")
    assert sortie("sort", "-", stdin="[3, 1, 123456789012345678901234567890]").stdout == (
        "[1,3,123456789012345678901234567890]\n"
    )
    np.save(tmp_path / "n.npy", np.array([3, 1, 2], "int16"))
    assert sortie("sort", "n.npy", "-o", "out.npy", "--descending").returncode == 0
    back = np.load(tmp_path / "out.npy")
    assert (back.tolist(), back.dtype) == ([3, 2, 1], np.int16)


@pytest.mark.parametrize(
    ("task", "task_input", "options", "code", "words"),
    [
        ("sleep", '{"seconds": 0.1}', [], 0, ""),
        ("fail", '{"message": "not today"}', ["--max-attempts", "1"], 1, "failed: task_error: not today"),
        ("sleep", SLOW, ["--timeout", "1"], 124, "the work goes on"),
        ("sleep", '{"seconds": -1}', [], 2, "input.seconds"),
        ("nothing", "{}", [], 2, "unknown task"),
        ("sort", "[1, x]", [], 2, "<stdin> is not JSON: invalid character (byte 4)"),
    ],
)
def test_the_exit_code_says_how_it_ended(
    sortie: Command, task: str, task_input: str, options: list[str], code: int, words: str
) -> None:
    done = sortie("submit", task, "-i", "-", "--wait", *options, stdin=task_input)
    assert done.returncode == code, done
    assert words in done.stderr
    assert done.stderr.count("\n") == (0 if code == 0 else 1), "one line, no traceback"
    if code == 0:
        assert json.loads(done.stdout) == {"slept": 0.1}


def test_ids_flow_through_pipes(sortie: Command) -> None:
    ids = "".join(sortie("submit", "sleep", "-i", "-", stdin=SLOW).stdout for _ in range(2))
    assert ids.count("\n") == 2
    late = sortie("wait", "--timeout", "1", stdin=ids)
    assert (late.returncode, late.stdout) == (124, "")
    canceled = sortie("cancel", "--json", stdin=ids)
    assert canceled.returncode == 0
    assert [json.loads(line)["id"] for line in canceled.stdout.splitlines()] == ids.split()
    waited = sortie("wait", stdin=canceled.stdout)
    assert waited.returncode == 3
    assert sorted(line.split()[:2] for line in waited.stdout.splitlines()) == sorted(
        [job_id, "canceled"] for job_id in ids.split()
    )
    again = sortie("cancel", *ids.split(), "01m8aek5rf07k6ds0twh8pd1qt")
    assert again.returncode == 1
    assert again.stderr.count("already ended") == 2
    assert again.stderr.count("there is no job") == 1


def test_every_look_has_a_form_for_people_and_one_for_programs(sortie: Command) -> None:
    job_id = sortie("submit", "sort", "-i", "-", stdin="[2, 1]").stdout.strip()
    assert sortie("wait", job_id).returncode == 0
    assert job_id in sortie("ls", "-n", "5").stdout
    assert "completed" in sortie("show", job_id).stdout
    assert sortie("show", job_id, "--output").stdout == '{"array":[1,2]}\n'
    assert job_id in sortie("ls", "--since", "1h", "--ids").stdout.split()
    assert sortie("ls", "--until", "1h", "--ids").stdout.split() == []
    assert "group_a" in sortie("groups").stdout
    assert "runs for" in sortie("stats").stdout
    assert "running and pending" in sortie("top").stdout
    for look in (["ls", "-n", "2"], ["show", job_id], ["groups"], ["stats"], ["top"], ["schedules"], ["wait", job_id]):
        done = sortie(*look, "--json")
        assert done.returncode == 0, done
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())
    schedule = json.loads(sortie("schedules", "add", "0 3 * * *", "sort", "-i", "-", "--json", stdin="[2,1]").stdout)
    assert schedule["job"] == {"task": "sort", "input": {"array": [2, 1]}}
    assert schedule["id"] in sortie("schedules").stdout
    assert sortie("schedules", "rm", schedule["id"]).stdout.strip() == schedule["id"]
    started = sortie("groups", "run", "group_a", "--wait", "--timeout", "60")
    assert (started.returncode, started.stdout.count("completed")) == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "words"),
    [
        (["nope"], {}, 2, "No such command"),
        (["sort", "nowhere.txt"], {}, 2, "nowhere.txt"),
        (["show", "xyz"], {}, 1, "there is no job"),
        (["ls"], {"SORTIE_URL": "http://127.0.0.1:1"}, 1, "nothing answers at http://127.0.0.1:1"),
        (["ls"], {"SORTIE_URL": "nonsense"}, 2, "is no address"),
        (["--profile", "none", "ls"], {}, 2, "no profile 'none'"),
        (["wait"], {}, 2, "stdin held no ids"),
    ],
)
def test_an_error_is_one_line(
    sortie: Command, arguments: list[str], variables: dict[str, str], code: int, words: str
) -> None:
    done = sortie(*arguments, **variables)
    assert done.returncode == code
    assert done.stderr.startswith("sortie: ")
    assert words in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


def test_login_keeps_a_profile_that_is_used_from_then_on(sortie: Command, environ: dict[str, str]) -> None:
    url = environ.pop("SORTIE_URL")
    said = sortie("login", url, "--token-stdin", stdin="secret-token\n")
    assert said.returncode == 0, said
    assert "secret-token" not in said.stdout + said.stderr
    assert url in (Path(environ["HOME"]) / ".config/sortie/config.toml").read_text()
    assert sortie("ls", "-n", "1").returncode == 0
    assert sortie("login", "http://127.0.0.1:1").returncode == 1
    assert url in (Path(environ["HOME"]) / ".config/sortie/config.toml").read_text(), "only what answers is kept"


def test_the_log_of_a_job_without_a_container_is_refused_in_a_line(sortie: Command) -> None:
    job_id = sortie("submit", "sort", "-i", "-", stdin="[1]").stdout.strip()
    done = sortie("log", job_id)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "container" in done.stderr


def test_the_shell_completes_commands_ids_and_groups(sortie: Command) -> None:
    assert "_SORTIE_COMPLETE=bash_complete" in sortie("completion", "bash").stdout
    job_id = sortie("submit", "sort", "-i", "-", stdin="[1]").stdout.strip()

    def completed(line: str) -> str:
        words = line.split(" ")
        index = str(len(words) - 1)
        return sortie(_SORTIE_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=index).stdout

    assert "run-again" in completed("sortie r")
    assert "group_a" in completed("sortie groups run gr")
    assert job_id in completed(f"sortie show {job_id[:20]}")


def test_bars_are_drawn_on_a_terminal_and_nowhere_else(environ: dict[str, str], tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.random.default_rng(1).random(400_000))
    command = [sys.executable, "-c", MAIN, "sort", "large.npy", "-o", "sorted.npy"]
    main, worker = pty.openpty()
    seen = environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=tmp_path, env=seen, stdin=worker, stdout=worker, stderr=worker) as process:
        os.close(worker)
        drawn = b""
        while piece := _read(main):
            drawn += piece
    os.close(main)
    assert process.returncode == 0, drawn
    assert b"upload" in drawn
    assert b"MB" in drawn
    piped = subprocess.run(command, cwd=tmp_path, env=seen, capture_output=True, timeout=120)
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, b"", b"")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""


def test_last_nights_failed_job_is_found_and_run_again_with_another_input(sortie: Command) -> None:
    bad = '{"message": "no", "times": 2}'
    failed = sortie("submit", "fail", "-i", "-", "--max-attempts", "1", stdin=bad).stdout.strip()
    assert sortie("wait", failed).returncode == 1
    listed = sortie("ls", "--status", "failed", "--since", "12h", "--ids").stdout.split()
    assert failed in listed
    again = sortie("run-again", failed, "-i", "-", stdin='{"message": "no", "times": 0}')
    assert again.returncode == 0, again
    assert sortie("wait", stdin=again.stdout).returncode == 0
    assert json.loads(sortie("show", "--json", stdin=again.stdout).stdout)["parent_id"] == failed
    assert sortie("run-again", failed, "--run-in", "1h", "--json").returncode == 0
