/* Bars, scatter and curve. Every axis is linear, and bars begin at zero. */
"use strict";

const STEP_NAMES = {
  float: "Decoded, in memory",
  pruned: "Pruned: no zeros",
  quantized: "Quantized: codes",
  coded: "Entropy-coded",
  file: "File, with names",
};
/* Steps below this share of the first one are shown once more, enlarged. */
const SMALL = 0.2;

function track(size, before, greatest) {
  const left = 100 * size / greatest, gone = 100 * Math.max(before - size, 0) / greatest;
  return el("div", { "aria-hidden": "true" },
    el("i", { class: "left", style: { left: "0", width: `${left}%` } }),
    gone > 0.05 ? el("i", { class: "gone", style: { left: `${left}%`, width: `${gone}%` } }) : null);
}

function steps(stages, caption, first) {
  const greatest = Math.max(...stages.map(([, size]) => size));
  const body = el("tbody");
  let before = stages[0][1];
  for (const [name, size] of stages) {
    const change = size - before, isFirst = name === stages[0][0];
    body.append(el("tr", {},
      el("th", { scope: "row", class: "name" }, stepName(name)),
      el("td", { class: "track" }, track(size, before, greatest)),
      el("td", { class: "number" }, whole(size)),
      el("td", { class: "number" }, isFirst ? "" : `${change > 0 ? "+" : change < 0 ? "−" : ""}${whole(Math.abs(change))}`),
      el("td", { class: "number" }, size > 0 ? `${digits(first / size)}×` : "")));
    before = size;
  }
  const heads = ["Step", "", "Bytes", "Change", "Smaller"];
  return el("table", { class: "steps" }, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...heads.map((head, index) =>
      index === 1 ? el("td", {}) : el("th", { scope: "col", class: index ? "number" : "" }, head)))),
    body);
}

function stepName(name) {
  const isPruned = DATA.stages.pruned < DATA.stages.float;
  return name === "pruned" && !isPruned ? "Nothing pruned; heads" : STEP_NAMES[name];
}

function drawWaterfall(place) {
  const stages = Object.entries(DATA.stages), first = stages[0][1];
  place.append(steps(stages, "All steps", first));
  const small = stages.filter(([, size]) => size < SMALL * first);
  if (small.length > 1 && small.length < stages.length) {
    const factor = first / Math.max(...small.map(([, size]) => size));
    place.append(steps(small, `The last steps, enlarged ${digits(factor)} times`, first));
  }
}

function drawParts(place) {
  const shown = DATA.purposes.map((name, index) => [name, DATA.parts[name] ?? 0, PURPOSE_COLOURS[index]])
    .filter(([, size]) => size > 0);
  place.append(
    el("div", { class: "stack", "aria-hidden": "true" }, ...shown.map(([, size, colour]) =>
      el("i", { style: { width: `${100 * size / DATA.bytes}%`, background: colour } }))),
    el("ul", { class: "key" }, ...shown.map(([name, size, colour]) => el("li", {},
      el("span", { class: "swatch", "aria-hidden": "true", style: { background: colour } }),
      `${name}: ${whole(size)} bytes, ${percent(size, DATA.bytes)}`))));
}

/* A picture that is drawn smaller, not scaled down, where the window is narrow: text stays legible. */
function canvas(place, label) {
  const width = Math.min(640, Math.max(320, place.clientWidth)), height = Math.round(0.5 * width + 110);
  return { width, height, picture: svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }) };
}

/* Axes of a plot with room for their labels; returns the functions from values to places. */
function frame(parent, width, height, xs, ys, xTitle, yTitle) {
  const left = 58, right = width - 16, top = 14, bottom = height - 44;
  const x = (value) => left + (value - xs[0]) / (xs[1] - xs[0]) * (right - left);
  const y = (value) => bottom - (value - ys[0]) / (ys[1] - ys[0]) * (bottom - top);
  for (const tick of ticks(xs[0], xs[1], 7)) {
    parent.append(svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top, y2: bottom }),
      svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, digits(tick)));
  }
  for (const tick of ticks(ys[0], ys[1], 6)) {
    parent.append(svg("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, digits(tick)));
  }
  const middle = (top + bottom) / 2;
  parent.append(svg("path", { class: "axis", fill: "none", d: `M${left} ${top}V${bottom}H${right}` }),
    svg("text", { class: "title", x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }, xTitle),
    svg("text", { class: "title", x: 14, y: middle, "text-anchor": "middle",
      transform: `rotate(-90 14 ${middle})` }, yTitle));
  return [x, y];
}

function drawEntropy(place) {
  const rows = DATA.tensors.filter((row) => row[ENTROPY] !== null && row[CODE_BITS] !== null);
  if (!rows.length) {
    byId("entropy-section").hidden = true;
    return;
  }
  const greatest = 1.05 * Math.max(0.5, ...rows.map((row) => Math.max(row[ENTROPY], row[CODE_BITS])));
  const below = rows.filter((row) => row[CODE_BITS] < row[ENTROPY]).length;
  const text = `${rows.length} quantized tensors; ${below} take fewer bits than the entropy of order 0.`;
  const { width, height, picture } = canvas(place, text);
  const [x, y] = frame(picture, width, height, [0, greatest], [0, greatest],
    "entropy of the codes, bits per weight", "achieved, bits per weight");
  picture.append(svg("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(greatest), y2: y(greatest) }));
  for (const row of rows) {
    const title = `${row[NAME]}: entropy ${digits(row[ENTROPY])}, achieved ${digits(row[CODE_BITS])}`;
    picture.append(svg("circle", { class: "point", r: 5, cx: x(row[ENTROPY]), cy: y(row[CODE_BITS]) },
      svg("title", {}, title)));
  }
  place.append(el("div", { class: "narrow" }, picture), el("p", { class: "note" }, text));
}

function drawCurve(place) {
  if (DATA.curve === null) {
    byId("curve-section").hidden = true;
    return;
  }
  const { points, chosen } = DATA.curve, known = points.filter(([, ratio]) => ratio !== null);
  const sizes = known.map(([bytes]) => bytes), ratios = known.map(([, ratio]) => ratio);
  const [unit, factor] = unitOf(Math.max(...sizes));
  const least = Math.min(...ratios), margin = 0.08 * (Math.max(...ratios) - least) || 1;
  const [bytes, ratio] = points[chosen];
  const text = ratio === null ? `Chosen: ${whole(bytes)} bytes, exact.`
    : `Chosen: ${whole(bytes)} bytes at an SQNR of ${ratio.toFixed(1)} dB.`;
  const { width, height, picture } = canvas(place, text);
  const [x, y] = frame(picture, width, height, [0, 1.05 * Math.max(...sizes) / factor],
    [Math.min(0, least - margin), Math.max(...ratios) + margin], unit, "SQNR, dB");
  const ordered = [...known].sort((one, other) => one[0] - other[0]);
  picture.append(svg("path", { class: "line",
    d: `M${ordered.map(([one, other]) => `${x(one / factor).toFixed(1)} ${y(other).toFixed(1)}`).join("L")}` }));
  for (const [one, other] of ordered) {
    picture.append(svg("circle", { class: "point", r: 4, cx: x(one / factor), cy: y(other) },
      svg("title", {}, `${whole(one)} bytes, ${other.toFixed(1)} dB`)));
  }
  if (ratio !== null) {
    const isLeft = x(bytes / factor) > 0.6 * width;
    picture.append(svg("circle", { class: "chosen", r: 7, cx: x(bytes / factor), cy: y(ratio) }),
      svg("text", { class: "title", x: x(bytes / factor) + (isLeft ? -12 : 12), y: y(ratio) + 18,
        "text-anchor": isLeft ? "end" : "start" }, "chosen"));
  }
  place.append(el("div", { class: "narrow" }, picture), el("p", { class: "note" }, text));
}
