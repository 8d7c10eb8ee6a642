import { gatherEvidence, type Proof, type SmokeResult } from '../../../domain/evidence/index.ts';
import type { Consumer } from '../../../domain/cluster/index.ts';
import { parameterize } from '../../../domain/text/index.ts';
import type { Round } from '../../../domain/rotation/index.ts';
import type { ListedToken } from '../../../domain/tokens/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import type { Runbook } from '../runbook.ts';

/**
 * Makes the smoke calls, and puts together what the round has shown so far: the evidence for an
 * approval. Undefined where the calls were blocked: a retry may come days later, and what the round
 * has shown is old by then.
 */
export async function smokeCalls(book: Runbook, round: Round): Promise<Proof | undefined> {
  const now = Date.now();
  let tries = 0;
  const smoke = await book.step('smoke', async () =>
    ++tries > 1 ? undefined : callAll(book, round),
  );
  if (!smoke) {
    book.checklist.mark('smoke', 'to come');
    return undefined;
  }
  const { application } = round.pair;
  const { all: sightings } = book.sightings;
  return gatherEvidence({
    ...round,
    round: book.approvals.nextRound(),
    application: application.name,
    now,
    smoke,
    sightings,
  });
}

/**
 * Calls the server application from one ready pod of every consumer; blocks where a call with the
 * new token fails.
 * @param how.tokens what consumers may hold
 * @param how.mustPass the consumers whose call must pass; all of them where absent
 */
export async function callAll(
  book: Runbook,
  { look, pair, readers, newToken, settings }: Round,
  {
    failure = 'SmokeFailed',
    tokens = [newToken],
    mustPass = () => true,
  }: {
    failure?: 'SmokeFailed' | 'ConfirmFailed';
    tokens?: ListedToken[];
    mustPass?: (consumer: Consumer) => boolean;
  } = {},
): Promise<SmokeResult[]> {
  if (look.consumers.length === 0) {
    book.note('smoke', 'no container to call from');
    return [];
  }
  const application = parameterize(pair.application.name);
  const results = await activities.smokeConsumers({
    readers,
    tokens,
    application,
    call: settings.smokeCalls[application],
  });
  const failed = results.filter((one) => one.verdict === 'failed' && mustPass(one));
  if (failed.length > 0)
    throw blocks(
      failure,
      failed.map(({ container, pod, detail }) => `${container} in ${pod}: ${detail}`).join('; '),
    );
  const passed = results.filter(({ verdict }) => verdict === 'passed').length;
  const others = passed < look.consumers.length ? '; the evidence says why the others did not' : '';
  book.note('smoke', `${passed} of ${look.consumers.length} consumers passed${others}`);
  return results;
}
