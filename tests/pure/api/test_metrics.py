"""GET /metrics, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from chalicelib.api.prometheus import render_metrics
from chalicelib.core.lane import Lane
from chalicelib.service.ages import oldest_by_lane, stage_by_lane
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
    assert samples["sortie_oldest_pending_seconds", (("lane", "quick"), owner)] == 30
    assert samples["sortie_oldest_pending_seconds", (("lane", "long"), owner)] == 0
    assert samples["sortie_job_duration_seconds", (owner, ("quantile", "0.5"))] >= 0
    assert samples["sortie_queue_messages", (("lane", "quick"), ("state", "waiting"))] == 1


def ages(memory: MemoryApi) -> tuple[float, float]:
    """Of the oldest pending job in the quick lane, and in the long one."""
    samples = samples_of(memory.ask("GET", "/metrics").raw.decode())
    quick, long = (samples["sortie_oldest_pending_seconds", (("lane", lane), ("owner", "local"))] for lane in Lane)
    return quick, long


def test_each_lane_has_the_age_of_its_own_oldest_job(memory: MemoryApi) -> None:
    assert ages(memory) == (0, 0)
    memory.submit(task="sleep", input={"seconds": 0})
    memory.clock.advance(20)
    memory.submit(array=[1])
    memory.submit(task="sleep", input={"seconds": 0})
    memory.clock.advance(10)
    memory.submit(array=[2])
    assert ages(memory) == (10, 30)


def test_a_quick_job_that_met_trouble_counts_in_the_long_lane_and_one_that_runs_in_none(memory: MemoryApi) -> None:
    lost = memory.submit(array=[1])
    memory.queue.held.clear()
    memory.clock.advance(70)
    memory.dispatch()  # its message is sent again, to the long lane
    memory.submit(array=[2])
    memory.clock.advance(5)
    assert ages(memory) == (5, 75)
    memory.ports.jobs.claim(lost["id"], memory.clock.now(), "token")
    assert ages(memory) == (5, 0)


def test_the_queue_is_everybodys_and_shown_to_admins_alone(memory: MemoryApi) -> None:
    fill(memory)
    samples = stats(memory.ports, "local")
    by_lane = oldest_by_lane(memory.ports, samples.pending)
    for of_stage in (None, stage_by_lane(memory.ports, samples.lanes)):
        text = render_metrics(samples, "local", by_lane, of_stage)
        assert ("sortie_queue_" in text) is (of_stage is not None)
        assert samples_of(text)


def test_a_stage_has_the_age_of_each_lane_whoever_the_jobs_belong_to(memory: MemoryApi) -> None:
    """Its oldest id may be that of a job that is due much later, or has ended."""

    def of_stage() -> tuple[float, float]:
        samples = samples_of(memory.ask("GET", "/metrics?owner=nobody").raw.decode())
        quick, long = (samples["sortie_queue_oldest_seconds", (("lane", lane),)] for lane in Lane)
        return quick, long

    memory.submit(task="sleep", input={"seconds": 0}, run_in="50s")
    assert of_stage() == (0, 0)
    memory.submit(task="sleep", input={"seconds": 0}, run_in="2h")
    memory.submit(array=[1])
    memory.clock.advance(60)
    memory.submit(array=[2])
    assert of_stage() == (60, 10)
    memory.work()
    assert of_stage() == (0, 0)


def test_an_owner_without_a_job_has_figures_too(memory: MemoryApi) -> None:
    samples = samples_of(memory.ask("GET", "/metrics?owner=nobody").raw.decode())
    assert samples["sortie_jobs_open", (("owner", "nobody"), ("status", "running"))] == 0
    assert not [name for name, _ in samples if name == "sortie_job_duration_seconds"]
