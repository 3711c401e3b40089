// The widgets' library gives up on a widget that has not come within two seconds; a slow machine needs more. Once a page.
globalThis.gpt4labPatient ??= (() => {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  return (AbortSignal.timeout = (ms) => timeout(ms === 2000 ? 60_000 : ms));
})();
