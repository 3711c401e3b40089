// Draws what waits, and from now on what comes: see offline.py.
globalThis.gpt4labDraw = () => {
  for (const [place, settings] of (globalThis.gpt4labWaiting ?? []).splice(0)) {
    const el = document.getElementById(place);
    const words = el?.firstElementChild;
    if (!el) continue;
    drawChart(globalThis.gpt4labVega, el, ...settings).then(() => words.remove(), console.error);
  }
};
globalThis.gpt4labDraw();
