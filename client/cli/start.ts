import { startFormLink, userMetadataLink } from '../../domain/links.ts';
import { STAGING_IS_IGNORED } from '../../domain/plan.ts';
import { parseRequest } from '../../domain/request.ts';
import { plain } from '../../domain/plain-text.ts';
import { whyNothingMoves } from '../polling.ts';
import { startRotation } from '../start-rotation.ts';
import type { Context } from './context.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';

/** Starts a rotation, or says that the pair's is open. */
export async function start(
  context: Context,
  apiUser: string,
  application: string,
  options: { reason?: string; force?: boolean; recipient?: string },
): Promise<ExitCode> {
  const { client, environment, ui } = context;
  const { reason, force, recipient } = options;
  const parsed = parseRequest({
    environment,
    apiUser,
    application,
    requestedBy: context.who(),
    ...(reason !== undefined && { reason }),
    ...(force && { force }),
    ...(recipient !== undefined && { recipient }),
  });
  if (!parsed.ok) throw new Ended(EXIT.usage, parsed.problems.join('\n'));
  if (environment === 'staging') {
    context.print([`Nothing was started: staging is ignored, ${STAGING_IS_IGNORED}.`], {
      started: false,
      ignored: true,
    });
    return EXIT.done;
  }
  const { handle, fresh } = await startRotation(client, parsed.request);
  const { runId } = await handle.describe();
  const why = await whyNothingMoves(client, environment);
  const link = ui && userMetadataLink(ui, handle.workflowId, runId);
  context.print(
    [
      plain(fresh ? `Started ${handle.workflowId}.` : `${handle.workflowId} is open already; nothing was started.`),
      ...(link ? [`Watch it: ${link}`] : []),
    ],
    {
      workflowId: handle.workflowId,
      runId,
      started: fresh,
      polled: why === undefined,
      link,
      startForm: ui && startFormLink(ui, parsed.request),
    },
  );
  if (why === undefined) return EXIT.done;
  context.say(plain(why));
  return EXIT.noWorker;
}
