"use strict";
// The buttons, keys and the address of the page that compares.

const box = document.getElementById("compare"), tools = box.querySelector(".tools"), slide = document.getElementById("slide");
const line = document.createElement("div");
const settings = { mode: "side", map: false, places: true, overlays: false, points: false, asis: false };
let view = null, bound = null, quiet = 0, flickering = null, upper = true, saving = null;

const input = (name) => tools.querySelector(`input[name=${name}]`);
const shownPanes = () => (settings.mode === "side" ? panes : [exemplar]);

function changed(now) {
  if (performance.now() < quiet) return;
  view = now;
  clip();
  clearTimeout(saving);
  saving = setTimeout(save, 250);
}

function save() {
  if (!view) return;
  const layers = ["map", "places", "overlays", "points", "asis"].filter((name) => settings[name]).join(".");
  const parts = { x: view.x.toFixed(4), y: view.y.toFixed(4), w: view.w.toFixed(2), mode: settings.mode, layers };
  history.replaceState(null, "", `#${new URLSearchParams(told.registered ? parts : { mode: settings.mode })}`);
  for (const link of document.querySelectorAll("a.keeps")) link.hash = location.hash;
}

function restore() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (!told.registered) return;
  if (["side", "over", "flicker"].includes(parts.get("mode"))) settings.mode = parts.get("mode");
  if (parts.has("layers")) {
    for (const name of ["map", "places", "overlays", "points", "asis"]) settings[name] = parts.get("layers").split(".").includes(name);
  }
  const [x, y, w] = ["x", "y", "w"].map((name) => Number(parts.get(name)));
  if (parts.has("w") && [x, y, w].every(Number.isFinite) && w > 1) view = { x, y, w };
}

function clip() {
  // The upper picture begins at the line, wherever the picture is moved.
  const laid = exemplar.pictures.laid;
  if (!laid) return;
  if (settings.mode !== "over") {
    laid.setClip(null);
    return;
  }
  const at = (slide.value / 100) * exemplar.view.clientWidth;
  line.style.left = `${at}px`;
  const place = laid.viewportToImageCoordinates(exemplar.viewer.viewport.pointFromPixel(new OpenSeadragon.Point(at, 0), true));
  const { width, height } = told.pictures.laid, from = Math.min(Math.max(place.x, 0), width);
  laid.setClip(new OpenSeadragon.Rect(from, 0, Math.max(width - from, 0.001), height));
}

function layers() {
  // Show what is chosen, and nothing else.
  const { mode, map, asis } = settings, opacity = map ? input("opacity").value / 100 : 0;
  const laid = exemplar.pictures.laid, isAsIs = asis && mode === "side";
  laid?.setOpacity(mode === "over" || (mode === "flicker" && upper) ? 1 : 0);
  exemplar.pictures.map?.setOpacity(opacity);
  photograph.pictures.map?.setOpacity(isAsIs ? 0 : opacity);
  if (told.registered) {
    photograph.asIs = isAsIs;
    photograph.pictures.laid.setOpacity(isAsIs ? 0 : 1);
    photograph.pictures.photograph.setOpacity(isAsIs ? 1 : 0);
  }
  for (const name of ["places", "overlays", "points"]) {
    exemplar.showDrawing(name, settings[name]);
    photograph.showDrawing(name, settings[name] && !isAsIs);
    photograph.showDrawing(`${name}-asis`, settings[name] && isAsIs);
  }
  photograph.showDrawing("outline-asis", isAsIs);
  const caption = exemplar.figure.querySelector("figcaption");
  caption.dataset.shown = { over: "both", flicker: upper ? "photograph" : "exemplar" }[mode] ?? "exemplar";
  photograph.figure.querySelector(".laid")?.toggleAttribute("hidden", isAsIs);
  clip();
}

function arrange() {
  // Change how the two are shown; pan and zoom stay.
  if (box.dataset.ready && performance.now() > quiet) view = exemplar.read(false);
  quiet = performance.now() + 400;
  box.dataset.mode = settings.mode;
  photograph.figure.hidden = settings.mode !== "side";
  slide.parentElement.hidden = line.hidden = settings.mode !== "over";
  const pause = tools.querySelector("[data-do=pause]");
  pause.hidden = settings.mode !== "flicker";
  input("asis")?.toggleAttribute("disabled", settings.mode !== "side");
  flicker(settings.mode === "flicker" && !calm.matches);
  upper = true;
  layers();
  bound?.lead(exemplar);
  requestAnimationFrame(() => { settle(); setTimeout(settle, 120); });
}

function settle() {
  if (!view) return;
  for (const pane of shownPanes()) {
    if (!told.registered && pane !== exemplar) continue;
    pane.apply(view);
  }
  clip();
  save();
}

function flicker(runs) {
  clearInterval(flickering);
  flickering = runs ? setInterval(change, 700) : null;
  tools.querySelector("[data-do=pause]").textContent = runs ? "Pause" : calm.matches ? "Change" : "Go on";
}

function change() {
  upper = !upper;
  layers();
}

function press(what) {
  const deeds = {
    in: () => zoom(1.4), out: () => zoom(1 / 1.4), home: () => go(bound.leader.whole()),
    pause: () => (calm.matches ? change() : flicker(!flickering)),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : box.requestFullscreen?.()),
  };
  deeds[what]();
}

function go(to, from = told.registered ? exemplar : bound.leader) {
  if (from === photograph && settings.mode !== "side") from = exemplar;
  bound.lead(from);
  if (from === exemplar) view = to;
  from.apply(to, calm.matches);
  clearTimeout(saving);
  saving = setTimeout(save, 250);
}

function zoom(factor) {
  const from = told.registered ? exemplar : bound.leader, now = from.read(false);
  go({ ...now, w: now.w * factor }, from);
}

function move(right, down) {
  const from = told.registered ? exemplar : bound.leader, now = from.read(false), step = 0.15 * from.view.clientWidth;
  go({ ...now, x: now.x + (right * step) / now.w, y: now.y + (down * step * from.frame[0]) / from.frame[1] / now.w }, from);
}

function jump(number) {
  const place = told.places[number - 1];
  if (!place) return;
  if (!settings.places) set("places", true);
  const [left, top] = [0, 1].map((axis) => Math.min(...place.quad.map((point) => point[axis])));
  const [right, bottom] = [0, 1].map((axis) => Math.max(...place.quad.map((point) => point[axis])));
  const room = 0.45 * Math.min(exemplar.view.clientWidth, exemplar.view.clientHeight);
  const scale = Math.min(room / Math.max(right - left, bottom - top, 1), 4);
  go({ x: (left + right) / 2 / FULL_WIDTH, y: (top + bottom) / 2 / FULL_HEIGHT, w: scale * FULL_WIDTH }, exemplar);
  for (const one of document.querySelectorAll("[data-place], .drawn path[data-number], .drawn-number")) {
    one.classList.toggle("on", Number(one.dataset.place ?? one.dataset.number) === number && !one.closest(".points, .overlays"));
  }
  for (const button of document.querySelectorAll("[data-place]")) {
    button.setAttribute("aria-pressed", button.dataset.place === String(number));
  }
  say(`Place ${number}: ${place.where || "somewhere"}, ${place.how_much}.`);
}

function set(name, value) {
  const box = input(name);
  if (!box || box.disabled) return;
  settings[name] = box.checked = value;
  if (name === "asis") arrange();
  else layers();
  save();
}

function mode(name) {
  const radio = tools.querySelector(`input[name=mode][value=${name}]`);
  if (!radio) return;
  radio.checked = true;
  settings.mode = name;
  arrange();
}

const KEYS = {
  "+": () => press("in"), "=": () => press("in"), "-": () => press("out"), 0: () => press("home"),
  ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, -1), ArrowDown: () => move(0, 1),
  s: () => mode("side"), o: () => mode("over"), f: () => mode("flicker"), w: () => press("full"),
  d: () => set("map", !settings.map), x: () => set("places", !settings.places), l: () => set("overlays", !settings.overlays),
  g: () => set("points", !settings.points), a: () => set("asis", !settings.asis),
  p: () => document.querySelector("a.keeps[rel=prev]")?.click(), n: () => document.querySelector("a.keeps[rel=next]")?.click(),
};

function heard(event) {
  const at = event.target, writes = at.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])");
  if (event.ctrlKey || event.metaKey || event.altKey || writes) return;
  const controls = at.matches("input[type=range], input[type=radio]") || at.closest(".scrolls");
  if (controls && event.key.startsWith("Arrow")) return; // they are moved by these keys themselves
  if (event.key === " " && settings.mode === "flicker" && !at.matches("button, input, a, summary")) {
    event.preventDefault();
    press("pause");
  } else if (/^[1-9]$/.test(event.key)) {
    jump(Number(event.key));
  } else if (KEYS[event.key] && !(event.key.startsWith("Arrow") && !at.closest("#compare") && at !== document.body)) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

function listen() {
  tools.addEventListener("change", (event) => {
    if (event.target.name === "mode") mode(event.target.value);
    else if (event.target.type === "checkbox") set(event.target.name, event.target.checked);
  });
  input("opacity")?.addEventListener("input", () => {
    if (!settings.map) set("map", true);
    layers();
  });
  slide.addEventListener("input", clip);
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) press(button.dataset.do);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-place]");
    if (button) jump(Number(button.dataset.place));
  });
  document.addEventListener("keydown", heard);
  document.addEventListener("fullscreenchange", () => {
    quiet = performance.now() + 400;
    setTimeout(settle, 150);
  });
  calm.addEventListener("change", () => { if (calm.matches) flicker(false); });
  line.className = "line";
  line.hidden = true;
  exemplar.view.append(line);
}

async function start() {
  restore();
  const parts = told.registered
    ? [exemplar.add("exemplar", 1), exemplar.add("laid", 0), photograph.add("photograph", 0), photograph.add("laid", 1)]
    : [exemplar.add("exemplar", 1), photograph.add("photograph", 1)];
  await Promise.all(parts);
  if (told.pictures.map) await Promise.all(panes.map((pane) => pane.add("map", 0)));
  if (told.registered) drawAll();
  else photograph.asIs = true;
  for (const pane of panes) for (const element of pane.fallback) element.remove();
  for (const element of box.querySelectorAll(".tools, .help, .pane .laid")) element.hidden = false;
  listen();
  bound = bind(changed);
  for (const name of ["map", "places", "overlays", "points", "asis"]) if (input(name)) input(name).checked = settings[name];
  tools.querySelector(`input[value=${settings.mode}]`).checked = true;
  view ??= exemplar.whole();
  if (!told.registered) photograph.apply(photograph.whole());
  arrange();
  box.dataset.ready = "yes";
}

start();
