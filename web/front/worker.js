// Python for one chapter: loads Pyodide and the book, runs the cells, and passes on what its widgets say.
const here = new URL(".", import.meta.url);
const say = (message) => postMessage(message);
const early = [];
let page = null;

async function start({ chapter, kept, line }) {
  const begun = performance.now();
  const packed = fetch(new URL("python.zip", here)).then((answer) => answer.arrayBuffer());
  const text = fetch(new URL(`${chapter}.json`, here)).then((answer) => answer.text());
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", here));
  const python = await loadPyodide({ indexURL: new URL("pyodide/", here).href });
  const loaded = performance.now();
  python.unpackArchive(await packed, "zip", { extractDir: "/book" });
  python.runPython("import sys; sys.path.insert(0, '/book')");
  page = python.pyimport("page").Page(await text, JSON.stringify(kept), (message) => say(JSON.parse(message)));
  const imported = performance.now();
  for (const data of early.splice(0)) hear(data);
  const { failed, refused } = JSON.parse(await page.run(line));
  say({ kind: "ready", failed, refused, seconds: { loaded: loaded - begun, imported: imported - loaded, cells: performance.now() - imported } });
}

function hear({ id, data, number }) {
  if (!page) return void early.push({ id, data, number });
  try {
    page.hear(id, JSON.stringify(data));
  } catch (error) {
    console.error(String(error).slice(-1500));
  }
  say({ kind: "done", number });
}

const HEARD = {
  start: (data) => start(data).catch((error) => say({ kind: "status", text: `Python did not start: ${String(error).slice(-300)}` })),
  msg: hear,
  kept: ({ name, text }) => page?.heard_elsewhere(name, text),
};
onmessage = ({ data }) => HEARD[data.kind](data);
