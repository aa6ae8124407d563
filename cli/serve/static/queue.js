"use strict";
// The queue by the keyboard: every key does what a link or a form of the page does.

const rows = [...document.querySelectorAll(".row")];
const asking = document.querySelector("dialog#decide");
const keys = document.getElementById("keys");
const own = document.querySelector("form[data-decide]"); // of the page of one verdict
const remembered = "queue-row";

function current() {
  return document.activeElement?.closest?.(".row") ?? null;
}

function move(by) {
  const at = rows.indexOf(current());
  const next = rows[at < 0 ? 0 : at + by];
  if (next) next.focus();
  else document.querySelector(by > 0 ? "a[rel=next]" : "a[rel=prev]")?.click();
}

function follow(selector, within = document) {
  const link = within.querySelector(selector);
  if (link) link.click();
  return Boolean(link);
}

function remember(row) {
  sessionStorage.setItem(remembered, String(rows.indexOf(row)));
}

function ask(row, decision, field) {
  const form = asking.querySelector("form");
  form.action = row.dataset.decide;
  form.elements.seen.value = row.dataset.seen;
  const settled = decision === "inconclusive" && row.dataset.outcome === "inconclusive";
  form.elements.decision.value = settled ? "accept" : decision;
  form.elements.object.value = form.elements.reason.value = "";
  asking.querySelector("h2").textContent = `Verdict ${row.dataset.number}: ${row.dataset.outcome}`;
  remember(row);
  asking.showModal();
  form.elements[field].focus();
}

function accept(row) {
  remember(row);
  row.querySelector("form[data-accept] button").click();
}

const onRow = {
  a: (row) => accept(row),
  o: (row) => ask(row, "consistent", "decision"),
  i: (row) => ask(row, "inconclusive", "reason"),
  n: (row) => ask(row, "accept", "reason"),
  x: (row) => row.querySelector(".pick input").click(),
  c: (row) => follow("a.compare", row) || say("This verdict has nothing to compare."),
  Enter: (row) => follow("a.open", row),
};

function choose(decision) {
  const settled = decision === "inconclusive" && own.closest("main").querySelector("article").dataset.outcome === decision;
  const radio = own.querySelector(`input[value="${settled ? "accept" : decision}"]`);
  if (radio) radio.checked = true;
}

const onPage = {
  a: () => { choose("accept"); own.requestSubmit(); },
  o: () => own.querySelector("input[name=decision]:not([value=accept])").focus(),
  i: () => { choose("inconclusive"); own.elements.reason.focus(); },
  n: () => own.elements.reason.focus(),
  c: () => follow("a.compare") || say("This verdict has nothing to compare."),
  j: () => follow("a[rel=next]") || say("This is the last one."),
  k: () => follow("a[rel=prev]") || say("This is the first one."),
  q: () => follow("a[data-queue]"),
};

const anywhere = {
  u: () => {
    const form = document.querySelector("form[data-undo]");
    if (form) form.requestSubmit();
    else say("There is nothing to undo.");
  },
  "?": () => keys?.showModal(),
};

function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), select, textarea, dialog[open]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "Enter" && !event.target.matches(".row")) return; // of a link or a button
  let act = anywhere[event.key];
  if (rows.length && (event.key === "j" || event.key === "k")) act = () => move(event.key === "j" ? 1 : -1);
  else if (rows.length && onRow[event.key]) {
    const row = current();
    act = row ? () => onRow[event.key](row) : event.key === "Enter" ? null : () => say("Go to a verdict first: j.");
  } else if (!rows.length && (own || "jkqc".includes(event.key))) act ??= onPage[event.key];
  if (rows.length && !asking && "aoinx".includes(event.key)) act = null;
  if (!act) return;
  event.preventDefault();
  act();
});

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault(); // a double click
    form.dataset.sent = "yes";
    if (form.matches("[data-accept]")) remember(form.closest(".row"));
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
}
document.querySelector("[data-close]")?.addEventListener("click", () => asking.close());
asking?.addEventListener("close", () => rows[Number(sessionStorage.getItem(remembered))]?.focus());

const boxes = rows.flatMap((row) => [...row.querySelectorAll(".pick input")]);
const every = document.querySelector("input[data-all]");
function counted() {
  const chosen = boxes.filter((box) => box.checked).length;
  document.querySelector("[data-count]").textContent = chosen ? ` ${chosen}` : "";
  every.checked = chosen === boxes.length;
  every.indeterminate = chosen > 0 && chosen < boxes.length;
}
if (every) {
  for (const part of document.querySelectorAll("[data-all]")) part.hidden = false;
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    counted();
  });
  for (const box of boxes) box.addEventListener("change", counted);
  counted();
}

const left = sessionStorage.getItem(remembered);
if (rows.length && left !== null) {
  sessionStorage.removeItem(remembered);
  rows[Math.min(Number(left), rows.length - 1)]?.focus();
}
