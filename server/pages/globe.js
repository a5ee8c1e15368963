/* The whole world in one picture, degrees as they are, with boxes on it: where collections lie. */
import { land } from "./world.js";
import { svg } from "./dom.js";

const POINT = 3; /* degrees: what is smaller gets a mark that can be seen */

function outline(rings) {
  return rings.map((ring) => `M${ring.map(([lon, lat]) => `${lon} ${-lat}`).join("L")}Z`).join("");
}

function graticule() {
  let path = "";
  for (let lon = -150; lon <= 150; lon += 30) path += `M${lon} -90V90`;
  for (let lat = -60; lat <= 60; lat += 30) path += `M-180 ${-lat}H180`;
  return path;
}

/* A box [west, south, east, north] may cross the date line, or have six numbers. */
function pieces(bbox) {
  const [west, south, east, north] = bbox.length === 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : bbox;
  return west <= east
    ? [[west, south, east, north]]
    : [
        [west, south, 180, north],
        [-180, south, east, north],
      ];
}

function mark([west, south, east, north]) {
  if (east - west < POINT && north - south < POINT)
    return svg("circle", { cx: (west + east) / 2, cy: -(south + north) / 2, r: POINT / 2 });
  return svg("rect", { x: west, y: -north, width: Math.max(east - west, 1), height: Math.max(north - south, 1) });
}

/* `places`: [{id, title, boxes}]; `choose(id)` is told of clicks. Returns {element, light(id or null)}. */
export function globe(places, choose) {
  const groups = new Map();
  const picture = svg("svg", {
    class: "globe",
    viewBox: "-180 -90 360 180",
    role: "img",
    "aria-label": `Map of the world with the extents of ${places.length} collections, which are listed below`,
  });
  picture.append(
    svg("rect", { class: "sea", x: -180, y: -90, width: 360, height: 180 }),
    svg("path", { class: "land", d: outline(land) }),
    svg("path", { class: "lines", d: graticule() }),
  );
  for (const { id, title, boxes } of places) {
    const marks = boxes.flatMap(pieces).map(mark);
    const group = svg("g", { class: "place", onclick: () => choose(id) }, svg("title", null, title), marks);
    groups.set(id, group);
    picture.append(group);
  }
  const light = (id) => groups.forEach((group, key) => group.classList.toggle("lit", key === id));
  return { element: picture, light };
}
