// What holds for all that the book shows, whoever drew it: listened to once a page.
globalThis.gpt4labPage ??= (() => {
  const BOOK = '[class*="g4l-"]';
  const SHOWN_MS = 2500;

  // JupyterLab takes single letters on any button or radio for itself: `x` would cut the cell. Ctrl+S still saves.
  const stays = (event) => !(event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter"));
  const keep = (event) => {
    const at = event.target;
    if (!at.closest?.(BOOK)) return;
    if (stays(event)) at.setAttribute("data-lm-suppress-shortcuts", "true");
    else at.removeAttribute("data-lm-suppress-shortcuts");
  };
  window.addEventListener("keydown", keep, true); // before JupyterLab, which listens on the document

  // Z takes back the last signature, wherever in that section the keyboard is.
  const undo = (event) => {
    const button = event.key.toLowerCase() === "z" && !event.altKey && event.target.closest?.(".g4l-signing")?.querySelector(".g4l-undo");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    button.click();
  };
  window.addEventListener("keydown", undo, true);

  // ipywidgets gives no element a role. What speaks has an animation of no length, which tells that it has come; it
  // stays, and its words change: a live region that is written anew with each value may keep silent.
  const ROLES = { "g4l-spoken": "status", "g4l-alarm": "alert" };
  const come = ({ animationName: name, target }) => name in ROLES && target.setAttribute("role", ROLES[name]);
  document.addEventListener("animationstart", come);
  for (const name in ROLES) for (const early of document.querySelectorAll(`.${name}`)) early.setAttribute("role", ROLES[name]);

  // A button that leads to another place of the page: there, seen, and with the keyboard.
  const lead = (event) => {
    const place = event.target.closest?.("[data-g4l-to]")?.getAttribute("data-g4l-to");
    const there = place && document.querySelector(`.${place}`);
    if (!there) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    there.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
    there.classList.add("g4l-here");
    setTimeout(() => there.classList.remove("g4l-here"), SHOWN_MS);
    there.querySelector("input:not(:disabled)")?.focus({ preventScroll: true });
  };
  document.addEventListener("click", lead);

  // On paper nothing can be opened: claims and reasons stand there open, and close again on the page.
  let unfolded = [];
  const unfold = (open) => {
    if (open) unfolded = [...document.querySelectorAll(":is(.g4l-skeleton, .g4l-verdicts) details:not([open])")];
    unfolded.forEach((fold) => (fold.open = open));
  };
  window.addEventListener("beforeprint", () => unfold(true));
  window.addEventListener("afterprint", () => unfold(false));

  // Of a text byte by byte, what one expert reads is lit: the one that is pointed at, else the one that is chosen.
  const light = (event) => {
    const box = event.target.closest?.(".g4l-bytes");
    if (!box) return;
    const at = event.type === "mouseover" ? event.target.closest("label")?.querySelector("input") : null;
    const expert = (at ?? box.querySelector("input:checked"))?.value;
    for (const stretch of box.querySelectorAll("[class*=g4l-of-]")) stretch.classList.toggle("g4l-lit", stretch.matches(`.g4l-of-${expert}`));
  };
  for (const event of ["change", "mouseover", "mouseout"]) document.addEventListener(event, light);

  // While a slider moves, a pale copy of the lines and of the reader's own marks stays where they were: over the
  // picture, not in it, since what draws it counts its elements.
  const SVG = "http://www.w3.org/2000/svg";
  const YOURS = '.mark-line.role-mark path, .mark-symbol.role-mark path[fill="#0072b2"], .mark-rule.role-mark line[stroke="#0072b2"]';
  const copy = (picture) => {
    const ghost = document.createElementNS(SVG, "svg");
    const corner = picture.getScreenCTM().inverse();
    for (const mark of picture.querySelectorAll(YOURS)) {
      const { a, b, c, d, e, f } = corner.multiply(mark.getScreenCTM());
      ghost.append(Object.assign(mark.cloneNode(), { style: "" }));
      ghost.lastChild.setAttribute("transform", `matrix(${a} ${b} ${c} ${d} ${e} ${f})`);
    }
    ghost.setAttribute("class", "g4l-ghost");
    ghost.setAttribute("aria-hidden", "true");
    for (const name of ["viewBox", "width", "height"]) ghost.setAttribute(name, picture.getAttribute(name));
    picture.closest(".g4l-chart").append(ghost);
  };
  let haunted = [];
  const leave = () => (haunted.forEach((chart) => chart.querySelector(".g4l-ghost")?.remove()), (haunted = []));
  const haunt = (event) => {
    if (haunted.length || !event.target.closest?.(".g4l-track input, .g4l-pull")) return;
    const charts = event.target.closest(".g4l-panel")?.querySelectorAll(".g4l-chart") ?? [];
    haunted = [...charts].filter((chart) => chart.querySelector(".g4l-plot:not(.g4l-plot-scrolls) svg"));
    haunted.forEach((chart) => copy(chart.querySelector(".g4l-plot svg")));
  };
  const MOVES = /^(Arrow|Page|Home|End|Delete|Backspace)/;
  document.addEventListener("pointerdown", haunt, true);
  document.addEventListener("keydown", (event) => MOVES.test(event.key) && haunt(event), true);
  for (const end of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(end, leave, true);
  document.addEventListener("focusout", (event) => event.target.matches?.(".g4l-track input") && leave(), true);
  return true;
})();
