import { boxAt, card, colourOf, element, json, load, nameOf, percent, word } from "./common.js";

const at = (id) => document.getElementById(id);
let camera = null, asked = 0;

await load();
if (navigator.mediaDevices?.getUserMedia) at("webcam").disabled = false;
else tell(word("no_webcam"));

function chosen() {
  if (at("file").files[0]) read(at("file").files[0]);
  at("file").value = "";
}
at("file").addEventListener("change", chosen);
chosen(); // perhaps somebody was quicker than this script
at("webcam").addEventListener("click", () => (camera ? take() : lend()));
addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("over")));
addEventListener("dragleave", () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (file) read(file);
});

function tell(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

async function lend() {
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, facingMode: "user" } });
  } catch (error) {
    return tell(word("webcam_refused", { why: error.message }), true);
  }
  clear();
  at("video").srcObject = camera;
  await at("video").play();
  at("sheet").style.setProperty("--ratio", at("video").videoWidth / at("video").videoHeight);
  at("shown").hidden = at("video").hidden = false;
  at("picture").hidden = true;
  at("webcam").textContent = word("take");
  tell("");
}

function giveBack() {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  at("video").hidden = true;
  at("picture").hidden = false;
  at("webcam").textContent = word("webcam");
}

async function take() {
  const shot = document.createElement("canvas");
  shot.width = at("video").videoWidth;
  shot.height = at("video").videoHeight;
  shot.getContext("2d").drawImage(at("video"), 0, 0);
  giveBack();
  read(await new Promise((done) => shot.toBlob(done, "image/jpeg", 0.92)));
}

function clear() {
  at("boxes").replaceChildren();
  at("found").replaceChildren();
}

async function read(picture) {
  const mine = ++asked;
  if (camera) giveBack();
  clear();
  tell(word("reading"));
  try {
    const image = await createImageBitmap(picture).catch(() => null);
    if (image && mine === asked) show(image);
    const kind = picture.type.startsWith("image/") ? picture.type : "application/octet-stream";
    const found = await json("/api/predict", { method: "POST", body: picture, headers: { "Content-Type": kind } });
    if (mine === asked) tellFaces(found);
  } catch (error) {
    if (mine === asked) tell(error.message, true);
  }
}

function show(image) {
  const scale = Math.min(1, 1600 / Math.max(image.width, image.height));
  const canvas = at("picture");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  at("sheet").style.setProperty("--ratio", canvas.width / canvas.height);
  at("shown").hidden = false;
}

function tellFaces(found) {
  if (!found.faces.length) return tell(word("no_face"));
  tell(word("found", { n: found.faces.length, ms: Math.round(found.took_ms) }));
  found.faces.forEach((face, index) => {
    const { left, top, right, bottom } = face.box;
    const box = element("div", { class: "box" }, element("span", { class: "tag" }, `${index + 1}  ${nameOf(face.label)} ${percent(face.score)}`));
    Object.assign(box.style, boxAt([left / found.width, top / found.height, right / found.width, bottom / found.height], false));
    box.classList.toggle("low", top / found.height < 0.14);
    box.style.setProperty("--colour", colourOf(face.label));
    at("boxes").append(box);
    const made = card(face, found.faces.length <= 3);
    made.setAttribute("aria-label", word("face", { n: index + 1 }));
    at("found").append(made);
  });
}
