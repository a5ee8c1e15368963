/* A map to move about in, on one canvas: web mercator, tiles of a service of this server, features, the outline of the
 * land where nothing finer is there. Mouse, touch and keyboard; nothing is fetched from elsewhere. */
import { land } from "./world.js";
import { el } from "./dom.js";

const TILE = 256,
  DEEPEST = 20,
  COARSE = 7; /* the outline is of no use beyond this zoom */
const LATITUDE = 85.05;

/* Degrees to the unit square, north above. */
function project([lon, lat]) {
  const sine = Math.sin((Math.max(-LATITUDE, Math.min(LATITUDE, lat)) * Math.PI) / 180);
  return [(lon + 180) / 360, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

const outline = land.map((ring) => ring.map(project));

/* Rings, lines and points of a GeoJSON geometry, projected. */
function shapes(geometry) {
  const { type, coordinates: c } = geometry ?? {};
  if (type === "GeometryCollection") return geometry.geometries.flatMap(shapes);
  const lists = {
    Point: () => [[c]],
    MultiPoint: () => c.map((point) => [point]),
    LineString: () => [c],
    MultiLineString: () => c,
    Polygon: () => c,
    MultiPolygon: () => c.flat(),
  }[type];
  if (!lists) return [];
  const closed = type.endsWith("Polygon");
  return lists()
    .filter((list) => list.length > 0)
    .map((list) => ({ closed, points: list.map(project) }));
}

class SlippyMap {
  constructor({ label, bounds, tiles = null, features = [] }) {
    this.bounds = bounds;
    this.shapes = features.flatMap(shapes);
    this.images = new Map();
    this.canvas = el("canvas", {
      tabindex: 0,
      role: "img",
      "aria-label": `${label}. Arrow keys move the map, plus and minus zoom, zero shows all of it.`,
    });
    const button = (sign, name, act) =>
      el("button", { type: "button", "aria-label": name, title: name, onclick: act }, sign);
    this.element = el(
      "div",
      { class: "map" },
      this.canvas,
      el(
        "div",
        { class: "zoom" },
        button("+", "Zoom in", () => this.zoomBy(1)),
        button("−", "Zoom out", () => this.zoomBy(-1)),
        button("⤢", "Show all", () => this.fit()),
      ),
    );
    this.setTiles(tiles);
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
  }

  setTiles(template) {
    this.tiles = template;
    this.images.clear();
    this.redraw();
  }

  resize() {
    const first = !this.width;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0) return;
    [this.width, this.height] = [width, height];
    const dots = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(width * dots), Math.round(height * dots)];
    if (first) this.fit();
    else this.redraw();
  }

  fit() {
    const [west, south, east, north] = this.bounds;
    const [left, top] = project([west, north]),
      [right, bottom] = project([east, south]);
    const room = Math.min(this.width / Math.max(right - left, 1e-9), this.height / Math.max(bottom - top, 1e-9)) * 0.92;
    this.zoom = Math.max(0, Math.min(DEEPEST, Math.floor(Math.log2(room / TILE))));
    this.centre = [(left + right) / 2, (top + bottom) / 2];
    this.redraw();
  }

  size() {
    return TILE * 2 ** this.zoom;
  }

  /* Unit coordinates to pixels of the canvas. */
  place([x, y]) {
    return [(x - this.centre[0]) * this.size() + this.width / 2, (y - this.centre[1]) * this.size() + this.height / 2];
  }

  move(right, down) {
    this.centre = [this.centre[0] + right / this.size(), Math.max(0, Math.min(1, this.centre[1] + down / this.size()))];
    this.redraw();
  }

  /* The point under (x, y) stays where it is. */
  zoomBy(steps, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.max(0, Math.min(DEEPEST, this.zoom + steps));
    if (zoom === this.zoom) return;
    const [dx, dy] = [x - this.width / 2, y - this.height / 2];
    const point = [this.centre[0] + dx / this.size(), this.centre[1] + dy / this.size()];
    this.zoom = zoom;
    this.centre = [point[0] - dx / this.size(), point[1] - dy / this.size()];
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.width) this.draw();
    });
  }

  path(context, points, closed) {
    points.forEach((point, i) => {
      const [x, y] = this.place(point);
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    if (closed) context.closePath();
  }

  drawTiles(context) {
    const many = 2 ** this.zoom,
      [left, top] = this.place([0, 0]);
    const first = Math.floor(-left / TILE),
      last = Math.floor((this.width - left) / TILE);
    for (let row = Math.max(0, Math.floor(-top / TILE)); row <= Math.min(many - 1, (this.height - top) / TILE); row++)
      for (let column = first; column <= last; column++) {
        const image = this.image(((column % many) + many) % many, row);
        if (image.complete && image.naturalWidth > 0)
          context.drawImage(image, left + column * TILE, top + row * TILE, TILE, TILE);
      }
  }

  image(column, row) {
    const url = this.tiles.replace("{z}", this.zoom).replace("{x}", column).replace("{y}", row);
    let image = this.images.get(url);
    if (!image) {
      image = new Image();
      image.onload = () => this.redraw();
      image.src = url;
      if (this.images.size > 400) this.images.clear();
      this.images.set(url, image);
    }
    return image;
  }

  drawShapes(context, colour) {
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 2;
    for (const { closed, points } of this.shapes) {
      context.beginPath();
      if (points.length === 1) context.arc(...this.place(points[0]), 5, 0, 2 * Math.PI);
      else this.path(context, points, closed);
      context.globalAlpha = points.length === 1 ? 0.9 : 0.2;
      if (closed || points.length === 1) context.fill();
      context.globalAlpha = 1;
      context.stroke();
    }
  }

  draw() {
    const context = this.canvas.getContext("2d"),
      style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const dots = this.canvas.width / this.width;
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.imageSmoothingEnabled = false;
    const coarse = this.zoom <= COARSE;
    context.fillStyle = colour(coarse ? "--sea" : "--wash");
    context.fillRect(0, 0, this.width, this.height);
    if (coarse) {
      context.fillStyle = colour("--land");
      context.beginPath();
      for (const ring of outline) this.path(context, ring, true);
      context.fill();
    }
    if (this.tiles) this.drawTiles(context);
    this.drawShapes(context, colour("--mark"));
  }

  listen() {
    const canvas = this.canvas,
      held = new Map();
    let apart = 0;
    const distance = () => {
      const [a, b] = [...held.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      if (held.size === 2) apart = distance();
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      if (held.size === 1) this.move(before.x - event.offsetX, before.y - event.offsetY);
      else if (held.size === 2 && (distance() > 1.6 * apart || distance() < apart / 1.6)) {
        this.zoomBy(distance() > apart ? 1 : -1, event.offsetX, event.offsetY);
        apart = distance();
      }
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => held.delete(event.pointerId));
    canvas.addEventListener("dblclick", (event) => this.zoomBy(1, event.offsetX, event.offsetY));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (document.activeElement !== canvas) return; /* who passes by scrolls the page */
        event.preventDefault();
        const now = performance.now();
        if (now - (this.turned ?? 0) < 120) return;
        this.turned = now;
        this.zoomBy(event.deltaY < 0 ? 1 : -1, event.offsetX, event.offsetY);
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => {
      const act = {
        ArrowLeft: () => this.move(-80, 0),
        ArrowRight: () => this.move(80, 0),
        ArrowUp: () => this.move(0, -80),
        ArrowDown: () => this.move(0, 80),
        "+": () => this.zoomBy(1),
        "=": () => this.zoomBy(1),
        "-": () => this.zoomBy(-1),
        0: () => this.fit(),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
  }
}

/* `bounds`: [west, south, east, north]; `tiles`: an address with {z}, {x} and {y}; `features`: GeoJSON geometries. */
export function slippyMap(options) {
  return new SlippyMap(options);
}
