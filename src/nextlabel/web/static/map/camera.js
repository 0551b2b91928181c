// What part of the map is in sight.

const SIDE = 65536;
const CLOSEST = 4; // CSS pixels per unit of the map

/** Scale (CSS pixels per unit) and place of the map on the canvas. */
export class Camera {
  constructor(canvas) {
    this.canvas = canvas;
    this.fit();
  }

  /** Show the whole map. */
  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    this.scale = (0.92 * Math.min(clientWidth, clientHeight)) / SIDE || 1e-3;
    this.x = (clientWidth - SIDE * this.scale) / 2;
    this.y = (clientHeight - SIDE * this.scale) / 2;
    this.least = this.scale / 2;
  }

  /** Zoom by a factor about a place of the canvas. */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.max(this.least, Math.min(CLOSEST, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
  }

  /** Move by CSS pixels. */
  move(right, down) {
    this.x += right;
    this.y += down;
  }

  /** Return the place on the map of a place of the canvas. */
  toMap(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  /** Return the rectangle in sight: left, top, right, bottom. */
  get sight() {
    return [...this.toMap(0, 0), ...this.toMap(this.canvas.clientWidth, this.canvas.clientHeight)];
  }
}
