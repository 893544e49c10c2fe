// Shows a picture with its regions, and tells Python where the pointer went: one message from down to up. Whether that
// is a stroke or a fill Python knows best: the tool that was chosen just before may not have come back here. While the
// pointer is down the stroke is drawn here; then Python answers with new regions, and these are what counts.

async function decoded(bytes) {
  return bytes.byteLength ? createImageBitmap(new Blob([bytes])) : null;
}

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "max-width:100%;touch-action:none;cursor:crosshair;display:block;outline:1px solid #888";
  canvas.setAttribute("role", "application");
  canvas.tabIndex = 0;
  canvas.title = "Paint with the pointer; or move the brush with the arrow keys, and press Enter.";
  el.dataset.lmSuppressShortcuts = "true";  // JupyterLab would take the arrow keys
  el.append(canvas);
  const context = canvas.getContext("2d");
  let picture = null, regions = null, stroke = [], newest = 0, brush = null;

  function draw() {
    if (!picture) return;
    context.drawImage(picture, 0, 0);
    if (regions) context.drawImage(regions, 0, 0);
    const scale = canvas.width / model.get("columns");
    if (brush && document.activeElement === canvas) {
      for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
        [context.strokeStyle, context.lineWidth] = [colour, width];
        context.beginPath();
        context.arc(brush[0] * scale, brush[1] * scale, model.get("radius") * scale, 0, 7);
        context.stroke();
      }
    }
    if (!stroke.length || model.get("tool") === "fill") return;
    context.lineWidth = 2 * model.get("radius") * scale;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = model.get("ink");
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(stroke[0][0] * scale, stroke[0][1] * scale);
    for (const [x, y] of stroke) context.lineTo(x * scale, y * scale);
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

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * model.get("columns");
    const y = ((event.clientY - box.top) / box.height) * model.get("rows");
    return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    stroke = [place(event)];
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke.length) return;
    stroke.push(place(event));
    draw();
  });
  function end() {
    if (stroke.length) model.send({ points: stroke });
    stroke = [];
  }
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  canvas.addEventListener("keydown", (event) => {
    const step = Math.max(2, model.get("radius") / 2);
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step], Enter: [0, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const most = [model.get("columns"), model.get("rows")];
    brush = (brush ?? most.map((side) => side / 2)).map((at, i) => Math.min(most[i], Math.max(0, at + by[i])));
    if (event.key === "Enter") model.send({ points: [brush] });
    draw();
  });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);

  model.on("change:picture", load);
  model.on("change:regions", load);
  load();
  return () => {
    model.off("change:picture", load);
    model.off("change:regions", load);
  };
}

export default { render };
