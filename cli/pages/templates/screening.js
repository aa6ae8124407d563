"use strict";
// Filters by priority, sale, house and words; without this script the page shows everything all the same.
const bar = document.querySelector(".filters"), [words] = bar.getElementsByTagName("input");
const cards = [...document.querySelectorAll(".cards a")], chosen = new Set();
const sections = [...document.querySelectorAll("section")];
const entries = [...document.querySelectorAll("article")].map((node) => ({
  node,
  rank: node.parentNode.id,
  text: node.textContent.toLowerCase(),
  lots: [node, ...node.querySelectorAll(".alike li")].map((lot) => lot.dataset),
}));

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const lists = [...bar.querySelectorAll("select")].filter((list) => list.value);
  let shown = 0;
  for (const { node, rank, text, lots } of entries) {
    node.hidden = !((chosen.size === 0 || chosen.has(rank))
      && lots.some((lot) => lists.every((list) => lot[list.name] === list.value))
      && wanted.every((word) => text.includes(word)));
    shown += !node.hidden;
  }
  for (const section of sections) section.hidden = !section.querySelector("article:not([hidden])");
  for (const card of cards) card.setAttribute("aria-pressed", chosen.has(card.hash.slice(1)));
  const all = shown === entries.length;
  bar.querySelector("output").textContent = all ? "" : shown + " of " + entries.length + " entries";
  bar.querySelector("button").hidden = all && chosen.size === 0;
}

for (const card of cards) {
  const rank = card.hash.slice(1);
  card.setAttribute("role", "button");
  card.addEventListener("click", (event) => {
    event.preventDefault();
    if (!chosen.delete(rank)) chosen.add(rank);
    filter();
  });
  card.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); card.click(); }
  });
}
bar.addEventListener("input", filter);
bar.querySelector("button").addEventListener("click", () => {
  chosen.clear();
  words.value = "";
  for (const list of bar.querySelectorAll("select")) list.value = "";
  filter();
});
bar.hidden = false;
filter();
