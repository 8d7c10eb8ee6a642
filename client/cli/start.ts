import type { Workflow } from '@temporalio/client';
import { startFormLink, userMetadataLink } from '../../domain/rotation/index.ts';
import { command, parseRequest } from '../../domain/request/index.ts';
import { whyNothingMoves } from '../polling.ts';
import { type Started, startRotation } from '../start-workflows.ts';
import { leavesAlone, type Context } from './context.ts';
import { notAccepted, requestOrEnd, EXIT, type ExitCode } from './exit-codes.ts';
import { show } from './show.ts';

/** Starts a rotation, or says that the pair's is open. */
export async function start(
  context: Context,
  [apiUser = '', application = '']: string[],
  options: { reason?: string; force?: boolean; recipient?: string; wait?: boolean },
): Promise<ExitCode> {
  const { client, environment, ui } = context;
  const { reason, force, recipient } = options;
  const pair = { environment, apiUser, application };
  const asked = { ...pair, requestedBy: context.who(), reason, force, recipient };
  const request = requestOrEnd(parseRequest(asked));
  if (leavesAlone(context)) return EXIT.done;
  const started = await startRotation(client, request);
  const startForm = ui && startFormLink(ui, request);
  const code = await printStarted(context, started, { startForm });
  const { workflowId } = started.handle;
  if (!started.fresh && (force || recipient !== undefined))
    throw notAccepted(
      `The open rotation may have been started without ${force ? '--force' : '--recipient'}. If so, replace it: ${command(environment, 'abort', apiUser, application)} --reason replaced. Then start again.`,
    );
  return options.wait && code === EXIT.done ? show(context, [workflowId], { watch: true }) : code;
}

/** Says what was started, where to watch it and, if nothing moves, why. */
export async function printStarted(
  context: Context,
  { handle, fresh }: Started<Workflow>,
  more: object = {},
): Promise<ExitCode> {
  const { client, environment, ui } = context;
  const { workflowId } = handle;
  const { runId } = await handle.describe();
  const why = await whyNothingMoves(client, environment);
  const link = ui && userMetadataLink(ui, workflowId, runId);
  const what = fresh
    ? `Started ${workflowId}.`
    : `${workflowId} is open already; nothing was started.`;
  context.print([what, ...(link ? [`Watch it: ${link}`] : [])], {
    workflowId,
    runId,
    started: fresh,
    polled: why === undefined,
    link,
    ...more,
  });
  if (why === undefined) return EXIT.done;
  context.say(why);
  return EXIT.noWorker;
}
