"use strict";
// Two pictures in tiles: how they are laid on each other, moved together, and what is drawn over them.
// A view is {x, y, w}: its middle as shares of the exemplar, and the pixels of the screen across the whole exemplar.

const told = JSON.parse(document.getElementById("comparison").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const SVG = "http://www.w3.org/2000/svg";
const [FULL_WIDTH, FULL_HEIGHT] = told.full, [PROBE_WIDTH, PROBE_HEIGHT] = told.probe;
const onto = told.homography, back = onto && inverse(onto);

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const minors = [[e * i - f * h, c * h - b * i, b * f - c * e], [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d]];
  const whole = a * minors[0][0] + b * minors[1][0] + c * minors[2][0];
  return minors.map((row) => row.map((value) => value / whole));
}

function project(matrix, x, y) {
  const [u, v, w] = matrix.map((row) => row[0] * x + row[1] * y + row[2]);
  return [u / w, v / w];
}

function density(x, y) {
  // Pixels of the photograph to one of the exemplar, along a side, around a place of the exemplar.
  const [at, across, down] = [[0, 0], [1, 0], [0, 1]].map(([right, below]) => project(onto, x + right, y + below));
  return Math.sqrt(Math.abs((across[0] - at[0]) * (down[1] - at[1]) - (across[1] - at[1]) * (down[0] - at[0]))) || 1;
}

function tilesOf(picture) {
  return {
    width: picture.width, height: picture.height, tileSize: picture.tile, tileOverlap: 1, minLevel: 0,
    maxLevel: picture.levels - 1,
    getTileUrl: (level, column, row) => `${told.tiles}/${picture.key}/${level}/${column}/${row}`,
  };
}

// OpenSeadragon adds a style of its own unless one with this mark is there; the policy of the desk allows none.
const unneeded = document.createElementNS(null, "style");
unneeded.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(unneeded);

class Pane {
  // One of the two places for pictures: its viewer, its pictures by their names, and the drawings over them.
  constructor(figure, label) {
    this.figure = figure;
    this.view = figure.querySelector(".view");
    this.fallback = [...this.view.children];
    this.pictures = {};
    this.drawings = {};
    this.asIs = false; // whether the photograph is shown as it is, not laid over the exemplar
    this.viewer = OpenSeadragon({
      element: this.view, drawer: "canvas", showNavigationControl: false, preserveImageSizeOnResize: true,
      visibilityRatio: 0.2, minZoomImageRatio: 0.3, maxZoomPixelRatio: 12, tileRetryMax: 2, tileRetryDelay: 1500,
      animationTime: calm.matches ? 0 : 0.4, springStiffness: 8, gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      imageLoaderLimit: 6, crossOriginPolicy: false, subPixelRoundingForTransparency: 2, silenceMultiImageWarnings: true,
    });
    this.viewer.canvas.setAttribute("role", "application");
    this.viewer.canvas.setAttribute("aria-label", label);
    this.viewer.addHandler("canvas-key", (event) => { event.preventDefaultAction = true; }); // the page has its own keys
    this.viewer.addHandler("tile-load-failed", readAgain);
  }

  add(name, opacity) {
    return new Promise((resolve, reject) => this.viewer.addTiledImage({
      tileSource: tilesOf(told.pictures[name]), x: 0, y: 0, width: 1, opacity, preload: true,
      success: ({ item }) => { this.pictures[name] = item; resolve(); }, error: reject,
    }));
  }

  get frame() {
    return this.asIs ? [PROBE_WIDTH, PROBE_HEIGHT] : [FULL_WIDTH, FULL_HEIGHT];
  }

  read(now = true) {
    // The view of now, or the one that it moves to.
    const port = this.viewer.viewport, middle = port.getCenter(now);
    const across = port.getZoom(now) * this.view.clientWidth; // pixels of the screen to the width of the picture
    if (!this.asIs || !onto) return { x: middle.x, y: (middle.y * this.frame[0]) / this.frame[1], w: across };
    const [x, y] = project(back, middle.x * PROBE_WIDTH, middle.y * PROBE_WIDTH);
    return { x: x / FULL_WIDTH, y: y / FULL_HEIGHT, w: (across / PROBE_WIDTH) * density(x, y) * FULL_WIDTH };
  }

  apply({ x, y, w }, immediately = true) {
    if (!this.view.clientWidth) return;
    let middle = [x, (y * this.frame[1]) / this.frame[0]], across = w;
    if (this.asIs && onto) {
      const place = [x * FULL_WIDTH, y * FULL_HEIGHT], [u, v] = project(onto, ...place);
      middle = [u / PROBE_WIDTH, v / PROBE_WIDTH];
      across = (w / FULL_WIDTH / density(...place)) * PROBE_WIDTH;
    }
    this.viewer.viewport.zoomTo(across / this.view.clientWidth, null, immediately);
    this.viewer.viewport.panTo(new OpenSeadragon.Point(...middle), immediately);
  }

  whole() {
    // The view in which all of the picture is seen.
    const [width, height] = this.asIs && onto ? [FULL_WIDTH, FULL_HEIGHT] : this.frame;
    return { x: 0.5, y: 0.5, w: 0.97 * Math.min(this.view.clientWidth, (this.view.clientHeight * width) / height) };
  }

  draw(name, kind, [width, height], paths, labels = []) {
    // Lay outlines or points over the picture, given in pixels of a picture of that size.
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", `drawn ${kind}`);
    svg.setAttribute("aria-hidden", "true");
    paths.forEach((d, number) => {
      for (const side of ["dark", "light"]) {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("d", d);
        path.setAttribute("class", side);
        path.dataset.number = number + 1;
        svg.append(path);
      }
    });
    const shape = new OpenSeadragon.Rect(0, 0, 1, height / width);
    this.viewer.addOverlay({ element: svg, location: shape });
    const marks = labels.map(([x, y], number) => {
      const mark = document.createElement("b");
      mark.className = `drawn-number ${kind}`;
      mark.textContent = number + 1;
      mark.dataset.number = number + 1;
      mark.setAttribute("aria-hidden", "true");
      this.viewer.addOverlay({ element: mark, location: new OpenSeadragon.Point(x / width, y / width), placement: "BOTTOM_LEFT" });
      return mark;
    });
    (this.drawings[name] ??= []).push(svg, ...marks);
  }

  showDrawing(name, shown) {
    for (const element of this.drawings[name] ?? []) element.toggleAttribute("hidden", !shown); // SVG has no property
  }
}

const polygon = (quad) => (quad.length ? `M${quad.map((point) => point.join(" ")).join("L")}Z` : "");
const dots = (points) => points.map(([x, y]) => `M${x} ${y}h0`).join("");

const exemplar = new Pane(document.getElementById("pane-exemplar"), "exemplar");
const photograph = new Pane(document.getElementById("pane-photograph"), "photograph");
const panes = [exemplar, photograph];

function drawAll() {
  const kinds = { places: told.places, overlays: told.overlays };
  for (const [kind, all] of Object.entries(kinds)) {
    const labels = (side) => (kind === "places" ? all.map((one) => one[side][0] ?? [0, 0]) : []);
    for (const pane of panes) {
      pane.draw(kind, kind, told.full, all.map((one) => polygon(one.quad)), labels("quad"));
    }
    photograph.draw(`${kind}-asis`, kind, told.probe, all.map((one) => polygon(one.probe)), labels("probe"));
  }
  for (const pane of panes) pane.draw("points", "points", told.full, [dots(told.points)]);
  photograph.draw("points-asis", "points", told.probe, [dots(told.points.map(([, , x, y]) => [x, y]))]);
  photograph.draw("outline-asis", "outline", told.probe, [polygon(told.outline)]);
}

function bind(changed) {
  // Move both together: the one that was touched last leads.
  let leader = exemplar, following = false;
  for (const pane of panes) {
    for (const name of ["pointerdown", "wheel", "touchstart", "focusin"]) {
      pane.view.addEventListener(name, () => { leader = pane; }, { capture: true, passive: true });
    }
    pane.viewer.addHandler("viewport-change", () => {
      if (following || pane !== leader) return;
      following = true;
      const view = pane.read();
      const other = pane === exemplar ? photograph : exemplar;
      if (told.registered) other.apply(view);
      following = false;
      changed(view);
    });
  }
  return { lead: (pane) => { leader = pane; }, get leader() { return leader; } };
}

let reading = false;
function readAgain() {
  // The cache may be emptied at any time; what was there is made again when the page is read again.
  const last = Number(sessionStorage.getItem("compare-read") ?? 0);
  if (reading || Date.now() - last < 20000) return;
  reading = true;
  sessionStorage.setItem("compare-read", Date.now());
  say("A part of the pictures is no longer in the cache. It is made again…");
  setTimeout(() => location.reload(), 800);
}
