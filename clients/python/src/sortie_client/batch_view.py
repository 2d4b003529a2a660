"""What the sync and the async batch have in common: the jobs that were made, and the entries that were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from sortie_client.answers import JobState
from sortie_client.errors import SortieError
from sortie_client.job_view import JobView

J = TypeVar("J", bound=JobView)


class BatchView(Generic[J]):
    """`results`: a job or an error for each request, in the order given."""

    def __init__(self, results: Sequence[J | SortieError]) -> None:
        self.results = list(results)

    @property
    def jobs(self) -> list[J]:
        return [result for result in self.results if isinstance(result, JobView)]

    @property
    def errors(self) -> Mapping[int, SortieError]:
        """What was refused, by its place among the requests."""
        return {index: result for index, result in enumerate(self.results) if isinstance(result, SortieError)}

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> J:
        """Raises the error of an entry that was refused."""
        result = self.results[index]
        if isinstance(result, SortieError):
            raise result
        return result

    def __repr__(self) -> str:
        counts = Counter(job.status for job in self.jobs) + Counter({"refused": len(self.errors)})
        return f"<{type(self).__name__} of {len(self)}: {', '.join(f'{n} {name}' for name, n in counts.items())}>"

    def updated(self, states: Iterable[JobState]) -> list[J]:
        """The batch's jobs of these states. A repeat under a window may stand in the batch twice."""
        jobs = []
        by_id = {state.id: state for state in states}
        for job in self.jobs:
            if job.id in by_id:
                job.state = by_id[job.id]
                jobs.append(job)
        return jobs
