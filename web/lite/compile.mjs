// Put bytecode beside each module of some wheels, made by the Python that will run it: node compile.mjs PYODIDE WHEEL ...
// It is marked to be taken as it is: what a browser unpacks has no times to compare.
import { readFileSync, writeFileSync } from "node:fs";

const [pyodide, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: `${pyodide}/` });
python.runPython(`
import io, sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

SITE = f"/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/"

def compiled(wheel):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel.to_bytes())) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            put(after, name, content)
            if name.endswith(".py"):
                folder, _, module = name.rpartition("/")
                code = compile(content, SITE + name, "exec", dont_inherit=True)
                place = f"{folder}/__pycache__/{module[:-3]}.{sys.implementation.cache_tag}.pyc".lstrip("/")
                put(after, place, _code_to_hash_pyc(code, source_hash(content), False))
    return out.getvalue()

def put(archive, name, content):
    archive.writestr(zipfile.ZipInfo(name), bytes(content), zipfile.ZIP_DEFLATED, 9)
`);
const compiled = python.globals.get("compiled");
for (const wheel of wheels) writeFileSync(wheel, compiled(new Uint8Array(readFileSync(wheel))).toJs());
