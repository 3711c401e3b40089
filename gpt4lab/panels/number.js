// A number control: a slider on a linear or log scale and an entry that reads numbers as people write them.
// Uses grammar.js, which stands before it in one module, and the shared parts of controls.js, which stands behind it.

const LOG_STEPS = 240;
const NOT_KNOWN = "not known";

// ---- numbers as text ------------------------------------------------------------------------------------------

// What stands in the entry -> a number in the control's own unit: of a fraction, per cent; throws what to tell
function parseNumber(text, n) {
  return n.percent ? fromText(text, "percent") / 100 : fromText(text, n.unit);
}

// 25000 -> "25,000"; 13e12 -> "13T"; 0.34 of a fraction -> "34"
function formatNumber(value, n) {
  if (n.unit === "date") return monthOf(value);
  const shown = n.percent ? value * 100 : value;
  const size = Math.abs(shown);
  if (size !== 0 && (size >= 1e21 || size < 1e-4)) return shown.toExponential().replace("+", "");
  const large = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, n.billion], [1e6, "M"]].find(([factor]) => size >= factor);
  const [factor, letter] = large ?? [1, ""];
  return (shown / factor).toLocaleString("en-US", { maximumSignificantDigits: large ? 5 : 7 }) + letter;
}

// 2021.67 -> "Sep 2021": the entry is narrow
function monthOf(date) {
  const year = Math.floor(date);
  return `${GRAMMAR.months[Math.min(11, Math.floor((date - year) * 12 + 1e-6))].slice(0, 3)} ${year}`;
}

// What stands in the entry
function written(n) {
  return n.known ? formatNumber(n.value, n) : NOT_KNOWN;
}

// The words of the unit, in the right number: "1 head", "16 heads"
const unitOf = (value, n) => (value === 1 ? n.unitOfOne : n.shownUnit);

function withUnit(value, n) {
  const number = formatNumber(value, n);
  if (n.shownUnit.startsWith("$")) return `$${number}${n.shownUnit.slice(1)}`;
  return n.percent || !n.shownUnit ? number + n.shownUnit : `${number}\u00a0${unitOf(value, n)}`;
}

// "1 to 84 heads", but "10% to 90%": a unit in words is said once
function rangeOf(n) {
  const symbol = n.percent || n.shownUnit.startsWith("$");
  return `${symbol ? withUnit(n.least, n) : formatNumber(n.least, n)} to ${withUnit(n.most, n)}`;
}

// The one line that says why a number cannot be used; null where it can
function fault(value, n) {
  if (value >= n.least && value <= n.most) {
    const broken = n.integer && !Number.isInteger(value);
    return broken ? `${n.label}: ${withUnit(value, n)} is not a whole number.` : null; // the slider widens to it
  }
  const guess = meantBy(value, n.least, n.most, n.mark ?? n.hi, n.integer);
  const meant = guess === null ? "" : ` Did you mean ${withUnit(guess, n)}?`;
  return `${n.label}: ${withUnit(value, n)} is outside ${rangeOf(n)}.${meant}`;
}

// ---- the slider's positions -----------------------------------------------------------------------------------

function niceStep(span, integer) {
  const raw = span / 200;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw * 0.999);
  return integer ? Math.max(1, Math.round(step)) : step;
}

// {last, at(position) -> value, of(value) -> position}: equal steps, or equal ratios on a log scale
function positions(n) {
  const inside = (value) => Math.min(n.hi, Math.max(n.lo, value));
  if (n.log) {
    const ratio = Math.log(n.hi / n.lo);
    const round = (value) => (n.integer ? Math.round(Number(value.toPrecision(3))) : Number(value.toPrecision(3)));
    return {
      last: LOG_STEPS,
      at: (p) => (p <= 0 ? n.lo : p >= LOG_STEPS ? n.hi : inside(round(n.lo * Math.exp((ratio * p) / LOG_STEPS)))),
      of: (value) => (value <= n.lo ? 0 : (LOG_STEPS * Math.log(value / n.lo)) / ratio), // nothing stands at the left end
    };
  }
  const step = n.step || niceStep(n.hi - n.lo, n.integer);
  const last = Math.max(1, Math.ceil((n.hi - n.lo) / step - 1e-9)); // the last step may be short: both ends are reached
  return {
    last,
    at: (p) => (p <= 0 ? n.lo : p >= last ? n.hi : inside(Number((Math.round((n.lo + p * step) / step) * step).toPrecision(12)))),
    of: (value) => (value >= n.hi ? last : (value - n.lo) / step),
  };
}

// ---- on the page ---------------------------------------------------------------------------------------------

function numberState(model) {
  const percent = model.get("unit") === "fraction";
  const names = ["label", "unit", "lo", "hi", "least", "most", "value", "mark", "integer", "step", "known"];
  const [shownUnit, unitOfOne] = [model.get("unit_words"), model.get("unit_of_one")];
  const billion = /^(FLOP|B\b|byte|bit|W|Hz)/i.test(shownUnit) ? "G" : "B";
  return { ...Object.fromEntries(names.map((k) => [k, model.get(k)])), percent, shownUnit, unitOfOne, billion, log: model.get("scale") === "log" };
}

function numberParts(model, id) {
  const { root, help, error, note } = frameOf(model, "number-control", id);
  const n = numberState(model);
  const label = make("label", { class: "g4l-label", for: `${id}-entry` }, n.label);
  const range = make("input", { type: "range", min: 0, step: 1, "aria-label": n.label, "aria-describedby": `${id}-help`, "aria-keyshortcuts": "Delete" });
  const mark = make("button", { type: "button", class: "g4l-mark", tabindex: -1 });
  mark.innerHTML = DIAMOND;
  const track = make("div", { class: "g4l-track" }, range, mark);
  const entry = make("input", { type: "text", class: "g4l-entry", id: `${id}-entry`, inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-help` });
  entry.setAttribute("aria-label", [n.label, n.shownUnit].filter(Boolean).join(", "));
  const unit = make("span", { class: "g4l-unit" }, n.shownUnit);
  root.append(label, track, entry, unit, help, error, note);
  root.title = model.get("help");
  return { root, range, mark, track, entry, unit, help, error, note };
}

function renderNumber({ model, el }) {
  const part = numberParts(model, newId());
  const send = sender(model);
  let own = ""; // the fault of what stands in the entry
  let draft = false; // whether the reader is typing there: it stays, whatever the kernel moves meanwhile
  let last = 0; // the slider's position before this move
  let chosen = null; // what the reader chose last

  const say = (text) => {
    own = text;
    const shown = own || model.get("error");
    if (part.error.textContent !== shown) part.error.textContent = shown;
    part.entry.setAttribute("aria-invalid", shown ? "true" : "false");
    if (part.note.textContent !== model.get("note")) part.note.textContent = model.get("note");
  };
  const refresh = () => {
    const n = numberState(model);
    const scale = positions(n);
    const value = model.get("value");
    const share = (v) => Math.min(1, Math.max(0, scale.of(v) / scale.last));
    part.range.max = scale.last;
    last = Math.round(scale.of(value));
    if (Number(part.range.value) !== last) part.range.value = last;
    part.range.setAttribute("aria-valuetext", n.known ? withUnit(value, n) : NOT_KNOWN);
    part.range.disabled = part.entry.disabled = part.mark.disabled = model.get("disabled");
    if (document.activeElement !== part.entry) draft = false;
    if (!draft) part.entry.value = written(n);
    say(draft ? own : "");
    part.unit.textContent = unitOf(value, n);
    const marked = n.mark !== null;
    part.mark.hidden = !marked;
    part.track.style.setProperty("--value", share(value));
    part.track.style.setProperty("--mark", marked ? share(n.mark) : share(value));
    const markText = marked ? withUnit(n.mark, n) : "";
    part.help.textContent = hint(model, markText);
    const name = `Return ${n.label} to ${model.get("mark_label")}: ${markText}`;
    if (marked) (part.mark.title = name), part.mark.setAttribute("aria-label", name);
    part.root.classList.toggle("g4l-moved", marked && n.known && value !== n.mark);
    part.root.classList.toggle("g4l-not-known", !n.known);
  };
  const choose = (value, slid) => ((draft = false), say(""), (chosen = value), send(value, { slid }), refresh());
  // The kernel put another value in the place of one that cannot be; what was chosen meanwhile is on its way there.
  const given = () => {
    const late = chosen !== null && model.get("gave")[1] !== chosen;
    if (late) model.set("value", chosen);
    refresh();
  };
  const slide = () => {
    const n = numberState(model);
    const scale = positions(n);
    const markAt = n.mark === null ? -1 : Math.round(scale.of(n.mark));
    const valueAt = (p) => (p === markAt ? n.mark : scale.at(p));
    let p = Number(part.range.value);
    const way = Math.sign(p - last);
    while (way && n.known && valueAt(p) === n.value && p + way >= 0 && p + way <= scale.last) p += way;
    choose(valueAt(p), true);
  };
  const type = () => {
    const n = numberState(model);
    if (part.entry.value === written(n)) return (draft = false), say("");
    try {
      const value = parseNumber(part.entry.value, n);
      const why = fault(value, n);
      if (why) throw why;
      choose(value, false);
      part.entry.value = formatNumber(value, n);
    } catch (why) {
      say(String(why));
    }
  };
  const toMark = () => {
    const { mark } = numberState(model);
    if (mark !== null && !model.get("disabled")) choose(mark, true);
  };
  const leap = (event) => {
    const way = { PageUp: 1, PageDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    part.range.value = Number(part.range.value) + way * Math.max(1, Math.round(part.range.max / 10));
    slide();
  };
  const typed = (event) => {
    if (event.key === "Enter") type();
    if (event.key === "Escape") (draft = false), (part.entry.value = written(numberState(model))), say("");
  };
  part.range.addEventListener("input", slide);
  part.range.addEventListener("keydown", leap);
  part.entry.addEventListener("input", () => (draft = true));
  part.entry.addEventListener("change", type);
  part.entry.addEventListener("keydown", typed);
  part.entry.addEventListener("focus", () => part.entry.select());
  part.mark.addEventListener("click", toMark);
  keepKeys(part.root, toMark);
  el.append(part.root);
  refresh();
  const stops = [listen(model, ["value", "known", "lo", "hi", "mark", "mark_label", "disabled", "error", "note"], refresh)];
  stops.push(listen(model, ["gave"], given));
  return () => stops.forEach((stop) => stop());
}
