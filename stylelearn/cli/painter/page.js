"use strict";
// The page around the network: a photo comes in by choice, drop, paste or camera, and its pastiche is shown and saved.

const WIDEST = 4; // a picture's longer side is at most so many times the size
const LIVE_SIZES = [96, 128, 160, 192, 224, 256]; // of the shorter side, pixels
const [SLOW, QUICK] = [220, 120]; // milliseconds a live picture may take, and must take less than to be made larger

const $ = (id) => document.getElementById(id);
const bytesOf = (id) => Uint8Array.from(atob($(id).textContent), (letter) => letter.charCodeAt(0));
const nextFrame = () => new Promise((go) => setTimeout(go));
const screen_ = $("picture").getContext("2d");

let network, source, photo, pastiche; // source: the picture as it came; photo, pastiche: ImageData of one size
let turn = 0; // whatever was begun before the last change of it is no longer wanted
let stream = null;

/** Whether there is a graphics card, and no program that takes the place of one, which would need minutes a picture. */
function graphicsCard() {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return false;
  const named = context.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER;
  const renderer = context.getParameter(named);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

/** Compute on the graphics card, or where there is none on the processor. */
async function choose() {
  tf.env().set("WEBGL_CONV_IM2COL", false); // which would need gigabytes for the 9×9 convolutions of a large picture
  if (graphicsCard() && (await tf.setBackend("webgl").catch(() => false))) return;
  const packed = new Blob([bytesOf("wasm")]).stream().pipeThrough(new DecompressionStream("gzip"));
  const address = URL.createObjectURL(await new Response(packed, {headers: {"Content-Type": "application/wasm"}}).blob());
  tf.wasm.setWasmPath(address);
  await tf.setBackend("wasm");
  URL.revokeObjectURL(address);
}

const say = (words) => { $("said").textContent = words; };

/** The pixels of a picture or a film's frame, its shorter side `size` long unless that makes the longer one too long. */
function pixels(picture, size) {
  const width = picture.videoWidth || picture.width, height = picture.videoHeight || picture.height;
  const scale = Math.min(size / Math.min(width, height), WIDEST * size / Math.max(width, height));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.round(width * scale), height: Math.round(height * scale),
  });
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function show(picture) {
  const canvas = $("picture");
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    Object.assign(canvas, {width: picture.width, height: picture.height});
  }
  screen_.putImageData(picture, 0, 0);
}

function pressed(isPressed) {
  $("original").setAttribute("aria-pressed", isPressed);
  if (pastiche) show(isPressed ? photo : pastiche);
}

const style = () => Number($("style").value);

async function paint() {
  const mine = ++turn;
  const begun = performance.now();
  photo = pixels(source, Number($("size").value));
  if (Math.min(photo.width, photo.height) < 16) return say("This picture is too narrow to be painted; choose another.");
  pastiche = null;
  show(photo);
  say("Painting …");
  await nextFrame();
  try {
    const made = await network.paint(photo, style(), async (share) => {
      $("progress").value = share;
      await nextFrame();
      if (mine !== turn) throw null;
    });
    if (mine !== turn) return;
    pastiche = made;
    pressed(false);
    $("picture").setAttribute("aria-label", `the photo, painted in the style of ${nameOf(style())}`);
    say(`${made.width} × ${made.height} pixels, painted in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
  } catch (error) {
    if (error === null) return;
    say(`This went wrong (${error.message ?? error}); choose a smaller size, or close other pages.`);
  }
  $("progress").value = 0;
  for (const id of ["original", "save"]) $(id).disabled = !pastiche;
}

const nameOf = (number) => network.styles[number].replaceAll("_", " ") || "its one style";

async function take(file) {
  if (!file) return;
  try {
    source = await createImageBitmap(file);
  } catch {
    return say(`${file.name || "What you gave"} is no picture that this browser can read; choose a JPEG, PNG or WebP.`);
  }
  stop();
  await paint();
}

async function live(facing = "environment") {
  stop();
  try {
    if (!navigator.mediaDevices) throw new Error("this browser gives no camera to a page that is opened as a file");
    stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: facing, width: 640, height: 480}});
  } catch (error) {
    return say(`No live camera: ${error.message}. On a phone, “Choose a photo” can take one.`);
  }
  const mine = ++turn, film = Object.assign(document.createElement("video"), {
    srcObject: stream, muted: true, playsInline: true,
  });
  await film.play();
  $("camera").setAttribute("aria-pressed", true);
  $("camera").textContent = "Stop";
  $("other").hidden = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput").length < 2;
  $("other").dataset.facing = facing;
  $("picture").setAttribute("aria-label", "what the camera sees, painted");
  for (let size = 2, seconds = []; mine === turn;) {
    const begun = performance.now();
    source = film;
    photo = pixels(film, LIVE_SIZES[size]);
    pastiche = await network.paint(photo, style());
    if (mine !== turn) break;
    pressed(false);
    await new Promise(requestAnimationFrame); // once a frame at most, and none while the page is hidden
    const took = performance.now() - begun;
    seconds = [...seconds.slice(-4), took];
    if (seconds.length === 5) {
      say(`${photo.width} × ${photo.height} pixels, ${(5000 / seconds.reduce((a, b) => a + b)).toFixed(1)} pictures a second.`);
      const slowest = Math.min(...seconds), next = size + (slowest > SLOW ? -1 : slowest < QUICK ? 1 : 0);
      if (next !== size && LIVE_SIZES[next]) [size, seconds] = [next, []];
    }
    for (const id of ["original", "save"]) $(id).disabled = false;
  }
}

/** Let the camera go; the last picture stays. */
function stop() {
  turn++;
  if (!stream) return;
  for (const track of stream.getTracks()) track.stop();
  stream = null;
  $("camera").setAttribute("aria-pressed", false);
  $("camera").textContent = "Live camera";
  $("other").hidden = true;
  const canvas = document.createElement("canvas"); // what was seen last, to be painted in another style or size
  Object.assign(canvas, {width: photo.width, height: photo.height}).getContext("2d").putImageData(photo, 0, 0);
  source = canvas;
}

async function save() {
  const canvas = Object.assign(document.createElement("canvas"), {width: pastiche.width, height: pastiche.height});
  canvas.getContext("2d").putImageData(pastiche, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: "painted.png"});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function listen() {
  $("file").onchange = async ({target}) => { await take(target.files[0]); target.value = ""; };
  $("camera").onclick = () => (stream ? stop() : live());
  $("other").onclick = () => live($("other").dataset.facing === "user" ? "environment" : "user");
  $("original").onclick = () => pressed($("original").getAttribute("aria-pressed") !== "true");
  $("save").onclick = save;
  $("picture").onpointerdown = () => pressed(true);
  for (const end of ["onpointerup", "onpointercancel", "onpointerleave"]) $("picture")[end] = () => pressed(false);
  $("picture").oncontextmenu = (event) => event.preventDefault();
  $("size").onchange = $("style").onchange = () => { if (!stream) paint(); };
  document.onpaste = (event) => take([...event.clipboardData.files].find((file) => file.type.startsWith("image/")));
  document.ondragover = (event) => { event.preventDefault(); document.body.classList.add("over"); };
  document.ondragleave = () => document.body.classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    take(event.dataTransfer.files[0]);
  };
}

async function main() {
  try {
    await choose();
  } catch (error) {
    return say(`This browser is too old for the painter (${error.message}); a Chrome, Firefox or Safari from 2023 on can do it.`);
  }
  network = new Network(bytesOf("weights"));
  network.styles.forEach((_, number) => $("style").add(new Option(nameOf(number), number)));
  $("styles").hidden = network.styles.length < 2;
  if (tf.getBackend() === "webgl") $("size").value = "384"; // quick enough there
  listen();
  await take(new Blob([bytesOf("example")], {type: "image/jpeg"}));
}

main();
