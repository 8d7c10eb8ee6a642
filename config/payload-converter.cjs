const { defaultPayloadConverter } = require('@temporalio/common');

/**
 * Lists and objects in each other, at most: ours have ten. `JSON.parse` reads far deeper ones, and
 * `JSON.stringify` then exhausts the stack.
 */
const DEEPEST = 50;

/**
 * Temporal's own payload converter, except that what we cannot use becomes `undefined` instead of
 * an error: what is broken, of an unknown encoding, nested too deeply, or bytes (nothing of ours
 * sends any). A signal's payload is decoded before any code of ours runs, so an error would fail
 * every workflow task from then on; one in a memo would fail every list that its workflow is in.
 * CommonJS, because the SDK loads it by `require`, and bundles it with the workflows.
 */
exports.payloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: (payload) => {
    try {
      const value = defaultPayloadConverter.fromPayload(payload);
      return isUsable(value, DEEPEST) ? value : undefined;
    } catch {
      return undefined;
    }
  },
};

function isUsable(value, depth) {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0 || ArrayBuffer.isView(value)) return false;
  return Object.values(value).every((part) => isUsable(part, depth - 1));
}
