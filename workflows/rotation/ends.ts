/** Thrown inside the runbook when a person stops it: unwinds to the tidy end. */
export class Stopped extends Error {}

/** Thrown where a person rejected what they were asked: unwinds to the end of the rotation. */
export class Rejected extends Error {
  constructor(readonly refusal: { by: string; reason: string }) {
    super();
  }
}
