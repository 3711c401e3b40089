"""A study: a small training many times over, each time another case, and rows of what came out.

Scaling(corpus, experts=(1, 16)).start()                    # a background run; its result is the rows so far
Scaling(corpus, experts=(1, 16)).start(jobs=2)              # two trainings at a time, in processes of their own
with joblib.parallel_config("dask"): study.start(jobs=2)    # on the cluster of the current client
python -m gpt4lab.toys record experts                       # the run that the book ships, made anew
"""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Generator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import torch
from attrs import asdict, frozen

from gpt4lab import place
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, StepRows
from gpt4lab.toys.core.corpus import BYTES_PER_DOMAIN, load_corpus
from gpt4lab.toys.core.training import require_whole

Columns = Mapping[str, "str | Columns"]


def columns(text: str, **tables: Columns) -> Columns:
    """Columns from "name unit, name unit, word"; a word has no unit. tables: those that a row holds."""
    pairs = (column.partition(" ") for column in text.split(", "))
    return {**{name: unit for name, _, unit in pairs}, **tables}


class Found(list[Row]):
    """What a training yields, between its steps or behind them, for the result of the study."""


Trained = Generator[Row | Found, None, None]


@frozen
class Study:
    """A frame: a subclass has its settings as fields, says its cases, and trains one of them.

    name: of its runs. columns: of the rows of its result, with their units. recorded: the settings of the run that the
    book ships, in the folder `name`; fixed: constants that are to be read there too.
    """

    name: ClassVar[str]
    columns: ClassVar[Columns]
    recorded: ClassVar[Mapping[str, Any]] = {}
    fixed: ClassVar[Mapping[str, Any]] = {}

    def cases(self) -> list[Row]:
        """What each training has of its own; the rows that it finds begin with it. ValueError for what cannot be."""
        raise NotImplementedError

    def length(self, case: Row) -> int:
        """Steps of one training: what the case says, or the settings, or one."""
        return case.get("steps", getattr(self, "steps", 1))

    def train(self, case: Row) -> Trained:
        """One training: a row a step, and `Found`. The same case gives the same rows, but for times."""
        raise NotImplementedError

    def start(self, jobs: int = 1, name: str | None = None) -> BackgroundRun[list[Row]]:
        """Train in the background, `jobs` models at a time. The result is in the order of the cases.

        A stop keeps what was found. With several jobs a whole training is one step of the run. Raises ValueError
        where there is nothing to train, no case or no step.
        """
        require_whole(jobs=jobs)
        cases, result, name = self.cases(), [], self.name if name is None else name
        if not cases:
            raise ValueError(f"the study {self.name!r} has no case: none of its settings may be empty")
        for case in cases:
            require_whole(steps=self.length(case))
        if jobs == 1:
            return BackgroundRun(self._in_turn(cases, result), result, sum(map(self.length, cases)), name).start()
        # Made here: the backend that joblib was told to use holds for the caller's thread, not for the run's.
        return BackgroundRun(self._beside(_parallel(jobs), cases, result), result, len(cases), name).start()

    def found(self, case: Row) -> list[Row]:
        """What one training finds, in whatever process it is called."""
        torch.set_num_threads(1)
        return [{**case, **row} for rows in self.train(case) if isinstance(rows, Found) for row in rows]

    @classmethod
    def record(cls) -> Path:
        """Make the run that the book ships, and write it beside the code with what is needed to judge it."""
        settings = {"bytes_per_domain": BYTES_PER_DOMAIN, **cls.recorded}
        corpus = load_corpus(settings.pop("bytes_per_domain"))
        study = cls(corpus, **settings)  # pyright: ignore[reportCallIssue]
        run = study.start()
        run.on_update(lambda run: print(f"{run.progress:.0%}", run.history[-1:], flush=True), every_s=20).wait()
        made = {
            "script": f"python -m gpt4lab.toys record {cls.name}",
            "date": date.today().isoformat(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": f"{platform.machine()} CPU, {torch.backends.cpu.get_cpu_capability()}, one thread",
            "settings": {**asdict(study, recurse=False), **cls.recorded, **cls.fixed, "corpus": repr(corpus)},
            "results": run.result,
        }
        path = Path(__file__).parents[1] / cls.name / "recorded.json"
        path.write_text(json.dumps(made, indent=1, default=repr) + "\n", encoding="utf-8")
        return path

    def _in_turn(self, cases: list[Row], result: list[Row]) -> StepRows:
        for case in cases:
            for row in self.train(case):
                if isinstance(row, Found):
                    result += [{**case, **found} for found in row]
                else:
                    yield {**case, **row}

    def _beside(self, parallel: Any, cases: list[Row], result: list[Row]) -> StepRows:
        from joblib import delayed

        longest_first = sorted(range(len(cases)), key=lambda i: -self.length(cases[i]))  # else one ends alone
        finished = parallel(delayed(_numbered)(self, i, cases[i]) for i in longest_first)
        found: dict[int, list[Row]] = {}
        try:
            for i, rows in finished:
                found[i] = rows
                result[:] = [row for at in sorted(found) for row in found[at]]
                yield cases[i]
        finally:
            with warnings.catch_warnings():  # joblib warns that a stop leaves work undone, which is what it is for
                warnings.simplefilter("ignore", UserWarning)
                if not isinstance(finished, list):
                    finished.close()


def _numbered(study: Study, i: int, case: Row) -> tuple[int, list[Row]]:
    return i, study.found(case)


def _parallel(jobs: int) -> Any:
    try:
        from joblib import Parallel
    except ImportError:
        raise RuntimeError(place.needs("joblib", "A second job")) from None
    one_by_one: dict[str, Any] = {"n_jobs": jobs, "batch_size": 1}  # each training is told of when it ends
    try:
        return Parallel(**one_by_one, return_as="generator_unordered")
    except ValueError:  # a backend such as Ray's, which hands over everything at the end
        return Parallel(**one_by_one)
