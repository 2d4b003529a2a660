"""Statistics in Prometheus's text form, version 0.0.4: an owner's own figures, and the stage's queue for an admin.

All are gauges: what has ended is counted over the last hour, since minute tallies are not kept for ever.
"""

from collections.abc import Iterable, Mapping

from chalicelib.service.ages import Ages
from chalicelib.service.stats import FRACTIONS, Stats, compute_percentiles

OPEN = ("scheduled", "pending", "running")

Sample = tuple[dict[str, str], float]


def render_metrics(stats: Stats, owner: str, ages: Ages, of_stage: Ages | None = None) -> str:
    """`ages`: of the owner's oldest pending jobs; `of_stage`: of the whole stage, left out without."""
    families = [*_of_owner(stats, ages, owner), *(_of_stage(stats, of_stage) if of_stage is not None else [])]
    return "".join(_render_family(name, words, samples) for name, words, samples in families)


def _of_owner(stats: Stats, ages: Ages, owner: str) -> Iterable[tuple[str, str, list[Sample]]]:
    by_status = {status: ({"owner": owner, "status": status}, float(count)) for status, count in stats.counts.items()}
    open_ = [sample for status, sample in by_status.items() if status in OPEN]
    ended = [sample for status, sample in by_status.items() if status not in OPEN]
    yield "sortie_jobs_open", "Jobs that have not ended, by status.", open_
    yield "sortie_jobs_ended_last_hour", "Jobs that ended in the last hour, by status.", ended
    retried = [({"owner": owner}, float(stats.whole.outcomes["retried"]))]
    yield "sortie_attempts_retried_last_hour", "Attempts of the last hour that another one follows.", retried
    oldest = [({"owner": owner, "lane": str(lane)}, age) for lane, age in ages.items()]
    yield "sortie_oldest_pending_seconds", "How long the oldest pending job of a lane has been due.", oldest
    words = "How long the last hour's jobs ran, without waiting."
    yield "sortie_job_duration_seconds", words, _quantiles(stats.whole.duration, owner)
    words = "How long the last hour's jobs waited from their time to their first attempt."
    yield "sortie_job_wait_seconds", words, _quantiles(stats.whole.wait, owner)


def _of_stage(stats: Stats, ages: Ages) -> Iterable[tuple[str, str, list[Sample]]]:
    samples: list[Sample] = []
    for lane, depth in stats.lanes.items():
        states = {"waiting": depth.waiting, "in_flight": depth.in_flight, "delayed": depth.delayed}
        samples += [({"lane": str(lane), "state": state}, float(count)) for state, count in states.items()]
    yield "sortie_queue_messages", "Messages of all owners in the queues, by lane and state.", samples
    oldest = [({"lane": str(lane)}, age) for lane, age in ages.items()]
    yield "sortie_queue_oldest_seconds", "How long the oldest job of a lane has been due, of all owners.", oldest
    yield "sortie_dead_messages", "Messages of both lanes that were given up.", [({}, float(stats.dead))]


def _quantiles(histogram: Mapping[int, int], owner: str) -> list[Sample]:
    """Left out where nothing ran. The histogram is in milliseconds."""
    figures = compute_percentiles(histogram)
    return [
        ({"owner": owner, "quantile": f"{FRACTIONS[name]:g}"}, milliseconds / 1000)
        for name, milliseconds in figures.items()
        if milliseconds is not None
    ]


def _render_family(name: str, words: str, samples: list[Sample]) -> str:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    lines += [f"{name}{{{_render_labels(labels)}}} {value:g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _render_labels(labels: Mapping[str, str]) -> str:
    """An owner and a status hold nothing that would have to be escaped."""
    return ",".join(f'{name}="{value}"' for name, value in labels.items())
