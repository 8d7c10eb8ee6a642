const { defaultPayloadConverter } = require('@temporalio/common');

/**
 * Temporal's own payload converter, except that what cannot be read becomes `undefined` instead of
 * an error. A signal's payload is decoded before any code of ours runs: one that is broken, or of an
 * unknown encoding, would fail every workflow task from then on; a memo of that kind would fail
 * every list that its workflow is in. CommonJS, because the SDK loads it by `require`, and bundles
 * it with the workflows.
 */
exports.payloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: (payload) => {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch {
      return undefined;
    }
  },
};
