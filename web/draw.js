// Run in a chapter's page when it is made (draw.py): once all is drawn, the page's own text with the drawings in it.
async () => {
  const quiet = () => {
    const places = [...document.querySelectorAll(".g4l-widget")];
    const charts = [...document.querySelectorAll(".g4l-chart, .g4l-drawing, .g4l-figure")];
    return performance.getEntriesByName("widgets").length && places.every((place) => place.children.length) && charts.every((chart) => chart.querySelector("svg"));
  };
  const rest = (ms) => new Promise((go) => setTimeout(go, ms));
  const begun = performance.now();
  for (let still = 0; still < 6; still = quiet() ? still + 1 : 0) {
    if (performance.now() - begun > 120_000) throw new Error("not all of this page was drawn");
    await rest(150);
  }
  globalThis.gpt4labHere = new URL("_static/book/", location.href).href;
  if (!globalThis.gpt4labMath) await import(`${globalThis.gpt4labHere}mathjax.js`);
  await globalThis.gpt4labMath;

  // What a reader sees in a field or at a slider stands in no attribute yet.
  for (const input of document.querySelectorAll(".g4l-widget :is(input, select, textarea, button)")) {
    if (/checkbox|radio/.test(input.type)) input.toggleAttribute("checked", input.checked);
    else if (input.matches("input")) input.setAttribute("value", input.value);
    for (const option of input.options ?? []) option.toggleAttribute("selected", option.selected);
    input.setAttribute("disabled", "");
  }
  const made = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const fill = (selector, write) => {
    const here = [...document.querySelectorAll(selector === VIEW ? ".g4l-widget" : selector)];
    [...made.querySelectorAll(selector)].forEach((element, at) => write(element, here[at]));
  };
  const named = (place, title) => { // a permanent address: parts.panel_link
    if (!title) return;
    let id = `panel-${title.textContent.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}`;
    while (made.getElementById(id)) id += "-again";
    place.id = id;
  };
  fill(".g4l-shown, .math", (element, drawn) => {
    element.innerHTML = drawn.innerHTML;
    named(element, element.querySelector("h3.g4l-title")); // of a live panel, as it was recorded
  });
  fill(VIEW, (script, drawn) => {
    const copy = drawn.cloneNode(true);
    for (const part of copy.querySelectorAll("[id]")) if (!part.closest("svg")) part.removeAttribute("id");
    for (const child of copy.children) child.className = "g4l-drawn"; // its first state, while the live one is made
    script.replaceWith(copy);
    named(copy, copy.querySelector(".g4l-panel .g4l-title"));
  });
  for (const link of made.querySelectorAll('a[href*=".ipynb"]')) link.setAttribute("href", link.getAttribute("href").replace(".ipynb", ".html"));
  made.querySelector('script[src*="mathjax"]')?.remove();
  const styles = [...document.querySelectorAll("style[id^=gpt4lab-]")].map((style) => [style.id, style.textContent]);
  return { page: `<!doctype html>\n${made.documentElement.outerHTML}\n`, styles: Object.fromEntries(styles) };
}
