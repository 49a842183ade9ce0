/* The table of all tensors: sorted by any column, filtered by name. */
"use strict";

const FIRST_ROWS = 200;
/* Title, value to sort by, text; `bar`: the greatest value of a bar. */
const COLUMNS = [
  { title: "Tensor", value: (row) => row[NAME] },
  { title: "Shape", value: (row) => row[ELEMENTS], text: (row) => row[SHAPE] || "scalar" },
  { title: "Type", value: (row) => row[DTYPE] },
  { title: "Stored as", value: (row) => row[CODEC] },
  { title: "Kept %", value: (row) => row[KEPT], text: (row) => row[KEPT] === null ? "" : digits(row[KEPT]), number: true },
  { title: "Bytes", value: (row) => row[BYTES], text: (row) => whole(row[BYTES]), number: true },
  { title: "Bits per weight", value: bits, text: (row) => bits(row).toFixed(2), number: true },
  { title: "Entropy", value: (row) => row[ENTROPY], text: (row) => fixed(row[ENTROPY], 2), number: true },
  { title: "Achieved", value: (row) => row[CODE_BITS], text: (row) => fixed(row[CODE_BITS], 2), number: true },
  { title: "SQNR, dB", value: (row) => row[EXACT] ? Infinity : row[SQNR], text: sqnr, number: true },
];

function drawTable() {
  const table = byId("table"), filter = byId("filter"), all = byId("all"), body = el("tbody");
  let column = 5, isDown = true, limit = FIRST_ROWS;
  const used = COLUMNS.filter((one) => DATA.tensors.some((row) => (one.text ?? one.value)(row) !== ""));
  const heads = used.map((one) => {
    const button = el("button", { type: "button" }, one.title);
    button.addEventListener("click", () => {
      const place = COLUMNS.indexOf(one);
      isDown = place === column ? !isDown : Boolean(one.number);
      column = place;
      fill();
    });
    return el("th", { scope: "col", class: one.number ? "number" : "" }, button);
  });
  table.append(el("thead", {}, el("tr", {}, ...heads)), body);

  function fill() {
    const wanted = filter.value.toLowerCase(), { value } = COLUMNS[column];
    const found = DATA.tensors.map((row, index) => [row, index])
      .filter(([row]) => row[NAME].toLowerCase().includes(wanted))
      .sort(([one], [other]) => compared(value(one), value(other)) * (isDown ? -1 : 1));
    heads.forEach((head, place) => {
      const isSorted = used[place] === COLUMNS[column];
      head.setAttribute("aria-sort", isSorted ? (isDown ? "descending" : "ascending") : "none");
      head.firstChild.textContent = used[place].title + (isSorted ? (isDown ? " ↓" : " ↑") : "");
    });
    body.replaceChildren(...found.slice(0, limit).map(([row, index]) => line(row, index, used)));
    if (DATA.rest[0] && !wanted && found.length <= limit) {
      body.append(el("tr", {}, el("th", { scope: "row" }, `${whole(DATA.rest[0])} smaller tensors`),
        ...used.slice(1).map((one) => el("td", { class: one.number ? "number" : "" },
          one.title === "Bytes" ? whole(DATA.rest[1]) : ""))));
    }
    byId("count").textContent = `${whole(found.length)} of ${whole(DATA.tensors.length + DATA.rest[0])} tensors`;
    all.hidden = found.length <= limit;
    all.textContent = `Show all ${whole(found.length)}`;
  }

  filter.addEventListener("input", fill);
  all.addEventListener("click", () => {
    limit = Infinity;
    fill();
  });
  fill();
}

function compared(one, other) {
  if (one === null || other === null) {
    return (one === null ? 0 : 1) - (other === null ? 0 : 1);
  }
  return one < other ? -1 : one > other ? 1 : 0;
}

function line(row, index, used) {
  const name = el("button", { type: "button", title: row[NAME], onclick: () => showLayer(index, true) }, row[NAME]);
  return el("tr", {}, el("th", { scope: "row" }, name), ...used.slice(1).map((one) =>
    el("td", { class: one.number ? "number" : "" }, String((one.text ?? one.value)(row)))));
}
