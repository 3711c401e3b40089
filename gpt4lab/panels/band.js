// A guess on the axis of its result: a point and a band. Stands behind controls.js in one module. Keyboard and screen
// reader have three range inputs, one upon the other; the pointer takes hold of the axis, and so of the nearest of them.

const HANDLES = { low: "the lower end of the band", value: "best guess", high: "the upper end of the band" };

function bandState(model) {
  const more = ["low", "high", "banded", "fixed", "truth", "ticks"].map((name) => [name, model.get(name)]);
  return { ...numberState(model), ...Object.fromEntries(more) };
}

// "$10M", and at the open end of a log axis "$10B or more"
function endWords(which, n) {
  const words = n.known ? withUnit(n[which], n) : "not placed yet";
  if (n.known && n.log && which === "low" && n.low <= n.lo) return `${words} or less`;
  return n.known && n.log && which === "high" && n.high >= n.hi ? `${words} or more` : words;
}

// The point and the ends when one of them has come to a value: an end stops at the point, the point takes the ends along
function moved(which, value, n) {
  if (which === "low") return { low: Math.min(value, n.value), banded: true };
  if (which === "high") return { high: Math.max(value, n.value), banded: true };
  if (n.banded) return { value, low: Math.min(n.low, value), high: Math.max(n.high, value) };
  const { at, of, last } = positions(n);
  const p = Math.round(of(value));
  return { value, low: Math.min(value, at(p - last / 4)), high: Math.max(value, at(p + last / 4)) };
}

// A number of the axis, and the unit that all of them share: "$10M", "40%", "2×", but "100" hours
function tickWords(value, n) {
  const number = formatNumber(value, n);
  return n.shownUnit.startsWith("$") ? `$${number}` : number + (/^[%×]$/.test(n.shownUnit) ? n.shownUnit : "");
}

function titleWords(n) {
  return [n.shownUnit.replace(/^[$%×]/, "").trim(), n.log ? "log scale" : ""].filter(Boolean).join(", ");
}

function bandParts(model, n) {
  const root = make("div", { class: `g4l-band g4l-band-${n.fixed ? "fixed" : "free"}` });
  const axis = make("div", { class: "g4l-band-axis" }, make("span", { class: "g4l-band-line" }), make("span", { class: "g4l-band-fill" }));
  const { of, last } = positions(n);
  const ticks = n.ticks.map((value) => make("span", { class: "g4l-band-tick", style: `--at: ${of(value) / last}` }, tickWords(value, n)));
  axis.append(make("div", { class: "g4l-band-ticks", "aria-hidden": "true" }, ...ticks));
  root.append(axis, make("p", { class: "g4l-band-title" }, titleWords(n)));
  return { root, axis };
}

// Where everything stands, as shares of the axis; an end that lies open is the end of the axis
function place(root, n) {
  const { of, last } = positions(n);
  const open = { low: n.lo, high: n.hi };
  for (const name of ["low", "value", "high", "truth"]) {
    const share = of(n[name] ?? open[name] ?? n.value) / last;
    root.style.setProperty(`--${name}`, Math.min(1, Math.max(0, share)));
  }
  root.classList.toggle("g4l-band-none", n.low === null && n.high === null);
}

// ---- guess and truth: nothing moves ---------------------------------------------------------------------------

function renderFixed(model, el) {
  const { root, axis } = bandParts(model, bandState(model));
  const labels = { value: make("span", { class: "g4l-band-you" }), truth: make("span", { class: "g4l-band-answer" }) };
  axis.append(make("span", { class: "g4l-band-point" }), make("span", { class: "g4l-band-truth" }), labels.value, labels.truth);
  axis.setAttribute("role", "img");
  const refresh = () => {
    const n = bandState(model);
    place(root, n);
    const beyond = n.truth < n.lo ? "← " : "";
    labels.value.textContent = `you: ${model.get("guess_words")}`;
    labels.truth.textContent = `${beyond}the answer: ${model.get("truth_words")}${n.truth > n.hi ? " →" : ""}`;
    axis.setAttribute("aria-label", model.get("told"));
  };
  el.append(root);
  refresh();
  return listen(model, ["value", "low", "high", "truth", "told"], refresh);
}

// ---- the guess: dragged, typed, moved by keys -----------------------------------------------------------------

function bandWords(n, id) {
  const entry = (which) => make("input", { type: "text", class: "g4l-entry", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-error`,
    "aria-label": [`${n.label}: ${HANDLES[which]}`, n.shownUnit].filter(Boolean).join(", ") });
  const entries = { value: entry("value"), low: entry("low"), high: entry("high") };
  const [before, behind] = n.shownUnit.startsWith("$") ? ["$", ""] : ["", /^[%×]$/.test(n.shownUnit) ? n.shownUnit : ""];
  const [best, low, high] = Object.values(entries).map((own) => make("span", { class: "g4l-band-number" }, before, own, behind));
  const unit = n.shownUnit.replace(/^[$%×] ?/, "").replace(/^(?=.)/, " ");
  const words = make("div", { class: "g4l-band-words" }, make("p", {}, "My best guess: ", best, `${unit}.`));
  words.append(make("p", {}, "I am fairly sure (four times in five) that it lies between ", low, " and ", high, `${unit}.`));
  return { words, entries };
}

function handles(n, id) {
  const input = (which) => make("input", { type: "range", min: 0, step: 1, class: `g4l-band-${which}`, "aria-label": `${n.label}: ${HANDLES[which]}`, "aria-describedby": `${id}-help` });
  return { low: input("low"), value: input("value"), high: input("high") };
}

// The pointer on the axis: the nearest handle comes, and follows; where they coincide, that of the side
function dragOn(axis, model, choose) {
  let held = "";
  const positionOf = ({ clientX }) => {
    const { left, width } = axis.getBoundingClientRect();
    return (clientX - left) / width;
  };
  const follow = (event) => {
    const n = bandState(model);
    const { at, last } = positions(n);
    choose(held, at(Math.round(Math.min(1, Math.max(0, positionOf(event))) * last)));
  };
  axis.addEventListener("pointerdown", (event) => {
    const n = bandState(model);
    if (event.button || axis.querySelector("input").disabled) return;
    const { of, last } = positions(n);
    const x = positionOf(event);
    const away = (which) => Math.abs(of(n[which]) / last - x) - (which === "value" ? 0.02 : 0);
    const side = x < of(n.value) / last ? ["low", "value", "high"] : ["high", "value", "low"];
    held = n.known ? side.reduce((best, which) => (away(which) < away(best) ? which : best)) : "value";
    axis.querySelector(`.g4l-band-${held}`).focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
    axis.setPointerCapture(event.pointerId);
    follow(event);
  });
  axis.addEventListener("pointermove", (event) => held && follow(event));
  for (const end of ["pointerup", "pointercancel"]) axis.addEventListener(end, () => (held = ""));
}

function renderFree(model, el) {
  const id = newId();
  const first = bandState(model);
  const { root, axis } = bandParts(model, first);
  const inputs = handles(first, id);
  const { words, entries } = bandWords(first, id);
  const help = make("span", { class: "g4l-sr-only", id: `${id}-help` }, model.get("help"));
  const error = make("p", { class: "g4l-error", id: `${id}-error`, role: "alert" });
  const why = make("input", { type: "text", class: "g4l-entry", id: `${id}-why`, autocomplete: "off", maxlength: 500 });
  const because = make("p", { class: "g4l-band-why" }, make("label", { for: `${id}-why` }, "Why do you think so? (if you like)"), why);
  axis.append(...Object.values(inputs));
  root.append(words, error, because, help);
  Object.entries({ role: "group", "aria-label": first.label }).forEach((pair) => root.setAttribute(...pair));
  const send = sender(model);

  const refresh = () => {
    const n = bandState(model);
    const { of, last } = positions(n);
    place(root, n);
    for (const [which, input] of Object.entries(inputs)) {
      input.max = last;
      input.value = Math.round(of(n[which]));
      input.setAttribute("aria-valuetext", endWords(which, n));
      if (document.activeElement !== entries[which]) entries[which].value = n.known ? formatNumber(n[which], n) : "";
    }
    if (document.activeElement !== why && why.value !== model.get("why")) why.value = model.get("why");
    root.classList.toggle("g4l-not-known", !n.known);
  };
  const choose = (which, value) => {
    const { value: point = model.get("value"), ...ends } = moved(which, value, bandState(model));
    error.textContent = "";
    send(point, { ...ends, slid: true });
    refresh();
  };
  const slide = (which) => {
    const n = bandState(model);
    const { at, of, last } = positions(n);
    let p = Number(inputs[which].value);
    const way = Math.sign(p - Math.round(of(n[which])));
    while (way && at(p) === n[which] && p + way >= 0 && p + way <= last) p += way;
    choose(which, at(p));
  };
  const type = (which) => {
    const n = bandState(model);
    if (entries[which].value === (n.known ? formatNumber(n[which], n) : "")) return void (error.textContent = "");
    try {
      const value = parseNumber(entries[which].value, n);
      const why = fault(value, { ...n, integer: n.integer && which === "value" }) ?? crossed(which, value, n);
      if (why) throw why;
      choose(which, value);
      entries[which].value = formatNumber(value, n);
    } catch (why) {
      error.textContent = String(why);
    }
  };
  const undo = (which) => {
    const n = bandState(model);
    entries[which].value = n.known ? formatNumber(n[which], n) : "";
    error.textContent = "";
  };
  for (const which of Object.keys(HANDLES)) {
    inputs[which].addEventListener("input", () => slide(which));
    entries[which].addEventListener("change", () => type(which));
    entries[which].addEventListener("focus", () => entries[which].select());
    entries[which].addEventListener("keydown", ({ key }) => (key === "Enter" ? type(which) : key === "Escape" && undo(which)));
  }
  why.addEventListener("input", () => send(model.get("value"), { why: why.value }));
  dragOn(axis, model, choose);
  keepKeys(root, () => null);
  el.append(root);
  refresh();
  return listen(model, ["value", "low", "high", "why", "known"], refresh);
}

// What stops an end that was typed beyond the point
function crossed(which, value, n) {
  const beyond = which === "low" ? value > n.value : which === "high" && value < n.value;
  const side = which === "low" ? "above" : "below";
  return beyond ? `${n.label}: ${HANDLES[which]}, ${withUnit(value, n)}, lies ${side} the best guess, ${withUnit(n.value, n)}.` : null;
}

RENDER.band = ({ model, el }) => (model.get("fixed") ? renderFixed : renderFree)(model, el);
