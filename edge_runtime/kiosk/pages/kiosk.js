import { boxAt, canonical, card, colourOf, drawn, element, fill, follow, json, livePicture, load, nameOf, nextLanguage, percent, setup, word } from "./common.js";

const MOST_CARDS = 4, ATTRACT_AFTER_MS = 6000, PICTURE_OLD_AFTER_MS = 4000, MINUTES = 5;
const at = (id) => document.getElementById(id);
const page = document.body.classList;
let state = null, mirrored = true, lastFaceAt = -1e9, lastPictureAt = -1e9, history = null, said = "", saidAt = 0;
const cards = new Map(), boxes = new Map();

await load();
mirrored = setup.mirror;
begin();

function begin() {
  faces();
  words();
  const live = livePicture(at("picture"), (found) => {
    lastPictureAt = performance.now();
    page.remove("waiting");
    const { width, height } = at("picture");
    at("stage").style.setProperty("--ratio", width / height);
    place(found);
  });
  follow({
    onState: (newest) => ((state = newest), show()),
    onLost: () => ((state = null), show(), live.again()),
  });
  setInterval(look, 500);
  setInterval(minutes, 3000);
  minutes();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "m") mirrored = !mirrored;
    else if (event.key === "l") nextLanguage();
    else if (event.key === "f") document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    else return;
    words();
    show();
    roll();
  });
}

function words() {
  at("kept").textContent = word(setup.keeps_pictures ? "kept" : "not_kept");
  page.toggle("mirrored", mirrored);
}

function faces() {
  const row = document.querySelector("#attract .faces");
  for (const label of ["happy", "surprise", "sad", "angry", "fear", "disgust", "neutral"]) row.append(drawn(label));
}

// Every half a second: what is no longer so.
function look() {
  const now = performance.now();
  page.toggle("attract", now - lastFaceAt > ATTRACT_AFTER_MS);
  notice();
}

// What keeps the picture away. A slow machine's last picture may be seconds old; that alone is no fault.
function missing() {
  if (!state || state.faults.loop) return "lost_server";
  if (state.camera === "ended") return "ended";
  if (state.faults.camera) return "lost_camera";
  if (!state.frame && lastPictureAt < 0) return "opening";
  return performance.now() - lastPictureAt > PICTURE_OLD_AFTER_MS ? "lost_server" : "";
}

function notice() {
  const away = missing();
  page.toggle("away", Boolean(away));
  const text = away ? word(away) : "";
  if (at("notice").textContent !== text) at("notice").textContent = text;
}

function show() {
  notice();
  const present = state?.faces ?? [];
  if (present.length) lastFaceAt = performance.now();
  page.toggle("attract", performance.now() - lastFaceAt > ATTRACT_AFTER_MS);
  people(present);
  vitals();
  speakOf(present);
}

function people(present) {
  const shown = present.slice(0, MOST_CARDS);
  const tracks = new Set(shown.map((face) => face.track));
  for (const [track, box] of cards) if (!tracks.has(track)) box.remove(), cards.delete(track);
  at("people").dataset.count = shown.length;
  for (const face of shown) {
    if (!cards.has(face.track)) cards.set(face.track, card(face, shown.length === 1));
    const box = cards.get(face.track);
    fill(box, face, shown.length === 1);
    if (!box.isConnected) at("people").append(box);
  }
  let more = at("people").querySelector(".more");
  if (present.length <= MOST_CARDS) return void more?.remove();
  more ??= element("p", { class: "more" });
  more.textContent = word("more", { n: present.length - MOST_CARDS });
  at("people").append(more);
}

// Boxes lie where faces are on this very picture; what is said of them is the newest state's.
function place(found) {
  const known = new Map((state?.faces ?? []).map((face) => [face.track, face]));
  const tracks = new Set(found.map(([track]) => track));
  for (const [track, box] of boxes) if (!tracks.has(track)) box.remove(), boxes.delete(track);
  for (const [track, ...edges] of found) {
    let box = boxes.get(track);
    if (!box) {
      box = element("div", { class: "box" }, element("span", { class: "tag" }));
      boxes.set(track, box);
      at("boxes").append(box);
    }
    Object.assign(box.style, boxAt(edges, mirrored));
    box.classList.toggle("low", edges[1] < 0.14);
    const face = known.get(track);
    const text = !face ? "" : face.label === "uncertain" ? nameOf(face.label) : `${nameOf(face.label)} ${percent(face.score)}`;
    const tag = box.firstChild;
    if (tag.textContent !== text) tag.textContent = text;
    box.style.setProperty("--colour", face && face.label !== "uncertain" ? colourOf(face.label) : "#fff");
  }
}

function vitals() {
  const parts = state
    ? [`${state.frames_per_second.toFixed(state.frames_per_second < 10 ? 1 : 0)} ${word("fps")}`, state.temperature_c === null ? "" : `${state.temperature_c.toFixed(0)} °C`, state.accelerator]
    : [];
  at("vitals").textContent = parts.filter(Boolean).join("  ·  ");
  const faults = Object.entries(state?.faults ?? {});
  const text = JSON.stringify(faults);
  if (at("faults").dataset.shown === text) return;
  at("faults").dataset.shown = text;
  at("faults").replaceChildren(...faults.map(([name, detail]) => element("li", {}, element("b", {}, name), ` ${detail}`)));
}

// For ears: at most every four seconds, and only what is new.
function speakOf(present) {
  const text = present.slice(0, MOST_CARDS).map((face) => nameOf(face.label)).join(", ");
  const now = performance.now();
  if (text === said || now - saidAt < 4000) return;
  said = text;
  saidAt = now;
  at("said").textContent = text;
}

// --- The last minutes: a row an expression, a dash where the largest face showed it.

async function minutes() {
  try {
    history = await json(`/api/history?seconds=${MINUTES * 60}`);
    roll();
  } catch {
    // The notice says already that nothing is heard.
  }
}

function roll() {
  if (!history) return;
  const column = history.columns.indexOf("expression");
  const seconds = MINUTES * 60;
  const labels = Object.keys(state?.faces[0]?.emotions ?? {});
  if (labels.length) roll.labels = labels;
  const rows = roll.labels ?? ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
  const width = 1000, step = 20, left = 0;
  const svg = at("roll");
  svg.setAttribute("viewBox", `0 0 ${width} ${step * rows.length}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const drawing = [];
  rows.forEach((_, row) => drawing.push(element("line", { x1: left, x2: width, y1: (row + 0.5) * step, y2: (row + 0.5) * step, class: "rule" })));
  const values = history.rows.map((row) => canonical(row[column]));
  const names = rows.map(canonical);
  for (let from = 0; from < values.length; ) {
    let to = from + 1;
    while (to < values.length && values[to] === values[from]) to++;
    const row = names.indexOf(values[from]);
    if (row >= 0) {
      const x = (at) => ((seconds - values.length + at) / seconds) * width;
      const dash = element("rect", { x: x(from), y: row * step + 3, width: Math.max(2, x(to) - x(from)), height: step - 6 });
      dash.style.fill = colourOf(values[from]);
      drawing.push(dash);
    }
    from = to;
  }
  svg.replaceChildren(...drawing);
  const key = at("ribbon").querySelector(".key") ?? at("ribbon").insertBefore(element("div", { class: "key", "aria-hidden": "true" }), svg);
  key.replaceChildren(...rows.map((label) => element("span", {}, nameOf(label))));
  const axis = at("ribbon").querySelector(".axis") ?? at("ribbon").appendChild(element("p", { class: "axis", "aria-hidden": "true" }));
  axis.replaceChildren(element("span", {}, word("ago", { n: MINUTES })), element("span", {}, word("now")));
}
