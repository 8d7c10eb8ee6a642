import pLimit from 'p-limit';
import { startFormLink, userMetadataLink, WAITS_FOR_PERSON } from '../../domain/rotation/index.ts';
import { minute, plain } from '../../domain/text/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { askStatus, listRotations, type ListedRotation, type Status } from '../rotations.ts';
import { needsSecondPerson } from '../../domain/request/index.ts';
import { AT_ONCE, type Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Table } from './columns.ts';
import { printWatched, type Frame } from './watch.ts';

/** A listed rotation, and what it says of itself where a worker answers. */
export interface KnownRotation extends ListedRotation {
  status?: Status;
}

/** Lists rotations, and asks each open one what it waits for. */
export async function knownRotations(
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
    context.say(plain(why));
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
 * Names rotations that no worker answers for: nobody knows what they wait for.
 * @returns how many
 */
export function nameUnanswered(context: Context, known: readonly KnownRotation[]): number {
  const silent = known.filter(({ open, status }) => open && !status);
  for (const { workflowId } of silent)
    context.say(plain(`LEFT OUT: ${workflowId} does not answer; see the worker’s log.`));
  return silent.length;
}

/**
 * Prints what is open, and what waits for whom; again whenever that changes, where it is watched.
 */
export function list(
  context: Context,
  options: { waiting?: boolean; closed?: boolean; watch?: boolean },
): Promise<ExitCode> {
  const { environment, output } = context;
  const none = `No rotation ${options.waiting ? 'waits for a person' : 'is open'} in ${environment}.`;
  const look = async (): Promise<Frame> => {
    const known = await knownRotations(context, options);
    const now = Date.now();
    const table = output === 'wide' ? wideTable(context, known) : shortTable(known, now);
    const key = known.map((one) => [one.runId, one.stage, waitsFor(one)]);
    return {
      lines: known.length > 0 ? [table] : [none],
      value: known.map((one) => valueOf(context, one)),
      key,
    };
  };
  return printWatched(context, look, options);
}

function shortTable(known: readonly KnownRotation[], now: number): Table {
  return {
    head: ['STAGE', 'AGE', 'PAIR', 'WAITS FOR'],
    rows: known.map((one) => [
      one.stage,
      age(now - one.startedAt.getTime()),
      `${one.apiUser} → ${one.application}`,
      waitsFor(one),
    ]),
  };
}

function wideTable({ ui }: Context, known: readonly KnownRotation[]): Table {
  return {
    head: ['STAGE', 'STARTED', 'PAIR', 'WAITS FOR', 'REQUESTED BY', 'WORKFLOW', 'LINK'],
    rows: known.map((one) => [
      one.stage,
      minute(one.startedAt.toISOString()),
      `${one.apiUser} → ${one.application}`,
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

/** How long ago: `5m`, `3h`, `2d`. */
function age(time: number): string {
  const minutes = Math.max(0, Math.floor(time / 60_000));
  if (minutes < 60) return `${minutes}m`;
  return minutes < 24 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / (24 * 60))}d`;
}

/** What a rotation waits for, and whom. */
export function waitsFor({
  status,
  stage,
  open,
}: Pick<KnownRotation, 'status' | 'stage' | 'open'>): string {
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
