import pLimit from 'p-limit';
import { startFormLink, userMetadataLink, WAITS_FOR_PERSON } from '../../domain/rotation/index.ts';
import { plain } from '../../domain/text/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { askStatus, listRotations, type ListedRotation, type Status } from '../rotations.ts';
import { needsSecondPerson } from '../../domain/request/index.ts';
import { AT_ONCE, type Context } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { columns } from './print.ts';

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
    const status = rotation.open ? await askStatus(client, rotation.workflowId, rotation.runId) : undefined;
    return { ...rotation, ...(status && { status }) };
  });
}

/** Prints what is open, and what waits for whom. */
export async function list(context: Context, options: { waiting?: boolean; closed?: boolean }): Promise<ExitCode> {
  const { environment, ui } = context;
  const known = await knownRotations(context, options);
  const rows = known.map((rotation) => [
    rotation.stage,
    rotation.startedAt.toISOString().slice(0, 16).replace('T', ' '),
    `${rotation.apiUser} → ${rotation.application}`,
    waitsFor(rotation),
  ]);
  const lines =
    known.length > 0
      ? columns(['STAGE', 'STARTED (UTC)', 'PAIR', 'WAITS FOR'], rows)
      : [`No rotation ${options.waiting ? 'waits for a person' : 'is open'} in ${environment}.`];
  context.print(
    lines,
    known.map((rotation) => ({
      ...rotation,
      waitsFor: waitsFor(rotation),
      ...(ui && {
        link: userMetadataLink(ui, rotation.workflowId, rotation.runId),
        startForm: startFormLink(ui, { environment, ...rotation }),
      }),
    })),
  );
  return EXIT.done;
}

/** What a rotation waits for, and whom. */
export function waitsFor({ status, stage, open }: Pick<KnownRotation, 'status' | 'stage' | 'open'>): string {
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
