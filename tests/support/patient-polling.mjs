/**
 * `NODE_OPTIONS=--import=./tests/support/patient-polling.mjs`: Node's WebGPU asks the driver for what is done in every turn of the event loop, which takes a
 * whole core; with this it asks once a millisecond. For long runs of a software adapter on few cores, and for the GPU suites of `npm test`
 * (vitest.config.ts); it changes times, never a number.
 */
const { setImmediate: atOnce, setTimeout: later } = globalThis;
const isNative = (callback) => /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(callback));

globalThis.setImmediate = (callback, ...args) => (isNative(callback) ? later(callback, 1, ...args) : atOnce(callback, ...args));
