// Sets the chosen theme before the first paint; without a choice the system's preference holds.

(() => {
  try {
    const chosen = localStorage.getItem("sortie-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // storage may be forbidden: the system's preference holds
  }
})();
