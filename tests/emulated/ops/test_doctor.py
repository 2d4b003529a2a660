"""The doctor tells an emulator that keeps its word from one that does not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks import probes
from dev import emulator
from ops import doctor
from tests.support import engines

pytestmark = pytest.mark.slow
FAIR = "messages say whose they are (fair queues)"


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, doctor.Row]]:
    rows = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
        for name in ("ministack", "moto"):
            with emulator.running(name) as endpoint:
                rows[name] = doctor.examine(endpoint)
    return rows


def test_ministack_keeps_everything_that_is_probed(verdicts: dict[str, dict[str, doctor.Row]]) -> None:
    broken = {name: note for name, (kept, note) in verdicts["ministack"].items() if not kept}
    assert "no engine is behind it" in broken.pop(probes.CONTAINERS)
    assert broken == {}


def test_containers_are_told_to_run_where_an_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with engines.own_engine() as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with emulator.running() as endpoint, probes.prepare(endpoint) as sandbox:
            assert probes.containers_end(sandbox) == ""


def test_moto_keeps_what_is_needed_and_is_told_apart_where_it_does_not(
    verdicts: dict[str, dict[str, doctor.Row]],
) -> None:
    broken = {name for name, (kept, _) in verdicts["moto"].items() if not kept}
    assert {"consumed capacity", probes.CONTAINERS} <= broken
    assert not broken & probes.NEEDED


def test_both_take_messages_that_say_whose_they_are(verdicts: dict[str, dict[str, doctor.Row]]) -> None:
    assert [name for name, rows in verdicts.items() if rows[FAIR][0]] == ["ministack", "moto"]


def test_a_queue_that_refuses_a_group_is_told_apart() -> None:
    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "MessageGroupId" in str(params):
            error = {"Code": "InvalidParameterValue", "Message": "The parameter MessageGroupId is for FIFO queues"}
            raise ClientError({"Error": error}, "SendMessage")

    with emulator.running("moto") as endpoint, probes.prepare(endpoint) as sandbox:
        sandbox.queue.meta.events.register("before-parameter-build.sqs", refuse)
        kept, note = doctor.judge(probes.ALL[FAIR], sandbox)
    assert not kept
    assert "InvalidParameterValue" in note


def test_a_place_that_does_not_answer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.print_table({"here": dict.fromkeys(probes.ALL, (False, "nothing answers"))})
    assert capsys.readouterr().out.count("**no**: nothing answers") == len(probes.ALL)
