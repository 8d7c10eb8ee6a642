import { startFormLink, userMetadataLink } from '../../domain/rotation/index.ts';
import { parseRequest } from '../../domain/request/index.ts';
import { plain } from '../../domain/text/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { startRotation } from '../start-rotation.ts';
import { leavesAlone, type Context } from './context.ts';
import { CommandEnd, EXIT, type ExitCode } from './exit-codes.ts';
import { show } from './show.ts';

/** Starts a rotation, or says that the pair's is open. */
export async function start(
  context: Context,
  apiUser: string,
  application: string,
  options: { reason?: string; force?: boolean; recipient?: string; wait?: boolean },
): Promise<ExitCode> {
  const { client, environment, ui } = context;
  const { reason, force, recipient } = options;
  const parsed = parseRequest({
    environment,
    apiUser,
    application,
    requestedBy: context.who(),
    reason,
    force,
    recipient,
  });
  if (!parsed.ok) throw new CommandEnd(EXIT.usage, parsed.problems.join('\n'));
  if (leavesAlone(context)) return EXIT.done;
  const { handle, fresh } = await startRotation(client, parsed.request);
  const { runId } = await handle.describe();
  const why = await whyNothingMoves(client, environment);
  const link = ui && userMetadataLink(ui, handle.workflowId, runId);
  context.print(
    [
      plain(
        fresh
          ? `Started ${handle.workflowId}.`
          : `${handle.workflowId} is open already; nothing was started.`,
      ),
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
  if (why === undefined)
    return options.wait ? show(context, [handle.workflowId], { watch: true }) : EXIT.done;
  context.say(plain(why));
  return EXIT.noWorker;
}
