// Repeats a question while the tab is seen, slower after failures, and never two at once.

/** Runs `ask` now and again after the seconds it returns (or `every`); stops when the signal aborts. */
export function poll(ask, every, signal, onError = () => {}) {
  let timer = null;
  let failures = 0;
  let busy = false;

  async function turn() {
    clearTimeout(timer);
    if (signal.aborted || document.hidden || busy) return;
    busy = true;
    let pause = every;
    try {
      pause = (await ask()) ?? every;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      pause = Math.min(60, every * 2 ** failures);
      onError(error);
    } finally {
      busy = false;
    }
    if (!signal.aborted && pause !== Infinity) timer = setTimeout(turn, pause * 1000);
  }

  const seen = () => !document.hidden && turn();
  document.addEventListener("visibilitychange", seen, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  turn();
  return turn;
}
