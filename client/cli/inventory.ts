import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { todoFor, userMetadataLink } from '../../domain/rotation/index.ts';
import { type Inventory, parseInventoryRequest } from '../../domain/inventory/index.ts';
import { listRotations } from '../rotations.ts';
import { inventoryCsv } from '../inventory/csv.ts';
import type { OpenRotation } from '../inventory/open.ts';
import { inventoryPage } from '../inventory/page.ts';
import { inventoryLines } from '../inventory/table.ts';
import { startInventory } from '../start-workflows.ts';
import type { Context } from './context.ts';
import { badUsage, failed, requestOrEnd, EXIT, type ExitCode } from './exit-codes.ts';

/** Has every pair read by a worker, and prints what the estate looks like. */
export async function inventory(
  context: Context,
  _: string[],
  { csv = false, html = false }: { csv?: boolean; html?: boolean },
): Promise<ExitCode> {
  if (
    [csv, html, context.output === 'json' || context.output === 'yaml'].filter(Boolean).length > 1
  )
    throw badUsage('Say one of --csv, --html and --output.');
  const { terminal } = context;
  const found = await takenInventory(context);
  if (csv) terminal.out(inventoryCsv(found));
  else if (html) terminal.out(inventoryPage(found, await openNow(context)));
  else context.print(inventoryLines(found, await openNow(context)), found);
  return EXIT.done;
}

/** Has a worker read every pair. @throws CommandEnd where it cannot */
export async function takenInventory(context: Context): Promise<Inventory> {
  const asked = { environment: context.environment, requestedBy: context.who() };
  const request = requestOrEnd(parseInventoryRequest(asked));
  await context.needWorker();
  context.say('A worker reads the tokens of all API users, one page after the other.');
  const { handle } = await startInventory(context.client, request);
  return handle.result().catch(fail);
}

async function openNow({ client, environment, ui }: Context): Promise<OpenRotation[]> {
  const open = await listRotations(client, environment);
  return open.map((one) => ({
    ...one,
    link: ui && userMetadataLink(ui, one.workflowId, one.runId),
  }));
}

function fail(error: unknown): Inventory {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? (cause.type ?? 'Unexpected') : 'Unexpected';
  throw failed(`${type}: ${cause?.message ?? error.message} ${todoFor(type)}`);
}
