// Ages that count up, light and dark, and the banner of a lost connection. Everything else comes from the server.
(() => {
  const page = document.documentElement;
  const THEME = "navoracle-theme";
  let server = null;
  let told = 0;
  let wasConnected = false;
  let lostAt = new Date(); // until there is a connection, it is missing

  function age(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
    return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
  }

  // The keeper's clock, which need not be this machine's: what it last said, and what has passed here since.
  function now() {
    const said = document.getElementById("clock")?.dataset.now;
    if (said === undefined) return null;
    if (said !== server) {
      server = said;
      told = performance.now();
    }
    return Number(said) + (performance.now() - told) / 1000;
  }

  // The text node stays: the page's framework holds on to it, and would write into the one that is gone.
  function setText(element, text) {
    if (!element || element.textContent === text) return;
    if (element.firstChild?.nodeType === Node.TEXT_NODE) element.firstChild.nodeValue = text;
    else element.textContent = text;
  }

  function tick() {
    const present = now();
    if (present === null) return;
    for (const element of document.querySelectorAll("[data-since]")) {
      setText(element, age(present - Number(element.dataset.since)));
    }
    for (const element of document.querySelectorAll("[data-until]")) {
      const left = Number(element.dataset.until) - present;
      setText(element, left > 0 ? `in ${age(left)}` : `due ${age(-left)} ago`);
    }
  }

  function watchConnection() {
    const isConnected = Boolean(window.socket?.connected);
    wasConnected = wasConnected || isConnected;
    if (isConnected) lostAt = null;
    else if (lostAt === null) lostAt = new Date();
    if (lostAt === null || Date.now() - lostAt < (wasConnected ? 1500 : 5000)) {
      delete page.dataset.connection;
      setText(document.getElementById("connection"), "");
      return;
    }
    page.dataset.connection = "lost";
    setText(
      document.getElementById("connection"),
      `No connection to the keeper's server since ${lostAt.toISOString().slice(11, 19)} UTC. ` +
        "What is below was the state then; status.html beside the state files has the last one that was written.",
    );
  }

  function watchKeeper() {
    const dead = Boolean(document.getElementById("keeper")?.textContent);
    if (dead) page.dataset.keeper = "dead";
    else delete page.dataset.keeper;
  }

  // What `theme.js` chose before anything was drawn, or what the button chose since.
  function applyTheme(dark) {
    page.dataset.theme = dark ? "dark" : "light";
    nameTheme();
  }

  function nameTheme() {
    const dark = page.dataset.theme === "dark";
    const button = document.getElementById("theme");
    setText(button, dark ? "Light" : "Dark");
    button?.setAttribute("aria-label", dark ? "Change to light colours" : "Change to dark colours");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#theme") == null) return;
    const dark = page.dataset.theme !== "dark";
    localStorage.setItem(THEME, dark ? "dark" : "light");
    applyTheme(dark);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (localStorage.getItem(THEME) === null) applyTheme(event.matches);
  });
  // Paper is light.
  let shown = null;
  window.addEventListener("beforeprint", () => {
    shown = page.dataset.theme;
    page.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    page.dataset.theme = shown;
  });
  document.addEventListener("change", (event) => {
    const choice = event.target.closest?.("select[data-follow]");
    if (choice) window.location.assign(choice.value);
  });

  function look() {
    tick();
    watchConnection();
    watchKeeper();
    nameTheme();
  }

  look();
  setInterval(look, 250);
  // What comes anew tells its age at once.
  new MutationObserver(tick).observe(document.body, { childList: true, subtree: true });
})();
