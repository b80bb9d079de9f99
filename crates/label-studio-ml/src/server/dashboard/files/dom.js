// Elements and requests. Texts become text nodes, never HTML: label configs, tasks, logs and errors
// may be hostile.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element. Names of tags and attributes are this page's own; values may be anyone's. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Makes an element of a drawing. */
export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Sets a text if it has changed, so that screen readers are not told again. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * The whole of an address of the backend. Browsers ask for none that has a password in it, and relative
 * ones have it when the page was opened with one.
 */
export function addressOf(path) {
  const address = new URL(path, document.baseURI);
  address.username = address.password = "";
  return address.href;
}

/** Gets or sends JSON. An error has the server's reason as its message. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(addressOf(path), { ...options, headers: { accept: "application/json", ...options.headers } });
  } catch {
    throw new Error("the server does not answer");
  }
  const reply = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(reply.detail ?? `the server answered ${response.status}`);
  return reply;
}

/** Sends JSON. */
export const send = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** A length of time, in one or two units. */
export function duration(seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** A moment, given in seconds since 1970. */
export const moment = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString() : "");
