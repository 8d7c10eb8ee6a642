import type { TokenToRevoke } from '../../domain/evidence/index.ts';
import { command, type RotatedPair } from '../../domain/request/index.ts';
import type { HandOver, RotationReport } from '../../domain/rotation/index.ts';
import type { Context } from './context.ts';
import { nothingThere, EXIT, type ExitCode } from './exit-codes.ts';
import { describeRotation, endOf, statusOf } from './open-rotation.ts';

/**
 * Prints the new token for its holder outside the cluster, encrypted to their key, and what to tell
 * them.
 */
export async function handover(context: Context, pair: string[]): Promise<ExitCode> {
  const workflowId = await context.idOf(pair);
  const { of, handOver, toRevoke = [] } = await sealedBy(context, workflowId);
  if (!handOver)
    throw nothingThere(`${workflowId} has handed no token over, so there is nothing to send.`);
  context.say(...toTell(handOver, of, toRevoke), '');
  context.print(handOver.armoured.trim().split('\n'), handOver);
  return EXIT.done;
}

/** What to tell the holder, beside the armoured text. */
function toTell(
  { recipient, masked, authorisationId }: HandOver,
  { apiUser, application, environment }: RotatedPair,
  toRevoke: readonly Pick<TokenToRevoke, 'expires' | 'authorisationId'>[],
): string[] {
  const [oldEnds] = toRevoke.map(({ expires }) => expires).toSorted();
  const ids = toRevoke.map((token) => token.authorisationId);
  return [
    `For ${recipient}: the new token of ${apiUser} for ${application}, ${environment} (${masked}, authorisation ${authorisationId}).`,
    'Send them the text between BEGIN and END, by mail or chat: only their key opens it. Tell them:',
    '  1. Save it as token.age, and decrypt it where the token belongs: age --decrypt --identity KEY-FILE token.age',
    `  2. Use it as the bearer token for ${application} from now on. The old one works until it is revoked${oldEnds ? `, at the latest until ${oldEnds}` : ''}.`,
    '  3. Say when every caller uses it. Only then is the old one revoked.',
    `When they have said so: ${command(environment, 'approve', apiUser, application)} --accept consumer-confirmed --revoke ${ids.length > 0 ? ids.join(',') : 'IDS'}`,
  ];
}

/** From the report of a rotation that has ended, else from what it says itself. */
async function sealedBy(
  context: Context,
  workflowId: string,
): Promise<{ of: RotatedPair; handOver?: HandOver; toRevoke?: TokenToRevoke[] }> {
  const run = await describeRotation(context, workflowId);
  if (run.status.name === 'RUNNING') {
    const { request, handOver, waiting } = await statusOf(context, workflowId);
    const toRevoke = waiting?.kind === 'approval' ? waiting.evidence.toRevoke : [];
    return { of: request, handOver, toRevoke };
  }
  const report = (await endOf(context, run)).report as RotationReport | undefined;
  if (!report) throw nothingThere(`${workflowId} left no report.`);
  return { of: report, handOver: report.handOver };
}
