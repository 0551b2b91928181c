// Why this image: the nearest labelled images, and after the answer also rank, score and reason.

import { get } from "../base/api.js";
import { h } from "../base/dom.js";
import { count } from "../base/numbers.js";

/** Draw the reasons for an item into `area`. The result of an older request is dropped. */
export async function drawWhy(area, item, project) {
  area.dataset.image = item.image;
  let why;
  try {
    why = await get(`/api/why/${item.image}`);
  } catch (error) {
    if (area.dataset.image === String(item.image)) area.replaceChildren(h("p", { className: "faint", textContent: error.message }));
    return;
  }
  if (area.dataset.image !== String(item.image)) return;
  const parts = [];
  if (why.answered && why.reason) {
    parts.push(h("p", { textContent: why.reason === "audit" ? "Drawn at random, to estimate how good the model is." : `Chosen by ${why.reason}.` }));
    const facts = [["Rank", why.rank === null || why.rank === undefined ? null : count(why.rank)], ["Score", why.score?.toPrecision(3)], ["Strategy", why.strategy]];
    parts.push(h("dl", { className: "facts" }, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", { textContent: name }), h("dd", { textContent: value })])));
  } else if (!why.answered) {
    parts.push(h("p", { className: "faint", textContent: "Rank, score and reason are shown after the answer, so that they cannot influence it." }));
  }
  if (why.neighbours?.length) {
    parts.push(h("p", { className: "faint", textContent: "The labelled images that are most alike to the model:", title: why.space ? `by ${why.space}` : "" }));
    parts.push(
      h(
        "ul",
        { className: "neighbours" },
        ...why.neighbours.map((one) =>
          h("li", {}, h("img", { src: one.thumb ?? one.url.thumb, alt: one.name ?? "", title: `distance ${one.distance.toPrecision(3)}` }), h("span", { textContent: project.namesOf(one.label ?? []) })),
        ),
      ),
    );
  } else {
    parts.push(h("p", { className: "faint", textContent: "No image near it is labelled yet." }));
  }
  area.replaceChildren(...parts);
}
