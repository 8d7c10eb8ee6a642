import ms from 'ms';
import pLimit from 'p-limit';
import { startFormLink, userMetadataLink, WAITS_FOR_PERSON } from '../../domain/rotation/index.ts';
import { minute } from '../../domain/text/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { askStatus, listRotations, type ListedRotation, type Status } from '../rotations.ts';
import { needsSecondPerson } from '../../domain/request/index.ts';
import { AT_ONCE, type Context } from './context.ts';
import { noWorker, nothingThere, EXIT, type ExitCode } from './exit-codes.ts';
import type { Table } from './columns.ts';
import { printWatched, type Frame } from './watch.ts';

/** A listed rotation, and what it says of itself where a worker answers. */
interface KnownRotation extends ListedRotation {
  status?: Status;
}

/** Lists rotations, and asks each open one what it waits for. */
async function knownRotations(
  context: Context,
  options: { waiting?: boolean; closed?: boolean },
): Promise<KnownRotation[]> {
  const { client, environment } = context;
  const listed = await listRotations(client, environment, {
    ...(options.waiting && { stages: WAITS_FOR_PERSON }),
    closed: options.closed ?? false,
  });
  const why = await whyNothingMoves(client, environment);
  if (why !== undefined) {
    context.sayOnce(why);
    return listed;
  }
  return pLimit(AT_ONCE).map(listed, async (rotation) => {
    const status = rotation.open
      ? await askStatus(client, rotation.workflowId, rotation.runId)
      : undefined;
    return { ...rotation, status };
  });
}

/**
 * What of the rotations that wait for a person fits a command. Names those that no worker answers
 * for: nobody knows what they wait for.
 * @param which what is looked for, e.g. `waits for approval`
 * @returns it, and the exit code of a command that did all it could
 * @throws CommandEnd where there is none
 */
export async function thoseThatWait<T>(
  context: Context,
  which: string,
  fits: (rotation: { workflowId: string; status: Status }) => T | undefined,
): Promise<{ found: T[]; atBest: ExitCode }> {
  await context.needWorker();
  const known = await knownRotations(context, { waiting: true });
  const found = known.flatMap(
    ({ workflowId, status }) => (status && fits({ workflowId, status })) ?? [],
  );
  const silent = known.filter(({ open, status }) => open && !status);
  for (const { workflowId } of silent)
    context.say(`LEFT OUT: ${workflowId} does not answer; see the worker’s log.`);
  if (found.length > 0) return { found, atBest: silent.length > 0 ? EXIT.notAccepted : EXIT.done };
  throw silent.length > 0
    ? noWorker(`Nothing was sent: no rotation that answers ${which}.`)
    : nothingThere(`No rotation ${which} in ${context.environment}.`);
}

/**
 * Prints what is open, and what waits for whom; again whenever that changes, where it is watched.
 */
export function list(
  context: Context,
  _: string[],
  options: { waiting?: boolean; closed?: boolean; watch?: boolean },
): Promise<ExitCode> {
  const none = `No rotation ${options.waiting ? 'waits for a person' : 'is open'} in ${context.environment}.`;
  const look = async (): Promise<Frame> => {
    const known = await knownRotations(context, options);
    const key = known.map((one) => [one.runId, one.stage, waitsFor(one)]);
    return {
      lines: known.length > 0 ? [tableOf(context, known)] : [none],
      value: known.map((one) => valueOf(context, one)),
      key,
    };
  };
  return printWatched(context, look, options);
}

function tableOf({ output, ui }: Context, known: readonly KnownRotation[]): Table {
  const wide = output === 'wide';
  const now = Date.now();
  return {
    head: [
      'STAGE',
      wide ? 'STARTED' : 'AGE',
      'PAIR',
      'WAITS FOR',
      ...(wide ? ['REQUESTED BY', 'WORKFLOW', 'LINK'] : []),
    ],
    rows: known.map((one) => [
      one.end ?? one.stage,
      wide ? minute(one.startedAt.toISOString()) : ms(now - one.startedAt.getTime()),
      one.apiUser === '' ? one.workflowId : `${one.apiUser} → ${one.application}`,
      waitsFor(one),
      one.status?.request.requestedBy ?? '',
      one.workflowId,
      ui ? userMetadataLink(ui, one.workflowId, one.runId) : '',
    ]),
  };
}

function valueOf({ environment, ui }: Context, rotation: KnownRotation): object {
  const links = ui && {
    link: userMetadataLink(ui, rotation.workflowId, rotation.runId),
    startForm: startFormLink(ui, { environment, ...rotation }),
  };
  return { ...rotation, waitsFor: waitsFor(rotation), ...links };
}

function waitsFor({ status, stage, open }: KnownRotation): string {
  if (!open) return '';
  if (!status) return 'no answer from a worker';
  const { waiting, request } = status;
  if (waiting?.kind === 'blocked') return `retry or abort: ${waiting.failure} in “${waiting.step}”`;
  if (waiting?.kind === 'classification') return 'classify: who holds the token';
  if (waiting?.kind === 'approval')
    return needsSecondPerson(request.environment)
      ? `approval by another person than ${request.requestedBy}`
      : 'approval';
  return stage === 'waiting-approval'
    ? 'the verdict on an approval'
    : (status.steps.find(({ state }) => state === 'now')?.name ?? '');
}
