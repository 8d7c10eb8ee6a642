import type { Evidence, Shortfall } from '../../domain/evidence.ts';
import { plain } from '../../domain/plain-text.ts';
import type { Status } from '../rotations.ts';
import type { Context } from './context.ts';
import { sendEach } from './decide.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';
import { knownRotations } from './list.ts';
import { evidenceLines } from './print.ts';
import { openRotation, statusOf } from './open-rotation.ts';

/** What an approver names. */
export interface Named {
  accept: Shortfall[];
  revoke?: number[];
}

/** A rotation that asks for approval, with its evidence and the code that stands for it now. */
interface Asking {
  workflowId: string;
  status: Status;
  evidence: Evidence;
  code: string;
}

/** Shows one rotation's evidence, asks, and approves exactly that. */
export async function approve(context: Context, pair: string[], named: Named): Promise<ExitCode> {
  const by = context.who();
  const workflowId = context.idOf(pair);
  await openRotation(context, workflowId);
  const asking = askingOf(workflowId, await statusOf(context, workflowId));
  if (!asking) throw new Ended(EXIT.nothing, plain(`${workflowId} does not wait for approval.`));
  context.say(...shown(asking));
  const lacking = lacks(asking, by, named);
  if (lacking !== undefined) throw new Ended(EXIT.notAccepted, plain(`Nothing was sent: ${lacking}.`));
  return send(context, by, named, [asking]);
}

/** Shows the evidence of everything that waits, asks once, and sends each its own code. What cannot be approved as it is, is named and left. */
export async function approveWaiting(context: Context, named: Pick<Named, 'accept'>): Promise<ExitCode> {
  const by = context.who();
  await context.needWorker();
  const known = await knownRotations(context, { waiting: true });
  const all = known.flatMap(({ workflowId, status }) => (status && askingOf(workflowId, status)) ?? []);
  if (all.length === 0) throw new Ended(EXIT.nothing, `No rotation waits for approval in ${context.environment}.`);
  const ready = all.filter((asking) => lacks(asking, by, named) === undefined);
  for (const asking of all) {
    const lacking = lacks(asking, by, named);
    context.say(...shown(asking), ...(lacking === undefined ? [] : [plain(`LEFT OUT: ${lacking}.`)]), '');
  }
  if (ready.length === 0) throw new Ended(EXIT.notAccepted, 'Nothing was sent: none can be approved as it is.');
  return send(context, by, named, ready);
}

async function send(context: Context, by: string, named: Named, askings: Asking[]): Promise<ExitCode> {
  const tokens = askings.flatMap(({ evidence }) =>
    revokes(evidence, named).map((id) => {
      const token = evidence.toRevoke.find(({ authorisationId }) => authorisationId === id);
      return `${token?.masked ?? ''} (authorisation ${id})`;
    }),
  );
  const recipients = askings.flatMap(({ evidence: { asks, recipient } }) =>
    asks === 'hand-over' ? [plain(recipient?.name ?? '')] : [],
  );
  const of = askings.length === 1 ? '' : ` of ${askings.length} rotations`;
  const count = `${tokens.length} token${tokens.length === 1 ? '' : 's'}${of}`;
  const { environment } = context;
  const questions = [
    ...(recipients.length > 0
      ? [`Issue a token in ${environment} and encrypt it for its holder outside: ${recipients.join(', ')}?`]
      : []),
    ...(tokens.length > 0 ? [`Revoke ${count} in ${environment}: ${tokens.join(', ')}?`] : []),
  ];
  await context.confirm(questions.join(' '));
  const { accept, revoke } = named;
  return sendEach(
    context,
    'approve',
    askings.map(({ workflowId, code }) => ({
      workflowId,
      decision: { by, evidence: code, ...(revoke && { revoke }), ...(accept.length > 0 && { accept }) },
    })),
  );
}

function askingOf(workflowId: string, status: Status): Asking | undefined {
  return status.waiting?.kind === 'approval' && status.code
    ? { workflowId, status, evidence: status.waiting.evidence, code: status.code }
    : undefined;
}

function shown({ status: { request }, evidence, code }: Asking): string[] {
  return [
    plain(`${request.apiUser} → ${request.application} (${request.environment}), asked for by ${request.requestedBy}`),
    ...evidenceLines(evidence),
    `Evidence code: ${code}`,
  ];
}

/** The tokens an approval would revoke. */
function revokes({ toRevoke }: Evidence, { revoke }: Pick<Named, 'revoke'>): number[] {
  return (
    revoke ?? toRevoke.filter(({ standing }) => standing === 'given-up').map(({ authorisationId }) => authorisationId)
  );
}

/** What an approval would be refused for, so that nobody is asked in vain; the rotation judges again. */
function lacks({ evidence, status: { request } }: Asking, by: string, named: Named): string | undefined {
  const plainly = (name: string): string => name.trim().toLowerCase();
  if (request.environment === 'production' && plainly(by) === plainly(request.requestedBy))
    return `production needs another person than ${request.requestedBy}`;
  const strangers = (named.revoke ?? []).filter(
    (id) => !evidence.toRevoke.some((token) => token.authorisationId === id),
  );
  if (strangers.length > 0) return `authorisation ${strangers.join(', ')} is not among the tokens to revoke`;
  if (evidence.asks === 'revoke' && revokes(evidence, named).length === 0)
    return 'no token was seen to be given up; name authorisation ids with --revoke';
  const codes = new Set(
    evidence.shortfalls.map(({ code }) => code).filter((code) => !(named.accept as string[]).includes(code)),
  );
  if (codes.has('smoke-failed')) return 'a smoke call failed';
  return codes.size > 0
    ? `not everything was shown; to go on all the same: --accept ${[...codes].join(' ')}`
    : undefined;
}
