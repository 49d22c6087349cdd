import { element, follow, json, load } from "./common.js";

const at = (id) => document.getElementById(id);
const CHARTS = [
  ["latency_ms", "From exposure to result", "ms"],
  ["frames_per_second", "Results per second", ""],
  ["temperature_c", "Temperature", "°C"],
];
let facts = null, newest = null, toldAt = -1e9;

await load();
document.documentElement.lang = "en";
follow({ onState: show, onLost: lost, onHappened: () => ask() });
await ask();
setInterval(ask, 5000);

async function ask() {
  try {
    const [asked, history] = await Promise.all([json("/api/keeper"), json("/api/history?seconds=900")]);
    facts = asked;
    tell();
    live();
    draw(history);
  } catch {
    // `lost` says so.
  }
}

function lost() {
  document.body.dataset.health = "failing";
  at("verdict").textContent = "The machine does not answer";
  at("faults").replaceChildren();
}

function show(state) {
  newest = state;
  live();
  const faults = Object.entries(state.faults);
  const failing = "loop" in state.faults;
  document.body.dataset.health = failing ? "failing" : faults.length ? "degraded" : "ok";
  const verdict = failing ? "No results come" : faults.length ? "It works, with less" : "All is well";
  if (at("verdict").textContent !== verdict) at("verdict").textContent = verdict;
  const text = JSON.stringify(faults);
  if (at("faults").dataset.shown === text) return;
  at("faults").dataset.shown = text;
  at("faults").replaceChildren(...faults.map(([name, detail]) => element("li", {}, element("b", {}, name), ` ${detail}`)));
}

function live() {
  const now = performance.now();
  if (!facts || !newest || now - toldAt < 900) return;
  toldAt = now;
  const whole = newest.processed + newest.dropped;
  rows("live", [
    ["Camera", facts.source],
    ["It is", newest.camera || "not begun"],
    ["Its picture", newest.frame && `${newest.frame.width} × ${newest.frame.height}`],
    ["Frames", whole ? `${whole.toLocaleString("en")}, of which ${newest.dropped.toLocaleString("en")} not looked at` : "none yet"],
    ["Asked to compute", facts.accelerator],
    ["Computes now", newest.accelerator],
  ]);
}

function rows(list, entries) {
  const text = JSON.stringify(entries);
  if (at(list).dataset.shown === text) return;
  at(list).dataset.shown = text;
  at(list).replaceChildren(...entries.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}

function tell() {
  const { board, streams } = facts;
  at("where").textContent = `fer-edge ${facts.version}  ·  ${location.host}`;
  rows("runs", [
    ["Bundle", facts.bundle],
    ["its SHA-256", facts.bundle_sha256],
    ["Detector", facts.detector],
    ["Pages that look on", streams.pictures ?? 0],
    ["Peak memory", `${facts.peak_memory_mb.toFixed(0)} MB`],
  ]);
  rows("board", board === null ? [] : [
    ["Board", board.model],
    ["Cores", board.cores],
    ["Memory", board.memory_mb === null ? null : `${board.memory_mb} MB`],
    ["Clock set by", board.governor],
    ["Held back by", board.throttling === null ? "not told by this board" : board.throttling.join(", ") || "nothing"],
  ]);
  const past = [...facts.faults].reverse();
  at("past").replaceChildren(past.length ? element("ol", {}, ...past.map((each) => {
    const when = new Date(1000 * each.wall_s).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
    const back = each.kind === "recovered";
    return element("li", { class: back ? "back" : "broken" }, element("time", {}, when), element("b", {}, each.label), ` ${back ? "is back" : each.reason}`);
  })) : element("p", { class: "lead" }, "Nothing since the start."));
  if (facts.log && !at("log")) at("take").prepend(element("li", {}, element("a", { href: "/api/log", download: "", id: "log" }, "The event log, as JSON lines")));
}

function draw(history) {
  at("charts").replaceChildren(...CHARTS.map(([name, title, unit]) => chart(history, name, title, unit)));
}

function chart(history, name, title, unit) {
  const column = history.columns.indexOf(name);
  const values = history.rows.map((row) => row[column]);
  const known = values.filter((value) => value !== null);
  const figure = element("figure", {}, element("figcaption", {}, title));
  if (!known.length) {
    figure.append(element("p", { class: "lead" }, "Nothing measured."));
    return figure;
  }
  const width = 360, height = 110, seconds = 900;
  const most = nice(Math.max(...known)), least = name === "temperature_c" ? Math.min(20, ...known) : 0;
  const x = (index) => ((seconds - values.length + index) / seconds) * width;
  const y = (value) => height - 4 - ((value - least) / (most - least || 1)) * (height - 12);
  const newest = known[known.length - 1].toFixed(1);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: now ${newest} ${unit}, at most ${Math.max(...known)}, at least ${Math.min(...known)}` });
  svg.append(element("line", { x1: 0, x2: width, y1: y(least), y2: y(least), class: "rule" }), element("line", { x1: 0, x2: width, y1: y(most), y2: y(most), class: "rule" }));
  let run = [];
  const end = () => {
    if (run.length) svg.append(element("polyline", { points: run.join(" "), class: "line" }));
    run = [];
  };
  values.forEach((value, index) => (value === null ? end() : run.push(`${x(index).toFixed(1)},${y(value).toFixed(1)}`)));
  end();
  const scale = element("p", { class: "scale" }, element("span", {}, "15 min ago"), element("span", {}, `0 to ${most} ${unit}`.replace(/^0/, String(Math.round(least)))), element("span", {}, "now"));
  figure.append(element("p", { class: "figure" }, String(newest), element("small", {}, ` ${unit}`)), svg, scale);
  return figure;
}

function nice(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((each) => each * step).find((each) => each >= value * 1.02) ?? 10 * step;
}
