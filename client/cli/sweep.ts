import type { WorkflowExecutionDescription } from '@temporalio/client';
import {
  countByState,
  isOfApiUser,
  parseSweepRequest,
  RANK,
  rowId,
  type SweepDecisions,
  type SweepProgress,
  type SweepReport,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import { command, type Environment } from '../../domain/request/index.ts';
import { minute } from '../../domain/text/index.ts';
import { lastRunOf } from '../rotations.ts';
import { startSweep } from '../start-workflows.ts';
import { leavesAlone, type Context } from './context.ts';
import { sendEach } from './decide.ts';
import { nothingThere, requestOrEnd, EXIT, type ExitCode } from './exit-codes.ts';
import { refuseEnded } from './open-rotation.ts';
import type { Printed } from './columns.ts';
import { printStarted } from './start.ts';
import { frameOf, printWatched, type Frame } from './watch.ts';
import { apiUserIdsOf, sweepId } from '../../domain/names/index.ts';

/** Starts a sweep, or says that the environment's is open. A plan is waited for and printed. */
export async function startOne(
  context: Context,
  _: string[],
  { plan, maxConcurrent, all = false }: { plan?: boolean; maxConcurrent?: number; all?: boolean },
): Promise<ExitCode> {
  const { client, environment } = context;
  const asked = { environment, requestedBy: context.who(), maxConcurrent, plan };
  const request = requestOrEnd(parseSweepRequest(asked));
  if (leavesAlone(context)) return EXIT.done;
  if (plan) await context.needWorker(); // it is waited for
  const started = await startSweep(client, request);
  if (plan) {
    const report = await started.handle.result();
    context.print(reportLines(report, { all, ids: context.output === 'wide' }), { report });
    return report.outcome === 'planned' ? EXIT.done : EXIT.failed;
  }
  return printStarted(context, started);
}

/**
 * Prints where the environment's sweep stands; again whenever it changes, to the end, where it is
 * watched.
 * @param all the pairs that are left alone too
 */
export function showSweep(
  context: Context,
  workflowId: string,
  { watch = false, all = false }: { watch?: boolean; all?: boolean },
): Promise<ExitCode> {
  const wanted = { all, ids: context.output === 'wide' };
  const look = async (): Promise<Frame> => {
    const run = await describeSweep(context, workflowId);
    return frameOf<SweepProgress>(context, run, {
      status: (status) => progressLines(status, wanted),
      needsPerson: ({ blocked }) => blocked !== undefined,
      report: (report) => [
        ...reportLines(report as SweepReport, wanted),
        '',
        `This is as of ${minute((run.closeTime ?? new Date()).toISOString())}. Where the rotations stand now: ${command(context.environment, 'list')}`,
      ],
    });
  };
  return printWatched(context, look, { watch, until: 'needed' });
}

/**
 * The id of the environment's sweep; of the rotations of an API user, after a leak, where one is
 * named.
 */
export function idOfSweep({ environment }: Context, apiUser: string | undefined): string {
  return apiUser === undefined
    ? sweepId(environment)
    : `${apiUserIdsOf(environment)}${apiUser.trim().toLowerCase()}`;
}

export async function decideSweep(
  context: Context,
  workflowId: string,
  name: keyof SweepDecisions,
  reason: string | undefined,
): Promise<ExitCode> {
  const decision = { by: context.who(), reason };
  refuseEnded(await describeSweep(context, workflowId));
  await context.needWorker();
  return sendEach(context, name, [{ workflowId, decision }]);
}

async function describeSweep(
  { client, environment }: Context,
  workflowId: string,
): Promise<WorkflowExecutionDescription> {
  const run = await lastRunOf(client, workflowId);
  if (run) return run;
  const how = workflowId === sweepId(environment) ? 'sweep start' : 'leak API-USER --reason WHY';
  const start = `Start one: npx signon-rotation ${how} --environment ${environment}`;
  throw nothingThere(`There was no ${workflowId}. ${start}`);
}

/** Whether the pairs that are left alone are wanted too, and the ids of rotations. */
interface Wanted {
  all: boolean;
  ids: boolean;
}

function progressLines(
  { request, rows, doing, pausedBy, blocked, lastAnswer }: SweepProgress,
  wanted: Wanted,
): Printed[] {
  const named = isOfApiUser(request) ? [request.apiUser] : [];
  const next = (verb: string): string => command(request.environment, 'sweep', verb, ...named);
  return [
    `${isOfApiUser(request) ? `Tokens of ${request.apiUser}` : 'Expiring tokens'}, ${request.environment}, requested by ${request.requestedBy}`,
    `  ${doing}`,
    ...(pausedBy === undefined ? [] : [`  Paused by ${pausedBy}: ${next('resume')}`]),
    ...(lastAnswer === undefined ? [] : [`  last answer: ${lastAnswer}`]),
    ...(blocked
      ? [
          `  Blocked since ${minute(blocked.since)}: ${blocked.failure}: ${blocked.message}`,
          `  What to do: ${blocked.todo} Then: ${next('retry')}`,
        ]
      : []),
    ...rowLines(request.environment, rows, wanted),
  ];
}

function reportLines({ outcome, why, environment, rows }: SweepReport, wanted: Wanted): Printed[] {
  return [`Outcome: ${outcome}: ${why}`, ...rowLines(environment, rows, wanted)];
}

/** How many stand where, then each pair that is not left alone, those that need a person first. */
function rowLines(
  environment: Environment,
  rows: readonly SweepRow[],
  { all, ids }: Wanted,
): Printed[] {
  if (rows.length === 0) return [];
  const counts = countByState(rows).map(({ state, count }) => `${count} ${state}`);
  const shown = rows
    .filter(({ state }) => all || state !== 'left alone')
    .toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state));
  const cells = shown.map((row) => [
    row.state,
    row.ends ?? '',
    `${row.apiUser} → ${row.application}`,
    row.what,
    ids ? rowId(environment, row) : '',
  ]);
  const head = ['STAGE', 'ENDS', 'PAIR', 'WHAT', ...(ids ? ['WORKFLOW'] : [])];
  const hidden = rows.length - shown.length;
  return [
    `  ${counts.join(', ')}`,
    ...(shown.length > 0 ? ['', { head, rows: cells }] : []),
    ...(hidden > 0 ? ['', `${hidden} left alone: --all shows them`] : []),
  ];
}
