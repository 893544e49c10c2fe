// A button that takes one file. A heavy picture is made smaller before it travels: a message of more than 10 MB ends the
// connection between the page and the kernel. What cannot be made smaller is refused by name and size.
const HEAVY = 3e6, MOST = 8e6;  // bytes of a file
const LARGEST = 2048;  // pixels of the longer side

async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";  // below what is transparent, as Python does it
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

async function light(file) {
  if (file.size <= HEAVY) return file;
  try {
    return await smaller(file);
  } catch {
    return file.size <= MOST ? file : null;  // no picture, or of a kind that only Python may know
  }
}

function render({ model, el }) {
  const input = document.createElement("input");
  const button = document.createElement("button");
  input.type = "file";
  input.hidden = true;
  input.accept = model.get("accept");
  button.className = "jupyter-widgets jupyter-button widget-button";
  button.style.width = "100%";
  button.title = model.get("tooltip");
  button.innerHTML = '<i class="fa fa-upload"></i>';
  button.append(model.get("description"));
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const file = input.files[0];
    input.value = "";  // so that the same file can be chosen again
    if (!file) return;
    button.disabled = true;
    try {
      const sent = await light(file);
      if (sent) {
        const content = new DataView(await sent.arrayBuffer());
        model.set("value", [{ name: file.name, type: sent.type, size: sent.size, content }]);
        model.save_changes();
      } else {
        model.send({ name: file.name, size: file.size });
      }
    } catch (error) {
      model.send({ name: file.name, size: file.size, error: String(error) });
    } finally {
      button.disabled = false;
    }
  });
  el.append(input, button);
}

export default { render };
