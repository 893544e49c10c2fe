"use strict";
// A network of lesson 03 or 04 in a browser: networks/transformation.py and networks/coarse.py once more, with
// TensorFlow.js (`tf`).

const EPSILON = 1e-5; // of the norms
const SHARE = 0.5, SMALLEST = 80; // of networks/coarse.py

/** The tensors of a .safetensors file by name, {shape, values}, and `about`, what its header says about the network. */
function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const {__metadata__: metadata, ...entries} = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const tensors = {};
  for (const [name, {dtype, shape, data_offsets: [from, to]}] of Object.entries(entries)) {
    const size = {F16: 2, F32: 4}[dtype];
    if (!size) continue; // a count of steps, and the like
    const values = new Float32Array((to - from) / size);
    for (let i = 0, at = start + from; i < values.length; i++, at += size) {
      values[i] = size === 2 ? half(view.getUint16(at, true)) : view.getFloat32(at, true);
    }
    tensors[name] = {shape, values};
  }
  return {tensors, about: JSON.parse(metadata.about)};
}

/** The number whose 16 bits in half precision these are; finite. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
}

/** Whole numbers of 32 bits, as torch.Generator draws them (Matsumoto & Nishimura 1998, MT19937). */
function* twister(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  for (;;) {
    for (let i = 0; i < 624; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    for (let y of state) {
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      yield (y ^ (y >>> 18)) >>> 0;
    }
  }
}

/** Normal numbers as torch.randn draws them, 16 at a time: Box and Muller's of eight pairs. From 16 numbers up. */
function normal(count, bits) {
  const drawn = () => (bits.next().value & 0xffffff) / 2 ** 24; // in [0, 1)
  const found = Float32Array.from({length: count}, drawn);
  const change = (at) => {
    for (let i = at; i < at + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - found[i])), angle = 2 * Math.PI * found[i + 8];
      [found[i], found[i + 8]] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    }
  };
  for (let at = 0; at + 16 <= count; at += 16) change(at);
  if (count % 16) { // the last 16 are drawn once more
    for (let i = count - 16; i < count; i++) found[i] = drawn();
    change(count - 16);
  }
  return found;
}

/** networks/noise.py: smooth noise of several scales beside each other, values for (height, width, scales). */
function noisePlanes(scales, height, width) {
  const bits = twister(0), found = new Float32Array(height * width * scales.length);
  scales.forEach((scale, plane) => {
    const rows = Math.ceil(height / scale), columns = Math.ceil(width / scale);
    const values = normal(Math.max(16, rows * columns), bits);
    // Which two values of a line a place lies between, and how near it is to the second.
    const between = (place, count) => {
      const exact = Math.max(0, (place + 0.5) / scale - 0.5), first = Math.floor(exact);
      return [first, Math.min(first + 1, count - 1), exact - first];
    };
    const across = Array.from({length: width}, (_, x) => between(x, columns));
    for (let y = 0; y < height; y++) {
      const [above, below, down] = between(y, rows);
      for (let x = 0; x < width; x++) {
        const [left, right, along] = across[x];
        const of = (row) => values[row * columns + left] * (1 - along) + values[row * columns + right] * along;
        found[(y * width + x) * scales.length + plane] = of(above) * (1 - down) + of(below) * down;
      }
    }
  });
  return found;
}

/** A network that paints. `styles` are the names of what it can paint in. */
class Network {
  constructor(bytes) {
    const {tensors, about} = readSafetensors(bytes);
    this.tensors = tensors;
    this.styles = about.styles ?? [about.style ?? ""];
    this.scales = about.noise ?? [];
    this.frame = tensors["layers.0.conv.weight"].shape[2] === 12 ? 8 : 0; // of reflection; painted, and cut off
    this.depth = 1 + Math.max(...Object.keys(tensors).map((name) => Number(name.split(".")[1]) || 0));
    this.uploaded = {};
    this.noise = {};
  }

  /** The tensor `name` on the device: a filter (H, W, in, out) where torch has (out, in, H, W), or one style's row. */
  weight(name, style = 0) {
    return this.uploaded[`${name} ${style}`] ??= tf.keep(tf.tidy(() => {
      const {shape, values} = this.tensors[name];
      if (shape.length === 4) return tf.transpose(tf.tensor(values, shape), [2, 3, 1, 0]);
      const count = shape.at(-1), row = shape.length === 2 ? style : 0;
      return tf.tensor(values.slice(row * count, (row + 1) * count));
    }));
  }

  conv(x, name, stride = 1) {
    const filter = this.weight(`${name}.weight`), margin = (filter.shape[0] - stride + 1) >> 1, sides = [margin, margin];
    const padded = tf.mirrorPad(x, [[0, 0], sides, sides, [0, 0]], "reflect");
    return tf.add(tf.conv2d(padded, filter, stride, "valid"), this.weight(`${name}.bias`));
  }

  /** γ (x − μ)/√(σ² + ε) + β. */
  norm(x, name, style) {
    const centred = tf.sub(x, tf.mean(x, [1, 2], true)), variance = tf.mean(tf.square(centred), [1, 2], true);
    const scale = tf.mul(this.weight(`${name}.gamma`, style), tf.rsqrt(tf.add(variance, EPSILON)));
    return tf.add(tf.mul(centred, scale), this.weight(`${name}.beta`, style));
  }

  /** Layer `number`; `given` is what the first layer got. */
  layer(x, number, style, given) {
    const name = `layers.${number}`;
    const unit = (x, name, conv, stride) => {
      const found = this.conv(x, conv, stride), normalised = `${name}.norm.gamma` in this.tensors;
      return tf.relu(normalised ? this.norm(found, `${name}.norm`, style) : found);
    };
    if (`${name}.first.conv.weight` in this.tensors) { // a residual block
      const within = unit(x, `${name}.first`, `${name}.first.conv`);
      return tf.add(x, this.norm(this.conv(within, `${name}.conv`), `${name}.norm`, style));
    }
    const twice = x.shape.slice(1, 3).map((side) => 2 * side);
    if (`${name}.conv.look.weight` in this.tensors) { // enlarge smoothly and convolve, and look at what was given
      const wide = this.conv(tf.resizeBilinear(x, twice, false, true), `${name}.conv.up.1`);
      const seen = this.norm(this.conv(given, `${name}.conv.look`, 2), `${name}.conv.norm`, style);
      return tf.relu(this.norm(tf.add(wide, seen), `${name}.norm`, style));
    }
    if (`${name}.conv.1.weight` in this.tensors) { // enlarge, then convolve
      return unit(tf.resizeNearestNeighbor(x, twice), name, `${name}.conv.1`);
    }
    const side = this.tensors[`${name}.conv.weight`].shape[2]; // of the kernel
    return unit(x, name, `${name}.conv`, {9: 1, 3: 2, 12: 4}[side]);
  }

  /** Picture and noise, as the first convolution takes them: (1, height, width, 3 + scales), from −1 to 1. */
  input({rgb, height, width}) {
    const around = (side) => [this.frame, this.frame + (-side & 3)]; // sides become a multiple of 4
    const more = [[0, 0], around(height), around(width), [0, 0]];
    let x = tf.mirrorPad(tf.tensor(rgb, [1, height, width, 3]), more, "reflect");
    if (this.scales.length) {
      const [high, wide] = x.shape.slice(1, 3);
      const noise = this.noise[`${high}x${wide}`] ??= noisePlanes(this.scales, high, wide);
      x = tf.concat([x, tf.tensor(noise, [1, high, wide, this.scales.length])], 3);
    }
    return tf.sub(tf.mul(x, 2), 1);
  }

  /** One pass: the pastiche of {rgb, height, width}, as colours from 0 to 1. */
  async pass(photo, style, after) {
    const {height, width} = photo, given = tf.tidy(() => this.input(photo));
    let x = given;
    const step = (make) => {
      const before = x;
      x = tf.tidy(() => make(before));
      if (before !== given) before.dispose();
    };
    for (let number = 0; number < this.depth; number++) {
      step((x) => this.layer(x, number, style, given));
      await after((number + 1) / (this.depth + 1));
    }
    step((x) => tf.slice(tf.tanh(this.conv(x, "last")), [0, this.frame, this.frame, 0], [1, height, width, 3]));
    const found = await x.data();
    given.dispose();
    x.dispose();
    return found.map((value) => (value + 1) / 2);
  }

  /** networks/coarse.py: of the mixture of the photo with a pastiche of its half, enlarged, the pastiche. */
  async coarseToFine(photo, style, after) {
    const {height, width} = photo;
    if (Math.min(height, width) < 2 * SMALLEST) return this.pass(photo, style, after);
    const small = halved(photo), pastiche = await this.coarseToFine(small, style, () => after(0));
    const large = tf.tidy(() =>
      tf.resizeBilinear(tf.tensor(pastiche, [1, small.height, small.width, 3]), [height, width], false, true));
    const rgb = (await large.data()).map((value, i) => SHARE * value + (1 - SHARE) * photo.rgb[i]);
    large.dispose();
    return this.pass({rgb, height, width}, style, after);
  }

  /**
   * The pastiche of a picture: an ImageData of the same size.
   *
   * picture: an ImageData, each side at least 16 pixels. style: the number of one of `styles`.
   * after: awaited after each layer, with the share that is done; so the page can show it.
   */
  async paint({data, height, width}, style = 0, after = async () => {}) {
    if (this.size !== `${height}x${width}`) [this.size, this.noise] = [`${height}x${width}`, {}]; // for one at a time
    const rgb = new Float32Array(height * width * 3);
    for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[4 * i + c] / 255;
    const values = await this.coarseToFine({rgb, height, width}, style, after), found = new ImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 3; c++) found.data[4 * i + c] = values[3 * i + c] * 255;
      found.data[4 * i + 3] = 255;
    }
    return found;
  }
}

/** A picture of half the size: the mean of 2 × 2 places, at an odd border of those that are there. */
function halved({rgb, height, width}) {
  const [high, wide] = [height, width].map((side) => (side + 1) >> 1), found = new Float32Array(high * wide * 3);
  const both = (place, side) => [2 * place, Math.min(2 * place + 1, side - 1)]; // at the border one place, twice
  for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (const row of both(y, height)) for (const column of both(x, width)) sum += rgb[(row * width + column) * 3 + c];
    found[(y * wide + x) * 3 + c] = sum / 4;
  }
  return {rgb: found, height: high, width: wide};
}
