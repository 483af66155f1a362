"use strict";
const album = JSON.parse(document.getElementById("album").textContent);
for (const picture of document.querySelectorAll("img[data-picture]")) {
  picture.src = album[picture.dataset.picture];
}

const by = document.getElementById("by");
function choose() {
  for (const sheet of document.querySelectorAll(".sheet")) sheet.hidden = sheet.dataset.by !== by.value;
}
if (by) {
  by.addEventListener("change", choose);
  choose();
}

const zoom = document.getElementById("zoom");
const panes = zoom.querySelector(".panes");
let shown = null;
let factor = 1;

/* All panes show the same place: whichever is scrolled takes the others with it. */
function follow(event) {
  for (const view of panes.querySelectorAll(".view")) {
    if (view === event.target) continue;
    view.scrollLeft = event.target.scrollLeft;
    view.scrollTop = event.target.scrollTop;
  }
}

/* The result's pixels are the page's, times the factor; the others are drawn as large as it. The middle stays where it is. */
function scale(to) {
  factor = to;
  const view = panes.querySelector(".view");
  const middle = [
    (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth,
    (view.scrollTop + view.clientHeight / 2) / view.scrollHeight,
  ];
  const result = panes.querySelector('img[data-what="result"]');
  for (const picture of panes.querySelectorAll("img")) {
    picture.style.width = result.naturalWidth * factor + "px";
    picture.style.height = result.naturalHeight * factor + "px";
  }
  view.scrollLeft = middle[0] * view.scrollWidth - view.clientWidth / 2;
  view.scrollTop = middle[1] * view.scrollHeight - view.clientHeight / 2;
  for (const button of zoom.querySelectorAll("[data-zoom]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === factor));
  }
}

function show(card) {
  shown = card;
  panes.replaceChildren();
  for (const small of card.querySelectorAll("img")) {
    const pane = document.createElement("div");
    const head = document.createElement("h4");
    const view = document.createElement("div");
    const picture = document.createElement("img");
    pane.className = "pane";
    view.className = "view";
    head.textContent = small.dataset.what;
    picture.src = small.src;
    picture.alt = small.dataset.what;
    picture.dataset.what = small.dataset.what;
    view.addEventListener("scroll", follow);
    view.append(picture);
    pane.append(head, view);
    panes.append(pane);
  }
  const { row, name, width, height } = card.dataset;
  zoom.querySelector(".what").textContent = `${row}: ${name}, ${width} × ${height} px`;
  if (!zoom.open) zoom.showModal();
  const result = panes.querySelector('img[data-what="result"]');
  result.decode().then(() => scale(factor), () => {});
}

function go(steps) {
  const cards = [...document.querySelectorAll(".sheet:not([hidden]) .card")];
  show(cards[(cards.indexOf(shown) + steps + cards.length) % cards.length]);
}

for (const card of document.querySelectorAll(".card")) card.addEventListener("click", () => show(card));
zoom.addEventListener("click", (event) => {
  const { go: steps, zoom: to, close } = event.target.dataset;
  if (steps) go(Number(steps));
  if (to) scale(Number(to));
  if (close !== undefined) zoom.close();
});
zoom.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") go(-1);
  if (event.key === "ArrowRight") go(1);
});
