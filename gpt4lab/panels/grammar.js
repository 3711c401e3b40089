// How a reader writes a number, as gpt4lab/scenario/numbers.py reads it: GRAMMAR, which stands before this file, is the
// same table. Each function is the one of the same name there; what cannot be read is thrown as a sentence.

const SPACES = new RegExp(GRAMMAR.space, "g");
const LOWERED = Object.fromEntries([..."⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹"].map((raised, i) => [raised, "-+0123456789"[i]]));
const FAR = 1e300;

function fromText(text, unit = null) {
  if (text.length > 2 * GRAMMAR.longest || [...text].length > GRAMMAR.longest) throw wrong("long", text);
  const simple = plain(text);
  if (!simple) throw wrong("empty", text);
  const date = unit === "date" ? ofMonth(simple) : null;
  if (date !== null) return date;
  const found = new RegExp(GRAMMAR.number).exec(simple);
  if (!found) throw wrong("none", text, unit);
  const [sign, dollar, ten, digits, exponent, power, rest] = found.slice(1).map((part) => part ?? "");
  if (new RegExp(GRAMMAR.comma).test(rest)) throw wrong("comma", text);
  const raised = Number(ten || exponent || power || 0) + behind(rest, dollar ? "usd " : "", unit, text);
  const small = Math.max(-9999, Math.min(9999, raised));
  return nearNumber(Number(`${sign}${digits.replace(/[, ]/g, "") || 1}e${small}`), digits, text);
}

function plain(text) {
  const simple = text.replace(SPACES, " ").replace(/^ +| +$/g, "").replaceAll("−", "-").replaceAll("**", "^");
  return simple.replace(/[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (raised) => "^" + [...raised].map((letter) => LOWERED[letter]).join(""));
}

function ofMonth(simple) {
  const found = new RegExp(GRAMMAR.month, "i").exec(simple);
  if (!found) return null;
  const [word, year, only, number] = found.slice(1).map((part) => part ?? "");
  const named = word ? GRAMMAR.months.findIndex((name) => name.toLowerCase().startsWith(word.toLowerCase())) : -1;
  const at = named >= 0 ? named : Number(number || 0) - 1;
  return at >= 0 && at < 12 ? Number(year || only) + at / 12 : null;
}

function nearNumber(number, digits, text) {
  const nothing = digits && !/[^0., ]/.test(digits);
  if (!nothing && !(1 / FAR < Math.abs(number) && Math.abs(number) < FAR)) throw wrong("far", text);
  return number + 0;
}

function behind(rest, before, unit, text) {
  const scaled = new RegExp(GRAMMAR.scale, "i").exec(rest);
  const scale = scaled ? GRAMMAR.scales[scaled[1].toLowerCase()] : 0;
  const named = scaled ? rest.slice(scaled[0].length) : rest;
  if (scaled && /^b$/i.test(scaled[1]) && !named && head(canonical(unit ?? "")) === "byte") throw wrong("byte", text);
  const power = powerOf(before + named.trim(), unit);
  if (power === null) throw wrong(unit !== null && powerOf(before + named.trim(), null) !== null ? "unit" : "none", text, unit);
  return scale + power;
}

function powerOf(named, unit) {
  const wanted = unit === null ? null : canonical(unit);
  const given = canonical(named);
  if (!given) return 0;
  if (given === "percent" && [null, "fraction", "", "x"].includes(wanted)) return -2;
  if (fits(given, wanted)) return 0;
  const [exponent, bare] = prefix(named);
  return exponent && GRAMMAR.prefixed.includes(head(bare)) && fits(bare, wanted) ? exponent : null;
}

function fits(given, wanted) {
  if (wanted === null) return given.split("/").every((part) => !part || GRAMMAR.names.includes(part));
  return given === wanted || given === head(wanted);
}

function prefix(named) {
  const letter = named.slice(0, 1);
  const bare = canonical(named.slice(1));
  if (GRAMMAR.in_small.includes(head(bare)) && letter in GRAMMAR.small) return [GRAMMAR.small[letter], bare];
  return [GRAMMAR.scales[letter.toLowerCase()] ?? 0, bare];
}

function head(unit) {
  return unit.split("/")[0];
}

function canonical(unit) {
  const words = unit.toLowerCase().trim().replaceAll("per cent", "percent");
  const parts = words.split(/(?:^| )per |[/*-]/).map((part) => singular(part.trim()));
  return parts.map((part) => (part === "1" ? "" : part)).join("/");
}

function singular(word) {
  for (const name of [word, word.replace(/s$/, "")]) {
    const known = Object.hasOwn(GRAMMAR.same, name) ? GRAMMAR.same[name] : name;
    if (GRAMMAR.names.includes(known)) return known;
  }
  return word;
}

function wrong(why, text, unit = null) {
  const words = { text: `“${cut(text)}”`, longest: GRAMMAR.longest, unit: unit || "it" };
  const told = unit === "date" && ["none", "unit"].includes(why) ? "date" : why;
  return GRAMMAR.said[told].replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

function cut(text, most = 60) {
  const letters = [...text.slice(0, 2 * most + 2)];
  if (letters.length > most) return cut(letters.slice(0, most - 1).join(""), most) + "…";
  return text.replace(/[\p{C}\p{Z}]/gu, " ").trim().split(/ +/).join(" ");
}

// What a number out of range may have been meant as; null where there is nothing. See gpt4lab/scenario/field.py.
function meantBy(value, lo, hi, usual, whole) {
  if (!(Number.isFinite(value) && value > 0) || (lo / 10 <= value && value <= hi * 10)) return null;
  const shifted = GRAMMAR.slips.flatMap((slip) => [-slip, slip]).map((power) => Number((value * 10 ** power).toPrecision(12)));
  const inside = shifted.filter((guess) => lo <= guess && guess <= hi && (!whole || Number.isInteger(guess)));
  const far = (guess) => Math.abs(Math.log(guess / (Math.abs(usual) || hi)));
  return inside.reduce((best, guess) => (best === null || far(guess) < far(best) ? guess : best), null);
}
