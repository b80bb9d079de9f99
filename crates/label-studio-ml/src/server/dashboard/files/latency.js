// The latest predictions: when they were answered, and how long they took.

import { byId, drawn, duration, setText } from "./dom.js";

const WIDTH = 900, HEIGHT = 190, LEFT = 54, RIGHT = 12, TOP = 10, BOTTOM = 24;
const TICKS = [1, 10, 100, 1000, 10000, 100000];
let shown = "";

/** Draws calls of `{ age, milliseconds, is_ok }`. */
export function showLatency(calls) {
  // Ages grow all the time; the plot changes with the calls.
  const text = JSON.stringify(calls.map((call) => [Math.round(call.age / 10), call.milliseconds, call.is_ok]));
  if (text === shown) return;
  shown = text;
  setText(byId("latency-summary"), summary(calls));
  byId("latency").replaceChildren(...(calls.length ? [plot(calls)] : []));
}

function summary(calls) {
  if (!calls.length) return "None since the server started.";
  const sorted = calls.map((call) => call.milliseconds).sort((a, b) => a - b);
  const at = (share) => duration(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] / 1000);
  const failed = calls.filter((call) => !call.is_ok).length;
  return `Of the latest ${calls.length}, half took at most ${at(0.5)}, 95 % at most ${at(0.95)}, 99 % at most ${at(0.99)}; ${failed} failed.`;
}

function plot(calls) {
  const longest = Math.max(10, ...calls.map((call) => call.age));
  const low = Math.log10(0.3), high = Math.log10(150000);
  const x = (age) => LEFT + (1 - age / longest) * (WIDTH - LEFT - RIGHT);
  const y = (milliseconds) => TOP + (1 - (Math.log10(Math.max(0.3, milliseconds)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const grid = TICKS.flatMap((tick) => [
    drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
    drawn("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, tick < 1000 ? `${tick} ms` : `${tick / 1000} s`),
  ]);
  const ages = [longest, longest / 2, 0].map((age) =>
    drawn("text", { x: x(age), y: HEIGHT - 8, "text-anchor": age === 0 ? "end" : age === longest ? "start" : "middle" },
      age === 0 ? "now" : `${duration(age)} ago`));
  const dots = calls.map((call) =>
    drawn("circle", { cx: x(call.age), cy: y(call.milliseconds), r: call.is_ok ? 2.5 : 4, class: call.is_ok ? "ok" : "not-ok" }));
  return drawn("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "Time of the latest predictions" },
    grid, ages, dots);
}
