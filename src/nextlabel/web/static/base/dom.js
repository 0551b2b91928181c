// Elements made from text: names and notes of people never become markup.

/** Return a new element. `props` are properties; `data`, `aria`, `on` and `attributes` are objects. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { data, aria, on, attributes, ...rest } = props;
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener);
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) element[name] = value;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return the element with this id. */
export const byId = (id) => document.getElementById(id);

/** Return the picture of a key as people see it on a keyboard. */
export const cap = (text) => h("kbd", { textContent: text });

/** Return an SVG element with these attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
