// How pixels are shown: channels and window on the server, brightness and contrast in the browser.

/**
 * The choices of brightness, contrast, window and channels. They hold for all images of the view until
 * they are reset. Event "change" when addresses or filter change.
 */
export class View extends EventTarget {
  brightness = 1;
  contrast = 1;
  window = null; // [low, high] of images with more than 8 bits; null: the server's own
  channels = null; // numbers of the channels shown; null: the server's own

  /** Return the address of the pixels of an item under these choices. */
  address(item) {
    const query = new URLSearchParams();
    if (this.channels && item.channels > 1) query.set("channels", this.channels.filter((one) => one < item.channels).join(","));
    if (this.window && item.bits > 8) {
      query.set("low", Number(this.window[0].toPrecision(6)));
      query.set("high", Number(this.window[1].toPrecision(6)));
    }
    const text = query.toString();
    return text ? item.url.pixels + (item.url.pixels.includes("?") ? "&" : "?") + text : item.url.pixels;
  }

  /** The CSS filter of the picture. */
  get filter() {
    return this.brightness === 1 && this.contrast === 1 ? "" : `brightness(${this.brightness}) contrast(${this.contrast})`;
  }

  /** Change some of the choices. */
  set(choices) {
    Object.assign(this, choices);
    this.dispatchEvent(new Event("change"));
  }

  /** Go back to the choices of the server. */
  reset() {
    this.set({ brightness: 1, contrast: 1, window: null, channels: null });
  }

  /** Is anything other than the server's own choice? */
  get changed() {
    return Boolean(this.filter || this.window || this.channels);
  }
}
