// The page's side of every lab: the picture with all that one does to it ("stage"), the choice of a picture or a font
// ("chooser"), the square between four styles ("pad"), a picture to paint regions on ("pane"), and the clock of a kiosk
// ("idle"). Nothing is fetched: it works offline.

const LARGEST = 2048;  // pixels of the longer side of what travels to the kernel
const MOST = 8e6;  // bytes: a message of more than 10 MB ends the connection between the page and the kernel
const FILM = 192, PATIENCE = 15000;  // live: pixels of the longer side, and milliseconds until the kernel counts as gone
const HOLD = 250;  // milliseconds until a press counts as holding

const CSS = `
.sl-lab { container-type: inline-size; width: 100%; max-width: 1160px; color: var(--jp-ui-font-color1, inherit);
  font: 13px/1.35 var(--jp-ui-font-family, sans-serif); }
.sl-row { display: flex; flex-direction: row; gap: 14px; overflow: hidden; height: clamp(430px, 100vh - 150px, 640px); }
.sl-stage { display: flex; flex: 1 1 400px; flex-direction: column; gap: 4px; min-width: 0; margin: 0; overflow: hidden; }
.sl-controls { flex: 0 0 350px; overflow: hidden auto; padding-right: 6px; }
.sl-fold > .widget-toggle-button { width: auto; margin: 6px 2px 2px; text-align: left; }
.sl-controls .widget-toggle-button.mod-active { box-shadow: none; background: var(--jp-layout-color2, #8882); }
.sl-frame { position: relative; flex: 1 1 0; min-height: 120px; overflow: auto; container-type: size; display: flex;
  border-radius: 4px; background: #8881; outline-offset: -2px; }
.sl-frame.sl-drop, .sl-chooser.sl-drop { outline: 3px dashed var(--jp-brand-color1, #1976d2); }
.sl-picture { position: relative; margin: auto; flex: none; aspect-ratio: var(--ratio, 1);
  width: calc(min(100cqw, 100cqh * var(--ratio, 1)) * var(--zoom, 1)); touch-action: pan-x pan-y; user-select: none; }
.sl-picture img, .sl-picture canvas, .sl-picture > svg { position: absolute; inset: 0; width: 100%; height: 100%; max-width: none;
  margin: 0; -webkit-user-drag: none; }
.sl-picture > svg, .sl-before { pointer-events: none; }
.sl-picture.sl-pointing { cursor: crosshair; touch-action: none; }
.sl-before { clip-path: inset(0 calc(100% - var(--border, 0) * 100%) 0 0); }
.sl-held .sl-before { clip-path: none; }
.sl-border { position: absolute; top: 0; bottom: 0; width: 26px; left: calc(var(--border, 0) * 100% - 13px);
  cursor: ew-resize; touch-action: none; }
.sl-border::before { content: ""; position: absolute; inset: 0 12px; background: #fff; box-shadow: 0 0 2px 1px #000a; }
.sl-border::after { content: "◂▸"; position: absolute; top: calc(50% - 12px); left: 1px; width: 24px; height: 24px;
  border-radius: 50%; background: #fff; color: #222; font: 11px/24px sans-serif; text-align: center;
  box-shadow: 0 0 2px 1px #000a; }
.sl-alert { position: absolute; left: 6px; right: 6px; bottom: 6px; padding: 4px 8px; border-left: 4px solid #cf222e;
  background: var(--jp-layout-color1, #fff); white-space: pre-wrap; }
.sl-alert:empty { display: none; }
.sl-tools { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
.sl-tools button, .sl-chooser button, .sl-camera button, .sl-kept button { font: inherit; padding: 3px 9px;
  border: 1px solid var(--jp-border-color1, #888); border-radius: 4px; cursor: pointer;
  color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color2, transparent); }
.sl-tools button:disabled { opacity: .45; cursor: default; }
.sl-tools button.sl-first { background: #1565c0; color: #fff; }
.sl-lab :focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.sl-says { display: flex; gap: 8px; align-items: center; min-height: 20px; }
.sl-says progress { width: 130px; }
.sl-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.sl-kept { display: flex; gap: 6px; overflow-x: auto; flex: none; }
.sl-kept:empty { display: none; }
.sl-kept figure { margin: 0; display: grid; gap: 2px; } .sl-kept img { height: 52px; display: block; }
.sl-kept button { padding: 1px 4px; } .sl-kept button[aria-pressed=true] { border: 2px solid var(--jp-brand-color1, #1976d2); }
.sl-curves { display: flex; gap: 10px; color: var(--jp-ui-font-color1, inherit); }
.sl-curves svg { flex: 1 1 200px; min-width: 0; height: 118px; } .sl-curves small { flex: none; line-height: 1.3; }
.sl-curves small svg { width: 30px; height: 10px; vertical-align: middle; margin-right: 4px; }
.sl-lab input.sl-text { font: inherit; padding: 3px 6px; width: 130px; border: 1px solid var(--jp-border-color1, #888);
  color: inherit; background: var(--jp-layout-color1, transparent); }
.sl-code { font: 12px/1.4 var(--jp-code-font-family, monospace); max-height: 120px; overflow: auto; margin: 0; white-space: pre-wrap; }
.sl-camera { position: absolute; inset: 0; display: grid; place-content: center; gap: 6px; background: #000d; color: #fff;
  text-align: center; z-index: 3; }
.sl-camera video { max-width: 100%; max-height: 240px; }
.sl-chooser { position: relative; margin: 2px 0; }
.sl-choice { display: flex; gap: 8px; align-items: center; }
.sl-choice > .widget-label { flex: 0 0 118px; text-align: right; }
.sl-chooser .sl-now { flex: 1 1 0; min-width: 0; display: flex; gap: 8px; align-items: center; text-align: left; padding: 2px 6px; }
.sl-now span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: 1; }
.sl-now img { width: 44px; height: 36px; object-fit: cover; border-radius: 3px; }
.sl-list { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 4px; max-height: 210px;
  overflow-y: auto; padding: 4px; border: 1px solid var(--jp-border-color2, #8888); }
.sl-list button { display: grid; gap: 2px; justify-items: center; overflow-wrap: anywhere; font-size: 11px; padding: 3px; align-content: start; }
.sl-list button[aria-selected=true] { border: 2px solid var(--jp-brand-color1, #1976d2); }
.sl-list img { width: 72px; height: 54px; object-fit: cover; }
.sl-list [role=option]:only-child { grid-column: 1 / -1; }
.sl-more { display: flex; flex-wrap: wrap; gap: 4px; padding: 4px 0; } .sl-more input { flex: 1 1 120px; }
.sl-pad { position: relative; width: 132px; height: 132px; margin: 8px 8px 8px 128px; touch-action: none; cursor: crosshair;
  outline: 1px solid #888; display: grid; grid-template: 50% 50% / 50% 50%; }
.sl-pad img { width: 100%; height: 100%; object-fit: cover; }
.sl-ring { position: absolute; width: 18px; height: 18px; margin: -9px; border-radius: 50%; box-sizing: border-box;
  border: 3px solid #fff; box-shadow: 0 0 0 2px #000, inset 0 0 0 2px #000; }
.sl-pane { max-width: 100%; touch-action: none; cursor: crosshair; display: block; outline: 1px solid #888; }
.sl-words { font-size: 85%; margin-left: 128px; }
.sl-projector { max-width: none; --jp-widgets-font-size: 14px; }
.sl-projector .sl-row { flex-direction: column; height: clamp(430px, 100vh - 130px, 1400px); }
.sl-projector .sl-row > .sl-stage { display: flex; flex: 1 1 0; }
.sl-projector .sl-row > .sl-controls { flex: none; max-height: 45%; }
.sl-projector .sl-tool, .sl-projector .sl-curves, .sl-projector > :not(.sl-row) { display: none; }
@container (min-width: 720px) {
  .sl-projector .sl-row > .sl-controls { display: block; columns: 380px; max-height: none; }
  .sl-projector .sl-controls > * { break-inside: avoid; }
  .sl-projector .sl-controls > .widget-html { break-before: avoid; }
}
@container (max-width: 719px) {
  .sl-row { flex-direction: column; }
  .sl-controls { flex: 1 1 0; min-height: 0; }
  .sl-row > .sl-stage { flex: 0 0 60%; display: grid; grid-template: repeat(6, auto) 1fr auto / repeat(2, minmax(0, 1fr));
    column-gap: 10px; overflow: hidden auto; }
  .sl-stage > * { grid-column: 2; min-width: 0; }
  .sl-stage > .sl-frame { grid-area: 1 / 1 / -2 / 2; }
  .sl-stage > .sl-kept { grid-area: -2 / 1 / -1 / 2; min-height: 76px; }
  .sl-stage > .sl-curves { flex-direction: column; gap: 2px; }
  .sl-curves > svg { flex: none; height: 84px; } .sl-curves > small { columns: 2; }
}
`;

// ------------------------------------------------------------------------------------------------------- small tools

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function address(bytes) {
  return bytes?.byteLength ? URL.createObjectURL(new Blob([bytes])) : "";
}

// A small picture, whose bytes are given back once it is there.
function thumb(bytes, words) {
  const url = address(bytes);
  return make("img", { alt: words, title: words, src: url, draggable: "false", onload: () => URL.revokeObjectURL(url) });
}

// A picture on a canvas; what is transparent becomes white, as Python does it.
function drawn(source, scale = 1, canvas = make("canvas")) {
  canvas.width = Math.round((source.videoWidth ?? source.naturalWidth ?? source.width) * scale) || 1;
  canvas.height = Math.round((source.videoHeight ?? source.naturalHeight ?? source.height) * scale) || 1;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const encoded = (canvas, type, quality) => new Promise((resolve) => canvas.toBlob(resolve, type, quality));

const decoded = (bytes) => (bytes.byteLength ? createImageBitmap(new Blob([bytes])) : null);

const inside = (at, most = 1) => Math.min(most, Math.max(0, at));
const rounded = (share) => Math.round(inside(share) * 100) / 100;

// Where the pointer is, from 0 to 1 each inside of the node.
function placed(event, node) {
  const box = node.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// The keys of a slider: `places` says what each key asks for, and the page does not get it.
function keys(node, places, move) {
  node.addEventListener("keydown", (event) => {
    const place = places(event)[event.key];
    if (place === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(place, event.key);
  });
}

function change(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

// Another picture in the place of the old one, once it is decoded: no flicker.
async function show(image, bytes, shown = () => {}) {
  const url = address(bytes), mine = (image.newest = (image.newest ?? 0) + 1);
  const coming = new Image();
  coming.src = url;
  if (url) await coming.decode().catch(() => {});
  if (mine !== image.newest) return URL.revokeObjectURL(url);
  const old = image.src;
  image.hidden = !url;
  if (url) image.src = url;
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  shown(coming);
}

// -------------------------------------------------------------------------------------------------- pictures from here

// A picture turned upright and shrunk, before it travels; a file that is small enough as it is, with what is inside it.
async function light(file) {
  let picture = null;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    if (file.size <= MOST) return file;  // a kind that only Python may know, or a font
    throw new Error("it is too large to send as it is, and this browser cannot read it as a picture");
  }
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  if (scale === 1 && file.size <= MOST) return file;
  const canvas = drawn(picture, scale);
  picture.close();
  return encoded(canvas, "image/jpeg", 0.92);
}

async function send(model, file) {
  try {
    const sent = await light(file);
    model.send({ do: "file", name: file.name || "pasted" }, undefined, [await sent.arrayBuffer()]);
  } catch (error) {
    const size = (file.size / 1e6).toFixed(1);
    model.send({ do: "refused", why: `'${file.name}' has ${size} MB and was not sent: ${error.message}` });
  }
}

function choose(model, accept) {
  const input = make("input", { type: "file", accept });
  input.addEventListener("change", () => input.files[0] && send(model, input.files[0]));
  input.click();
}

function takesFiles(model, node) {
  const over = (on) => (event) => { event.preventDefault(); event.stopPropagation(); node.classList.toggle("sl-drop", on); };
  node.addEventListener("dragover", over(true));
  node.addEventListener("dragleave", over(false));
  node.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files[0]) send(model, event.dataTransfer.files[0]);
  });
  node.addEventListener("paste", (event) => {
    const file = event.clipboardData.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    send(model, file);
  });
}

// What the camera films, or nothing, and a word why.
async function filmed(model, video) {
  const refused = (why) => model.send({ do: "refused", why: `there is no picture from the camera: ${why}` });
  if (!navigator.mediaDevices) return refused("this page may not use a camera; open it by https or on this machine");
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    refused(error.name === "NotAllowedError" ? "the browser has no permission for the camera; allow it beside the address"
      : error.name === "NotFoundError" ? "there is none" : error.message);
  }
}

const release = (stream) => stream.getTracks().forEach((track) => track.stop());

async function camera(model, place) {
  const stream = await filmed(model, { width: 1280, height: 960 });
  if (!stream) return;
  const video = make("video", { autoplay: true, muted: true, playsinline: true, "aria-label": "What the camera sees" });
  const end = () => { release(stream); box.remove(); };
  const take = async () => {
    const taken = encoded(drawn(video), "image/jpeg", 0.92);
    end();
    send(model, new File([await taken], "camera.jpg", { type: "image/jpeg" }));
  };
  const shot = make("button", { onclick: take, disabled: true }, "Take the photo");
  const box = make("div", { class: "sl-camera", role: "dialog", "aria-label": "Camera" },
    video, make("div", {}, shot, " ", make("button", { onclick: end }, "Cancel")));
  video.addEventListener("loadeddata", () => { shot.disabled = false; shot.focus(); });
  box.addEventListener("keydown", (event) => event.key === "Escape" && end());
  box.addEventListener("close", end);
  video.srcObject = stream;
  place.append(box);
}

// What the camera sees, painted. One picture at a time is under way to the kernel and back, and none is kept.
function live(model, picture, tell, changed) {
  const frame = make("canvas"), seen = make("canvas", { class: "sl-before" });
  const painted = make("canvas", { role: "img", "aria-label": "What the camera sees, painted" });
  const video = make("video", { playsinline: true });
  video.muted = true;
  let stream = null, asked = 0, number = 0, late = 0, times = [];

  async function begin() {
    const mine = ++asked;
    const opened = await filmed(model, { width: 640, height: 480 });
    if (!opened) return;
    if (mine !== asked) return release(opened);  // it was ended before it began
    stream = video.srcObject = opened;
    opened.getTracks()[0].addEventListener("ended", () => end("the camera gives no more pictures"));
    changed();
    tell("the camera is on");
    model.send({ do: "live", on: true });
    await video.play().then(next, () => end("the camera gives no pictures"));
  }
  async function next() {
    if (!stream) return;
    clearTimeout(late);
    late = setTimeout(() => end("the kernel does not answer; the camera is off"), PATIENCE);
    const mine = ++number, scale = FILM / Math.max(video.videoWidth, video.videoHeight);
    const blob = await encoded(drawn(video, scale, frame), "image/jpeg", 0.85), data = await blob.arrayBuffer();
    if (stream) model.send({ do: "frame", number: mine }, undefined, [data]);
  }
  async function answered(which, bytes) {
    if (!stream || which !== number) return;
    const made = await decoded(bytes);
    if (!stream) return;
    drawn(frame, 1, seen);
    drawn(made, 1, painted);
    if (!painted.isConnected) picture.querySelector(".sl-border").before(painted, seen);
    picture.style.setProperty("--ratio", made.width / made.height);
    times = [...times.slice(-19), performance.now()];
    next();
  }
  function end(words, alive = true) {
    asked++;
    if (!stream) return;
    release(stream);
    stream = video.srcObject = null;
    clearTimeout(late);
    painted.remove();
    seen.remove();
    times = [];
    changed();
    tell(words);
    if (alive) model.send({ do: "live", on: false });
  }
  return {
    answered, end, on: () => stream !== null, turn: () => (stream ? end("the camera is off") : begin()),
    rate: () => (1000 * (times.length - 1)) / (times.at(-1) - times[0]),
  };
}

// ------------------------------------------------------------------------------------------------------------ stage

const BUTTONS = {
  start: ["▶ Start", "Begin anew with these settings."],
  stop: ["■ Stop", "End after the present step; the picture is kept."],
  resume: ["▶▶ Continue", "Go on from this picture, with the settings as they are now."],
  reset: ["↺ Reset", "Back to the settings and the picture that this lab began with."],
  live: ["◉ Live", "Paint what this computer's camera sees, until this is pressed again. Nothing of it is kept."],
  keep: ["★ Keep", "Keep this picture below, to compare with it or to come back to its settings."],
};

function stage({ model, el }) {
  el.classList.add("sl-stage");
  const tell = (words) => { said.textContent = words; says.textContent = words; };
  const buttons = Object.fromEntries(model.get("buttons").map((name) => [name, make("button",
    { class: name === "start" ? "sl-first" : "", title: BUTTONS[name][1], onclick: () => (name === "live" ? film.turn() : model.send({ do: name })) }, BUTTONS[name][0])]));
  const image = make("img", { class: "poster", draggable: "false" });
  const before = make("img", { class: "sl-before", draggable: "false", alt: "" });
  const border = make("div", { class: "sl-border", role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100 });
  const picture = make("div", { class: "sl-picture" }, image, before, border);
  const frame = make("div", { class: "sl-frame", tabindex: 0, role: "group",
    "aria-label": "The picture. Drop or paste a photo, or a picture saved by this lab." }, picture);
  const alert = make("div", { class: "sl-alert", role: "alert" });
  const caption = make("div");
  const bar = make("progress", { max: 1, "aria-label": "Progress" });
  const says = make("span"), said = make("span", { class: "sl-hidden", role: "status" });
  const kept = make("div", { class: "sl-kept" });
  const curves = make("div", { class: "sl-curves" });
  const name = make("input", { class: "sl-text", "aria-label": "Name of the file", title: "The name of the file, beside this notebook: "
    + ".png (exact), .jpg or .webp. Nothing is overwritten.",
    onchange: () => change(model, "file_name", name.value) });
  const code = make("pre", { class: "sl-code", hidden: true, tabindex: 0, "aria-label": "Code that makes this picture" });
  const tool = (words, title, act) => make("button", { class: "sl-tool", title, onclick: act }, words);
  const film = live(model, picture, tell, () => {
    buttons.live.textContent = film.on() ? "■ Stop live" : BUTTONS.live[0];
    picture.style.setProperty("--ratio", follow.ratio);
    follow.border();
  });
  let zoom = 1, compared = -1;

  const save = tool("Save", "Write the picture beside the notebook, with its settings inside.", () => model.send({ do: "save" }));
  const tools = make("div", { class: "sl-tools" }, ...Object.values(buttons),
    tool("Zoom", "Twice as large, four times, and back.", () => {
      zoom = zoom === 4 ? 1 : zoom * 2;
      picture.style.setProperty("--zoom", zoom);
      tell(zoom === 1 ? "the whole picture" : `${zoom} times as large; scroll to see the rest`);
    }),
    tool("Copy", "Copy the picture to the clipboard.", async () => {
      if (!navigator.clipboard) return tell("not copied: a page may do that by https or on this machine only; Download saves it");
      try {
        await navigator.clipboard.write([new ClipboardItem({ "image/png": encoded(drawn(image)) })]);
        tell("the picture is in the clipboard");
      } catch (error) { tell(`not copied: ${error.message}`); }
    }),
    tool("Code", "Copy the lines that make this picture.", () => model.send({ do: "code" })),
    ...(model.get("kiosk") ? [] : [
      tool("Open …", "A photo of yours, or a picture that this lab saved: that brings its settings back.", () => choose(model, "image/*"))]),
    tool("Camera", "Take a photo with this computer's camera.", () => camera(model, frame)));
  const file = make("div", { class: "sl-tools sl-tool" }, name, save,
    tool("Download", "The picture as a file of your browser, with its settings inside.", () => model.send({ do: "download" })), make("span", { role: "status" }));
  frame.append(alert);
  el.append(frame, caption, tools, make("div", { class: "sl-says" }, bar, says, said), kept, curves, ...(model.get("kiosk") ? [] : [file]), code);
  takesFiles(model, el);

  // The border between what it was and what it is, and pressing to see the original.
  const left = () => (film.on() ? "what the camera sees" : compared >= 0 ? "a kept picture" : model.get("names")[0]);
  const moveBorder = (share) => change(model, "border", rounded(share));
  border.addEventListener("pointerdown", (event) => { event.stopPropagation(); border.setPointerCapture(event.pointerId); });
  border.addEventListener("pointermove", (event) => event.buttons && moveBorder(placed(event, picture)[0]));
  keys(border, () => {
    const now = model.get("border");
    return { ArrowLeft: now - 0.02, ArrowRight: now + 0.02, PageDown: now - 0.1, PageUp: now + 0.1, Home: 0, End: 1 };
  }, moveBorder);
  let held = 0, pressed = false;
  const point = (event) => model.send({ do: "point", place: placed(event, picture).map(rounded) });
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed = true;
    held = setTimeout(() => { picture.classList.add("sl-held"); pressed = false; }, HOLD);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!pressed || !model.get("pointing") || Math.hypot(event.movementX, event.movementY) < 2) return;
    clearTimeout(held);
    point(event);
  });
  function release(event) {
    clearTimeout(held);
    picture.classList.remove("sl-held");
    if (pressed && event.type === "pointerup" && model.get("pointing")) point(event);
    pressed = false;
  }
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) picture.addEventListener(kind, release);

  const follow = {
    value: () => show(image, model.get("value"), (now) => {
      follow.shown = model.get("value");
      image.alt = image.title = model.get("tooltip");
      const ratio = now.naturalWidth / now.naturalHeight || 1;
      if (Math.abs(ratio / (follow.ratio ?? 0) - 1) > 0.02) picture.style.setProperty("--ratio", (follow.ratio = ratio));
    }),
    tooltip: () => {  // words for a picture that is still being decoded come with it
      if (follow.shown === model.get("value")) image.alt = image.title = model.get("tooltip");
    },
    before: () => show(before, compared >= 0 ? model.get("kept")[compared]?.picture : model.get("before"), () => { border.hidden = before.hidden; }),
    border: () => {
      const share = model.get("border");
      picture.style.setProperty("--border", share);
      border.setAttribute("aria-label", `Border: left ${left()}, right ${model.get("names")[1]}`);
      border.setAttribute("aria-valuenow", Math.round(share * 100));
      border.setAttribute("aria-valuetext", `${Math.round(share * 100)} % ${left()}`);
    },
    over: () => {
      picture.querySelector(":scope > svg")?.remove();
      border.insertAdjacentHTML("beforebegin", model.get("over"));
    },
    pointing: () => picture.classList.toggle("sl-pointing", model.get("pointing")),
    caption: () => { caption.innerHTML = model.get("caption"); },
    enabled: () => { for (const [each, button] of Object.entries(buttons)) button.disabled = !model.get("enabled").includes(each); },
    words: () => { says.textContent = model.get("words"); },
    said: () => { said.textContent = model.get("said"); },
    share: () => { bar.hidden = model.get("share") < 0; bar.value = Math.max(0, model.get("share")); },
    error: () => { alert.textContent = model.get("error") && `⚠ ${model.get("error")}`; },
    curves: () => drawCurves(curves, model.get("curves")),
    file_name: () => { name.value = model.get("file_name"); },
    written: () => { file.lastChild.textContent = model.get("written"); },
    kept: () => kept.replaceChildren(...model.get("kept").map((one, i) => {
      const compare = make("button", { "aria-pressed": String(compared === i), title: "Compare with this one: it is left of the border.",
        onclick: () => { compared = compared === i ? -1 : i; if (model.get("border") < 0.1) moveBorder(0.5); follow.kept(); follow.before(); follow.border(); } }, thumb(one.picture, one.words));
      return make("figure", {}, compare, make("button", { title: `Back to the settings of this one: ${one.words}`,
        onclick: () => model.send({ do: "again", number: i }) }, `again ${one.number}`));
    })),
  };
  const off = follows(model, follow);
  const heard = async (message, buffers) => {
    if (message.code) {
      code.textContent = message.code;
      code.hidden = false;
      const copied = navigator.clipboard?.writeText(message.code) ?? Promise.reject();
      copied.then(() => tell("the code is in the clipboard"), () => tell("the code stands below"));
    }
    if (message.painted) {
      await film.answered(message.painted, buffers[0]);
      if (film.rate()) says.textContent = `live: ${film.rate().toFixed(1)} pictures a second`;
    }
    if (message.over) film.end(message.over, false);
    if (message.download) make("a", { href: address(buffers[0]), download: message.download }).click();
  };
  model.on("msg:custom", heard);
  const cut = () => {
    film.end("the kernel is gone; the camera is off", false);
    frame.querySelector(".sl-camera")?.dispatchEvent(new Event("close"));
  };
  model.on("comm_live_update", cut);
  const around = () => el.closest(".sl-lab") ?? el;
  const watcher = new MutationObserver(() => { for (const each of around().querySelectorAll(".widget-slider")) named(each); });
  const begin = () => {
    if (el.isConnected && !el.closest(".sl-lab")) return requestAnimationFrame(begin);  // soon it stands in its lab
    around().dataset.lmSuppressShortcuts = "true";
    // The slider itself writes the exponent again with each move.
    watcher.observe(around(), { childList: true, subtree: true, characterData: true, attributeFilter: ["aria-valuetext"] });
    for (const each of around().querySelectorAll(".widget-slider")) named(each);
  };
  requestAnimationFrame(begin);
  return () => { film.end("the camera is off"); cut(); off(); model.off("msg:custom", heard); model.off("comm_live_update", cut); watcher.disconnect(); };
}

// Call each function when the trait of its name changes, and once now.
function follows(model, functions) {
  for (const [trait, act] of Object.entries(functions)) {
    if (typeof act !== "function") continue;
    model.on(`change:${trait}`, act);
    act();
  }
  return () => { for (const [trait, act] of Object.entries(functions)) model.off(`change:${trait}`, act); };
}

// ipywidgets gives its sliders no name, and tells their exponent where the scale is logarithmic; and two tab stops each.
function named(slider) {
  const handle = slider.querySelector(".noUi-handle"), label = slider.querySelector(".widget-label");
  const readout = slider.querySelector(".widget-readout");
  if (!handle || !label) return;
  const set = (name, value) => handle.getAttribute(name) !== value && handle.setAttribute(name, value);
  set("aria-label", label.textContent);
  if (readout) { set("aria-valuetext", readout.textContent); readout.tabIndex = -1; }
}

// ------------------------------------------------------------------------------------------------------ loss curves

const COLOURS = ["currentColor", "#2b8cd6", "#e06a10", "#1a9e77", "#d06da8", "#b8860b", "#4aa3d8", "#888888", "#8a6bc4"];
const DASHES = ["", "", "6 3", "8 2 2 2", "2 2", "10 3", "4 1", "1 3", "12 2 2 2 2 2"];  // nobody has to tell colours apart

function drawCurves(place, { steps = [], terms = {}, marks = [], words = "" }) {
  const W = 420, H = 118, L = 44, B = 16;
  const all = Object.values(terms).flat().filter((value) => value > 0);
  if (steps.length < 2 || !all.length) return place.replaceChildren();
  const high = Math.log10(Math.max(...all)), low = Math.max(Math.log10(Math.min(...all)), high - 5), span = Math.max(high - low, 0.1);
  const x = (step) => L + ((step - steps[0]) / (steps.at(-1) - steps[0])) * (W - L - 4);
  const y = (value) => 4 + ((high - Math.max(Math.log10(value), low)) / span) * (H - B - 6);
  const line = (values) => steps.flatMap((step, i) => (values[i] > 0 ? [`${x(step).toFixed(1)},${y(values[i]).toFixed(1)}`] : [])).join(" ");
  const stroke = (i) => `fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.6" stroke-dasharray="${DASHES[i % DASHES.length]}"`;
  let inner = "";
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const factor of span > 2.5 ? [1] : [1, 2, 5]) {
      const at = factor * 10 ** power;
      if (Math.log10(at) < low - 1e-9 || Math.log10(at) > high + 1e-9) continue;
      inner += `<path d="M${L} ${y(at)}H${W}" stroke="currentColor" opacity=".2"/><text x="${L - 4}" y="${y(at) + 4}" text-anchor="end">${+at.toPrecision(3)}</text>`;
    }
  }
  for (const step of [steps[0], steps.at(-1)]) inner += `<text x="${x(step)}" y="${H - 3}" text-anchor="${step === steps[0] ? "start" : "end"}">step ${step}</text>`;
  for (const mark of marks) inner += `<path d="M${x(mark)} 4V${H - B}" stroke="currentColor" stroke-dasharray="1 3"/>`;
  Object.values(terms).forEach((values, i) => { inner += `<polyline points="${line(values)}" ${stroke(i)}/>`; });
  const legend = Object.keys(terms).map((name, i) => `<svg viewBox="0 0 30 10" aria-hidden="true"><path d="M0 5H30" ${stroke(i)}/></svg>${name}`).join("<br>");
  place.innerHTML = `<svg role="img" viewBox="0 0 ${W} ${H}" font-size="10" fill="currentColor"><title></title>${inner}</svg><small>${legend}</small>`;
  place.querySelector("title").textContent = words;
  place.firstChild.setAttribute("aria-label", words);
}

// ---------------------------------------------------------------------------------------------------------- chooser

function chooser({ model, el }) {
  el.classList.add("sl-chooser");
  const picture = make("img", { alt: "" }), words = make("span"), label = make("span", { class: "widget-label" });
  const now = make("button", { class: "sl-now", "aria-haspopup": "listbox", title: model.get("tooltip"), onclick: () => open(list.hidden) }, picture, words, "▾");
  const list = make("div", { hidden: true }), grid = make("div", { class: "sl-list", role: "listbox", "aria-label": model.get("description") });
  const alert = make("div", { role: "alert", class: "sl-wrong" });
  const address_ = make("input", { class: "sl-text", placeholder: model.get("placeholder"), "aria-label": model.get("placeholder"),
    onchange: () => { model.send({ do: "address", source: address_.value }); address_.value = ""; } });
  const upload = make("button", { title: "A file of your own; a large picture is made smaller before it is sent.", onclick: () => choose(model, model.get("accept")) }, "Upload");
  const photo = make("button", { title: "Take a photo with this computer's camera.", onclick: () => camera(model, el.closest(".sl-lab")?.querySelector(".sl-frame") ?? el) }, "Camera");
  const files = model.get("kiosk") ? [] : [address_, upload];
  list.append(grid, make("div", { class: "sl-more" }, ...files, ...(model.get("accept") === "image/*" ? [photo] : [])));
  el.append(make("div", { class: "sl-choice" }, label, now), list, alert);
  takesFiles(model, el);

  function open(wanted) {
    list.hidden = !wanted;
    now.setAttribute("aria-expanded", String(wanted));
    if (!wanted) return now.focus();
    model.send({ do: "open" });
    (grid.querySelector("[aria-selected=true]") ?? grid.firstChild)?.focus();
  }
  list.addEventListener("keydown", (event) => {
    const options = [...grid.children], at = options.indexOf(document.activeElement);
    if (event.key === "Escape") open(false);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    options.at((at + step) % options.length).focus();
  });
  const fill = () => {
    const small = model.get("thumbnails");
    grid.replaceChildren(...model.get("options").map(([value, shown]) => make("button",
      { role: "option", "aria-selected": String(value === model.get("value")), tabindex: value === model.get("value") ? 0 : -1,
        onclick: () => { model.send({ do: "choose", name: value }); open(false); } },
      ...(small[value] ? [thumb(small[value], "")] : []), shown)));
  };
  const tell = () => {
    const value = model.get("value");
    words.textContent = model.get("options").find((one) => one[0] === value)?.[1] ?? value;
    now.setAttribute("aria-label", `${model.get("description")}: ${words.textContent}. Choose another one`);
    fill();
  };
  return follows(model, {
    description: () => { label.textContent = model.get("description"); },
    thumbnail: () => show(picture, model.get("thumbnail")),
    words: () => { picture.alt = picture.title = model.get("words"); },
    error: () => { alert.textContent = model.get("error") && `⚠ ${model.get("error")}`; },
    options: tell, thumbnails: fill, value: tell,
  });
}

// -------------------------------------------------------------------------------------------------------------- pad

function pad({ model, el }) {
  const ring = make("div", { class: "sl-ring" });
  const square = make("div", { class: "sl-pad", role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100, title: model.get("tooltip") });
  const words = make("div", { class: "sl-words" });
  const move = (place) => change(model, "place", place.map(rounded));
  const point = (event) => move(placed(event, square));
  square.addEventListener("pointerdown", (event) => { square.setPointerCapture(event.pointerId); point(event); });
  square.addEventListener("pointermove", (event) => event.buttons && point(event));
  keys(square, (event) => {
    const [x, y] = model.get("place"), step = event.shiftKey ? 0.1 : 0.02;
    return { ArrowLeft: [x - step, y], ArrowRight: [x + step, y], ArrowUp: [x, y - step], ArrowDown: [x, y + step] };
  }, move);
  el.append(square, words);
  return follows(model, {
    pictures: () => square.replaceChildren(...model.get("pictures").map((bytes) => thumb(bytes, "")), ring),
    place: () => {
      const [across, down] = model.get("place");
      [ring.style.left, ring.style.top] = [`${across * 100}%`, `${down * 100}%`];
      square.setAttribute("aria-valuenow", Math.round(across * 100));
    },
    words: () => {
      words.textContent = model.get("words");
      square.setAttribute("aria-label", "The ring in the square; move it with the arrow keys");
      square.setAttribute("aria-valuetext", model.get("words"));
    },
  });
}

// ------------------------------------------------------------------------------------------------------------- pane

// Tells Python where the pointer went: one message from down to up. Whether that is a stroke or a fill Python knows best:
// the tool that was chosen just before may not have come back here. While the pointer is down the stroke is drawn here;
// then Python answers with new regions, and these are what counts.
function pane({ model, el }) {
  let picture = null, regions = null, stroke = [], newest = 0, brush = null;
  const size = () => [model.get("columns"), model.get("rows")];
  const place = (event) => placed(event, canvas).map((share, i) => Math.round(share * size()[i] * 10) / 10);
  const extend = (points) => { stroke = points; draw(); };
  const end = () => { if (stroke.length) model.send({ points: stroke }); stroke = []; };
  const canvas = make("canvas", {
    class: "sl-pane", role: "application", tabindex: 0, onfocus: () => draw(), onblur: () => draw(),
    title: "Paint with the pointer; or move the brush with the arrow keys, and press Enter.",
    onpointerdown: (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      extend([place(event)]);
    },
    onpointermove: (event) => stroke.length && extend([...stroke, place(event)]), onpointerup: end, onpointercancel: end,
  });
  const context = canvas.getContext("2d");
  el.append(canvas);
  keys(canvas, () => {
    const step = Math.max(2, model.get("radius") / 2), [x, y] = brush ?? size().map((side) => side / 2);
    return { ArrowLeft: [x - step, y], ArrowRight: [x + step, y], ArrowUp: [x, y - step], ArrowDown: [x, y + step], Enter: [x, y] };
  }, (to, key) => {
    brush = to.map((at, i) => inside(at, size()[i]));
    if (key === "Enter") model.send({ points: [brush] });
    draw();
  });

  function draw() {
    if (!picture) return;
    context.drawImage(picture, 0, 0);
    if (regions) context.drawImage(regions, 0, 0);
    const scale = canvas.width / model.get("columns"), radius = model.get("radius") * scale;
    if (brush && document.activeElement === canvas) {
      for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
        [context.strokeStyle, context.lineWidth] = [colour, width];
        context.beginPath();
        context.arc(brush[0] * scale, brush[1] * scale, radius, 0, 7);
        context.stroke();
      }
    }
    if (!stroke.length || model.get("tool") === "fill") return;
    [context.strokeStyle, context.lineWidth, context.globalAlpha] = [model.get("ink"), 2 * radius, 0.6];
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    for (const [x, y] of [stroke[0], ...stroke]) context.lineTo(x * scale, y * scale);
    context.stroke();
    context.globalAlpha = 1;
  }
  async function load() {
    const mine = ++newest;  // what was asked for earlier but is decoded later comes too late
    const both = await Promise.all([decoded(model.get("picture")), decoded(model.get("regions"))]);
    if (mine !== newest || !both[0]) return;
    [picture, regions] = both;
    canvas.setAttribute("aria-label", model.get("words"));
    [canvas.width, canvas.height] = [picture.width, picture.height];
    draw();
  }
  return follows(model, { picture: load, regions: load });
}

// ------------------------------------------------------------------------------------------------------------- idle

// Tells once when the page had no input for a while; any input begins the time anew.
function idle({ model }) {
  let rest = 0;
  const begin = () => {
    clearTimeout(rest);
    rest = setTimeout(() => { model.send({ do: "back" }); window.scrollTo(0, 0); }, 1000 * model.get("seconds"));
  };
  const inputs = ["pointerdown", "pointermove", "keydown", "wheel", "dragover"];
  for (const each of inputs) window.addEventListener(each, begin, true);
  begin();
  return () => {
    clearTimeout(rest);
    for (const each of inputs) window.removeEventListener(each, begin, true);
  };
}

export default {
  render(view) {
    document.getElementById("sl-style")?.remove();
    document.head.append(make("style", { id: "sl-style" }, CSS));
    view.el.dataset.lmSuppressShortcuts = "true";  // JupyterLab would take the arrow keys
    return { stage, chooser, pad, pane, idle }[view.model.get("view")](view);
  },
};
