// The page: asks for the state while it is visible, and hands it to the views.

import { ask, byId, duration, element, moment, setText } from "./dom.js";
import { showJobs } from "./jobs.js";
import { showLatency } from "./latency.js";
import { showProjects } from "./projects.js";
import { prepareTry, showTry } from "./try.js";

const SECONDS = 2;
const SECONDS_AFTER_FAILURE = 10;
const VIEWS = ["overview", "jobs", "try"];
const ADVICE = {
  400: "The request does not fit: compare the label config and the task's data with what the backend's README says, or run label-studio-ml doctor.",
  403: "The request came from a place that may not send it.",
  413: "The body is too large: send fewer tasks at once, or raise MAX_BODY_MB.",
  500: "The model, or something it needs, failed: the log of the backend has the lines with this request id.",
  502: "Label Studio did not answer as it should: check LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY.",
  503: "More requests than the backend can take: raise THREADS or MAX_QUEUE, or start another replica.",
  504: "The model is too slow for the requests: send fewer tasks at once, use a faster device, or raise PREDICT_TIMEOUT.",
};

let shownFailures = "";

function showView() {
  const wanted = location.hash.slice(1);
  const view = VIEWS.includes(wanted) ? wanted : VIEWS[0];
  for (const name of VIEWS) byId(`view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showProblem(text) {
  byId("problem").hidden = !text;
  setText(byId("problem"), text ?? "");
}

function showState(state) {
  document.title = `${state.model} - Label Studio ML backend`;
  setText(byId("model"), state.model);
  const status = byId("status");
  setText(status, state.status);
  status.className = `pill ${state.status}`;
  const waiting = state.waiting ? `, ${state.waiting} requests wait` : "";
  setText(byId("about"), `version ${state.version}, up for ${duration(state.uptime)}${waiting}`);
  showProblem(state.problem);
  showLatency(state.calls);
  showFailures(state.failures);
  showTry(state);
}

function showFailures(failures) {
  const text = JSON.stringify(failures);
  if (text === shownFailures) return;
  shownFailures = text;
  const shown = failures.map((failure) =>
    element("article", { class: "failure" },
      element("p", {}, element("strong", {}, `${failure.status} ${failure.route}`), " ",
        element("span", { class: "soft" }, `${moment(failure.at)}${failure.count > 1 ? `, ${failure.count} times` : ""}, request ${failure.request_id}`)),
      element("p", {}, failure.detail),
      element("p", { class: "soft" }, ADVICE[failure.status] ?? "")));
  byId("failures").replaceChildren(...(shown.length ? shown : [element("p", { class: "soft" }, "None since the server started.")]));
}

async function look() {
  let seconds = SECONDS;
  if (!document.hidden) {
    try {
      const [state, { jobs }] = await Promise.all([ask("dashboard/state"), ask("jobs?limit=50")]);
      showState(state);
      await showJobs(jobs);
      await showProjects(state.projects, jobs);
    } catch (error) {
      showProblem(error.message);
      seconds = SECONDS_AFTER_FAILURE;
    }
  }
  setTimeout(look, seconds * 1000);
}

addEventListener("hashchange", showView);
showView();
prepareTry();
look();
