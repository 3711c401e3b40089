// The live chart: widget traits in, drawChart (view.js) out.

// The drawing library comes from one hidden widget and is run once a page, however many charts there are.
function library(model) {
  globalThis.gpt4labVegaReady ??= (async () => {
    const holder = await model.widget_manager.get_model(model.get("_library").replace("IPY_MODEL_", ""));
    const url = URL.createObjectURL(new Blob([holder.get("code")], { type: "text/javascript" }));
    await import(/* webpackIgnore: true */ url);
    URL.revokeObjectURL(url);
    return globalThis.gpt4labVega;
  })();
  return globalThis.gpt4labVegaReady;
}

// First drawings wait their turn and for a page at rest: drawing takes long, and a widget whose code is not loaded two
// seconds after its model has come is given up. What is drawn once is repainted at once.
function inTurn(draw) {
  const rest = new Promise((go) => (globalThis.requestIdleCallback ?? setTimeout)(go, { timeout: 5000 }));
  const turn = Promise.all([globalThis.gpt4labTurn, rest]).then(draw);
  globalThis.gpt4labTurn = turn.catch(() => null);
  return turn;
}

function showFailure(el, model, error) {
  const note = document.createElement("p");
  note.className = "g4l-failure";
  note.textContent = `This chart could not be drawn (${error.message}). It shows: ${model.get("description")}`;
  el.append(note);
}

async function render({ model, el }) {
  const names = model.get("_names");
  const columnsOf = (list) => Object.fromEntries(list.map((name) => [name, model.get("rows_" + name)]));
  let chart = null;
  let disposed = false;
  let changed = new Set();
  let queue = null; // one repaint at a time; all that arrives meanwhile goes into the next one

  const repaint = async () => {
    const now = changed;
    changed = new Set();
    chart.describe(model.get("description"));
    await chart.update(columnsOf(names.filter((name) => now.has(name))));
  };
  const flush = async () => {
    while (changed.size && !disposed) await repaint().catch(console.error);
    queue = null;
  };
  const wake = () => {
    if (chart && changed.size) queue ??= Promise.resolve().then(flush);
  };
  const note = (what) => () => {
    changed.add(what);
    wake();
  };
  const listeners = names.map((name) => [`change:rows_${name}`, note(name)]);
  listeners.push(["change:description", note("#description")]);
  for (const [event, heard] of listeners) model.on(event, heard);

  const settings = [model.get("spec"), columnsOf(names), model.get("description"), model.get("tables")];
  library(model)
    .then((embed) => inTurn(() => drawChart(embed, el, ...settings)))
    .then((drawn) => {
      chart = drawn;
      if (disposed) chart.dispose();
      else pullable(chart, model);
      wake();
    })
    .catch((error) => {
      if (disposed) return;
      console.error(error);
      showFailure(el, model, error);
    });

  return () => {
    disposed = true;
    for (const [event, heard] of listeners) model.off(event, heard);
    chart?.dispose();
  };
}

export default { render };
