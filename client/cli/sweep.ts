import { WorkflowFailedError } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { userMetadataLink } from '../../domain/rotation/index.ts';
import {
  countByState,
  parseSweepRequest,
  RANK,
  type SweepDecisions,
  type SweepProgress,
  type SweepReport,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import { plain } from '../../domain/text/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { askStatus, type Sendable } from '../rotations.ts';
import { startSweep, type RotateExpiringTokens } from '../start-sweep.ts';
import { leavesAlone, type Context } from './context.ts';
import { sendEach } from './decide.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';
import { describeRun } from './open-rotation.ts';
import { columns } from './print.ts';
import { sweepId } from '../../domain/names/index.ts';

const LOOK_EVERY_MS = 1000;

/** Starts a sweep, or says that the environment's is open. A plan is waited for and printed. */
export async function startOne(
  context: Context,
  { plan, maxConcurrent }: { plan?: boolean; maxConcurrent?: number },
): Promise<ExitCode> {
  const { client, environment, ui } = context;
  const parsed = parseSweepRequest({
    environment,
    requestedBy: context.who(),
    ...(maxConcurrent !== undefined && { maxConcurrent }),
    ...(plan && { plan }),
  });
  if (!parsed.ok) throw new Ended(EXIT.usage, parsed.problems.join('\n'));
  if (leavesAlone(context)) return EXIT.done;
  if (plan) await context.needWorker(); // it is waited for
  const { handle, fresh } = await startSweep(client, parsed.request);
  if (plan) {
    const report = await handle.result();
    context.print(reportLines(report), { report });
    return EXIT.done;
  }
  const { runId } = await handle.describe();
  const link = ui && userMetadataLink(ui, handle.workflowId, runId);
  context.print(
    [
      fresh ? `Started ${handle.workflowId}.` : `${handle.workflowId} is open already; nothing was started.`,
      ...(link ? [`Watch it: ${link}`] : []),
    ],
    { workflowId: handle.workflowId, runId, started: fresh, link },
  );
  const why = await whyNothingMoves(client, environment);
  if (why === undefined) return EXIT.done;
  context.say(plain(why));
  return EXIT.noWorker;
}

/** Prints where the environment's sweep stands; again whenever it changes, to the end, where it is watched. */
export async function showSweep(context: Context, { watch }: { watch?: boolean }): Promise<ExitCode> {
  const workflowId = sweepId(context.environment);
  let printed = '';
  for (;;) {
    const { runId, status } = await describeSweep(context);
    const ended = status.name !== 'RUNNING';
    const { lines, value } = ended
      ? await howItEnded(context, workflowId, runId, status.name)
      : await howItStands(context, workflowId);
    const text = lines.join('\n');
    if (text !== printed) context.print(printed === '' ? lines : ['', ...lines], value);
    printed = text;
    if (!watch || ended) return EXIT.done;
    await after(LOOK_EVERY_MS);
  }
}

/** Sends the environment's sweep a decision. */
export async function decideSweep<Name extends keyof SweepDecisions>(
  context: Context,
  name: Name,
  decision: Sendable[Name],
): Promise<ExitCode> {
  const workflowId = sweepId(context.environment);
  const { status } = await describeSweep(context);
  if (status.name !== 'RUNNING')
    throw new Ended(EXIT.nothing, `${workflowId} is not open: it is ${status.name.toLowerCase()}.`);
  await context.needWorker();
  return sendEach(context, name, [{ workflowId, decision }]);
}

function describeSweep(context: Context): ReturnType<typeof describeRun> {
  const { environment } = context;
  const start = `Start one: signon-rotation sweep start --environment ${environment}`;
  const none = (): Ended => new Ended(EXIT.nothing, `There was no sweep of ${environment}. ${start}`);
  return describeRun(context, sweepId(environment), none);
}

async function howItStands(context: Context, workflowId: string): Promise<{ lines: string[]; value: object }> {
  await context.needWorker();
  const status = await askStatus<SweepProgress>(context.client, workflowId);
  if (!status) throw new Ended(EXIT.noWorker, `${workflowId} does not answer: is its worker well?`);
  return { lines: progressLines(status), value: status };
}

async function howItEnded(
  { client }: Context,
  workflowId: string,
  runId: string,
  how: string,
): Promise<{ lines: string[]; value: object }> {
  try {
    const report = await client.workflow.getHandle<RotateExpiringTokens>(workflowId, runId).result();
    return { lines: reportLines(report), value: { report } };
  } catch (error) {
    const why = error instanceof WorkflowFailedError ? (error.cause?.message ?? '') : '';
    const line = plain(`${workflowId} ended as ${how.toLowerCase()}${why ? `: ${why}` : ''}`);
    return { lines: [line], value: { ended: how.toLowerCase(), why } };
  }
}

function progressLines({ request, rows, doing, pausedBy, blocked, lastAnswer }: SweepProgress): string[] {
  return [
    plain(`Expiring tokens of ${request.environment}, requested by ${request.requestedBy}`),
    plain(`  ${doing}`),
    ...(pausedBy === undefined ? [] : [plain(`  Paused by ${pausedBy}: signon-rotation sweep resume`)]),
    ...(lastAnswer === undefined ? [] : [plain(`  last answer: ${lastAnswer}`)]),
    ...(blocked
      ? [
          plain(`  Blocked since ${blocked.since}: ${blocked.failure}: ${blocked.message}`),
          plain(`  What to do: ${blocked.todo} Then: signon-rotation sweep retry`),
        ]
      : []),
    ...rowLines(rows),
  ];
}

function reportLines({ outcome, why, rows }: SweepReport): string[] {
  return [plain(`Outcome: ${outcome}. ${why}`), ...rowLines(rows)];
}

/** How many stand where, then each pair, those that need a person first. */
function rowLines(rows: readonly SweepRow[]): string[] {
  if (rows.length === 0) return [];
  const counts = countByState(rows).map(({ state, count }) => `${count} ${state}`);
  const sorted = rows.toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state));
  const cells = sorted.map(({ state, ends, apiUser, application, what }) => [
    state,
    ends ?? '',
    `${apiUser} → ${application}`,
    what,
  ]);
  return [`  ${counts.join(', ')}`, '', ...columns(['STAGE', 'ENDS', 'PAIR', 'WHAT'], cells)];
}
