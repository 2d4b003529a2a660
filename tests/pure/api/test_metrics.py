"""GET /metrics, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from chalicelib.api.prometheus import render_metrics
from chalicelib.core.access import Principal, Role
from chalicelib.service.stats import stats
from tests.pure.api.conftest import MemoryApi

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(text: str) -> Samples:
    """Every sample once, by its name and labels; a family that has no help or type fails."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples
            samples[key] = sample.value
    return samples


def fill(memory: MemoryApi) -> None:
    for number in range(3):
        memory.submit(array=[number])
    memory.submit(task="fail", input={"message": "x"}, max_attempts=1)
    memory.work()
    memory.submit(array=[1], run_in="1h")
    memory.submit(array=[1])
    memory.clock.advance(30)


def test_figures_are_those_of_the_statistics(memory: MemoryApi) -> None:
    fill(memory)
    answer = memory.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = samples_of(answer.raw.decode())
    owner = ("owner", "local")
    assert samples["sortie_jobs_open", (owner, ("status", "scheduled"))] == 1
    assert samples["sortie_jobs_open", (owner, ("status", "pending"))] == 1
    assert samples["sortie_jobs_ended_last_hour", (owner, ("status", "completed"))] == 3
    assert samples["sortie_jobs_ended_last_hour", (owner, ("status", "failed"))] == 1
    assert samples["sortie_oldest_pending_seconds", (owner,)] == 30
    assert samples["sortie_job_duration_seconds", (owner, ("quantile", "0.5"))] >= 0
    assert samples["sortie_queue_messages", (("lane", "quick"), ("state", "waiting"))] == 1


def test_the_queue_is_everybodys_and_shown_to_admins_alone(memory: MemoryApi) -> None:
    fill(memory)
    samples = stats(memory.ports, "local")
    for role, is_shown in ((Role.READ, False), (Role.SUBMIT, False), (Role.ADMIN, True)):
        text = render_metrics(samples, "local", Principal("local", role))
        assert ("sortie_queue_messages" in text) is is_shown
        assert samples_of(text)


def test_an_owner_without_a_job_has_figures_too(memory: MemoryApi) -> None:
    samples = samples_of(memory.ask("GET", "/metrics?owner=nobody").raw.decode())
    assert samples["sortie_jobs_open", (("owner", "nobody"), ("status", "running"))] == 0
    assert not [name for name, _ in samples if name == "sortie_job_duration_seconds"]
