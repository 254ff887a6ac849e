"""A progress bar over paths."""

from typing import Any

from pathfinder._paths.outcomes import PathReport
from pathfinder._status import Status


SHOW_AFTER_SECONDS = 0.5  # a fit that is done by then needs no bar


class ProgressBar:
    """Counts finished paths and shows the iterations made and the best ELBO so far; also in notebooks."""

    def __init__(self, num_paths: int, enabled: bool):
        from tqdm.auto import tqdm

        self.bar: Any = tqdm(
            total=num_paths, desc="Pathfinder", unit="path", disable=not enabled, delay=SHOW_AFTER_SECONDS, leave=False
        )
        self.num_iterations = 0
        self.finished: set[int] = set()
        self.best_elbo = float("-inf")

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def update(self, reports: list[PathReport]) -> None:
        """Take in the progress of some paths."""
        self.num_iterations += sum(len(report.iterations.iteration) for report in reports)
        self.best_elbo = max([self.best_elbo, *(report.best_elbo for report in reports)])
        self.bar.set_postfix(iterations=self.num_iterations, best_elbo=f"{self.best_elbo:.2f}", refresh=False)
        finished = {report.lane for report in reports if report.status != Status.RUNNING} - self.finished
        self.finished |= finished  # a path can report again after its end
        self.bar.update(len(finished))
