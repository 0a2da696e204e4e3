// Light or dark, before anything is drawn.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("navoracle-theme");
  } catch {
    // no storage: the system's choice holds
  }
  const isDark = chosen === null ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
})();
