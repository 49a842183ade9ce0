/* Puts the page together. */
"use strict";

function drawHeader() {
  const ratio = DATA.bytes ? DATA.dense / DATA.bytes : 0, tensors = DATA.tensors.length + DATA.rest[0];
  const against = DATA.original ? `, compared with ${DATA.original}` : "";
  byId("summary").textContent = `${whole(tensors)} tensor${tensors === 1 ? "" : "s"}, ${whole(DATA.elements)} weights, `
    + `${whole(DATA.bytes)} bytes${against}.`;
  const figures = [
    ["size of the file", size(DATA.bytes), `of ${size(DATA.dense)}`],
    ["smaller", `${digits(ratio)}×`, "than in memory"],
    ["per weight", `${digits(DATA.elements ? 8 * DATA.bytes / DATA.elements : 0)} bits`, "all bytes"],
  ];
  if (DATA.original) {
    figures.push(["SQNR of all weights", DATA.sqnr === null ? "exact" : `${DATA.sqnr.toFixed(1)} dB`, "against the original"]);
  }
  byId("figures").append(...figures.map(([word, value, more]) =>
    el("div", {}, el("dt", {}, word), el("dd", {}, value, " ", el("small", {}, more)))));
}

/* The button overrules what the system prefers. */
function drawTheme() {
  const button = byId("theme"), root = document.documentElement;
  let isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const show = () => {
    button.setAttribute("aria-pressed", String(isDark));
    root.style.colorScheme = isDark ? "dark" : "light";
  };
  show();
  button.addEventListener("click", () => {
    isDark = !isDark;
    show();
  });
}

drawTheme();
drawHeader();
drawWaterfall(byId("waterfall"));
drawParts(byId("parts"));
drawTreemap();
drawGallery();
drawEntropy(byId("entropy"));
drawCurve(byId("curve"));
drawTable();
if (DATA.tensors.length) {
  const largest = DATA.tensors.reduce((best, row, index) => row[BYTES] > DATA.tensors[best][BYTES] ? index : best, 0);
  showLayer(largest, false);
}
