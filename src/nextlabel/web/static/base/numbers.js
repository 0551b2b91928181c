// Numbers as people read them.

const whole = new Intl.NumberFormat("en");

/** Return a count, such as 12,345. */
export const count = (value) => whole.format(value);

/** Return a noun after its count: "1 image", "2 images". */
export const many = (value, one, more = `${one}s`) => `${count(value)} ${value === 1 ? one : more}`;

/** Return a fraction in [0, 1] as per cent. */
export const percent = (fraction, digits = 0) => `${(100 * fraction).toFixed(digits)}%`;

/** Return an interval of fractions as per cent: "87 to 94%". */
export const interval = (low, high) => `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)}%`;

/** Return what it takes until the accuracy of the model can be said: labels of images drawn at random. */
export const tooEarly = (missing) => `The accuracy is shown after ${many(missing, "more random image")}.`;
