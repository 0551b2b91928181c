// The points of the map: typed arrays, and an index of squares to find what is near.

const SQUARES = 128; // a side of the index
const SIDE = 65536; // coordinates are 16 bit
export const NOTHING = -1; // the class of a point without a label, or without a prediction
export const NO_CLASS = -2; // of one with a label, or a prediction, of none of the classes

/** The points as the server sends them: base64 of little-endian numbers. */
export class Points {
  constructor(reply) {
    this.count = reply.count;
    this.ids = new Int32Array(bytes(reply.ids));
    this.xy = new Uint16Array(bytes(reply.xy));
    this.label = new Int16Array(bytes(reply.label));
    this.predicted = new Int16Array(bytes(reply.predicted));
    this.digest = new Uint32Array(bytes(reply.digest));
    this.#index();
  }

  /** Return the address of the small image of a point; browsers keep it, since it names the content. */
  thumb(i) {
    return `/thumb/${this.ids[i]}?v=${this.digest[i].toString(16).padStart(8, "0")}`;
  }

  // Points are sorted by the square they lie in: `starts` says where each square begins in `order`.
  #index() {
    const squares = new Uint16Array(this.count);
    this.starts = new Uint32Array(SQUARES * SQUARES + 1);
    for (let i = 0; i < this.count; i++) {
      squares[i] = this.#square(this.xy[2 * i]) + SQUARES * this.#square(this.xy[2 * i + 1]);
      this.starts[squares[i] + 1] += 1;
    }
    for (let s = 0; s < SQUARES * SQUARES; s++) this.starts[s + 1] += this.starts[s];
    const next = this.starts.slice();
    this.order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) this.order[next[squares[i]]++] = i;
  }

  #square(value) {
    return Math.floor((value * SQUARES) / SIDE);
  }

  /** Run `visit(i)` for each point in squares that touch a rectangle. */
  near(left, top, right, bottom, visit) {
    const clamp = (value) => Math.max(0, Math.min(SQUARES - 1, this.#square(value)));
    for (let y = clamp(top); y <= clamp(bottom); y++) {
      for (let k = this.starts[SQUARES * y + clamp(left)]; k < this.starts[SQUARES * y + clamp(right) + 1]; k++) visit(this.order[k]);
    }
  }

  /** Return the point nearest to (x, y) within `reach`, or -1. */
  nearest(x, y, reach, wanted) {
    let best = -1;
    let least = reach * reach;
    this.near(x - reach, y - reach, x + reach, y + reach, (i) => {
      const distance = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
      if (distance < least && wanted(i)) [best, least] = [i, distance];
    });
    return best;
  }

  /** Return the points inside a polygon of [x, y] corners. */
  inside(corners, wanted) {
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const chosen = [];
    this.near(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i) => {
      if (wanted(i) && contains(corners, this.xy[2 * i], this.xy[2 * i + 1])) chosen.push(i);
    });
    return chosen;
  }
}

/** Return whether a polygon contains a point: a ray to the right crosses its edges an odd number of times. */
export function contains(corners, x, y) {
  let odd = false;
  for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
    const [ax, ay] = corners[a];
    const [bx, by] = corners[b];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}
