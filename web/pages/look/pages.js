// Entries are narrowed down by words and choices; the front page's slider shows states that were computed before.

const form = document.querySelector(".g4l-find");
if (form) {
  const entries = [...document.querySelectorAll(".g4l-item")];
  const said = form.querySelector("output");
  const text = new Map(entries.map((entry) => [entry, `${entry.id} ${entry.textContent}`.toLowerCase()]));
  const address = new URLSearchParams(location.search);
  const fields = [...form.elements].filter((field) => field.name);
  for (const field of fields) field.value = address.get(field.name) ?? "";

  const narrow = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const choices = fields.filter((field) => field.name !== "words" && field.value);
    const wanted = (entry) =>
      choices.every((field) => entry.dataset[field.name] === field.value) &&
      words.every((word) => text.get(entry).includes(word));
    let count = 0;
    for (const entry of entries) count += !(entry.hidden = !wanted(entry));
    for (const section of document.querySelectorAll("section > section"))
      section.hidden = !section.querySelector(".g4l-item:not([hidden])") && !!section.querySelector(".g4l-item");
    said.textContent = `${count} of ${entries.length}`;
    const kept = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    history.replaceState(null, "", `${location.pathname}${String(kept) && `?${kept}`}${location.hash}`);
  };

  const show = () => { // an entry that is asked for by its address is shown, whatever was looked for
    const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!entry?.hidden) return;
    form.reset();
    narrow();
    entry.scrollIntoView();
  };

  form.hidden = false;
  form.addEventListener("input", narrow);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      form.elements.words.focus();
    } else if (event.key === "Escape" && form.contains(event.target)) {
      form.reset();
      narrow();
    }
  });
  narrow();
  show();
}

const front = document.querySelector(".g4l-front");
if (front) {
  const states = JSON.parse(front.querySelector(".g4l-states").textContent);
  const mover = front.querySelector(".g4l-mover"), slider = mover.querySelector("input");
  const bar = front.querySelector(".g4l-bar"), on = front.querySelector(".g4l-on");
  const move = () => {
    const state = states[slider.value];
    for (const part of front.querySelectorAll("[data-of]")) {
      const told = state[part.dataset.of];
      if (part.dataset.of === "verdict") part.innerHTML = told; // made by the book, no words of a reader in it
      else part.textContent = told;
    }
    if (on) on.href = state.on;
    bar.style.left = state.left;
    bar.style.width = state.width;
    slider.setAttribute("aria-valuetext", `${state.price} an hour: ${state.cost}`);
  };
  mover.hidden = false;
  slider.addEventListener("input", move);
  move();
}
