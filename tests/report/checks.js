/* What the tests ask of a page that is open; each function returns what is wrong. */
"use strict";

const checks = {
  /* Texts whose contrast with what is behind them is below that of WCAG 2. */
  contrast() {
    const parts = (text) => text.match(/[\d.]+/g).slice(0, 3).map((one) => Number(one) / 255);
    const linear = (one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const light = (text) => parts(text).map(linear)
      .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (node) => {
      for (let one = node; one; one = one.parentElement) {
        const colour = getComputedStyle(one).backgroundColor;
        if (!/, 0\)$/.test(colour)) {
          return colour;
        }
      }
      return "rgb(255, 255, 255)";
    };
    const ratio = (node) => {
      const [one, other] = [getComputedStyle(node).color, behind(node)].map(light);
      return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    };
    const texts = "p, dt, dd, h1, h2, h3, td, th, li, label, button, .tile, .group";
    return [...document.querySelectorAll(texts)].filter((node) => node.textContent.trim() && ratio(node) < 4.5)
      .map((node) => `${node.tagName} ${node.textContent.slice(0, 40)}: ${ratio(node)}`);
  },

  /* Texts of a picture that lie on each other. */
  overlapping() {
    return [...document.querySelectorAll("svg")].flatMap((picture) => {
      const boxes = [...picture.querySelectorAll("text")]
        .map((text) => [text.textContent, text.getBoundingClientRect()]);
      const cover = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1
        && b.top < a.bottom - 1;
      return boxes.flatMap(([one, a], at) => boxes.slice(at + 1).filter(([, b]) => cover(a, b))
        .map(([other]) => `${one} | ${other}`));
    });
  },

  /* Texts that a picture cuts off. */
  cut() {
    return [...document.querySelectorAll("svg text")].filter((text) => {
      const box = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
      return box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 1 || box.bottom > all.bottom + 1;
    }).map((text) => text.textContent);
  },

  /* Tiles that reach beyond the treemap. */
  beyond() {
    return [...document.querySelectorAll(".tile")].filter((tile) => {
      const box = tile.getBoundingClientRect(), all = tile.parentElement.getBoundingClientRect();
      return box.right > all.right + 1 || box.bottom > all.bottom + 1;
    }).map((tile) => tile.ariaLabel);
  },

  /* Controls and pictures without a name. */
  nameless() {
    const controls = [...document.querySelectorAll("button, input")]
      .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length));
    const pictures = [...document.querySelectorAll("svg")]
      .filter((one) => one.getAttribute("role") !== "img" || (one.ariaLabel ?? "").length < 20);
    return [...controls, ...pictures].map((one) => one.outerHTML.slice(0, 80));
  },
};
