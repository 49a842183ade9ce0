/* Elements from text only: what a file says never becomes markup. */
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
/* The columns of a row of DATA.tensors. */
const [NAME, SHAPE, DTYPE, CODEC, ELEMENTS, BYTES, KEPT, ENTROPY, CODE_BITS, SQNR, EXACT, NOTE] =
  Array.from({ length: 12 }, (_, index) => index);
const PURPOSE_COLOURS = ["values", "positions", "parameters", "heads", "attached"]
  .map((name) => `var(--${name})`);
const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function add(parent, children) {
  for (const child of children) {
    if (child !== null && child !== undefined) {
      parent.append(child);
    }
  }
  return parent;
}

/* An element with attributes; `style` is an object, since the page's policy forbids the attribute. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") {
      Object.assign(made.style, value);
    } else if (name === "onclick") {
      made.addEventListener("click", value);
    } else {
      made.setAttribute(name, value);
    }
  }
  return add(made, children);
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  }
  return add(made, children);
}

function whole(value) {
  return value.toLocaleString("en-US");
}

/* The unit in which bytes have three digits or four, and how many bytes it is. */
function unitOf(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (bytes / 1000 ** place >= 9999.5 && place < units.length - 1) {
    place += 1;
  }
  return [units[place], 1000 ** place];
}

function size(bytes) {
  const [unit, factor] = unitOf(bytes);
  return `${factor === 1 ? whole(bytes) : digits(bytes / factor)} ${unit}`;
}

/* Three significant digits, without an exponent where that is readable. */
function digits(value) {
  if (value === 0) {
    return "0";
  }
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    return value.toExponential(2);
  }
  const places = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(places, 6) });
}

function fixed(value, places) {
  return value === null ? "" : value.toFixed(places);
}

function percent(part, all) {
  const share = all > 0 ? 100 * part / all : 0;
  return share > 0 && share < 0.1 ? "< 0.1 %" : `${share.toFixed(share < 10 ? 1 : 0)} %`;
}

function bits(row) {
  return row[ELEMENTS] ? 8 * row[BYTES] / row[ELEMENTS] : 0;
}

function sqnr(row) {
  if (row[EXACT]) {
    return "exact";
  }
  return row[SQNR] === null ? "" : row[SQNR].toFixed(1);
}

/* At most `count` round numbers from low to high. */
function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) {
    return [low];
  }
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => span / one <= count);
  const found = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + 1e-9 * span; index += 1) {
    found.push(index * step);
  }
  return found;
}

/* A name of at most so many letters. Its end says most: the first words lose their ends first. */
function shortened(name, length) {
  const parts = name.split(".");
  for (let place = 0; place < parts.length - 1 && parts.join(".").length > length; place += 1) {
    const [, first, rest, number] = parts[place].match(/^(.?)(.*?)(\d*)$/s);
    const room = length - (parts.join(".").length - rest.length);
    parts[place] = first + rest.slice(0, Math.max(room, 0)) + number;
  }
  const found = parts.join(".");
  return found.length <= length ? found : length < 3 ? "" : `…${found.slice(1 - length)}`;
}
