// anywidget comes as an AMD module: catch its factory. It gives up a widget that is late by two seconds; a phone needs more.
globalThis.define = (_, factory) => (globalThis.g4lAnywidget = factory);
const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => timeout(Math.max(ms, 60_000));
