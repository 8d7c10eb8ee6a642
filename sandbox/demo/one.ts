import type { WorkflowHandle } from '@temporalio/client';
import { createInterface } from 'node:readline/promises';
import { setTimeout as after } from 'node:timers/promises';
import type { Status } from '../../client/rotations.ts';
import { type RotateToken, startRotation } from '../../client/start-workflows.ts';
import { approvalFor, type RotationReport } from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import { expireIn, seedWorld } from '../seed.ts';
import type { World } from '../world.ts';
import type { Ground } from './ground.ts';
import { printEvidence, printProgress, printReport, printWhereToWatch } from './output.ts';

const request: RotationRequest = {
  environment: 'integration',
  apiUser: 'short-url-manager@alphagov.co.uk',
  application: 'publishing-api',
  requestedBy: 'demo',
};

type Rotation = WorkflowHandle<RotateToken>;

/** A small estate, with one token about to end. */
export function seedOne(): World {
  const world = seedWorld({
    environment: request.environment,
    only: ['short-url-manager', 'publishing-api', 'collections-publisher'],
  });
  expireIn(world, request.apiUser, request.application, 10);
  return world;
}

/** Rotates one token. */
export async function rotateOne({ temporal, sandbox, client, asks }: Ground): Promise<void> {
  const { handle } = await startRotation(client, request);
  const { runId } = await handle.describe();
  printWhereToWatch(
    { temporal, client },
    handle.workflowId,
    runId,
    `show ${request.apiUser} ${request.application}`,
  );
  printReport(await follow(handle, runId, asks), sandbox.world.happened);
  if (asks) await untilEnter();
}

/** Prints progress, asks for approval, and waits for the report. */
async function follow(handle: Rotation, runId: string, asks: boolean): Promise<RotationReport> {
  const over = new AbortController();
  const result = handle.result().finally(() => over.abort());
  result.catch(() => undefined); // awaited below
  let asked = '';
  let retried = '';
  let question = new AbortController();
  let asking = Promise.resolve();
  const printed = new Map<string, string>();
  while (!over.signal.aborted) {
    const status = await handle.query<Status>('status').catch(() => undefined);
    if (status) printProgress(status, printed);
    if (status?.code && status.waiting?.kind === 'approval' && status.code !== asked) {
      asked = status.code;
      question.abort(); // it asked about older evidence
      await asking;
      printEvidence(status.waiting.evidence, request.environment);
      const approval = { ...approvalFor(status.waiting.evidence, runId), by: 'you@example.org' };
      if (!asks) {
        console.log('   Approving by itself (--yes, or no terminal).');
        await handle.signal('approve', approval);
      } else {
        question = new AbortController();
        asking = askInTerminal(handle, approval, AbortSignal.any([over.signal, question.signal]));
      }
    }
    if (!asks && status?.waiting?.kind === 'blocked' && status.waiting.since !== retried) {
      retried = status.waiting.since;
      console.log('   Retrying by itself (--yes, or no terminal).');
      await handle.signal('retry', { by: 'you@example.org' });
    }
    await after(500, undefined, { signal: over.signal }).catch(() => undefined);
  }
  // it may have ended between two looks
  const last = await handle.query<Status>('status').catch(() => undefined);
  if (last) printProgress(last, printed);
  return result;
}

/** Keeps the server and its UI, so that the end can be looked at there. */
async function untilEnter(): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  await terminal.question(
    '\nDone. The Temporal UI shows how it ended. Press Enter to stop everything. ',
  );
  terminal.close();
}

/** Asks in the terminal; an answer in the UI ends the question. */
async function askInTerminal(handle: Rotation, approval: object, over: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('error', () => undefined); // the terminal was closed
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    console.log('   Approve it in the Temporal UI, as its page says,');
    let answer = '';
    while (!/^(y|yes|n|no)$/i.test(answer))
      answer = (
        await terminal.question(
          '   or answer here: revoke the old token in integration (sandbox)? yes/no: ',
          {
            signal: over,
          },
        )
      ).trim();
    if (/^y/i.test(answer)) await handle.signal('approve', approval);
    else
      await handle.signal('reject', {
        by: 'you@example.org',
        reason: 'answered no in the terminal',
      });
  } catch {
    console.log('\n   Decided elsewhere, or asked anew.');
  } finally {
    terminal.close();
  }
}
