/* The treemap: groups of layers, and in each a tile per tensor (squarified, Bruls et al. 2000). */
"use strict";

/* Bits per weight below each bound have its colour (viridis: ordered also in gray). */
const CLASSES = [[1, "#440154"], [2, "#46327e"], [3, "#365c8d"], [4, "#277f8e"], [6, "#1fa187"], [8, "#4ac16d"],
  [16, "#a0da39"], [Infinity, "#fde725"]];
const DARK_TEXT_FROM = 4;
const MAX_TILES = 500;
const TITLE_HEIGHT = 18, SMALL_TILE = 24;
/* A name of which less can be shown is left out. */
const MIN_LETTERS = 8;
const tiles = new Map();

function classOf(row) {
  return CLASSES.findIndex(([bound]) => bits(row) < bound);
}

function colours(place) {
  return { background: CLASSES[place][1], color: place >= DARK_TEXT_FROM ? "#10131a" : "#ffffff" };
}

function drawLegend(place) {
  const used = new Set(DATA.tensors.filter((row) => row[BYTES] > 0).map(classOf));
  place.append(el("span", {}, "Bits per weight:"));
  CLASSES.forEach(([bound, colour], index) => {
    if (used.has(index)) {
      const from = index ? CLASSES[index - 1][0] : 0;
      place.append(el("span", {}, el("span", { class: "swatch", "aria-hidden": "true", style: { background: colour } }),
        bound === Infinity ? `${from} and more` : index ? `${from} to ${bound}` : `below ${bound}`));
    }
  });
}

/* The layer that a tensor belongs to: all up to the first number, or to the last dot. */
function groupOf(name) {
  const parts = name.split("."), number = parts.findIndex((part) => /^\d+$/.test(part));
  return number > 0 ? parts.slice(0, number + 1).join(".") : parts.slice(0, -1).slice(0, 2).join(".");
}

function groups() {
  const found = new Map(), order = DATA.tensors.map((_, index) => index).filter((index) => DATA.tensors[index][BYTES] > 0)
    .sort((one, other) => DATA.tensors[other][BYTES] - DATA.tensors[one][BYTES]);
  for (const index of order.slice(0, MAX_TILES)) {
    const name = groupOf(DATA.tensors[index][NAME]);
    found.set(name, [...(found.get(name) ?? []), index]);
  }
  const rest = order.slice(MAX_TILES);
  const restBytes = DATA.rest[1] + rest.reduce((sum, index) => sum + DATA.tensors[index][BYTES], 0);
  const made = [...found].map(([name, members]) => ({ name, members,
    size: members.reduce((sum, index) => sum + DATA.tensors[index][BYTES], 0) }));
  if (restBytes > 0) {
    made.push({ name: `${whole(rest.length + DATA.rest[0])} smaller tensors`, members: [], size: restBytes });
  }
  return made.sort((one, other) => other.size - one.size);
}

/* Places of sizes (descending) in a box; each is as near to a square as rows allow. */
function squarify(sizes, box) {
  const all = sizes.reduce((sum, size) => sum + size, 0), places = [];
  let { x, y, w, h } = box, start = 0;
  const scale = all > 0 ? w * h / all : 0;
  while (start < sizes.length) {
    const side = Math.min(w, h);
    let end = start, sum = 0, worst = Infinity;
    while (end < sizes.length) {
      const next = (sum + sizes[end]) * scale, thick = next / side;
      const ratios = [sizes[start], sizes[end]].map((size) => size * scale / thick / thick);
      const worse = Math.max(...ratios.map((ratio) => Math.max(ratio, 1 / ratio)));
      if (end > start && worse > worst) {
        break;
      }
      worst = worse;
      sum += sizes[end];
      end += 1;
    }
    const thick = side > 0 ? sum * scale / side : 0;
    let along = 0;
    for (let index = start; index < end; index += 1) {
      const length = sum > 0 ? side * sizes[index] / sum : 0;
      places.push(w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick });
      along += length;
    }
    if (w >= h) {
      x += thick;
      w -= thick;
    } else {
      y += thick;
      h -= thick;
    }
    start = end;
  }
  return places;
}

function placed(element, box, gap) {
  Object.assign(element.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${Math.max(box.w - gap, 1)}px`,
    height: `${Math.max(box.h - gap, 1)}px` });
  return element;
}

function tile(index, box, group) {
  const row = DATA.tensors[index], name = row[NAME];
  const short = group && name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name;
  const label = short.replace(/\.weight$/, "");
  const letters = Math.floor((box.w - 12) / 6.7), lines = Math.floor((box.h - 6) / 15);
  const made = el("button", { type: "button", class: "tile", tabindex: "-1", "aria-pressed": "false", "data-index": index,
    title: `${name}\n${whole(row[BYTES])} bytes, ${digits(bits(row))} bits per weight\n${row[CODEC]}`,
    "aria-label": `${name}: ${whole(row[BYTES])} bytes, ${digits(bits(row))} bits per weight, ${row[CODEC]}`,
    style: colours(classOf(row)), onclick: () => showLayer(index, false) });
  if (lines > 0 && letters >= Math.min(label.length, MIN_LETTERS)) {
    made.append(el("span", {}, shortened(label, letters)));
    if (lines > 1 && letters >= size(row[BYTES]).length) {
      made.append(el("span", {}, size(row[BYTES])));
    }
  }
  if (box.w < SMALL_TILE || box.h < SMALL_TILE) {
    made.style.padding = "0";
  }
  tiles.set(index, made);
  return placed(made, box, 1);
}

function layOut(place) {
  const width = place.clientWidth, height = Math.round(Math.min(560, Math.max(300, width * 0.5)));
  const all = groups(), pressed = [...tiles.values()].find((one) => one.getAttribute("aria-pressed") === "true");
  const chosen = pressed ? Number(pressed.dataset.index) : null;
  const hadFocus = place.contains(document.activeElement);
  tiles.clear();
  place.replaceChildren();
  place.style.height = `${height}px`;
  const boxes = squarify(all.map((group) => group.size), { x: 0, y: 0, w: width, h: height });
  all.forEach((group, number) => {
    const box = boxes[number];
    if (!group.members.length) {
      place.append(placed(el("div", { class: "others" }, box.w > 60 ? group.name : ""), box, 2));
      return;
    }
    let inner = { x: box.x, y: box.y, w: box.w - 2, h: box.h - 2 };
    const hasTitle = group.members.length > 1 && group.name && box.h > 60 && box.w > 70;
    if (hasTitle) {
      const title = shortened(group.name, Math.floor((box.w - 12) / 6.7));
      place.append(placed(el("div", { class: "group", "aria-hidden": "true" }, title), { ...inner, h: TITLE_HEIGHT }, 0));
      inner = { ...inner, y: inner.y + TITLE_HEIGHT, h: inner.h - TITLE_HEIGHT };
    }
    const sizes = group.members.map((index) => DATA.tensors[index][BYTES]);
    squarify(sizes, inner).forEach((one, at) =>
      place.append(tile(group.members[at], one, hasTitle ? group.name : "")));
  });
  const first = tiles.get(chosen) ?? tiles.values().next().value;
  if (first) {
    first.setAttribute("tabindex", "0");
    if (hadFocus) {
      first.focus();
    }
  }
  if (chosen !== null) {
    pressTile(chosen);
  }
}

function pressTile(index) {
  for (const [other, made] of tiles) {
    made.setAttribute("aria-pressed", String(other === index));
  }
  if (tiles.has(index)) {
    makeCurrent(tiles.get(index));
  }
}

/* One tile is in the order of the tab key; arrows go to its neighbours. */
function makeCurrent(made) {
  for (const other of tiles.values()) {
    other.setAttribute("tabindex", other === made ? "0" : "-1");
  }
}

function moveWithKeys(event) {
  const order = [...tiles.values()], at = order.indexOf(document.activeElement);
  const moves = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 };
  if (at < 0 || !(event.key in moves)) {
    return;
  }
  event.preventDefault();
  const next = order[Math.min(Math.max(moves[event.key], 0), order.length - 1)];
  makeCurrent(next);
  next.focus();
}

function drawTreemap() {
  const place = byId("treemap");
  drawLegend(byId("legend"));
  place.addEventListener("keydown", moveWithKeys);
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth !== width) {
      width = place.clientWidth;
      layOut(place);
    }
  }).observe(place);
  layOut(place);
  width = place.clientWidth;
}
