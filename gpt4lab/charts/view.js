// A chart on the page: embedded once, then only its rows move.

const NARROW = 280; // px of plot; below this the picture shrinks as well, but not so far that its words cannot be read
const SMALLEST = 0.85; // of its size: 12 px are then 10
const NARROWEST = 80; // px of plot, whatever stands beside it
const LONG_TITLE = 26; // letters, of an axis

// Columns {x: [..], y: [..]} -> rows [{x, y}, ..]; a field that only earlier rows had (`known`) becomes a gap.
function toRows(columns, known = new Set()) {
  const length = Object.values(columns)[0]?.length ?? 0;
  Object.keys(columns).forEach((name) => known.add(name));
  const row = (i) => Object.fromEntries([...known].map((name) => [name, columns[name]?.[i] ?? null]));
  return Array.from({ length }, (_, i) => row(i));
}

// Rows that stay are changed in place, so that Vega keeps their marks and the page keeps their elements.
function swapRows(view, name, held, rows) {
  const set = view.changeset();
  const shared = Math.min(held.length, rows.length);
  for (let i = 0; i < shared; i++) {
    for (const key in rows[i]) if (held[i][key] !== rows[i][key]) set.modify(held[i], key, rows[i][key]);
  }
  view.change(name, set.remove(held.slice(shared)).insert(rows.slice(shared)));
  return held.slice(0, shared).concat(rows.slice(shared));
}

// The plot takes the width that its cell leaves, up to its own; charts over each other keep one width. Charts beside
// each other, and plots of steps, keep their size. All of them shrink until their words could not be read; then they scroll.
function fitWidth(view, spec, vgSpec, plot, painted) {
  const natural = (spec.vconcat ? spec.vconcat[0] : spec).width;
  const stacked = (vgSpec.signals ?? []).map(({ name }) => name).filter((name) => /^(concat_\d+_width|childWidth)$/.test(name));
  const names = typeof natural !== "number" ? [] : spec.vconcat ? stacked : ["width"];
  const svg = plot.querySelector("svg");
  const first = Number(svg.getAttribute("width")) - natural; // axes and labels
  let [around, drawn, wide] = [first, natural, 0];
  const readable = () => {
    const least = SMALLEST * Number(svg.getAttribute("width"));
    svg.style.minWidth = `${least}px`;
    const scrolls = least > plot.clientWidth + 1;
    plot.classList.toggle("g4l-plot-scrolls", scrolls);
    scrolls ? (plot.tabIndex = 0) : plot.removeAttribute("tabindex");
  };
  const fit = () => {
    if (!plot.clientWidth) return;
    if (plot.clientWidth > wide) around = first;
    wide = plot.clientWidth;
    const room = Math.floor(plot.clientWidth - around);
    const shrunk = Math.min(NARROW, Math.floor(plot.clientWidth / SMALLEST - around));
    const width = Math.max(NARROWEST, Math.min(natural, Math.max(room, shrunk)));
    if (!names.length || width === drawn) return readable();
    drawn = width;
    for (const name of names) view.signal(name, width);
    view.resize().runAsync().then(painted).then(() => {
      const beside = Number(svg.getAttribute("width")) - drawn; // names at the ends of lines may need more, beside less
      beside > around + 1 ? ((around = beside), fit()) : readable();
    });
  };
  const observer = new ResizeObserver(fit);
  observer.observe(plot);
  return () => observer.disconnect();
}

// Below a narrow plot a long name of its axis takes two lines, else it would be wider than the plot.
function foldTitles(vgSpec) {
  for (const axis of vgSpec.axes ?? []) {
    if (axis.orient !== "bottom" || typeof axis.title !== "string" || axis.title.length < LONG_TITLE) continue;
    const half = axis.title.lastIndexOf(" ", axis.title.length / 2 + 4);
    const lines = [axis.title.slice(0, half), axis.title.slice(half + 1)].map((line) => JSON.stringify(line));
    if (half > 0) axis.title = { signal: `width < ${NARROW} ? [${lines}] : ${JSON.stringify(axis.title)}` };
  }
  return vgSpec;
}

// Words that would stand on each other (names of lines, of marks) are moved apart, up and down alike; then off the
// numbers of the axes, and off the lines where there is room above or below.
function partWords(plot) {
  const spots = spotsOf(plot, '[class*="_words_"] text').sort((a, b) => a.top - b.top);
  const placed = [];
  for (const spot of spots) {
    let hit;
    while ((hit = placed.find((other) => touch(spot, other)))) {
      spot.shift += hit.top + hit.shift + hit.height - spot.top - spot.shift;
      spot.crowd = hit.crowd;
    }
    spot.crowd.push(spot);
    placed.push(spot);
  }
  const ticks = spotsOf(plot, ".role-axis-label text").map((tick) => ({ ...tick, left: tick.left - 4, width: tick.width + 8 }));
  new Set(spots.map(({ crowd }) => crowd)).forEach((crowd) => settle(crowd, ticks));
  const lines = linesOf(plot);
  ticks.push(...spotsOf(plot, ".role-axis-title text"));
  const dots = [...plot.querySelectorAll(".mark-symbol.role-mark path")];
  if (dots.length <= MOST_DOTS) ticks.push(...dots.map(spotOf).map((dot) => ({ ...dot, left: dot.left + 2, width: dot.width - 4 })));
  for (const spot of spots) Object.assign(spot, stepAside(spot, spots, ticks, lines));
  for (const { word, shift, slid } of spots) {
    const moved = slid || Math.abs(shift) > 0.5 ? `${slid}px ${shift}px` : "";
    if (word.style.translate !== moved) word.style.translate = moved;
  }
}

// A crowd stands around the places of its words, and as much higher as it would cover the numbers of an axis; in the picture.
function settle(crowd, ticks) {
  const middle = crowd.reduce((sum, { shift }) => sum + shift, 0) / crowd.length;
  crowd.forEach((spot) => (spot.shift -= middle));
  const covered = crowd.flatMap((spot) => ticks.filter((tick) => touch(spot, tick)).map((tick) => spot.top + spot.shift + spot.height - tick.top));
  const lift = Math.max(0, ...covered);
  const above = Math.min(0, ...crowd.map(({ top, shift }) => top + shift - lift));
  crowd.forEach((spot) => (spot.shift -= lift + above));
}

const ASIDE = [0, -13, 13, -21, 21, -30, 30]; // px, above or below
const MOST_DOTS = 60; // more cannot all be kept free
const BESIDE = 22; // px, from one side of a mark to the other

// The nearest place on this side of the mark, else on its other side, where no line goes through the word; where there is
// none, a rule may.
function stepAside(spot, spots, ticks, lines) {
  const { width: wide } = spot.word.ownerSVGElement.viewBox.baseVal;
  const way = spot.word.getAttribute("text-anchor") === "end" ? 1 : -1;
  const sides = /_level_|_moment_|series|recorded|range/.test(spot.word.parentNode.className.baseVal) ? [0] : [0, way * (spot.width + BESIDE)];
  const places = sides.flatMap((slid) => ASIDE.map((step) => ({ ...spot, slid, left: spot.left + slid, shift: spot.shift + step })));
  const reach = Math.max(...ASIDE);
  const [from, to] = [spot.left + Math.min(...sides), spot.left + spot.width + Math.max(...sides)];
  const [high, low] = [spot.top + spot.shift - reach, spot.top + spot.shift + spot.height + reach];
  const near = lines.filter(([x, y, x2, y2]) => Math.max(x, x2) > from && Math.min(x, x2) < to && Math.max(y, y2) > high && Math.min(y, y2) < low);
  const others = [...spots, ...ticks].filter((other) => other.word !== spot.word);
  const within = ({ left, top, shift, width }) => left >= 0 && left + width <= wide && top + shift >= 0;
  const open = places.filter((there) => within(there) && !others.some((other) => touch(there, other)));
  const free = (those) => open.find((there) => !those.some((line) => crosses(line, there)));
  const { shift, slid, left } = free(near) ?? free(near.filter(([, , , , rule]) => !rule)) ?? { ...spot, slid: 0 };
  return { shift, slid, left };
}

// The stretches [x1, y1, x2, y2] of all lines, and of rules, which are marked; in the picture's own px.
function linesOf(plot) {
  const paths = [...plot.querySelectorAll(".mark-line.role-mark path")].flatMap((path) => {
    const { e, f } = plotOf(path);
    const numbers = path.getAttribute("d")?.match(/-?[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [];
    return numbers.flatMap((x, i) => (i % 2 || i < 2 ? [] : [[e + numbers[i - 2], f + numbers[i - 1], e + x, f + numbers[i + 1]]]));
  });
  const rules = [...plot.querySelectorAll(".mark-rule.role-mark line")].map((line) => {
    const { e, f } = plotOf(line);
    const at = line.transform.baseVal.consolidate()?.matrix ?? { e: 0, f: 0 };
    const [x, y] = [e + at.e, f + at.f];
    return [x, y, x + line.x2.baseVal.value, y + line.y2.baseVal.value, "rule"];
  });
  return [...paths, ...rules];
}

// Whether a stretch goes through the letters of a word: more than along their upper or lower edge.
function crosses([x1, y1, x2, y2], { left, top, width, height, shift }) {
  let [from, to] = [0, 1];
  for (const [at, way, low, high] of [[x1, x2 - x1, left, left + width], [y1, y2 - y1, top + shift + 2, top + shift + height - 1]]) {
    if (!way && (at < low || at > high)) return false;
    if (!way) continue;
    const ends = [(low - at) / way, (high - at) / way];
    [from, to] = [Math.max(from, Math.min(...ends)), Math.min(to, Math.max(...ends))];
  }
  return from < to;
}

function spotsOf(plot, selector) {
  return [...plot.querySelectorAll(selector)].filter((word) => word.textContent && word.getAttribute("opacity") !== "0").map(spotOf);
}

function spotOf(word) {
  const { x, y, width, height } = word.getBBox();
  const { e, f } = word.transform.baseVal.consolidate().matrix;
  const { e: across, f: down } = plotOf(word); // charts over each other have their own places
  return { word, left: across + e + x, top: down + f + y, width, height: height - 2, shift: 0, crowd: [] };
}

// Where the plot of a word lies in the whole picture.
function plotOf(word) {
  const outer = word.ownerSVGElement.getScreenCTM();
  return outer ? outer.inverse().multiply(word.parentNode.getScreenCTM()) : { e: 0, f: 0 };
}

function touch(a, b) {
  const beside = a.left >= b.left + b.width || b.left >= a.left + a.width;
  const gap = a.top + a.shift - b.top - b.shift;
  return !beside && gap < b.height && -gap < a.height;
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

// 25000 -> "25,000"; 2.15e25 -> "2.15 × 10²⁵"
function numberText(value) {
  if (typeof value !== "number") return value == null ? "" : String(value);
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e9)) return value.toLocaleString("en-US", { maximumSignificantDigits: 5 });
  const [digits, power] = value.toExponential(3).split("e");
  return `${Number(digits)} × 10${[...power.replace("+", "")].map((c) => SUPERSCRIPT[c]).join("")}`;
}

function cell(tag, text, numeric) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (numeric) element.className = "g4l-number";
  if (tag === "th") element.scope = "col";
  return element;
}

function rowsTable({ caption, titles }, rows, most = 200) {
  const table = document.createElement("table");
  const fields = Object.keys(titles);
  table.createCaption().textContent = rows.length > most ? `${caption} (first ${most} of ${rows.length} rows)` : caption;
  const numeric = (field) => rows.some((row) => typeof row[field] === "number");
  table.createTHead().insertRow().append(...fields.map((f) => cell("th", titles[f], numeric(f))));
  const body = table.createTBody();
  for (const row of rows.slice(0, most)) {
    body.insertRow().append(...fields.map((f) => cell("td", numberText(row[f]), typeof row[f] === "number")));
  }
  return table;
}

// The same rows as a table, written only while it is open: folded, it costs nothing.
function foldedTable(tables, rowsOf) {
  const details = document.createElement("details");
  details.className = "g4l-table";
  details.innerHTML = "<summary>The data as a table</summary><div tabindex='0' role='group' aria-label='The data'></div>";
  const write = () => {
    if (!details.open) return;
    const filled = Object.keys(tables).filter((name) => rowsOf(name).length);
    details.lastElementChild.replaceChildren(...filled.map((name) => rowsTable(tables[name], rowsOf(name))));
  };
  details.addEventListener("toggle", write);
  return { details, write };
}

// Draw `spec` into `el`. `columns` holds the rows of its named datasets, `tables` the headings of the table.
// Returns {update, describe, dispose} and what it drew with; `update({name: columns})` repaints in place.
async function drawChart(vegaEmbed, el, spec, columns = {}, description = "", tables = {}) {
  const figure = document.createElement("div");
  figure.className = "g4l-chart";
  const plot = document.createElement("div");
  plot.className = "g4l-plot";
  plot.setAttribute("role", "img");
  const canvas = document.createElement("div"); // Vega writes roles of its own on what it is given, and inside
  canvas.setAttribute("aria-hidden", "true");
  plot.append(canvas);
  figure.append(plot);
  el.append(figure);

  const fields = Object.fromEntries(Object.keys(columns).map((name) => [name, new Set()]));
  const held = Object.fromEntries(Object.keys(columns).map((name) => [name, toRows(columns[name], fields[name])]));
  const describe = (text) => plot.setAttribute("aria-label", text);
  describe(description);
  const options = { renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true }, patch: foldTitles };
  const full = Object.keys(held).length ? { ...spec, datasets: { ...spec.datasets, ...held } } : spec;
  const { view, vgSpec, finalize } = await vegaEmbed(canvas, full, options);
  const unfit = fitWidth(view, spec, vgSpec, plot, () => partWords(plot));
  const table = foldedTable(tables, (name) => held[name] ?? []);
  if (Object.keys(tables).length) figure.append(table.details);

  const update = (changed) => {
    for (const name in changed) held[name] = swapRows(view, name, held[name], toRows(changed[name], fields[name]));
    table.write();
    return view.runAsync().then(() => partWords(plot));
  };
  await update({});
  const dispose = () => (unfit(), finalize(), figure.remove());
  return { update, describe, dispose, view, plot, spec };
}
