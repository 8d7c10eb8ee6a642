import { ApplicationFailure } from '@temporalio/common';

export interface Finding {
  check: string;
  verdict: 'well' | 'wrong' | 'not checked';
  /** What was found, one sentence or part of one. Text of outside systems may be in it. */
  found: string;
  todo?: string;
}

export const well = (check: string, found: string): Finding => ({ check, verdict: 'well', found });
export const wrong = (check: string, found: string, todo: string): Finding => ({
  check,
  verdict: 'wrong',
  found,
  todo,
});
export const notChecked = (check: string, found: string, todo?: string): Finding => ({
  check,
  verdict: 'not checked',
  found,
  todo,
});

/** Runs a check that throws where it is wrong. @param found what to say where it is not */
export async function examined(
  check: string,
  todo: string,
  found: () => Promise<string>,
): Promise<Finding> {
  try {
    return well(check, await found());
  } catch (error) {
    return wrong(check, reasonOf(error), todo);
  }
}

/**
 * Why something failed: the words of a failure of ours, which hold no secret; of anything else its
 * kind alone.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof ApplicationFailure) return error.message;
  return `it failed in an unexpected way (${error instanceof Error ? error.name : typeof error})`;
}

/** Runs checks; an unexpected error becomes a finding, so that earlier findings stay. */
export async function guarded(check: string, act: () => Promise<Finding[]>): Promise<Finding[]> {
  return act().catch((error: unknown) => [
    wrong(check, reasonOf(error), 'Run doctor again; if it fails again, report it.'),
  ]);
}

export function allNotChecked(checks: readonly string[], why: string): Finding[] {
  return checks.map((check) => notChecked(check, why));
}
