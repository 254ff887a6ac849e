"""A progress bar over paths, and what comes after them."""

from collections.abc import Callable
from threading import Lock, Timer
from typing import Any, NamedTuple

from pathfinder._paths.outcomes import PathReport
from pathfinder._status import Status


SHOW_AFTER_SECONDS = 0.5  # a fit that is done by then needs no bar


class _Stage(NamedTuple):
    description: str
    done: int
    total: int | None
    unit: str


class ProgressBar:
    """Counts finished paths and shows the iterations made and the best ELBO so far; also in notebooks.

    After the paths it shows which stage the fit is in, and how far that has come if it is known.

    Until all lanes have moved for the first time it shows that the density is compiled, which takes most of a first
    fit and says nothing about how long paths take.

    Args:
        num_paths: Number of paths.
        enabled: Whether to show anything.
    """

    def __init__(self, num_paths: int, enabled: bool):
        self.num_paths, self.enabled = num_paths, enabled
        self.bar: Any = None
        self.num_iterations = 0
        self.finished: set[int] = set()
        self.best_elbo = float("-inf")
        self.num_checks = 0
        self._stage: _Stage | None = None
        self._is_over = False
        self._lock = Lock()
        # A thread of its own, because the one of the fit is away while it compiles.
        self._timer = Timer(SHOW_AFTER_SECONDS, self._show)
        self._timer.daemon = True

    def __enter__(self) -> "ProgressBar":
        if self.enabled:
            self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_over = True
            if self.bar is not None:
                self.bar.close()

    @property
    def is_compiling(self) -> bool:
        """Whether no lane has moved yet."""
        return self.num_checks < 2

    def watching(self, check: Callable[[], None]) -> Callable[[], None]:
        """`check`, which is called before lanes are moved, telling the bar so."""

        def call() -> None:
            self.num_checks += 1
            if self.num_checks == 2:
                self._refresh()
            check()

        return call

    def update(self, reports: list[PathReport]) -> None:
        """Take in the progress of some paths."""
        self.num_iterations += sum(len(report.iterations.iteration) for report in reports)
        self.best_elbo = max([self.best_elbo, *(report.best_elbo for report in reports)])
        # A path can report again after its end.
        self.finished |= {report.lane for report in reports if report.status != Status.RUNNING}
        self._refresh()

    def begin(self, description: str, done: int = 0, total: int | None = None, unit: str = "") -> None:
        """Show another stage than paths, and how much of it is done."""
        self._stage = _Stage(description, done, total, unit)
        self._refresh()

    def _show(self) -> None:
        from tqdm.auto import tqdm  # takes a while to load, and few fits show a bar

        with self._lock:
            if not self._is_over:
                self.bar = tqdm(total=self.num_paths, unit="path", leave=False, delay=1e-9)
        self._refresh()

    def _refresh(self) -> None:
        with self._lock:
            if self.bar is None or self._is_over:
                return
            if self._stage is not None:
                description, self.bar.n, self.bar.total, self.bar.unit = (
                    self._stage.description, self._stage.done, self._stage.total, self._stage.unit
                )  # fmt: skip
                self.bar.bar_format = "{desc} [{elapsed}]" if self._stage.total is None else None
                self.bar.set_postfix({}, refresh=False)
                self.bar.set_description_str(description, refresh=True)
                return
            if self.is_compiling:
                self.bar.bar_format = "{desc} [{elapsed}]"
                self.bar.set_description_str("Compiling the density", refresh=True)
                return
            self.bar.bar_format = None
            self.bar.set_description("Pathfinder", refresh=False)
            postfix = {"iterations": self.num_iterations, "best_elbo": f"{self.best_elbo:.2f}"}
            self.bar.set_postfix(postfix if self.num_iterations else {}, refresh=False)
            self.bar.n = len(self.finished)
            self.bar.refresh()
