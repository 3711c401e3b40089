"""The book on the command line.

gpt4lab claims [--scenario leak] [--set training.mfu=0.4] [--chapter 09] [--verdict unit-error] [--json | --claimreview]
gpt4lab card C33 [--svg FILE] [--html FILE] [--png FILE] [--json]
gpt4lab explain training.cost --set training.mfu=0.4 [--depth 3] [--json]
gpt4lab scenario list | show NAME | diff NAME OTHER  [--json]
gpt4lab report [--scenario mine.toml] [--html FILE] [--markdown FILE] [--json]
gpt4lab review [--json]
gpt4lab answers [--name NAME] [--out FILE]
gpt4lab grade FILE ... [--csv] [--out FILE] [--chapter 09] [--run-code] [--json]
gpt4lab gather FOLDER [--out FILE] [--run-code] [--json]
gpt4lab read [FOLDER] [--port 8889] [--no-browser] [--LabApp.OPTION=VALUE]
gpt4lab lab

A NAME is that of a scenario, a shared line, a file .json or .toml of one's own, or "-" for one on the standard input.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from gpt4lab import __version__, claims, terminal
from gpt4lab import scenario as scenarios
from gpt4lab.catalog import CatalogError, UnknownName
from gpt4lab.claims.review import reviews
from gpt4lab.quantities import Explanation, UnknownQuantity, explain
from gpt4lab.quantities.leaf import Leaf
from gpt4lab.read import USUAL, ReadError, dark, lay_out, missing, start
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError
from gpt4lab.scenario.files import open_scenario
from gpt4lab.scenario.origin import origin
from gpt4lab.units import counted, show

NAMED = "a named or shared scenario, a file .json or .toml, or - for one on the standard input"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 output that cannot be written, 2 an input that cannot be used, in one line."""
    return terminal.run("gpt4lab", lambda: _answer(arguments))


def _answer(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options, options.more = parser.parse_known_args(arguments)
    if options.more and options.run is not _read:
        parser.error(f"unrecognized arguments: {' '.join(options.more)}")
    try:
        data, lines = options.run(options)
    except (ScenarioError, UnknownQuantity, UnknownName, CatalogError, ReadError) as error:
        terminal.complain("gpt4lab", str(error))
        return 2
    for line in [_json(data)] if options.json else lines:
        terminal.say(line)
    return 0


def _json(data: Any) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return text if terminal.writable(text) else json.dumps(data, indent=2)


def _parser() -> argparse.ArgumentParser:
    parser = terminal.Parser("gpt4lab", description="Rebuild and judge the numbers of the GPT-4 leak.")
    parser.add_argument("--version", action="version", version=f"gpt4lab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _claims_command(commands)
    _card_command(commands)
    _explain_command(commands)
    _scenario_command(commands)
    _report_command(commands)
    _command(commands, "review", _review, "answer at most five questions that are due; --json lists them")
    _answers_command(commands)
    _grade_command(commands)
    _gather_command(commands)
    _read_command(commands)
    _command(commands, "lab", _lab, "open the book in JupyterLab, from a clone")
    return parser


def _claims_command(commands: Any) -> None:
    command = _command(commands, "claims", _claims, "judge every claim of the post")
    command.add_argument("--chapter", help="only this chapter, for example 09")
    command.add_argument("--verdict", choices=claims.VERDICTS, help="only claims with this verdict")
    command.add_argument("--claimreview", action="store_true", help="as ClaimReview (schema.org), in JSON-LD")
    _assumptions(command)


def _card_command(commands: Any) -> None:
    command = _command(commands, "card", _card, "one claim, to be quoted: its numbers, verdict and what flips it")
    command.add_argument("claim", help="a claim's id, for example C33")
    for kind, words in {"svg": "a picture", "html": "a page of its own", "png": "a picture in pixels"}.items():
        command.add_argument(f"--{kind}", metavar="FILE", help=f"write it as {words}")
    _assumptions(command)


def _explain_command(commands: Any) -> None:
    command = _command(commands, "explain", _explain, "show how a number is made")
    command.add_argument("name", help="a quantity or a field, for example training.cost")
    command.add_argument("--depth", type=int, default=2, help="how many formulas deep (default 2)")
    _assumptions(command)


def _scenario_command(commands: Any) -> None:
    group = commands.add_parser("scenario", help="list, show or compare scenarios").add_subparsers(
        required=True, metavar="ACTION"
    )
    _command(group, "list", _list, "all named scenarios")
    _command(group, "show", _show, "every field of one").add_argument("name", help=NAMED)
    compare = _command(group, "diff", _diff, "the fields in which two differ")
    compare.add_argument("name", help=NAMED)
    compare.add_argument("other", help=NAMED)


def _report_command(commands: Any) -> None:
    command = _command(commands, "report", _report, "all that the book says of your own model, on one page")
    for kind, words in {"html": "a page of its own", "markdown": "Markdown"}.items():
        command.add_argument(f"--{kind}", metavar="FILE", help=f"write it as {words}")
    _assumptions(command)


def _answers_command(commands: Any) -> None:
    command = _command(commands, "answers", _answers, "your answers to the exercises as one file of JSON, to hand in")
    command.add_argument("--name", default="", help="your name, written into the file and nowhere else")
    command.add_argument("--out", type=Path, metavar="FILE", help="write them into a file")


def _grade_command(commands: Any) -> None:
    command = _command(commands, "grade", _grade, "judge the answers in files again, without a page or a kernel")
    command.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files of answers, or folders of them")
    command.add_argument("--csv", action="store_true", help="as one table (CSV), a row a file, a column an exercise")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the table (CSV) into a file")
    command.add_argument("--chapter", help="only this chapter, for example 09")
    command.add_argument("--run-code", action="store_true", help="also run readers' code, in a limited process")


def _gather_command(commands: Any) -> None:
    command = _command(commands, "gather", _gather, "one table (CSV) of the case files in a folder, a row a reader")
    command.add_argument("folder", type=Path, help="a folder of case files, as chapter 00 exports them (*.json)")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the table into a file")
    command.add_argument("--run-code", action="store_true", help="also run readers' code, in a limited process")


def _read_command(commands: Any) -> None:
    text = "lay the chapters out in a folder of yours and open them in JupyterLab; what you wrote there stays"
    command = commands.add_parser("read", help=text, description=f"{text}. What is not known here goes to JupyterLab.")
    command.add_argument("folder", type=Path, nargs="?", default=USUAL, help=f"yours (default {USUAL})")
    command.add_argument("--port", type=_port, help="of the page; the next free one where it is taken (default 8888)")
    command.add_argument("--no-browser", action="store_true", help="open no browser; the address is printed")
    command.set_defaults(run=_read, json=False)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r}: a port is a whole number up to 65535")
    return int(text)


def _command(group: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = group.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)
    return command


def _assumptions(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scenario", default="leak", help=f"{NAMED} (default: leak)")
    command.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change a field")


def _scenario(options: argparse.Namespace) -> Scenario:
    """The scenario that --scenario and --set describe."""
    changes: dict[str, Any] = {}
    for setting in options.set:
        path, equals, text = setting.partition("=")
        if not (path and equals):
            raise ScenarioError(f"--set {setting!r}: write PATH=VALUE, for example training.mfu=0.4.")
        if path in changes:
            raise ScenarioError(f"--set {setting!r}: {path} is set twice.")
        changes[path] = scenarios.parse(path, text)
    return scenarios.change(open_scenario(options.scenario), changes)


# --- what the commands answer: as data, and in lines --------------------------------------------------

Answer = tuple[Any, Iterable[str]]


def _claims(options: argparse.Namespace) -> Answer:
    chapter = _chapter(options.chapter)
    scenario = _scenario(options)
    everything = claims.audit(scenario)
    results = [r for r in everything if chapter in ("", r.claim.chapter) and options.verdict in (None, r.verdict)]
    if options.claimreview:
        found = reviews(results, scenarios.share(scenario), dt.date.today())
        return found, [_json(found)]
    lines = columns((r.claim.id, r.claim.chapter, r.verdict, r.shown(), r.claim.quote) for r in results)
    nothing = [] if results else ["No claim" + f" of chapter {chapter}" * bool(chapter) + f" is {options.verdict}."]
    count = claims.tally(everything)
    tally = f"Of {counted(count.decided, 'claim')} that arithmetic decides, {count}. Apart: {count.apart()}."
    return [_claim_record(result) for result in results], [*lines, *nothing, tally]


def _chapter(text: str | None) -> str:
    """The chapter that is meant by "9" or "09"; "" for all of them."""
    known = sorted({claim.chapter for claim in claims.ledger().values()})
    if text is not None and (not text or text.zfill(2) not in known):
        raise ScenarioError(f"--chapter {text!r}: the claims belong to the chapters {', '.join(known)}.")
    return "" if text is None else text.zfill(2)


def _claim_record(result: claims.Result) -> dict[str, Any]:
    claim = result.claim
    return {
        "id": claim.id,
        "chapter": claim.chapter,
        "origin": claim.origin,
        "quote": claim.quote,
        "stated": _one_or_many(claim.stated),
        "stated_unit": claim.stated_unit,
        "recomputed": _one_or_many(result.recomputed),
        "unit": _one_or_many(tuple(dict.fromkeys(result.units))) or "",
        "residual": result.residual,
        "verdict": result.verdict,
    }


def _one_or_many(values: Sequence[Any]) -> Any:
    return None if not values else values[0] if len(values) == 1 else list(values)


def _card(options: argparse.Namespace) -> Answer:
    from gpt4lab.book.cards import card, page, picture
    from gpt4lab.charts.still import NoRenderer, png

    made = card(options.claim, _scenario(options))
    drawn = {
        "svg": lambda: picture(made).encode(),
        "html": lambda: page(made).encode(),
        "png": lambda: png(picture(made)),
    }
    wanted = {kind: Path(file) for kind in drawn if (file := getattr(options, kind)) is not None}
    try:
        for kind, file in wanted.items():
            file.write_bytes(drawn[kind]())
    except NoRenderer as missing:
        raise ScenarioError(str(missing)) from missing
    return made.review, made.text()


def _explain(options: argparse.Namespace) -> Answer:
    if options.depth < 1:
        raise ScenarioError(f"--depth {options.depth}: at least 1 formula is shown.")
    found = explain(options.name, _scenario(options), depth=options.depth)
    data = attrs.asdict(found) if isinstance(found, Leaf) else _explanation_record(found)
    return data, [found.text(), f"declared in {found.declared}"]


def _explanation_record(explanation: Explanation) -> dict[str, Any]:
    inputs = [
        {"symbol": item.symbol, "path": item.path, "value": item.value, "unit": item.unit, "origin": item.origin}
        | ({"made_of": _explanation_record(item.made_of)} if item.made_of else {})
        for item in explanation.inputs
    ]
    quantity = explanation.quantity
    return {
        "name": quantity.name,
        "value": explanation.value,
        "unit": quantity.unit,
        "formula": quantity.formula.text(),
        "meaning": quantity.meaning,
        "source": quantity.source,
        "inputs": inputs,
    }


def _list(options: argparse.Namespace) -> Answer:
    found = [scenarios.load_scenario(name) for name in scenarios.names()]
    data = [{"name": s.name, "title": s.title, "description": s.description} for s in found]
    return data, columns((s.name, s.title) for s in found)


def _show(options: argparse.Namespace) -> Answer:
    scenario = open_scenario(options.name)
    sources = {path: origin(scenario, path) for path in FIELDS}
    rows = ((path, show(scenarios.told(scenario, path), FIELDS[path].unit), sources[path]) for path in FIELDS)
    return scenarios.tree(scenario) | {"sources": sources}, columns(rows)


def _diff(options: argparse.Namespace) -> Answer:
    names = (options.name, options.other)
    found = scenarios.differences(*map(open_scenario, names))
    data = {path: dict(zip(names, pair, strict=True)) for path, pair in found.items()}
    rows = [(path, *(show(value, FIELDS[path].unit) for value in pair)) for path, pair in found.items()]
    return data, columns(rows) if rows else ["There is no difference."]


def _report(options: argparse.Namespace) -> Answer:
    from gpt4lab.book.report import lines, report

    made = report(_scenario(options))
    for file, text in ((options.html, made.html), (options.markdown, made.markdown)):
        if file is not None:
            Path(file).write_text(text(), "utf-8")
    return attrs.asdict(made), lines(made)


def _review(options: argparse.Namespace) -> Answer:
    """Ask what is due; nothing is kept before the first answer."""
    from gpt4lab.book.case.review import asked, due  # with it come the widgets, which no other command needs

    return [{"id": question.key, "question": question.text, "unit": question.unit} for question in due()], asked()


def _answers(options: argparse.Namespace) -> Answer:
    from gpt4lab.book.exercises.saved import as_answers
    from gpt4lab.book.way import Answer as Kept

    text = as_answers(options.name)
    if not options.out:
        return json.loads(text), text.splitlines()
    options.out.write_text(text + "\n", "utf-8")
    return json.loads(text), [f"{options.out}: {counted(len(Kept.all()), 'answer')}."]


def _grade(options: argparse.Namespace) -> Answer:
    from gpt4lab.book.case.gather import CaseError, as_csv
    from gpt4lab.book.case.grade import papers, records, rows, summary
    from gpt4lab.book.exercises.declared import NoChapters

    wanted = [number] if (number := _chapter(options.chapter)) else []
    try:
        found = papers(options.files, lambda words: terminal.complain("gpt4lab", words), wanted, options.run_code)
    except (CaseError, NoChapters) as error:
        raise ScenarioError(f"grade: {error}.") from error
    table = rows(found, wanted)
    if options.out:
        options.out.write_text(as_csv(table), "utf-8")
        return records(found), [f"{options.out}: {counted(len(table), 'file')}."]
    return records(found), as_csv(table).splitlines() if options.csv else columns(summary(found))


def _gather(options: argparse.Namespace) -> Answer:
    from gpt4lab.book.case.gather import CaseError, as_csv, gather

    try:
        rows = gather(options.folder, lambda words: terminal.complain("gpt4lab", words), options.run_code)
    except CaseError as error:
        raise ScenarioError(str(error)) from error
    if not options.out:
        return rows, as_csv(rows).splitlines()
    options.out.write_text(as_csv(rows), "utf-8")
    return rows, [f"{options.out}: {len(rows)} case file{'' if len(rows) == 1 else 's'}."]


def _read(options: argparse.Namespace) -> Answer:
    """Lay out, say so, and be JupyterLab until the reader ends it."""
    if why := missing():
        raise ReadError(why)
    laid = lay_out(options.folder)
    for words in filter(None, (laid.sentence(), dark())):
        terminal.say(terminal.harmless(words))
    sys.stdout.flush()
    port = [] if options.port is None else [f"--ServerApp.port={options.port}"]
    raise SystemExit(start(laid, [*port, *["--no-browser"] * options.no_browser, *options.more]))


def _lab(options: argparse.Namespace) -> Answer:
    """Hand over to book.py, which stands beside the package in a clone."""
    book = Path(__file__).parents[1] / "book.py"
    if not book.exists():
        raise ScenarioError("lab: this is no clone of the book: “gpt4lab read” lays its chapters out and opens them.")
    command = [sys.executable, str(book), "lab"]
    if os.name == "nt":  # where a program that is replaced ends for whoever waits for it
        raise SystemExit(subprocess.call(command))
    os.execv(sys.executable, command)


def columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table, each column as wide as its widest cell as the output can write it."""
    table = [tuple(map(terminal.fit, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


if __name__ == "__main__":
    raise SystemExit(main())
