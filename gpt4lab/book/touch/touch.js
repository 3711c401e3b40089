// Numbers in sentences that can be touched. In the text they are <span itemprop="name in braces" title="in one line">.
// Hover, focus or tap shows how a number is made. One whose name begins with "~" is a remote of the nearest slider that
// holds this input: dragged, stepped or typed, it moves the slider, and what the kernel answers is the sentence's.

const NUMBER = "span[itemprop]";
const SENTENCE = "p, li, td, th, blockquote";
const WIDE = 240; // px of a drag from one end of the slider to the other
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
const PASSED_ON = ["PageUp", "PageDown", "Delete", "Backspace"]; // to the slider, which knows what they mean
const HOVERED_MS = 150;
const LEFT_MS = 300; // long enough to reach the box
const HOW = "Drag the number, use the arrow keys, or type:";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const nameOf = (number) => number.getAttribute("itemprop");
const isInput = (number) => nameOf(number).startsWith("~");
const onPage = (number) => /[a-z_]+\.\w+/.exec(nameOf(number))?.[0].replaceAll(".", "-") ?? "";
const sentenceOf = (number) => number.closest(SENTENCE) ?? number.parentElement;
const at = (target, what) => target?.closest?.(what) ?? null;

function render({ model, el }) {
  const leaving = new AbortController();
  const on = (type, heard, capture = false) => document.addEventListener(type, heard, { signal: leaving.signal, capture });
  const page = () => el.closest(".jp-Notebook") ?? document.body;
  const numberAt = (target) => (page().contains(target) ? at(target, NUMBER) : null);
  const send = (said) => {
    try {
      model.send(said);
    } catch {} // no kernel hears it any more: the panels say so
  };
  const typeset = (box) => model.widget_manager?.rendermime?.latexTypesetter?.typeset(box);

  // ---- sentences and their panels -----------------------------------------------------------------------------

  const controls = new WeakMap(); // number -> the control on the page that it moves
  const followed = []; // the numbers of each sentence that follows a panel
  const rangeOf = (number) => {
    const control = controls.get(number);
    return control?.isConnected ? control.querySelector("input[type=range]:enabled") : null;
  };
  const panelOf = (number) => {
    const inputs = [...sentenceOf(number).querySelectorAll(NUMBER)].filter((each) => controls.has(each));
    const panel = inputs.length ? at(controls.get(inputs[0]), ".g4l-panel") : null;
    return panel && /g4l-panel-(\w+)/.exec(panel.className)?.[1];
  };

  // The slider in the next panel below, or else in the last one above.
  const nearest = (number) => {
    const all = [...page().querySelectorAll(`.g4l-panel .g4l-of-${onPage(number)}`)];
    const below = (control) => number.compareDocumentPosition(control) & Node.DOCUMENT_POSITION_FOLLOWING;
    return all.find(below) ?? all.at(-1);
  };
  const link = (number) => {
    const control = nearest(number);
    if (!control || controls.get(number) === control) return false;
    controls.set(number, control);
    const watch = new MutationObserver(() => controls.get(number) === control && mirror(number));
    watch.observe(control, { subtree: true, childList: true, attributes: true, characterData: true });
    leaving.signal.addEventListener("abort", () => watch.disconnect());
    mirror(number);
    return true;
  };
  const follow = (sentence) => {
    const copy = sentence.cloneNode(true);
    copy.querySelectorAll(".g4l-about").forEach((box) => box.remove());
    const names = [...copy.querySelectorAll(NUMBER)].map((number) => (number.replaceWith("\u0001"), nameOf(number)));
    const text = copy.textContent.replace(/[{}]/g, " ").replaceAll("\u0001", () => `{${names.shift()}}`);
    const numbers = [...sentence.querySelectorAll(NUMBER)];
    followed.forEach((others, old) => others[0] === numbers[0] && forget(old)); // it followed another panel
    const key = followed.push(numbers) - 1;
    send({ follow: key, panel: panelOf(followed[key][0]), text });
  };
  const forget = (key) => (delete followed[key], send({ forget: key }));
  const refresh = () => {
    const numbers = [...page().querySelectorAll(NUMBER)];
    numbers.forEach(dress);
    const moved = numbers.filter((number) => isInput(number) && link(number));
    new Set(moved.map(sentenceOf)).forEach(follow);
  };

  // A number is a button that tells; one that is linked to a slider is that slider again.
  const dress = (number) => {
    if (number.classList.contains("g4l-touched")) return;
    number.classList.add("g4l-touched", `mjx-g4l-${onPage(number) || "none"}`);
    number.setAttribute("role", "button");
    number.setAttribute("aria-haspopup", "dialog");
    number.tabIndex = number === sentenceOf(number).querySelector(NUMBER) || isInput(number) ? 0 : -1;
    if (number.title) number.dataset.told = number.title;
    number.removeAttribute("title");
  };
  const mirror = (number) => {
    const range = rangeOf(number);
    number.classList.toggle("g4l-moves", Boolean(range));
    number.setAttribute("role", range ? "slider" : "button");
    const own = (name) => range?.getAttribute(`aria-${name}`);
    const said = { label: `${own("label")}, in this sentence`, valuemin: 0, valuemax: range?.max, valuenow: range?.value, valuetext: own("valuetext") };
    for (const [name, value] of Object.entries(said)) range ? number.setAttribute(`aria-${name}`, value) : number.removeAttribute(`aria-${name}`);
    const trouble = complaint(number);
    if (trouble && number === document.activeElement) show(number, true);
    if (shown?.number !== number) return;
    say(trouble);
    const typed = shown.box.querySelector(".g4l-entry");
    if (typed && typed !== document.activeElement) typed.value = controls.get(number).querySelector(".g4l-entry").value;
  };
  const complaint = (number) => {
    const control = controls.get(number);
    const lines = [...(control?.querySelectorAll(".g4l-error, .g4l-note") ?? []), at(control, ".g4l-panel")?.querySelector(".g4l-no-kernel")];
    return lines.map((line) => line?.textContent).find(Boolean) ?? "";
  };
  const slide = (range, position) => {
    range.value = position;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // ---- the box that explains ------------------------------------------------------------------------------------

  let shown = null; // { number, box, pinned }
  const hide = () => {
    shown?.box.remove();
    shown?.number.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (number, pinned) => {
    if (shown?.number === number) return void (shown.pinned ||= pinned);
    hide();
    const id = `g4l-about-${Math.random().toString(36).slice(2, 10)}`;
    const words = make("div", {}, number.dataset.told ?? "");
    const box = make("div", { class: "g4l-about mathjax_ignore", id, role: "dialog", popover: "manual", "aria-label": `About ${number.textContent}` }, words);
    const range = rangeOf(number);
    if (range) box.prepend(entry(number), make("p", { class: "g4l-error", role: "alert" }, complaint(number)));
    number.after(box);
    number.setAttribute("aria-describedby", id);
    shown = { number, box, words, pinned };
    box.showPopover?.();
    place();
    ask(number);
  };
  const ask = (number) => send({ explain: nameOf(number), panel: panelOf(number) });
  const place = () => {
    if (!shown) return;
    const { number, box } = shown;
    const [line] = number.getClientRects();
    if (!line) return hide();
    const [wide, high] = [box.offsetWidth, box.offsetHeight];
    box.style.left = `${Math.max(8, Math.min(line.left, innerWidth - wide - 8))}px`;
    box.style.top = `${line.bottom + high + 14 < innerHeight ? line.bottom + 6 : Math.max(8, line.top - high - 6)}px`;
  };
  const say = (trouble) => {
    const line = shown?.box.querySelector(":scope > .g4l-error");
    if (line && line.textContent !== trouble) (line.textContent = trouble), place();
  };

  // What is typed here is typed into the slider's own entry: it reads it, or says why not.
  const entry = (number) => {
    const own = controls.get(number).querySelector(".g4l-entry");
    const here = make("input", { type: "text", class: "g4l-entry", inputmode: "decimal", autocomplete: "off", "aria-label": own.getAttribute("aria-label") });
    here.value = own.value;
    here.addEventListener("change", () => {
      if (own.disabled) return say(complaint(number));
      own.value = here.value;
      own.dispatchEvent(new Event("change", { bubbles: true }));
      if (!complaint(number)) here.value = own.value;
    });
    const unit = controls.get(number).querySelector(".g4l-unit").textContent;
    return make("label", { class: "g4l-typed" }, make("span", {}, HOW), here, unit);
  };
  const escaped = () => {
    const { number } = shown;
    controls.get(number)?.querySelector(".g4l-entry").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    number.focus();
    hide(); // last: the focus would show it again
  };

  // ---- what the reader does -------------------------------------------------------------------------------------

  let timer = 0;
  on("pointerover", ({ target, pointerType }) => {
    clearTimeout(timer);
    const number = numberAt(target);
    if (pointerType !== "mouse" || pull || shown?.pinned) return;
    if (number) timer = setTimeout(() => number.isConnected && show(number, false), HOVERED_MS);
    else if (shown && !shown.box.contains(target)) timer = setTimeout(hide, LEFT_MS);
  });
  on("focusin", ({ target }) => numberAt(target) === target && target.matches(":focus-visible") && show(target, false));
  on("focusout", ({ target, relatedTarget: next }) => {
    const inside = shown && (target === shown.number || shown.box.contains(target));
    if (inside && next && next !== shown.number && !shown.box.contains(next)) hide();
  });
  on("scroll", ({ target }) => shown && !shown.box.contains(target) && place(), true);

  let pull = null; // { number, range, x, from, far }
  on("pointerdown", (event) => {
    const number = numberAt(event.target);
    if (shown && !shown.box.contains(event.target) && number !== shown.number) hide();
    const range = number && !event.button && rangeOf(number);
    if (range) pull = { number, range, x: event.clientX, from: Number(range.value), far: false };
  }, true);
  on("pointermove", ({ clientX: x, pointerId, buttons }) => {
    if (!buttons || !pull?.number.isConnected) pull = null; // let go where nobody told
    if (!pull || pull.ended) return;
    if (!pull.far && Math.abs(x - pull.x) < 4) return;
    if (!pull.far) {
      pull.far = true;
      hide();
      pull.number.setPointerCapture(pointerId);
      pull.range.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })); // page.js leaves a ghost behind
    }
    slide(pull.range, Math.round(pull.from + ((x - pull.x) / WIDE) * pull.range.max));
  });
  on("pointercancel", () => (pull = null));
  on("click", ({ target }) => {
    const number = numberAt(target);
    const pulled = pull?.far;
    pull = null;
    if (!number || pulled) return;
    clearTimeout(timer);
    if (shown?.number === number && shown.pinned) hide();
    else show(number, true);
  });
  // JupyterLab would choose the cell, or open its text for editing.
  for (const type of ["mousedown", "mouseup", "dblclick"])
    on(type, (event) => (at(event.target, ".g4l-about") || numberAt(event.target)) && event.stopPropagation(), true);

  const step = (number, way, key) => {
    const range = rangeOf(number);
    if (range && way) slide(range, Number(range.value) + way);
    else if (range) range.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    else if (way) {
      const all = [...sentenceOf(number).querySelectorAll(NUMBER)];
      all[all.indexOf(number) + way]?.focus();
    }
  };
  on("keydown", (event) => {
    const { target, key } = event;
    if (key === "Escape" && pull?.far) slide(pull.range, pull.from), (pull.ended = true);
    const number = numberAt(target) === target ? target : null;
    const mine = number || at(target, ".g4l-about");
    if (!mine) return;
    if (key !== "Tab") event.stopPropagation();
    if (key === "Escape" && shown) escaped();
    if (!number || !(key in STEPS || PASSED_ON.includes(key) || key === "Enter" || key === " ")) return;
    event.preventDefault();
    if (key in STEPS || PASSED_ON.includes(key)) return step(number, STEPS[key], key);
    show(number, true);
    shown.box.querySelector("input, [tabindex], summary")?.focus();
  }, true);

  // ---- symbols and sliders ---------------------------------------------------------------------------------------

  const MARKED = /(?:g4l-of|mjx-g4l)-([\w-]+)/;
  const light = ({ target }) => {
    const mark = MARKED.exec(at(target, '[class*="g4l-of-"], [class*="mjx-g4l-"]')?.getAttribute("class") ?? "")?.[1];
    for (const lit of page().querySelectorAll(".g4l-lit")) lit.classList.remove("g4l-lit");
    if (!mark || !page().querySelector(`.g4l-of-${mark}`)) return;
    for (const other of page().querySelectorAll(`.g4l-of-${mark}, .mjx-g4l-${mark}`)) other.classList.add("g4l-lit");
  };
  on("pointerover", light);
  on("focusin", light);

  // ---- what the kernel answers, and what comes to the page --------------------------------------------------------

  const heard = ({ follow: key, words, why, explain, html }) => {
    if (words && followed[key]?.includes(shown?.number)) ask(shown.number);
    if (words && followed[key]) words.forEach((word, i) => followed[key][i].textContent !== word && (followed[key][i].textContent = word));
    if (why && shown && followed[key]?.includes(shown.number)) say(why);
    if (!html || shown?.number.getAttribute("itemprop") !== explain || !model.widget_manager?.rendermime?.latexTypesetter) return;
    shown.words.innerHTML = html;
    typeset(shown.words);
    place();
    setTimeout(place, HOVERED_MS); // once the formulas stand
  };
  model.on("msg:custom", heard);
  let frame = 0;
  const later = () => (frame ||= requestAnimationFrame(() => ((frame = 0), refresh())));
  on("animationstart", ({ animationName }) => /^g4l-(number|panel)-came$/.test(animationName) && later());
  later();
  return () => (leaving.abort(), hide(), model.off("msg:custom", heard));
}

export default { render };
