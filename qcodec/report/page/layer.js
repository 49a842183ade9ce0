/* One tensor: its histogram, its levels, the lengths of their codes, and its numbers. */
"use strict";

/* A histogram, with the levels as lines, and below the length of each one's code. */
function histogramPicture(index, width, height) {
  const row = DATA.tensors[index], details = DATA.details[index], codes = details.codes;
  const histogram = details.original ?? details.values;
  const levels = codes !== null && codes.values !== null ? codes.values : null;
  const below = codes === null ? 0 : 62, left = 44, right = width - 12, top = 10, bottom = height - 24 - below;
  const exact = levels !== null && details.original === null;
  const [low, high] = exact ? padded(levels) : histogram;
  const x = (value) => left + (value - low) / (high - low) * (right - left);
  const counts = exact ? codes.counts : histogram[2];
  const greatest = Math.max(1, ...counts);
  const y = (count) => bottom - count / greatest * (bottom - top);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": described(row, details, histogram) });
  for (const tick of ticks(0, greatest, 3)) {
    picture.append(svg("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 5, y: y(tick) + 4, "text-anchor": "end" }, compact(tick)));
  }
  if (exact) {
    const stroke = Math.max(1.5, Math.min(10, 0.5 * (right - left) / levels.length));
    levels.forEach((level, place) => picture.append(svg("line", { class: "stem", "stroke-width": stroke,
      x1: x(level), x2: x(level), y1: bottom, y2: y(counts[place]) })));
  } else {
    const step = (right - left) / counts.length;
    picture.append(svg("path", { class: "hist", d: counts.map((count, place) => count === 0 ? ""
      : `M${(left + place * step).toFixed(1)} ${bottom}V${y(count).toFixed(1)}h${step.toFixed(2)}V${bottom}z`).join("") }));
    for (const level of (levels ?? []).filter((one) => one >= low && one <= high)) {
      picture.append(svg("line", { class: "level", x1: x(level), x2: x(level), y1: top, y2: bottom }));
    }
  }
  picture.append(svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const tick of ticks(low, high, width > 500 ? 7 : 5)) {
    picture.append(svg("line", { class: "axis", x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4 }),
      svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, digits(tick)));
  }
  if (codes !== null) {
    const places = levels !== null ? levels.map(x)
      : codes.counts.map((_, place) => left + (place + 0.5) * (right - left) / codes.counts.length);
    addLengths(picture, codes, places, left, right, bottom + 30, height - 6);
  }
  return picture;
}

function padded(levels) {
  const least = Math.min(...levels), greatest = Math.max(...levels);
  const margin = 0.05 * (greatest - least) || Math.abs(least) / 2 || 0.5;
  return [least - margin, greatest + margin];
}

function compact(count) {
  return count >= 1e6 ? `${digits(count / 1e6)}M` : count >= 1e3 ? `${digits(count / 1e3)}k` : digits(count);
}

/* Sticks hang from a line: the longer, the more bits. Dots: what an ideal code would take. */
function addLengths(picture, codes, places, left, right, top, bottom) {
  const all = codes.counts.reduce((sum, count) => sum + count, 0);
  const ideal = codes.counts.map((count) => count > 0 ? Math.log2(all / count) : null);
  const lengths = codes.lengths ?? codes.counts.map(() => -1);
  const greatest = Math.max(1, ...lengths, ...ideal.filter((one) => one !== null));
  const y = (value) => top + value / greatest * (bottom - top - 4);
  const inside = (place) => places[place] >= left - 1 && places[place] <= right + 1;
  for (const tick of ticks(0, greatest, 2)) {
    picture.append(svg("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 5, y: y(tick) + 4, "text-anchor": "end" }, tick === 0 ? "0 bits" : digits(tick)));
  }
  const stroke = Math.max(1, Math.min(7, 0.4 * (right - left) / places.length));
  const radius = Math.max(1, Math.min(2.6, 0.3 * (right - left) / places.length));
  places.forEach((place, code) => {
    if (!inside(code)) {
      return;
    }
    if (lengths[code] >= 0) {
      picture.append(svg("line", { class: "length", "stroke-width": stroke, x1: place, x2: place,
        y1: top, y2: y(lengths[code]) }));
    }
    if (ideal[code] !== null) {
      picture.append(svg("circle", { class: "ideal", r: radius, cx: place, cy: y(ideal[code]) }));
    }
  });
}

function described(row, details, histogram) {
  const codes = details.codes;
  const [low, high] = histogram;
  const levels = codes === null ? "" : `, ${codes.counts.length} codes`;
  const lengths = codes !== null && codes.lengths !== null
    ? ` of ${digits(Math.min(...codes.lengths.filter((one) => one >= 0)))} to ${digits(Math.max(...codes.lengths))} bits` : "";
  return `Histogram of ${row[NAME]}, from ${digits(low)} to ${digits(high)}${levels}${lengths}`;
}

/* What is drawn, in words, under each picture. */
function drawnText(index) {
  const row = DATA.tensors[index], { original, values, codes } = DATA.details[index];
  const exact = codes !== null && codes.values !== null && original === null;
  const histogram = original ?? values;
  const parts = [exact ? "how often each value occurs" : original ? "values of the original" : "decoded values"];
  if (row[KEPT] !== null && row[KEPT] < 50 && !exact) {
    parts[0] += ", zeros left out";
  }
  if (!exact && histogram[5]) {
    parts.push(`a sample of ${whole(histogram[4])}`);
  }
  if (!exact && histogram[3] > 0) {
    parts.push(`${whole(histogram[3])} beyond the edges`);
  }
  if (codes !== null) {
    const kind = codes.values === null ? "codes; their values differ by group" : exact ? "" : "lines: values of the codes";
    if (kind) {
      parts.push(kind);
    }
    parts.push(codes.lengths === null ? `${codes.coding}: adaptive or by class, no fixed lengths`
      : `${codes.coding}: sticks are code lengths`);
  }
  return `${parts.join("; ")}.`;
}

/* Pairs of a word and a number. */
function numbers(index) {
  const row = DATA.tensors[index], details = DATA.details[index];
  const pairs = [
    ["stored as", row[CODEC]],
    ["shape", `${row[SHAPE] || "scalar"}, ${row[DTYPE]}`],
    ["weights", whole(row[ELEMENTS])],
    ["kept", row[KEPT] === null ? "" : `${digits(row[KEPT])} %`],
    ["bytes", `${whole(row[BYTES])}, ${percent(row[BYTES], DATA.bytes)} of the file`],
    ["bits per weight", bits(row).toFixed(3)],
    ["entropy", row[ENTROPY] === null ? "" : `${row[ENTROPY].toFixed(3)} bits per weight`],
    ["achieved", row[CODE_BITS] === null ? "" : `${row[CODE_BITS].toFixed(3)} bits per weight`],
    ["SQNR", sqnr(row) === "" ? "" : row[EXACT] ? "exact" : `${sqnr(row)} dB`],
  ];
  for (const [purpose, bytes] of Object.entries(details?.parts ?? {})) {
    pairs.push([purpose, `${whole(bytes)} bytes`]);
  }
  const { stages } = details ?? {};
  if (stages) {
    pairs.push(["by stage", Object.values(stages).map(whole).join(" → ")]);
  }
  pairs.push(["note", row[NOTE]]);
  return el("dl", {}, ...pairs.filter(([, text]) => text).flatMap(([word, text]) =>
    [el("dt", {}, word), el("dd", {}, text)]));
}

function showLayer(index, moveFocus) {
  const place = byId("layer"), row = DATA.tensors[index], isDetailed = index in DATA.details;
  const side = isDetailed
    ? el("div", {}, place.clientWidth < 700 ? histogramPicture(index, 360, 250) : histogramPicture(index, 620, 340), el("p", { class: "note" }, capital(drawnText(index))))
    : el("p", { class: "note" }, "The histograms of the largest tensors are in this page; this is not one of them.");
  place.replaceChildren(el("h3", {}, row[NAME]), el("div", { class: "two" }, side, numbers(index)));
  if (moveFocus) {
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }
  pressTile(index);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const CARDS = 12;

function drawGallery() {
  const order = Object.keys(DATA.details).map(Number)
    .sort((one, other) => DATA.tensors[other][BYTES] - DATA.tensors[one][BYTES]);
  const gallery = byId("gallery"), more = byId("more");
  if (!order.length) {
    byId("values-section").hidden = true;
    return;
  }
  byId("values-note").textContent = `The ${order.length === 1 ? "tensor" : `${whole(order.length)} tensors`} that `
    + `take${order.length === 1 ? "s" : ""} most bytes${DATA.tensors.length > order.length ? `, of ${whole(DATA.tensors.length)}` : ""}. `
    + "Lines are the values that codes stand for. Below hang the lengths of the codes; dots are the "
    + "lengths of an ideal code, −log₂ of how often a code occurs.";
  let shown = 0;
  const next = () => {
    const some = order.slice(shown, shown + CARDS);
    gallery.append(...some.map((index) => {
      const row = DATA.tensors[index];
      return el("article", {}, el("h3", { class: "card" }, row[NAME]),
        el("p", {}, `${row[CODEC]} · ${whole(row[BYTES])} bytes · ${digits(bits(row))} bits per weight`),
        histogramPicture(index, 360, 230), el("p", {}, capital(drawnText(index))));
    }));
    shown += some.length;
    more.hidden = shown >= order.length;
    more.textContent = `Show ${Math.min(CARDS, order.length - shown)} more of ${whole(order.length - shown)}`;
    return gallery.children[shown - some.length];
  };
  next();
  more.addEventListener("click", () => {
    const first = next();
    first.setAttribute("tabindex", "-1");
    first.focus();
  });
}
