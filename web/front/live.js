// A chapter as a page: its widgets stand from the first moment; the Python behind them comes on the first touch.
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as base from "@jupyter-widgets/base";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import "./amd.js";
import "anywidget";
import "@lumino/widgets/style/index.css";
import "@jupyter-widgets/base/css/index.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import "./live.css";

const here = new URL(".", import.meta.url);
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const KEPT = "gpt4lab/"; // before the names of what the reader's browser keeps
const STARTING = "Python is starting in your browser …";
const FAILED = "This part did not start in the browser: it stays as it was when this page was made.";

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

// Only what says that it is a formula is one: a dollar is a price here.
async function typeset(element) {
  const formulas = [...element.querySelectorAll(".mathjax_process")];
  if (!formulas.length) return;
  globalThis.gpt4labHere = here.href;
  if (!globalThis.gpt4labMath) await import(new URL("mathjax.js", here));
  const set = await globalThis.gpt4labMath;
  for (const formula of formulas) await set(formula);
}

// ---- the line to Python: what is said before it is there waits, newest state only -----------------------------

class Line {
  constructor(id, kernel) {
    Object.assign(this, { comm_id: id, target_name: "jupyter.widget", kernel, live: false, waiting: {}, said: [], heard: [] });
  }
  on_msg(heard) { this.heard.push(heard); }
  on_close() {}
  open() {}
  close() {}
  send(data, callbacks) {
    const idle = () => callbacks?.iopub?.status?.({ content: { execution_state: "idle" } });
    if (this.live) return this.kernel.tell(this.comm_id, data, idle);
    if (data.method === "update") Object.assign(this.waiting, data.state);
    else this.said.push(data);
    if (data.method === "update" || this.kernel.near) this.kernel.start();
    queueMicrotask(idle);
    return this.comm_id;
  }
  opened() {
    this.live = true;
    const moved = Object.keys(this.waiting).length ? [{ method: "update", state: this.waiting, buffer_paths: [] }] : [];
    for (const data of [...moved, ...this.said]) this.kernel.tell(this.comm_id, data, () => {});
  }
}

class Manager extends ManagerBase {
  lines = new Map();
  rendermime = { latexTypesetter: { typeset } }; // asked by the book
  _rendermime = this.rendermime; // asked by ipywidgets

  async loadClass(name, module) {
    this.any ??= globalThis.g4lAnywidget(base);
    return { "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, anywidget: this.any }[module][name];
  }
  line(id) {
    if (!this.lines.has(id)) this.lines.set(id, new Line(id, this.kernel));
    return this.lines.get(id);
  }
  async _create_comm(_, id) { return this.line(id); }
  async _get_comm_info() { return {}; }
  async build(id, state) {
    const { _model_name: model_name, _model_module: model_module, _model_module_version: model_module_version } = state;
    return this.new_model({ model_name, model_module, model_module_version, model_id: id, comm: this.line(id) }, state);
  }

  // What stands there stays until the charts of the new one are drawn, so that nothing jumps.
  async show(id, place) {
    place.dataset.model = id;
    const view = await this.create_view(await this.get_model(id));
    const still = [...place.children];
    const live = place.appendChild(make("div", { className: still.length ? "g4l-coming" : "" }));
    Widget.attach(view.luminoWidget ?? view.pWidget, live);
    const charts = still.flatMap((each) => [...each.querySelectorAll(".g4l-plot svg")]).length;
    const drawn = () => live.querySelectorAll(".g4l-plot svg").length >= charts;
    if (still.length) await until(live, drawn);
    still.forEach((each) => each.remove());
    live.className = "";
  }
}

// Resolves when `there()` is true, as the content of an element grows.
function until(element, there) {
  return new Promise((go) => {
    const look = () => there() && (seen.disconnect(), go());
    const seen = new MutationObserver(look);
    seen.observe(element, { subtree: true, childList: true });
    look();
  });
}

// ---- Python in a worker; its messages are taken one after the other -------------------------------------------

class Kernel {
  idle = new Map();
  sent = 0;
  last = Promise.resolve();
  renewed = false;

  constructor(chapter, say) { Object.assign(this, { chapter, tell_reader: say }); }
  start() {
    if (this.worker) return;
    performance.mark("python-start");
    this.tell_reader(STARTING);
    this.worker = new Worker(new URL("worker.js", here), { type: "module" });
    this.worker.onmessage = ({ data }) => (this.last = this.last.then(() => this[data.kind](data)).catch(console.error));
    this.worker.postMessage({ kind: "start", chapter: this.chapter, kept: kept(), line: shared() });
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(KEPT) && this.worker.postMessage({ kind: "kept", name: key.slice(KEPT.length), text: newValue }));
  }
  tell(id, data, idle) {
    this.idle.set(++this.sent, idle);
    this.worker.postMessage({ kind: "msg", id, data, number: this.sent });
    return String(this.sent);
  }

  done({ number }) { this.idle.get(number)?.(); this.idle.delete(number); }
  status({ text }) { this.tell_reader(text); }
  keep({ name, text }) { localStorage.setItem(KEPT + name, text); }
  async made({ widgets }) {
    for (const [id, state] of Object.entries(widgets)) {
      this.renewed ||= this.manager.has_model(id); // another widget than the page has in this place
      this.manager.line(id).heard = [];
      await this.manager.build(id, state);
      this.manager.line(id).opened();
    }
  }
  async moved(widgets) {
    for (const [id, state] of Object.entries(widgets)) {
      const line = this.manager.line(id);
      for (const name of Object.keys(line.waiting)) delete state[name]; // the reader has moved it since
      if (Object.keys(state).length) await this.msg({ id, data: { method: "update", state, buffer_paths: [] } });
      line.opened();
    }
  }
  async msg({ id, data }) {
    const said = { content: { data, comm_id: id }, buffers: [], parent_header: {} };
    for (const heard of this.manager.line(id).heard) await heard(said);
  }
  async cell({ number, made, moved, shown }) {
    await this.made({ widgets: made });
    await this.moved(moved);
    const places = [...document.querySelectorAll(`.g4l-widget[data-model^="c${String(number).padStart(3, "0")}n"]`)];
    for (const [at, { html, model }] of shown.entries()) {
      const place = model && places.shift();
      if (html) document.querySelector(`[data-at="${number}.${at}"]`).innerHTML = html;
      if (place && (this.renewed || place.dataset.model !== model)) await this.manager.show(model, place);
    }
    this.renewed = false;
  }
  ready({ failed, refused, seconds }) {
    performance.mark("python-ready");
    if (failed.length) console.error("cells that failed", failed);
    this.tell_reader(refused);
    for (const place of document.querySelectorAll(".g4l-widget")) {
      if (this.manager.line(place.dataset.model).live) continue;
      place.inert = true;
      place.before(make("p", { className: "g4l-needs", textContent: FAILED }));
    }
    globalThis.g4lReady = { failed, seconds };
  }
}

// ---- the page --------------------------------------------------------------------------------------------------

const kept = () => Object.fromEntries(Object.entries(localStorage).filter(([name]) => name.startsWith(KEPT)).map(([name, text]) => [name.slice(KEPT.length), text]));

const shared = () => { // a line of assumptions behind the address: ?leak?training.mfu=0.4; Python says what is wrong with it
  try { return decodeURIComponent(location.search.slice(1)); } catch { return location.search; }
};

function note() {
  const element = document.body.appendChild(make("div", { className: "g4l-python", role: "status", hidden: true }));
  return (text) => { element.hidden = !text; element.textContent = text; };
}

async function main() {
  for (const script of document.querySelectorAll(VIEW)) {
    const place = make("div", { className: "g4l-widget jupyter-widgets" });
    place.dataset.model = JSON.parse(script.textContent).model_id;
    script.replaceWith(place);
  }
  const places = [...document.querySelectorAll(".g4l-widget")];
  const { chapter } = document.querySelector("script[data-chapter]").dataset;
  const page = await (await fetch(new URL(`${chapter}.json`, here))).json();
  globalThis.gpt4labVegaReady = import(new URL("vega.js", here)).then(() => globalThis.gpt4labVega);
  const kernel = new Kernel(chapter, note());
  const manager = (kernel.manager = Object.assign(new Manager(), { kernel }));
  globalThis.gpt4lab = { kernel, manager };
  const script = ({ _esm }) => _esm && { _esm: new URL(_esm, here).href }; // one for all widgets of a kind
  await Promise.all(Object.entries(page.state).map(([id, { state }]) => manager.build(id, { ...state, ...script(state) })));
  for (const place of places) manager.show(place.dataset.model, place);
  performance.mark("widgets");
  // Python is fetched when a hand comes near a widget, so that the first move waits less.
  const wake = ({ target }) => {
    if (!target.closest?.(".g4l-widget")) return;
    kernel.near = true;
    if (!navigator.connection?.saveData) kernel.start();
  };
  for (const event of ["pointerover", "focusin", "touchstart"]) addEventListener(event, wake, { passive: true });
  addEventListener("click", ({ target }) => {
    const link = target.closest?.('a[href*=".ipynb"]'); // in what Python says anew; the others were changed when drawn
    if (link) link.href = link.href.replace(".ipynb", ".html");
  }, true);
  if (shared() || location.hash === "#python") kernel.start();
}

main().catch(console.error);
