// The points as pixels: written into one buffer, so that 100,000 are drawn in a few milliseconds.

import { NOTHING } from "./points.js";

const FEW = 140; // points in sight below which they are shown as small images
const THUMB = 44; // CSS pixels

/** Draws points on a canvas. `colourOf(class)` is a CSS colour. */
export class Painter {
  #thumbs = new Map();

  constructor(canvas, points, colourOf) {
    Object.assign(this, { canvas, points, colourOf });
    this.context = canvas.getContext("2d", { willReadFrequently: false });
    this.repaint = () => {};
  }

  /** Draw what is in sight. `by` is "label" or "predicted"; `shown(i)` leaves points out. Return how many are in sight. */
  paint(camera, { by, shown, theme, corners }) {
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.buffer = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.buffer.data.buffer);
    }
    this.pixels.fill(theme.paper);
    const [left, top, right, bottom] = camera.sight;
    const quiet = [];
    const loud = [];
    this.points.near(left, top, right, bottom, (i) => {
      if (!shown(i)) return;
      if (this.points.label[i] !== NOTHING) loud.push(i);
      else quiet.push(i);
    });
    // A point is 1.5 to 5 pixels wide: small in the overview, larger with fewer points in sight.
    const inSight = quiet.length + loud.length;
    const size = Math.max(2, Math.round(ratio * Math.min(6, Math.max(1.6, 260 / Math.sqrt(inSight + 1)))));
    const classes = by === "label" ? this.points.label : this.points.predicted;
    for (const i of quiet) this.#dot(camera, ratio, i, size, classes[i] === NOTHING ? theme.faint : this.#number(classes[i]), width, height);
    for (const i of loud) {
      this.#dot(camera, ratio, i, size + 4 * ratio, theme.ink, width, height);
      this.#dot(camera, ratio, i, size + 2 * ratio, classes[i] === NOTHING ? theme.faint : this.#number(classes[i]), width, height);
    }
    this.context.putImageData(this.buffer, 0, 0);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (inSight && inSight <= FEW) for (const i of [...quiet, ...loud]) this.#thumb(camera, i, classes[i], theme);
    if (corners?.length > 1) this.#polygon(corners, theme);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    return inSight;
  }

  #dot(camera, ratio, i, size, colour, width, height) {
    const half = size / 2;
    const x0 = Math.round((this.points.xy[2 * i] * camera.scale + camera.x) * ratio - half);
    const y0 = Math.round((this.points.xy[2 * i + 1] * camera.scale + camera.y) * ratio - half);
    for (let y = Math.max(0, y0); y < Math.min(height, y0 + size); y++) {
      const across = Math.sqrt(half * half - (y - y0 + 0.5 - half) ** 2); // half of a row of a round dot
      const edge = size > 3 ? Math.round(half - across) : 0;
      const from = Math.max(0, x0 + edge);
      const to = Math.min(width, x0 + size - edge);
      for (let k = y * width + from, end = y * width + to; k < end; k++) this.pixels[k] = colour;
    }
  }

  #thumb(camera, i, group, theme) {
    const id = this.points.ids[i];
    let picture = this.#thumbs.get(id);
    if (!picture) {
      picture = new Image();
      picture.src = this.points.thumb(i);
      picture.onload = () => this.repaint();
      this.#thumbs.set(id, picture);
      if (this.#thumbs.size > 4 * FEW) this.#thumbs.delete(this.#thumbs.keys().next().value);
    }
    if (!picture.complete || !picture.naturalWidth) return;
    const x = this.points.xy[2 * i] * camera.scale + camera.x;
    const y = this.points.xy[2 * i + 1] * camera.scale + camera.y;
    const side = THUMB / Math.max(picture.naturalWidth, picture.naturalHeight);
    const [width, height] = [picture.naturalWidth * side, picture.naturalHeight * side];
    this.context.fillStyle = group === NOTHING ? theme.faintText : this.colourOf(group);
    this.context.fillRect(x - width / 2 - 3, y - height / 2 - 3, width + 6, height + 6);
    this.context.imageSmoothingEnabled = side < 1;
    this.context.drawImage(picture, x - width / 2, y - height / 2, width, height);
  }

  #polygon(corners, theme) {
    const path = new Path2D();
    corners.forEach(([x, y], k) => (k ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
    this.context.strokeStyle = theme.accent;
    this.context.lineWidth = 2;
    this.context.stroke(path);
    this.context.globalAlpha = 0.12;
    this.context.fillStyle = theme.accent;
    this.context.fill(path);
    this.context.globalAlpha = 1;
  }

  #number(group) {
    this.colours ??= new Map();
    let colour = this.colours.get(group);
    if (colour === undefined) this.colours.set(group, (colour = pixelOf(this.colourOf(group))));
    return colour;
  }
}

/** Return a CSS colour as the number of a pixel, in the byte order of this machine. */
export function pixelOf(colour) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
}
