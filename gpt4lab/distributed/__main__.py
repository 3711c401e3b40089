"""A demo from the command line, on workers of its own or on those of torchrun.

For example `python -m gpt4lab.distributed tensor --ranks 2`, or
`torchrun --nproc-per-node 4 -m gpt4lab.distributed pipeline --schedule zero-bubble`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpt4lab import terminal
from gpt4lab.distributed.worker import quiet

if TYPE_CHECKING:
    from gpt4lab.distributed.job import DemoReport, Row

PROGRAM = "python -m gpt4lab.distributed"
OPTIONS = {
    "steps": int,
    "rows": int,
    "context": int,
    "micro_batches": int,
    "schedule": str,
    "work_s": float,
    "blocks": str,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo on workers of our own, or as one rank of torchrun's; 0, or 1 and a sentence on what is wrong."""
    return terminal.run(PROGRAM, lambda: _answer(arguments))


def _answer(arguments: Sequence[str] | None) -> int:
    args = vars(_parser().parse_args(arguments))
    demo, ranks = args.pop("demo"), args.pop("ranks")
    options = {name: value for name, value in args.items() if value is not None}
    try:
        report = _as_rank(demo, options) if "TORCHELASTIC_RUN_ID" in os.environ else _with_workers(demo, ranks, options)
    except (ValueError, RuntimeError) as error:
        return terminal.complain(PROGRAM, str(error))
    if report:
        terminal.say(text(report))
    return 0


def text(report: DemoReport) -> str:
    """The report's tables, columns aligned."""
    parts = [f"{name}\n{_table(rows)}" for name, rows in report.tables().items()]
    return "\n\n".join([*parts, *report.notes, f"{report.demo} on {report.ranks} ranks: {report.seconds:.2f} s"])


def _with_workers(demo: str, ranks: int, options: dict[str, Any]) -> DemoReport:
    from gpt4lab.distributed.workers import Workers, prepare

    job = prepare(demo, ranks, **options)
    with Workers(ranks) as crew:
        return crew.begin(demo, job)()


def _as_rank(demo: str, options: dict[str, Any]) -> DemoReport | None:
    """Only the first rank has something to print."""
    for name, value in quiet().items():
        os.environ.setdefault(name, value)
    import torch.distributed as dist

    from gpt4lab.distributed.demos import perform
    from gpt4lab.distributed.workers import prepare

    dist.init_process_group("gloo")
    try:
        report = perform(demo, prepare(demo, dist.get_world_size(), **options))
        return report if dist.get_rank() == 0 else None
    finally:
        dist.destroy_process_group()


def _parser() -> argparse.ArgumentParser:
    parser = terminal.Parser(prog=PROGRAM, description="A toy model on several processes.")
    parser.add_argument("demo", help="tensor, pipeline, data, zero1, fsdp, tensor+fsdp, experts, waiting or hand")
    parser.add_argument("--ranks", type=int, default=2, help="processes; under torchrun it decides")
    for name, kind in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, dest=name)
    return parser


def _table(rows: list[Row]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.7g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
