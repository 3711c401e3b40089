"""What a reader may set of what runs on the page: a group a study. None of it says anything about the model.

The declarations are those of `records`: default, unit, bounds; label, meaning; source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from gpt4lab.scenario.field import Written, choice, listing, number, sentence, whole, written
from gpt4lab.scenario.rules import within
from gpt4lab.units import quoted


@frozen
class Mixture:
    """The small mixture of experts that trains on the page. Its experts share one budget of FLOP per token."""

    experts: int = whole(16, "expert", 1, 64,
        "Experts", "experts in each layer; 1 is the dense model", "C06", log=True)
    top_k: int = whole(2, "expert", 1, 8,
        "Experts per token", "experts that each token is sent to; each is that much narrower", "C08", log=True)
    capacity: float = number(8, "1", 0.25, 64,
        "Capacity factor", "room of an expert in even shares of the batch; what overflows is dropped",
        "assumed: nothing dropped at 2 of 16", log=True)
    balance_weight: float = number(0.01, "1", 0, 0.1,
        "Balance loss", "weight of the loss that asks for even load", "fedus2021")
    router_noise: float = number(0, "1", 0, 4,
        "Router noise", "standard deviation added to the router's scores while training", "assumed: none")
    steps: int = whole(250, "step", 1, 3000,
        "Training steps", "batches of 16 texts of 128 bytes", "assumed: some ten seconds", log=True)
    cpu_seconds: float = number(20, "s", 1, 300,
        "CPU time", "time of one core that each training may use", "assumed: about as long as one waits", log=True)

    __attrs_post_init__ = within


@frozen
class Repeats:
    """The toy that reads a small text again and again, beside one whose text is always new."""

    epochs: int = whole(16, "1", 2, 64,
        "Readings", "times the toy reads its text; the text is shorter by as much", "assumed: the paper's half-life",
        log=True)
    text: str = choice("prose", ("prose", "code"),
        "Text", "what the toy reads: Python's documentation, or its library", "assumed: the larger part of the mix")
    width: str = choice("32", ("16", "32", "64"),
        "Width", "numbers that stand for a byte inside the toy", "assumed: the middle one of those recorded")
    steps: int = whole(160, "step", 64, 200,
        "Training steps", "batches of 8 texts of 128 bytes", "assumed: as recorded", log=True)


@frozen
class Cache:
    """The keys and values that one decode step of the toy reads, while its time is taken."""

    tokens: int = whole(8192, "token", 256, 32_768,
        "Cached tokens", "tokens whose keys and values the new token attends to", "C19", log=True)
    heads: str = choice("1", ("1", "2", "4", "8", "16"),
        "Key-value heads of the toy", "of its 16 query heads, so many groups share keys and values", "C58")


@frozen
class Drafting:
    """The text that is written on the page, with a draft and without."""

    draft: str = choice("6-gram", ("3-gram", "6-gram", "small transformer", "the target itself"),
        "Draft", "what guesses the next bytes: counts of the training text, or a model", "assumed: the quickest")
    temperature: float = number(0.7, "1", 0, 1.5,
        "Temperature", "0 always takes the likeliest byte, 1 draws as the model says", "assumed: usual for chat")
    lenience: float = number(1, "1", 0.01, 1,
        "Lenience", "1 is exact; below it, drafts are kept that the target would have refused",
        "assumed: exact, as the papers have it", log=True)
    prompt: str = choice("The following methods are", (
        "The following methods are", "    def __init__(self,", "Return a list of all the", "    for key, value in"),
        "Prompt", "how the text begins", "assumed: the first of eight")


@frozen
class Noise:
    """The trainings whose steps are predicted from the noise of their gradients, before they are run."""

    optimizer: str = choice("AdamW", ("AdamW", "Muon", "SGD"),
        "Optimiser", "what makes a step of a gradient", "assumed: what language models are trained with")
    level: str = choice("4.2 bits", ("4.6 bits", "4.4 bits", "4.2 bits", "4.0 bits"),
        "Until the loss is", "held-out loss in bits per byte, at which a training ends", "assumed: some ten seconds")


@frozen
class Positions:
    """Rotary positions, bent for a longer context: of a model that might have them, and of the toy, which has."""

    base: float = number(10_000, "1", 100, 1e9,
        "Base", "each pair turns this many times slower than the first, to the power of its place", "su2021", log=True)
    way: str = choice("none", ("none", "interpolation", "NTK", "YaRN"),
        "Bend", "how the rotations are slowed for the longer context", "assumed: first see what breaks")
    times: int = whole(4, "x", 1, 8,
        "Stretch of the toy", "context that the toy is asked to read, in trained contexts", "C20: 32k over 8k")
    steps: int = whole(40, "step", 1, 200,
        "Steps of fine-tuning", "steps of 1,024 bytes in the long context",
        "assumed: a fifth of the toy's training", log=True)


@frozen
class Equation:
    """The one equation between compute, GPUs, days and utilisation."""

    follows: str = choice("MFU", ("compute", "GPUs", "days", "MFU"),
        "What follows", "the one of four numbers that the other three decide", "assumed: the post divides last")


#: How a law of loss is called here -> its name among the quantities; the first is fitted on the page.
LAWS: Mapping[str, str] = {
    "fitted here": "", "Besiroglu": "besiroglu", "Hoffmann": "hoffmann_tex", "Hoffmann, rounded": "hoffmann",
    "Muennighoff": "muennighoff",
}  # fmt: skip
#: Which points are dropped first.
ORDERS = ("highest loss", "fewest tokens a parameter", "worst misfit")


@frozen
class Chinchilla:
    """How many tokens a model should have seen: by which law, fitted to which points, and what counts as its size."""

    law: str = choice("fitted here", tuple(LAWS),
        "Law", "which fit of the loss says what is best", "assumed: the points of the paper, fitted on this page")
    counts: str = choice("active", ("active", "all"),
        "Parameters that count", "of a mixture, as the size of a dense model",
        "assumed: those that a token meets; no dense law says")
    dropped: int = whole(5, "1", 0, 60,
        "Points dropped", "trainings left out of the fit by their rank", "besiroglu2024: five")
    order: str = choice("highest loss", ORDERS,
        "Dropped first", "how the trainings are ranked", "besiroglu2024: their notebook ranks by the loss itself")
    delta: float = number(1e-3, "1", 1e-4, 0.3,
        "Border of the Huber loss", "error of log loss beyond which a point pulls with its sign alone",
        "hoffmann2022", log=True)
    without: str = listing(245,
        "Points left out", "numbers of trainings that are left out as well", "assumed: none")
    span: float = number(30, "x", 2, 10_000,
        "Sizes tried", "largest model of a budget over the smallest", "assumed: about as in the paper", log=True)
    aim: float = number(1, "x", 0.1, 10,
        "Middle of the sizes", "over the best size, at the largest budget tried", "assumed: well aimed", log=True)


#: A block, an empty slot, or the end of a stage, of a schedule that is drawn by hand.
BLOCK = re.compile(r"[FBW][1-9]|\.|/")
MOST_STAGES, MOST_SLOTS = 5, 60  # of a board; of a stage


def _wrong(text: str) -> str:
    """What is wrong with a board: a word that is no block, too many stages, or a stage that is too long."""
    odd = next((word for word in text.replace("/", " / ").split() if not BLOCK.fullmatch(word)), "")
    stages = [len(stage.split()) for stage in text.split("/")]
    if odd:
        return f"{quoted(odd)} is no block"
    if len(stages) > MOST_STAGES:
        return f"{len(stages):,} stages are too many"
    return f"a stage of {max(stages):,} slots is too long" if max(stages) > MOST_SLOTS else ""


def _tidied(value: Any) -> Any:
    """Blocks apart, in capitals; what is empty at the end of a stage, or of a board that is none too large, goes."""
    if not isinstance(value, str) or value.count("/") >= MOST_STAGES:
        return value
    stages = [re.sub(r"(\s*\.)+$", "", " ".join(stage.upper().split())) for stage in value.split("/")]
    return re.sub(r"[\s/]+$", "", " / ".join(stages))


@frozen
class Assembly:
    """A pipeline whose schedule is drawn by hand."""

    stages: int = whole(3, "stage", 2, MOST_STAGES,
        "Stages of the board", "rows of the board: GPUs in a row", "assumed: few enough to draw")
    micro_batches: int = whole(4, "1", 1, 6,
        "Micro-batches", "that pass all stages forward and come back", "assumed: few enough to draw")
    blocks: str = written(
        Written(_wrong, "blocks such as F1, B2 or W3, a dot for an empty slot, a stroke between stages (at most "
                f"{MOST_STAGES}, of at most {MOST_SLOTS} slots); or nothing",
                "", "F1 B1 W1", "F1 . . B1 W1 / . F1 B1 W1"), _tidied,
        "Blocks", "what stands in each slot, stage by stage", "assumed: nothing is placed")


#: Layers of each stage, of a cut that is made by hand.
MOST_CUT = 999  # stages


def _uncounted(text: str) -> str:
    """What is wrong with a cut: a word that is no count of layers, or too many of them."""
    words = text.split()
    odd = next((w for w in words if not (w.isascii() and w.isdigit() and len(w) <= 3)), "")
    if odd:
        return f"{quoted(odd)} is no count of layers"
    return f"{len(words):,} stages are too many" if len(words) > MOST_CUT else ""


def _spaced(value: Any) -> Any:
    """Blanks between, no leading zeros; what is no count stays, to be refused."""
    if not isinstance(value, str):
        return value
    words = [word for word in re.split(r"[\s,;/]+", value) if word]
    return " ".join(w.lstrip("0") or "0" if w.isdigit() and w.isascii() else w for w in words)


#: What the time of a stage is counted in, and where the output's products are done.
COUNTED_AS = ("the whole step", "computing alone", "reading alone")
OUTPUT_ON = ("the last stage", "all stages")


@frozen
class Stages:
    """How the layers of the model that answers are cut into stages, by hand."""

    cut: str = written(
        Written(_uncounted, "layers of each stage, with blanks between, or nothing; whatever is left is the last one's",
                "", "60", "8 8 8 8", "0 120"), _spaced,
        "Cut", "layers of each serving stage; nothing: as even as can be", "assumed: even, the fuller stages first")
    counts: str = choice("the whole step", COUNTED_AS,
        "Time counts", "of a stage: a step at measured rates; or its products alone, or its reading, at the peak",
        "assumed: all that takes time")
    output: str = choice("the last stage", OUTPUT_ON,
        "Output on", "stages that turn what leaves the last layer into chances of tokens",
        "assumed: the last; Yeung 2024 shares the vocabulary out over all")
    groups: int = whole(1, "replica", 1, 1024,
        "Groups of experts", "copies of ranks and stages that share out experts; each answers its part of a batch",
        "assumed: the post names no such thing", log=True)
    draft_params: float = number(7e9, "param", 1e8, 1e12,
        "Draft model", "parameters of the small model that drafts", "assumed: a fortieth of what a token uses",
        log=True)


@frozen
class Playbook:
    """Which of the measured layouts are looked at."""

    model: str = choice("8B", ("1B", "8B", "both"),
        "Model", "the Llama that was trained", "playbook2025: of four sizes, two are shipped")
    nodes: str = choice("2", ("any", "1", "2", "4", "8", "16", "32", "64"),
        "Nodes", "machines of eight H100", "assumed: the fewest between which something travels")


@frozen
class Sweep:
    """The small models that share a budget of compute on the page."""

    rate: float = number(0.02, "1", 0.002, 0.1,
        "Learning rate", "of the toy's inner weights", "assumed: between the two that were recorded", log=True)


@frozen
class Heart:
    """What a model has by heart: the models that answered, how they were asked, and the one that trains on the page."""

    model: str = choice("GPT-4 (0314)", ("GPT-4 (0314)", "GPT-3.5 Turbo (0301)", "text-davinci-002"),
        "Model", "who was asked", "roberts2024")
    asked: str = choice("its number alone", ("its number alone", "its text"),
        "Given", "what the model was told of a problem", "roberts2024")
    cutoff: float = number(2021.67, "date", 2002, 2023.25,
        "Cut-off", "problems that came out later count as not seen", "roberts2024: September 2021")
    difficulty: str = choice("any", ("any", "easy: up to 15%", "middling: 20 to 45%", "hard: 50% and more"),
        "Difficulty", "the site's own rating, from 5 to 100%", "assumed: all of them")
    copies: float = number(5600, "1", 1, 100_000,
        "Copies of a problem", "repositories on GitHub that hold it", "roberts2024: one of the first hundred", log=True)
    elsewhere: float = number(0.0, "fraction", 0, 1,
        "Known from elsewhere", "share of all answers that a secret collection taught, however many copies the web has",
        "assumed: none")
    half: float = number(2877, "1", 100, 100_000,
        "Copies for one half", "repositories at which the web alone teaches half of the answers",
        "assumed: as fitted to the answers", log=True)
    bits: float = number(3.6, "bit/param", 0.1, 16,
        "Capacity", "bits of text that a parameter holds by heart", "morris2025", log=True)
    width: str = choice("64", ("16", "32", "64"),
        "Width of the toy", "numbers that its two layers hold of each byte", "assumed: a few seconds")
    epochs: int = whole(3, "x", 1, 4,
        "Readings of the text", "how often the toy reads all of it", "assumed: a few seconds")
    prompt: str = choice("24 bytes", ("6 bytes", "12 bytes", "24 bytes"),
        "Given of the line", "bytes before the secret that the toy is shown", "assumed: nearly the whole line")
    sentence: str = sentence(100, "The key lies under the third stone from the gate.",
        "Your sentence", "what is planted in the text of the toy", "assumed: stands nowhere else")
    planted: int = whole(32, "x", 0, 256,
        "Copies of it", "how often your sentence stands in the text; 0 plants none", "assumed: enough to be known")
    readings: int = whole(6, "x", 1, 12,
        "Readings", "how often the toy reads the text with your sentence in it", "assumed: a few seconds")


@frozen
class Nearness:
    """How far a shape may be from the sums that were stated, to count as one that fits."""

    tolerance: float = number(0.01, "fraction", 0.001, 0.1,
        "Tolerance", "how far a shape may miss a stated sum", "assumed: “~55B” and “~111B” are rounded", log=True)


@frozen
class Logits:
    """The toy that answers with scores for all bytes, and how much of them is asked for and given away."""

    width: str = choice("32", ("16", "32", "48", "64"),
        "Width of the toy", "values that represent a byte between its layers: what is to be found out",
        "assumed: some seconds of training")
    prompts: int = whole(256, "1", 4, 2048,
        "Prompts", "texts for which the scores of all bytes are asked", "assumed: more than any width here", log=True)
    noise: float = number(0, "1", 0, 3,
        "Noise", "standard deviation of what is added to each score before it is given away", "assumed: none")
    repeats: int = whole(1, "1", 1, 1024,
        "Repeats", "times that each prompt is asked; its answers are averaged", "assumed: once", log=True)


#: What is changed of Flamingo's recipe, one thing at a time.
SWITCHES = (
    "as in Flamingo", "no gates", "the model learns along", "it learns along slowly", "it starts from nothing",
    "every 2nd block", "every 4th block",
)  # fmt: skip
#: Ink of a pixel, 0 to 16, as one character.
INKS = ".123456789abcdefg"
PIXELS = 8  # on each side of a picture


def _pixels(text: str) -> str:
    """Why these are no rows of pixels; "" where they are."""
    pixels = "".join(text.split())
    odd = next((letter for letter in pixels if letter not in INKS), "")
    if odd:
        return f"{quoted(odd)} is no ink"
    return "" if len(pixels) in (0, PIXELS**2) else f"there are {len(pixels)} pixels"


def _rowed(value: Any) -> Any:
    """Eight rows of eight, if there are 64 pixels; blank paper is nothing."""
    if not isinstance(value, str):
        return value
    pixels = "".join(value.lower().replace("0", ".").split())
    rows = [pixels[at : at + PIXELS] for at in range(0, len(pixels), PIXELS)]
    return " ".join([] if set(pixels) == {"."} else rows) if len(pixels) == PIXELS**2 else value


@frozen
class Eyes:
    """The small language model that is given eyes on the page, and the picture that it is shown."""

    switch: str = choice(SWITCHES[0], SWITCHES,
        "What is changed", "the one thing in which the recipe differs from Flamingo's", "alayrac2022")
    steps: int = whole(160, "step", 10, 400,
        "Training steps", "batches of 32 pictures with their captions", "assumed: some ten seconds", log=True)
    picture: str = written(
        Written(_pixels, "64 pixels, in rows of eight: a dot for paper, 1 to 9 and a to g for ink, g the darkest", "",
                "..5d91.. ..dfaf5. .3f2.b8. .4c..88. .58..98. .4b.1c7. .2e5ac.. ..6da...",
                "...gg... ..gggg.. .gg..gg. .....gg. ....gg.. ...gg... ..gg.... .gggggg."), _rowed,
        "Your picture", "what the model is shown, row by row from the top", "assumed: blank paper")


#: How batches are formed; the first three as in `simulate.serving`, the last with prompts in pieces.
SCHEDULES = ("static", "dynamic", "continuous", "chunked prefill")


STRETCHES = 5  # of the traffic, evenly spread over what is shipped
TURN, MOST_TURNS = re.compile(r"[1-9][0-9]?|\."), 300  # one request lets in, or a hold


def _no_moves(text: str) -> str:
    """What is wrong with the moves of a scheduler."""
    odd = next((word for word in text.split() if not TURN.fullmatch(word)), "")
    many = len(text.split())
    return f"{quoted(odd)} is no move" if odd else f"{many:,} moves are too many" if many > MOST_TURNS else ""


def _blanks(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


#: How long a step of the machines takes: reading or computing at full peak, or with all that a step loses.
ROOF, RATES = PACES = ("at full peak", "at measured rates")


@frozen
class Batching:
    """Requests that the machines answer, and how they are put into batches. A copy of the model has many lanes."""

    traffic: str = choice("conversation", ("conversation", "code"),
        "Traffic", "of which service of Azure the lengths, and where it says so the times, are", "patel2024")
    scheduler: str = choice("continuous", SCHEDULES,
        "Scheduler", "who enters a batch, and when", "C62")
    requests_per_s: float = number(4.8, "request/s", 0.01, 10_000,
        "Requests a second", "to all lanes of one copy; the traffic is sped up or slowed down to it",
        "patel2024: the ten minutes of conversation", log=True)
    slots: int = whole(6, "sequence", 1, 4096,
        "Slots of a lane", "answers that are under way in it at most", "assumed: few enough to draw", log=True)
    chunk_tokens: int = whole(256, "token", 16, 100_000,
        "Chunk", "tokens of prompts in one step at most; chunked prefill only", "assumed: half of what is usual",
        log=True)
    wait_s: float = number(5, "s", 0, 600,
        "Wait", "a batch that is not full starts when its first request has waited so long; dynamic only",
        "assumed: a few dozen steps")
    latency_limit_s: float = number(0.4, "s", 0.01, 100,
        "Latency limit", "for each token of an answer, waiting included; half of the readers wait longer",
        "assumed: half the reading speed; the post gives no number", log=True)
    stretch: int = whole(4, "1", 1, STRETCHES,
        "Stretch of the traffic", "which requests are played: stretches from the first of ten minutes to the last",
        "assumed: of the five, the one in the middle by its gain at the limit")
    pace: str = choice(ROOF, PACES,
        "Steps", "at full peak a step only reads or computes; at measured rates traffic, launches and waiting count",
        "assumed: the roofline of the other chapters")
    moves: str = written(
        Written(_no_moves, "numbers of requests from 1 to 99, and dots to hold, with blanks between; at most "
                f"{MOST_TURNS}", "", "1 2 3", "2 . 1"), _blanks,
        "Your moves", "whom you let in, one after the other", "assumed: nobody yet")
    burstiness: float = number(3, "1", 0, 10,
        "Burstiness", "standard deviation of the gaps between requests, in mean gaps; 1 is Poisson",
        "assumed: clearly more than 1")


@frozen
class Luck:
    """What chance does in trainings, texts and failures."""

    seed: int = whole(0, "1", 0, 999,
        "Seed", "start of the random numbers: another seed, another run", "assumed: the first")


@frozen
class Adjust:
    """How each number of the post's network counts, by its place in the list."""

    counted: str = listing(23,
        "Counted", "numbers that count as written, though at first they are pinned or free", "assumed: none more")
    pinned: str = listing(23,
        "Pinned", "numbers that must stay as they are", "assumed: only counts of experts")
    freed: str = listing(23,
        "Set free", "numbers that do not count, and become what the others say", "assumed: only what nobody states")
    weighed: str = listing(23,
        "Weighed", "numbers whose spread is divided by the weight", "assumed: none")
    weight: float = number(3, "x", 0.1, 100,
        "Weight", "by which the spread of the weighed numbers is divided", "assumed: a plain difference", log=True)
    block: str = choice("of any shape", ("of any shape", "as in GPT-3"),
        "Layers", "whether attention and experts have the shape of GPT-3’s layers", "assumed: the post does not say")
    deleted: str = listing(23,
        "Deleted", "statements that are struck out, to see what is lost", "assumed: none")


#: What the public evidence is asked, and how it is counted.
QUESTIONS = (
    "a mixture of experts", "sixteen experts", "1.8 trillion parameters", "one key-value head",
    "text first, pictures later", "books from LibGen",
)  # fmt: skip
COUNTINGS = ("each source once", "every article", "one rumour")
STRANDS = ("leak", "rumour", "NVIDIA", "OpenAI", "behaviour", "court", "press", "derived")
WITNESSES = 16  # items in print, by date, whatever they are asked about
MOVE = re.compile(r"([1-9]\d?)=(" + "|".join(STRANDS) + ")")


def _moves(text: str) -> str:
    """What is wrong with some moves: a word that is none, an item that does not exist or is moved twice."""
    found = [(word, MOVE.fullmatch(word)) for word in text.split()]
    places = [int(move[1]) for _, move in found if move]
    for word, move in found:
        if not move:
            return f"{quoted(word)} is no move"
        if int(move[1]) > WITNESSES:
            return f"{quoted(word)} moves an item that is not there: they are numbered from 1 to {WITNESSES}"
        if places.count(int(move[1])) > 1:
            return f"item {move[1]} is moved twice"
    return ""


@frozen
class Strands:
    """The public evidence on one claim, and how it is counted."""

    question: str = choice("sixteen experts", QUESTIONS,
        "Is it true", "the claim that is asked about", "assumed: the one with most witnesses")
    prior: float = number(0.2, "fraction", 0.01, 0.99,
        "Before any of it", "how likely you held the claim before all this evidence", "assumed: one of five guesses")
    counting: str = choice(COUNTINGS[0], COUNTINGS,
        "Count", "what counts as one witness", "assumed: what goes back to one source is one")
    lean: float = number(0.5, "fraction", 0, 1,
        "Where in the bands", "0 takes each witness as a sceptic would, 1 as a believer", "assumed: the middle")
    moved: str = written(
        Written(_moves, "moves such as 10=leak, with a blank between; or nothing", "", "10=leak", "4=leak 10=derived"),
        _blanks, "Moved", "which item you have put into whose strand", "assumed: none")


@frozen
class Doubt:
    """What is drawn many times."""

    of: str = choice("training.cost", (
        "training.cost", "training.days", "rerun.improvement", "rerun.cost", "training.flop", "model.total_params",
        "serving.paid_mfu", "data.books_tokens"),
        "Quantity", "whose band is drawn", "assumed: the one that was quoted most")
    seed: int = whole(17, "1", 0, 9999, "Seed of chance", "another one draws other numbers", "assumed: the chapter")
