// Scenes (drawing.py) as SVG: one element a key, changed in place; a scrubber where there is more than one scene.
// Uses `foldedTable` and `toRows` of view.js, which stands before it in one module.

const SVG = "http://www.w3.org/2000/svg";
const LAYERS = ["Boxes", "Box", "Strokes", "Stroke", "Dot", "Words"]; // from below
const TAGS = { Box: "rect", Boxes: "path", Stroke: "line", Strokes: "path", Dot: "circle", Words: "text" };
const MOVE_MS = 350;

const box = ([x, y, w, h], f, g) => `M${f * x} ${g * y}h${f * w}v${g * h}h${-f * w}z`;
const across = (x, f, about = x) => f * about + x - about;
const stroke = ([x, y, x2, y2], f, g, about) => `M${across(x, f, about)} ${g * y}L${across(x2, f, about)} ${g * y2}`;

// Shape -> attributes; `f` is the width that there is over the scene's own, `g` the same of its height
const ATTRIBUTES = {
  Box: ({ x, y, w, h }, f, g) => ({ x: f * x, y: g * y, width: Math.max(0, f * w), height: Math.max(0, g * h) }),
  Boxes: ({ each }, f, g) => ({ d: each.map((one) => box(one, f, g)).join("") }),
  Stroke: ({ x, y, x2, y2, about }, f, g) => ({ x1: across(x, f, about), y1: g * y, x2: across(x2, f, about), y2: g * y2 }),
  Strokes: ({ each, about }, f, g) => ({ d: each.map((one) => stroke(one, f, g, about)).join("") }),
  Dot: ({ x, y, r }, f, g) => ({ cx: f * x, cy: g * y, r }),
  Words: ({ x, y, anchor }, f, g) => ({ x: f * x, y: g * y, "text-anchor": anchor }),
};

// What was sent as changes -> the shapes of every scene, by key
function unfolded(frames) {
  let shapes = {};
  return frames.map((frame) => {
    shapes = { ...shapes, ...frame.shapes };
    for (const key in shapes) if (shapes[key] === null) delete shapes[key];
    return { ...frame, shapes };
  });
}

// A shape on its way from one scene to the next; what has a place in only one of them fades
function between(from, to, share) {
  if (!from || !to) return { ...(from ?? to), seen: from ? 1 - share : share };
  const moved = { ...(share < 0.5 ? from : to) };
  for (const name in moved) {
    const [a, b] = [from[name], to[name]];
    if (typeof a === "number" && typeof b === "number") moved[name] = a + (b - a) * share;
  }
  return moved;
}

// The elements of a picture: `paint` writes only what differs from what stands there.
function painter(svg) {
  const layers = Object.fromEntries(LAYERS.map((kind) => [kind, svg.appendChild(document.createElementNS(SVG, "g"))]));
  const held = new Map();
  const elementOf = (key, { kind }) => {
    if (held.get(key)?.kind !== kind) {
      held.get(key)?.element.remove();
      held.set(key, { kind, element: layers[kind].appendChild(document.createElementNS(SVG, TAGS[kind])), written: {} });
    }
    return held.get(key);
  };
  const write = ({ element, written }, name, value) => {
    if (written[name] === value) return;
    written[name] = value;
    if (value === null) element.removeAttribute(name);
    else if (name === "words") element.textContent = value;
    else if (name === "tip") element.replaceChildren(Object.assign(document.createElementNS(SVG, "title"), { textContent: value }));
    else element.setAttribute(name, value);
  };
  const named = (one, name) => {
    if (name === null && !one.written.role) return;
    write(one, "role", name === null ? null : "button");
    write(one, "aria-label", name);
    if (name === null || !one.written.tabindex) write(one, "tabindex", name === null ? null : "-1");
  };
  const paint = (shapes, f, g) => {
    for (const [key, one] of held) if (!(key in shapes)) (write(one, "opacity", 0), named(one, null));
    for (const [key, shape] of Object.entries(shapes)) {
      const one = elementOf(key, shape);
      const line = shape.kind.startsWith("Stroke") ? "g4l-stroke " : "";
      write(one, "class", line + shape.look.split(" ").map((look) => `g4l-look-${look}`).join(" "));
      write(one, "opacity", shape.seen ?? 1);
      if (shape.kind === "Words") write(one, "words", shape.text);
      if (shape.tip) write(one, "tip", shape.tip);
      named(one, shape.look.split(" ").includes("press") ? shape.tip ?? key : null);
      for (const [name, value] of Object.entries(ATTRIBUTES[shape.kind](shape, f, g))) write(one, name, value);
    }
  };
  const forget = (keys) => {
    for (const [key, one] of held) if (!keys.has(key)) (one.element.remove(), held.delete(key));
  };
  const keyOf = (element) => [...held].find(([, one]) => one.element === element)?.[0];
  return { paint, forget, keyOf };
}

function part(parent, tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

// Back, a slider, On, and what happens in this step. Keys go by whole steps; a hand may stop between two.
function scrubber(parent, name, go) {
  const row = part(parent, "div", { class: "g4l-scrub" });
  const back = part(row, "button", { type: "button", class: "g4l-button" }, "Back");
  const range = part(row, "input", { type: "range", min: 0, step: "any", "aria-label": name });
  const on = part(row, "button", { type: "button", class: "g4l-button" }, "Next");
  const caption = part(parent, "p", { class: "g4l-caption" });
  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5, Home: -1e9, End: 1e9 };
  let by = () => {};
  range.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") event.stopPropagation();
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    by(KEYS[event.key]);
  });
  range.addEventListener("input", () => go(Number(range.value), false));
  range.addEventListener("change", () => go(Math.round(range.value), true));
  back.addEventListener("click", () => by(-1));
  on.addEventListener("click", () => by(1));
  const stand = (at, scenes, target) => {
    const last = scenes.length - 1;
    row.hidden = last < 1;
    by = (steps) => go(Math.min(last, Math.max(0, target + steps)), true);
    range.max = last;
    if (Number(range.value) !== at) range.value = at;
    const words = scenes[Math.round(at)].caption;
    if (caption.textContent !== words) caption.textContent = words;
    caption.hidden = !words;
    range.setAttribute("aria-valuetext", `${Math.round(at) + 1} of ${last + 1}. ${words}`);
    back.disabled = target <= 0;
    on.disabled = target >= last;
  };
  return { stand };
}

// How tall the picture stands over the scene's own height
const tallness = (svg) => Number(svg.style.getPropertyValue("--g4l-tall") || 1);

// Words that would leave a narrow picture stand at its edge.
function holdInside(svg) {
  const { width } = svg.getBoundingClientRect();
  for (const word of svg.querySelectorAll("text")) {
    const { x, width: wide } = word.getBBox();
    const beyond = Math.max(0, x + wide - width) || Math.min(0, x);
    word.style.translate = beyond ? `${-beyond}px` : "";
  }
}

// Shapes with the look "grip" are dragged up and down; what the reader has chosen goes to the kernel, once a frame.
function gripped(svg, model, gripOf) {
  let frame = 0;
  const pull = (event) => {
    const { path, bottom, top } = gripOf();
    const y = (event.clientY - svg.getBoundingClientRect().top) / tallness(svg);
    const share = Math.min(1, Math.max(0, (bottom[0] - y) / (bottom[0] - top[0])));
    model.set("pulled", [path, bottom[1] + share * (top[1] - bottom[1]), model.get("pulled")[2] + 1]);
    frame ||= requestAnimationFrame(() => ((frame = 0), model.save_changes()));
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!gripOf() || !event.target.closest(".g4l-look-grip")) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const stop = () => svg.removeEventListener("pointermove", pull);
    svg.addEventListener("pointermove", pull);
    svg.addEventListener("lostpointercapture", stop, { once: true });
  });
}

// Shapes with the look "press" are pressed, by hand or by the keyboard: arrows go to the nearest, Space and Enter press,
// and so do the letters that a scene takes (`keys`). Which one goes to the kernel, with the letter behind a blank. Where
// ">" is among them, one may also be dragged onto another: then that one's key stands behind the sign.
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const PRESS = ".g4l-look-press[role=button]";
const HELD = ".g4l-look-paint, .g4l-look-grip, .g4l-look-drag";

// What has the look "paint" besides is pressed by a stroke across it: all keys of the stroke so far, once a frame.
function painted(svg, model, keyOf) {
  let [stroke, frame] = [new Set(), 0];
  const tell = () => {
    frame = 0;
    model.set("pressed", [[...stroke].join(" "), model.get("pressed")[1] + 1]);
    model.save_changes();
  };
  const cross = (event) => {
    const element = document.elementFromPoint(event.clientX, event.clientY)?.closest(".g4l-look-paint");
    const key = element && svg.contains(element) ? keyOf(element) : null;
    if (!key || stroke.has(key)) return;
    stroke.add(key);
    if (stroke.size > 1) frame ||= requestAnimationFrame(tell);
  };
  svg.addEventListener("pointerdown", (event) => {
    stroke = new Set();
    if (!event.target.closest(".g4l-look-paint")) return;
    cross(event);
    const end = () => removeEventListener("pointermove", cross);
    addEventListener("pointermove", cross);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  });
  const wasStroke = () => {
    const was = stroke.size > 1;
    stroke = new Set();
    return was;
  };
  return { wasStroke };
}

function pressable(svg, model, keyOf, lettersOf) {
  const send = (element, letter = "") => {
    const key = keyOf(element);
    if (!key) return;
    model.set("pressed", [letter ? `${key} ${letter}` : key, model.get("pressed")[1] + 1]);
    model.save_changes();
  };
  const stop = (element) => {
    for (const other of svg.querySelectorAll(`${PRESS}[tabindex="0"]`)) other.setAttribute("tabindex", "-1");
    element?.setAttribute("tabindex", "0");
  };
  const middle = (element) => {
    const { x, y, width, height } = element.getBBox();
    return [x + width / 2, y + height / 2];
  };
  const nearest = (from, [right, down]) => {
    const [x, y] = middle(from);
    const far = (element) => {
      const [dx, dy] = middle(element).map((place, at) => place - [x, y][at]);
      const along = dx * right + dy * down;
      return along > 0.5 ? along + 3 * Math.abs(dx * down + dy * right) : Infinity;
    };
    const all = [...svg.querySelectorAll(PRESS)].map((element) => [far(element), element]);
    const [least, there] = all.reduce((best, one) => (one[0] < best[0] ? one : best), [Infinity, null]);
    return least < Infinity ? there : null;
  };
  const go = (element) => element && (stop(element), element.focus());
  const { wasStroke } = painted(svg, model, keyOf);
  svg.addEventListener("click", (event) => {
    if (wasStroke()) return;
    const element = event.target.closest(".g4l-look-press");
    send(element);
    if (element?.getAttribute("role")) stop(element);
  });
  // What is dragged, and what it would be dropped on, which is marked on the way.
  let [taken, over] = [null, null];
  const mark = (element) => {
    over?.classList.remove("g4l-over");
    element?.classList.add("g4l-over");
    over = element;
  };
  const under = (event) => {
    const element = taken && document.elementFromPoint(event.clientX, event.clientY)?.closest(PRESS);
    return element && element !== taken && svg.contains(element) && lettersOf().includes(">") ? element : null;
  };
  const drop = (there) => {
    if (there) send(taken, `>${keyOf(there)}`);
    mark(null);
    taken = null;
  };
  svg.addEventListener("pointerdown", (event) => (taken = event.target.closest(PRESS)));
  svg.addEventListener("pointermove", (event) => taken && mark(under(event)));
  svg.addEventListener("pointerup", (event) => drop(under(event)));
  svg.addEventListener("pointercancel", () => drop(null));
  svg.addEventListener("keydown", (event) => {
    const element = event.target.closest(PRESS);
    if (!element || event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    const letter = event.key === "Delete" || event.key === "Backspace" ? "-" : event.key.toUpperCase();
    if (event.key in WAYS) go(nearest(element, WAYS[event.key]));
    else if (event.key === " " || event.key === "Enter") send(element);
    else if (lettersOf().includes(letter)) send(element, letter);
    else return;
    event.preventDefault();
  });
  // One shape of the picture is reached by Tab; where none is any more, the first.
  return () => {
    const some = svg.querySelector(PRESS);
    if (some) svg.removeAttribute("aria-hidden");
    else svg.setAttribute("aria-hidden", "true");
    svg.parentElement.setAttribute("role", some ? "group" : "img");
    if (some && !svg.querySelector(`${PRESS}[tabindex="0"]`)) stop(some);
  };
}

function render({ model, el }) {
  const figure = part(el, "div", { class: "g4l-chart g4l-drawing" });
  const picture = part(figure, "div", { class: "g4l-picture", role: "img" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  picture.append(svg);
  // A finger that draws or drags does not scroll the page: inside a picture a browser may not heed touch-action.
  const hold = (event) => event.target.closest(HELD) && event.cancelable && event.preventDefault();
  svg.addEventListener("touchmove", hold, { passive: false });
  const { paint, forget, keyOf } = painter(svg);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let scenes = unfolded(model.get("frames"));
  let at = model.get("start") < 0 ? scenes.length - 1 : model.get("start");
  let target = at;
  let moving = 0;

  const drawAt = (place) => {
    at = place;
    const [low, high] = [scenes[Math.floor(at)], scenes[Math.ceil(at)]];
    const keys = new Set([...Object.keys(low.shapes), ...Object.keys(high.shapes)]);
    const share = at - Math.floor(at);
    const way = (key) => between(low.shapes[key], high.shapes[key], share);
    const shapes = share ? Object.fromEntries([...keys].map((key) => [key, way(key)])) : low.shapes;
    const here = scenes[Math.round(at)];
    const wide = Math.min(1, (picture.clientWidth || low.width) / low.width);
    const tall = here.round ? wide : 1;
    svg.style.setProperty("--g4l-tall", tall);
    svg.style.setProperty("--g4l-wide", wide);
    paint(shapes, wide, tall);
    if (wide < 1) holdInside(svg);
    svg.setAttribute("height", here.height * tall);
    if (picture.getAttribute("aria-label") !== here.description) picture.setAttribute("aria-label", here.description);
    scrub.stand(at, scenes, target);
    table.write();
    reach();
  };
  const go = (place, slowly) => {
    cancelAnimationFrame(moving);
    target = Math.round(place);
    if (!slowly || still.matches) return drawAt(still.matches ? target : place);
    const [from, begun] = [at, performance.now()];
    const on = (now) => {
      const share = Math.min(1, Math.max(0, (now - begun) / MOVE_MS));
      drawAt(share < 1 ? from + (target - from) * share * share * (3 - 2 * share) : target);
      if (share < 1) moving = requestAnimationFrame(on);
    };
    moving = requestAnimationFrame(on);
  };
  gripped(svg, model, () => here().grip);
  const reach = pressable(svg, model, keyOf, () => here().keys ?? "");
  const scrub = scrubber(figure, model.get("steps"), go);
  const here = () => scenes[Math.round(at)];
  const tables = { get data() { return { caption: "", titles: here().titles }; } };
  const table = foldedTable(tables, () => toRows(here().rows));
  figure.append(table.details);
  const renew = () => {
    cancelAnimationFrame(moving);
    scenes = unfolded(model.get("frames"));
    target = Math.min(target, scenes.length - 1);
    table.details.hidden = !scenes.some(({ titles }) => Object.keys(titles).length);
    const pressed = svg.contains(document.activeElement);
    forget(new Set(scenes.flatMap(({ shapes }) => Object.keys(shapes))));
    drawAt(target);
    if (pressed && !document.activeElement?.matches(PRESS)) svg.querySelector(`${PRESS}[tabindex="0"]`)?.focus();
  };
  const resized = new ResizeObserver(() => (drawAt(at), holdInside(svg)));
  resized.observe(picture);
  model.on("change:frames", renew);
  renew();
  return () => (resized.disconnect(), model.off("change:frames", renew), cancelAnimationFrame(moving));
}

export default { render };
