// Number and choice controls. Each has a name, a unit and a value that a screen reader can say, works by
// keyboard alone, and carries the mark (the post's value) that Delete or Backspace returns to.

const newId = () => `g4l-${Math.random().toString(36).slice(2, 10)}`; // every widget runs its own copy of this file

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- shared parts ---------------------------------------------------------------------------------------------

const DIAMOND = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M6 1 11 6 6 11 1 6Z"/></svg>';

// Arrows, Enter and Delete must not leave the control; see also page.js.
function keepKeys(root, returnToMark) {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") event.stopPropagation();
    const typing = event.target.matches("input[type=text], textarea");
    if (!typing && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      returnToMark();
    }
  });
}

// The control shows each move at once; the kernel hears of it at once, then at most once per frame. ipywidgets holds a
// message back until the kernel has answered the one before and merges what arrives meanwhile: no queue builds up.
function sender(model) {
  let frame = 0;
  let late = false;
  return (value, more = {}) => {
    model.set({ value, known: true, ...more });
    if (frame) return void (late = true);
    model.save_changes();
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (late) model.save_changes();
      late = false;
    });
  };
}

function listen(model, events, heard) {
  for (const event of events) model.on(`change:${event}`, heard);
  return () => events.forEach((event) => model.off(`change:${event}`, heard));
}

function frameOf(model, kind, id) {
  const help = make("span", { class: "g4l-sr-only", id: `${id}-help` });
  const error = make("p", { class: "g4l-error", role: "alert" });
  const note = make("p", { class: "g4l-note", role: "status" });
  const root = make("div", { class: `g4l-control g4l-${kind}` });
  return { root, help, error, note };
}

function hint(model, markText) {
  const back = markText ? `Delete returns to ${model.get("mark_label")}: ${markText}.` : "";
  return [model.get("help"), back].filter(Boolean).join(" ");
}

// ---- choice: a few options stand side by side, more go into a list --------------------------------------------

const MOST_SIDE_BY_SIDE = 4;

function radios(options, id, markText) {
  const group = make("div", { class: "g4l-options", role: "radiogroup", id });
  options.forEach(([text], i) => {
    const input = make("input", { type: "radio", name: id, value: i });
    const label = make("label", {}, input, text);
    if (i === markText.index) label.append(markOf(markText.label));
    group.append(label);
  });
  const inputs = [...group.querySelectorAll("input")];
  return {
    element: group,
    get: () => inputs.findIndex((input) => input.checked),
    set: (i) => inputs.forEach((input, at) => (input.checked = at === i)),
    disable: (off) => inputs.forEach((input) => (input.disabled = off)),
  };
}

function list(options, id, markText) {
  const names = options.map(([text], i) => (i === markText.index ? `${text} (${markText.label})` : text));
  const select = make("select", { id }, ...names.map((text, i) => make("option", { value: i }, text)));
  return {
    element: select,
    get: () => select.selectedIndex,
    set: (i) => (select.selectedIndex = i),
    disable: (off) => (select.disabled = off),
  };
}

function markOf(label) {
  const mark = make("span", { class: "g4l-mark-sign", title: label });
  mark.innerHTML = `${DIAMOND}<span class="g4l-sr-only"></span>`;
  mark.lastElementChild.textContent = ` (${label})`;
  return mark;
}

function renderChoice({ model, el }) {
  const id = newId();
  const { root, help, error, note } = frameOf(model, "choice-control", id);
  const options = model.get("options");
  const indexOf = (value) => options.findIndex(([, own]) => own === value);
  const markText = { index: model.get("mark") === null ? -1 : indexOf(model.get("mark")), label: model.get("mark_label") };
  const short = options.length <= MOST_SIDE_BY_SIDE && options.reduce((sum, [text]) => sum + text.length, 0) < 48;
  const stacked = model.get("stacked");
  const choice = (short || stacked ? radios : list)(options, id, markText);
  choice.element.classList.toggle("g4l-stacked", stacked);
  const send = sender(model);
  choice.element.setAttribute("aria-label", model.get("label"));
  choice.element.setAttribute("aria-describedby", `${id}-help`);
  root.title = model.get("help");
  help.textContent = hint(model, markText.index < 0 ? "" : options[markText.index][0]);
  root.append(make("span", { class: "g4l-label" }, model.get("label")), choice.element, help, error, note);

  const refresh = () => {
    choice.set(model.get("known") ? indexOf(model.get("value")) : -1);
    choice.disable(model.get("disabled"));
    error.textContent = model.get("error");
    note.textContent = model.get("note");
  };
  const toMark = () => {
    if (markText.index >= 0 && !model.get("disabled")) send(model.get("mark"));
    refresh();
  };
  choice.element.addEventListener("change", () => send(options[choice.get()][1]));
  keepKeys(root, toMark);
  el.append(root);
  refresh();
  return listen(model, ["value", "known", "disabled", "error", "note"], refresh);
}

// ---- text: Enter sends a line; of several lines it begins the next ----------------------------------------------------

function renderText({ model, el }) {
  const id = newId();
  const { root, help, error } = frameOf(model, "text-control", id);
  const rows = model.get("lines");
  const kind = rows > 1 ? { rows, spellcheck: "true", maxlength: 10_000 } : { type: "text", autocomplete: "off", spellcheck: "false" };
  const entry = make(rows > 1 ? "textarea" : "input", { class: "g4l-entry", id, ...kind, "aria-describedby": `${id}-help` });
  const send = sender(model);
  help.textContent = model.get("help");
  root.append(make("label", { class: "g4l-label", for: id }, model.get("label")), entry, help, error);
  let draft = false; // whether the reader is typing: it stays, whatever the kernel writes meanwhile
  const refresh = () => {
    if (document.activeElement !== entry) draft = false;
    if (!draft && entry.value !== model.get("value")) entry.value = model.get("value");
    error.textContent = model.get("error");
  };
  const finish = (more) => ((draft = false), send(entry.value, more));
  const typed = ({ key }) => {
    if (key === "Escape") (draft = false), refresh();
    if (key === "Enter" && rows < 2) finish({ sent: model.get("sent") + 1 });
  };
  entry.addEventListener("input", () => ((draft = true), model.get("late") || send(entry.value)));
  entry.addEventListener("change", () => draft && entry.value !== model.get("value") && finish());
  entry.addEventListener("keydown", typed);
  model.on("msg:custom", (said) => said.do === "focus" && entry.focus());
  keepKeys(root, () => null);
  el.append(root);
  refresh();
  return listen(model, ["value", "error"], refresh);
}

// ---- a page without its kernel --------------------------------------------------------------------------------

const BOXES = ".g4l-panel, .g4l-guess-box, .g4l-reveal-box, .g4l-exercise-box, .g4l-board, .g4l-desk, .g4l-conflict";
const LOST = ["restarting", "autorestarting", "terminating", "dead"];
const NO_KERNEL = "No kernel: run the chapter again (Run → Run All Cells).";

// Whoever restarts the kernel, or shuts it down, is left with sliders that move and move nothing: every box says so.
function sayNoKernel(el) {
  const around = el.closest(".jp-Notebook")?.querySelectorAll(BOXES) ?? [];
  const silent = [el.closest(BOXES) ?? el, ...around].filter((box) => !box.querySelector(".g4l-no-kernel"));
  for (const [i, box] of [...new Set(silent)].entries()) {
    box.prepend(make("p", { class: "g4l-error g4l-no-kernel", role: i ? "note" : "alert" }, NO_KERNEL)); // read out once
    for (const part of box.querySelectorAll("input, select, button")) part.disabled = true;
  }
}

function watchKernel(model, el) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.statusChanged) return () => {}; // a front end that does not tell
  const gone = () => sayNoKernel(el);
  const heard = (_, status) => LOST.includes(status) && gone();
  kernel.statusChanged.connect(heard);
  kernel.disposed.connect(gone);
  return () => (kernel.statusChanged.disconnect(heard), kernel.disposed.disconnect(gone));
}

const RENDER = { number: renderNumber, choice: renderChoice, text: renderText };

function render({ model, el }) {
  const stops = [RENDER[model.get("kind")]({ model, el }), watchKernel(model, el)];
  return () => stops.forEach((stop) => stop());
}

export default { render };
