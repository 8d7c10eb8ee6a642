import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SignInBudget } from '../../activities/signon/session.ts';

const MARK = fileURLToPath(new URL('../../.cache/contract-sign-in-pending', import.meta.url));
const HOUR_MS = 3_600_000;

/**
 * Lets the suites send a password to a live Signon only while none of theirs was refused, or left
 * without an answer, in the last hour: six refusals would lock the account and end the worker's
 * session. The mark outlives the run.
 */
export const oneRefusalAnHour: SignInBudget = {
  reserve() {
    const marked = statSync(MARK, { throwIfNoEntry: false });
    if (marked && Date.now() - marked.mtimeMs < HOUR_MS)
      throw new Error(
        `Signon did not accept a sign-in within the last hour: correct the credentials, then delete ${MARK}`,
      );
    mkdirSync(dirname(MARK), { recursive: true });
    writeFileSync(MARK, '');
    return Promise.resolve((outcome) => {
      if (outcome === 'accepted') rmSync(MARK);
      return Promise.resolve();
    });
  },
};
