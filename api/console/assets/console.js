// The little that pages do beside htmx. Without it every page still works; it is only not live.
(() => {
  const root = document.documentElement;
  const order = ["", "light", "dark"];
  const names = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  const TICK_MS = 4000;

  function showTheme() {
    for (const each of document.querySelectorAll("[data-theme-name]")) each.textContent = names[root.dataset.theme || ""];
  }

  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const next = order[(order.indexOf(root.dataset.theme || "") + 1) % order.length];
      if (next) {
        root.dataset.theme = next;
        localStorage.setItem("purple-theme", next);
      } else {
        delete root.dataset.theme;
        localStorage.removeItem("purple-theme");
      }
      showTheme();
    });
  }
  showTheme();

  const problem = document.getElementById("problem");
  if (problem) problem.focus();

  for (const file of document.querySelectorAll("input[type=file][data-most]")) {
    file.addEventListener("change", () => {
      // said before hours of sending, which the server would refuse
      const over = [...file.files].some((each) => each.size > Number(file.dataset.most));
      file.setCustomValidity(over ? "This file is too large: import it in parts." : "");
    });
  }

  const live = document.getElementById("live");
  if (!live) return;
  const stale = document.getElementById("stale");
  const said = document.getElementById("said");
  let open = false; // a question that people are being asked is not taken away from under them

  const asking = () => live.querySelector("details.confirm[open]") !== null;
  const words = () => live.querySelector("[data-said]")?.dataset.said ?? "";
  let told = words();

  live.addEventListener("htmx:beforeRequest", (event) => {
    open = asking();
    if (open) event.preventDefault();
  });
  live.addEventListener("htmx:beforeSwap", (event) => {
    if (!asking()) return; // asked while the answer was on its way
    open = true;
    event.detail.shouldSwap = false;
  });
  live.addEventListener("htmx:afterSwap", () => {
    stale.hidden = true;
    if (words() !== told) {
      told = words();
      said.textContent = told;
    }
  });
  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    live.addEventListener(kind, (event) => {
      if (event.detail.xhr?.status === 401) location.reload(); // signed out meanwhile: the page says what to do
      else stale.hidden = false;
    });
  }
  live.addEventListener("toggle", () => { if (!asking() && open) htmx.trigger(live, "tick"); }, true);
  // durations and ages move on where nothing happens
  setInterval(() => { if (live.querySelector("[data-running]") && !document.hidden) htmx.trigger(live, "tick"); }, TICK_MS);
})();
