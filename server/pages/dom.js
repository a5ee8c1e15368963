/* Elements from plain data. Texts become text nodes and attributes, never markup: what users call things stays text. */

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false),
  );
  return element;
}

/* el("a", {href: "#", onclick: f}, "text", other) */
export function el(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

export function show(place, ...children) {
  place.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return place;
}

/* Addresses that may become links: nothing that a browser would run. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

function inline(text) {
  const parts = String(text).split(/(`[^`]+`|\[[^\]]+\]\([^)\s]+\)|\*\*[^*]+\*\*)/);
  return parts.map((part) => {
    const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
    if (part.startsWith("`") && part.length > 2) return el("code", null, part.slice(1, -1));
    if (part.startsWith("**") && part.length > 4) return el("strong", null, part.slice(2, -2));
    if (!link) return part;
    return webAddress(link[2]) ? el("a", { href: webAddress(link[2]), rel: "noreferrer" }, link[1]) : link[1];
  });
}

/* Paragraphs of a description, which is CommonMark: lists, code, emphasis and links; the rest as it stands. */
export function prose(text) {
  return String(text ?? "")
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== "")
    .map((block) => {
      const lines = block.trim().split("\n");
      if (lines.every((line) => /^\s*([*+-]|\d+\.)\s/.test(line)))
        return el(
          "ul",
          null,
          lines.map((line) => el("li", null, inline(line.replace(/^\s*([*+-]|\d+\.)\s+/, "")))),
        );
      return el("p", null, inline(lines.join(" ").replace(/^#+\s*/, "")));
    });
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; count >= 999.5 && unit < units.length - 1; unit++) count /= 1000;
  return `${unit === 0 ? Math.round(count) : count.toPrecision(3)} ${units[unit]}`;
}

export function count(number) {
  const many = { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 3 };
  return new Intl.NumberFormat("en", number >= 1e6 ? many : {}).format(Math.round(number));
}

export function time(text) {
  return el(
    "time",
    { datetime: text },
    String(text)
      .replace("T", " ")
      .replace(/(\.\d+)?Z$/, " UTC"),
  );
}

/* A button that copies a text and says so. */
export function copyButton(text) {
  const button = el("button", { type: "button", class: "quiet copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Please copy by hand";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

/* Tabs as the ARIA practices have them: arrows move, the panel follows. `tabs`: [{name, panel}] of elements. */
export function tabs(label, list) {
  const id = `tabs-${label.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  const buttons = list.map(({ name }, i) =>
    el("button", { type: "button", role: "tab", id: `${id}-${i}`, "aria-controls": `${id}-panel-${i}` }, name),
  );
  const panels = list.map(({ panel }, i) =>
    el("div", { role: "tabpanel", id: `${id}-panel-${i}`, "aria-labelledby": `${id}-${i}`, tabindex: 0 }, panel),
  );
  const choose = (chosen, moves) =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", i === chosen);
      button.tabIndex = i === chosen ? 0 : -1;
      panels[i].hidden = i !== chosen;
      if (i === chosen && moves) button.focus();
    });
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => choose(i, false));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose((i + step + buttons.length) % buttons.length, true);
    });
  });
  choose(0, false);
  return el("div", { class: "tabs" }, el("div", { role: "tablist", "aria-label": label }, buttons), panels);
}
