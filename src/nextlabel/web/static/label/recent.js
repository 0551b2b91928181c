// The strip of the last images, to go back by a click.

import { h } from "../base/dom.js";

const SHOWN = 24;

/** Draw the images of a session that were passed last, the newest at the right. */
export function drawRecent(area, session, project, go) {
  const items = session.past.slice(-SHOWN);
  const current = session.back ? session.current.image : null;
  const buttons = items.map((item) => {
    const text = stateText(item, project);
    const button = h(
      "button",
      {
        type: "button",
        title: `${item.name}: ${text}`,
        aria: { label: `${item.name}: ${text}`, ...(item.image === current ? { current: "true" } : {}) },
        on: { click: () => go(item.image) },
      },
      h("img", { src: item.url?.thumb ?? item.thumb, alt: "", loading: "lazy" }),
      h("span", { className: `mark ${item.state ?? ""}` }),
    );
    const [first] = item.label ?? [];
    if (item.state === "labelled" && first !== undefined) button.querySelector(".mark").style.background = project.colourOf(first);
    return h("li", {}, button);
  });
  area.replaceChildren(...buttons);
  area.scrollLeft = area.scrollWidth;
}

/** Return the state of an item in words. */
export function stateText(item, project) {
  if (item.state === "skipped" || item.state === "unsure") return item.state;
  if (item.state === "labelled" || item.label?.length) return project.namesOf(item.label ?? []);
  return "no answer";
}
