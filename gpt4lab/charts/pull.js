// The reader's own mark can be taken hold of: it is pulled along an axis, and the kernel moves the slider behind it.
// Uses `drawChart` of view.js, which stands before it in one module.

const MINE = '[class*="_pull_"] :is(path, line)';
const REACH = 12; // px around it: a finger is broad, a rule is thin

// {pulls: field -> {along: "x" or "y", label of the slider}}
function pullable({ view, plot, spec }, model) {
  const pulls = model.get("pulls");
  if (!Object.keys(pulls).length) return;
  plot.classList.add("g4l-pull");
  plot.style.touchAction = Object.values(pulls).some(({ along }) => along === "y") ? "pan-x" : "pan-y";

  const near = ({ clientX, clientY }) => (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return clientX > left - REACH && clientX < right + REACH && clientY > top - REACH && clientY < bottom + REACH;
  };
  const mine = (element) => (element.__data__.datum.mark ?? "you") === "you";
  const underneath = (event) => {
    const element = [...plot.querySelectorAll(MINE)].filter(mine).find(near(event));
    const field = element && Object.keys(pulls).find((name) => element.__data__.datum[name] != null);
    return field ? { element, field, ...pulls[field] } : null;
  };
  const scaleOf = ({ field, along }) => {
    const has = (part) => JSON.stringify(part.layer).includes(`"field":"${field}"`);
    return view.scale((spec.vconcat ? `concat_${spec.vconcat.findIndex(has)}_` : "") + along);
  };
  const placeOf = (event, { element, along }) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(element.parentNode.getScreenCTM().inverse())[along];

  let held = null;
  let frame = 0;
  const pull = (event) => {
    const scale = scaleOf(held);
    const ends = scale.range();
    const place = Math.min(Math.max(...ends), Math.max(Math.min(...ends), placeOf(event, held) + held.off));
    model.set("pulled", [held.field, scale.invert(place), model.get("pulled")[2] + 1]);
    frame ||= requestAnimationFrame(() => ((frame = 0), model.save_changes()));
  };
  plot.addEventListener("pointerdown", (event) => {
    held = underneath(event);
    if (!held) return;
    event.preventDefault();
    held.off = scaleOf(held)(held.element.__data__.datum[held.field]) - placeOf(event, held);
    plot.setPointerCapture(event.pointerId);
    const slider = plot.closest(".g4l-panel")?.querySelector(`input[type=range][aria-label="${CSS.escape(held.label)}"]`);
    slider?.focus({ preventScroll: true }); // and the keys go on from here
  });
  plot.addEventListener("pointermove", (event) => {
    if (held) return pull(event);
    const over = underneath(event);
    plot.style.cursor = over ? { x: "ew-resize", y: "ns-resize" }[over.along] : "";
  });
  plot.addEventListener("lostpointercapture", () => (held = null));
}
