// What the pages share: words and colours, faces as drawings, the live picture, and what happens.

const here = new URLSearchParams(location.search);
let table = { languages: ["en"], names: {}, colours: {}, words: {}, same: {} };
export let setup = { language: "auto", mirror: true, keeps_pictures: false, version: "" };
export let language = "en";

export async function load() {
  [table, setup] = await Promise.all([json("/assets/words.json"), json("/api/setup")]);
  const wanted = [here.get("lang"), setup.language, ...navigator.languages].map((each) => (each || "").slice(0, 2).toLowerCase());
  speak(wanted.find((each) => table.languages.includes(each)) || "en");
}

export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = word(each.dataset.word);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", word(each.dataset.label));
}

export function nextLanguage() {
  speak(table.languages[(table.languages.indexOf(language) + 1) % table.languages.length]);
}

export function word(key, values = {}) {
  const text = table.words[key]?.[language] ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const canonical = (label) => table.same[label] ?? label;
export const nameOf = (label) => table.names[canonical(label)]?.[language] ?? label;
export const colourOf = (label) => table.colours[canonical(label)] ?? "#fff";
export const percent = (share) => `${Math.round(100 * share)} %`;

export async function json(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  if (answer.status === 401) location.reload();
  const document = await answer.json();
  if (!answer.ok && document.detail) throw new Error(document.detail);
  return document;
}

export function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "circle", "ellipse", "path", "rect", "line", "text", "polyline"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A drawn face for each expression, so that it can be told from its form as well as from its colour and name.
const EYES = "M33 44v.1M67 44v.1", LOOKING = "M32 44v.1M68 44v.1";
const FORMS = {
  happy: ["M27 45q7-9 14 0M59 45q7-9 14 0", "M27 59q23 27 46 0"],
  sad: [EYES, "M34 73q16-14 32 0M25 36l15-6M75 36l-15-6"],
  angry: [EYES, "M35 71q15-9 30 0M25 30l17 7M75 30l-17 7"],
  surprise: [LOOKING, "M50 58c-13 0-13 24 0 24s13-24 0-24M24 29q8-8 16-2M76 29q-8-8-16-2"],
  fear: [LOOKING, "M31 70q6-8 12 0t12 0t12 0M23 33l15-7M77 33l-15-7"],
  disgust: ["M27 43l13 4M73 43l-13 4", "M31 66q9-9 19 0t19 1M46 55q4-4 8 0M26 33l15 3M74 33l-15 3"],
  contempt: ["M27 45h13M60 45h13", "M33 67q20 5 35-9M59 31q8-6 15 0"],
  neutral: [EYES, "M34 66h32"],
  uncertain: [EYES, "M42 67h16"],
};

export function drawn(label) {
  const [eyes, lines] = FORMS[canonical(label)] ?? FORMS.uncertain;
  const face = element("svg", { viewBox: "0 0 100 100", class: `drawn ${canonical(label)}`, "aria-hidden": "true" });
  const disc = element("circle", { cx: 50, cy: 50, r: 46 });
  if (FORMS[canonical(label)] && canonical(label) !== "uncertain") disc.style.fill = colourOf(label);
  face.append(disc, element("path", { d: eyes, class: canonical(label) in { happy: 1, disgust: 1, contempt: 1 } ? "line" : "eye" }));
  face.append(element("path", { d: lines, class: "line" }));
  return face;
}

// --- The live picture: Motion JPEG, read here so that boxes and picture belong together, and a break is noticed.

export function livePicture(canvas, onFrame) {
  const pen = canvas.getContext("2d", { alpha: false, desynchronized: true });
  let newest = null, busy = false, controller = null;

  async function show() {
    if (busy) return;
    busy = true;
    while (newest) {
      const { head, bytes } = newest;
      newest = null;
      try {
        const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
        if (canvas.width !== image.width || canvas.height !== image.height) {
          canvas.width = image.width;
          canvas.height = image.height;
        }
        pen.drawImage(image, 0, 0);
        image.close();
        onFrame(JSON.parse(head["x-faces"] || "[]"));
      } catch (error) {
        console.warn("a frame that cannot be shown", error);
      }
    }
    busy = false;
  }

  async function follow() {
    for (;;) {
      try {
        controller = new AbortController();
        const answer = await fetch("/api/stream", { cache: "no-store", signal: controller.signal });
        if (answer.ok) await parts(answer.body.getReader(), (head, bytes) => ((newest = { head, bytes }), show()));
      } catch {
        // Whatever broke, it is tried again.
      }
      await pause(500);
    }
  }
  follow();
  return { again: () => controller?.abort() };
}

async function parts(reader, onPart) {
  let kept = new Uint8Array(0);
  const text = new TextDecoder("latin1");
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(kept.length + value.length);
    joined.set(kept);
    joined.set(value, kept.length);
    kept = joined;
    for (;;) {
      const end = headEnd(kept);
      if (end < 0) break;
      const lines = text.decode(kept.subarray(0, end)).split("\r\n").map((line) => line.split(/: (.*)/s));
      const head = Object.fromEntries(lines.filter((line) => line.length > 1).map(([name, rest]) => [name.toLowerCase(), rest]));
      const length = Number(head["content-length"]);
      if (!(length > 0)) throw new Error("a part without a length");
      if (kept.length < end + 4 + length + 2) break;
      onPart(head, kept.slice(end + 4, end + 4 + length));
      kept = kept.slice(end + 4 + length + 2);
    }
  }
}

function headEnd(bytes) {
  const limit = Math.min(bytes.length - 3, 16384);
  for (let at = 0; at < limit; at++)
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  return -1;
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// --- What happens: each state, and a word when nothing is heard any more. Connects again by itself.

export function follow({ onState, onLost, onHappened }) {
  let source = null, heard = performance.now(), lost = false;

  function open() {
    source?.close();
    source = new EventSource("/api/events");
    source.addEventListener("state", (message) => {
      heard = performance.now();
      if (lost) {
        lost = false;
        // After an update of the machine the page itself is out of date.
        json("/api/setup").then((now) => now.version !== setup.version && location.reload(), () => {});
      }
      onState(JSON.parse(message.data));
    });
    if (onHappened) source.addEventListener("happened", (message) => onHappened(JSON.parse(message.data)));
  }

  open();
  let tried = performance.now();
  setInterval(async () => {
    const now = performance.now();
    if (now - heard < 2500) return;
    if (!lost) {
      lost = true;
      onLost();
    }
    if (now - tried > 3000) {
      tried = now;
      // Only an answer tells a server that is away from one that wants a token.
      await json("/api/setup").then(open, () => {});
    }
  }, 500);
}

// --- A face's card: the expression, large, and how certain it is; all probabilities where there is room.

export function card(face, all) {
  const box = element("article", { class: "card" });
  fill(box, face, all);
  return box;
}

export function fill(box, face, all) {
  const certain = face.label !== "uncertain";
  const shown = [face.label, Math.round(100 * face.score), face.reason, all, language, JSON.stringify(all && face.emotions)].join();
  if (box.dataset.shown === shown) return;
  if (box.dataset.label !== face.label || box.dataset.language !== language || !box.firstChild) {
    box.dataset.label = face.label;
    box.dataset.language = language;
    const head = element("div", { class: "head" }, drawn(face.label), element("h2", {}, nameOf(face.label)), element("p", { class: "score" }));
    box.replaceChildren(head, element("div", { class: "bars" }));
  }
  box.dataset.shown = shown;
  const why = (face.reason || "").split(/[ ,]+/).map((each) => word(each) || each).join(", ");
  box.querySelector(".score").textContent = certain ? percent(face.score) : why;
  const bars = box.querySelector(".bars");
  bars.hidden = !all;
  if (!all) return;
  for (const [label, share] of Object.entries(face.emotions)) {
    let row = bars.querySelector(`[data-label="${CSS.escape(label)}"]`);
    if (!row) {
      row = element("div", { class: "row" }, element("span", { class: "name" }), element("span", { class: "bar" }, element("i")), element("span", { class: "share" }));
      row.dataset.label = label;
      bars.append(row);
    }
    row.querySelector(".name").textContent = nameOf(label);
    row.querySelector(".share").textContent = percent(share);
    const fillOf = row.querySelector("i");
    fillOf.style.width = `${100 * share}%`;
    fillOf.style.background = colourOf(label);
  }
}

export function boxAt([left, top, right, bottom], mirrored) {
  const from = mirrored ? 1 - right : left;
  return { left: `${100 * from}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` };
}
