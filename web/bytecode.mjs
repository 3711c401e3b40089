// node bytecode.mjs PYODIDE ARCHIVE ...: compile the modules in each archive, by the Python in the folder PYODIDE.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, ...archives] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
// Without columns of error messages, which are a third of it.
const python = await loadPyodide({ indexURL: `${pyodide}/`, env: { PYTHONNODEBUGRANGES: "1" } });
python.FS.writeFile("bytecode.py", readFileSync(new URL("bytecode.py", import.meta.url)));
const { main } = python.pyimport("bytecode");
for (const archive of archives) {
  const plain = basename(archive);
  python.FS.writeFile(plain, readFileSync(archive));
  main(plain, `compiled-${plain}`);
  writeFileSync(archive, python.FS.readFile(`compiled-${plain}`));
}
