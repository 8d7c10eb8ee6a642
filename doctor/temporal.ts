import type { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Environment } from '../domain/request/index.ts';
import {
  attributesOfOtherTypes,
  ensureSearchAttributes,
  missingAttributes,
  removalOf,
  SearchAttributesMissing,
} from '../worker/search-attributes.ts';
import { whyNothingMoves } from '../client/polling.ts';
import { allNotChecked, guarded, notChecked, well, wrong, type Finding } from './finding.ts';

/** An alert may come again for so long, and must find what a person answered. */
const SHORTEST_RETENTION_DAYS = 15;

/**
 * Checks what rotations need of Temporal.
 * @param fix registers search attributes that are missing and keeps closed workflows long enough:
 * all that doctor ever changes there
 */
export async function examineTemporal(
  client: Client,
  environment: Environment,
  { fix }: { fix: boolean },
): Promise<Finding[]> {
  const { namespace } = client.options;
  const found = await client.workflowService
    .describeNamespace({ namespace })
    .catch(() => undefined);
  if (!found)
    return [
      wrong(
        'namespace',
        `Temporal does not show the namespace ${namespace}`,
        'Check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.',
      ),
      ...allNotChecked(['retention', 'search attributes', 'worker'], 'the namespace is not shown'),
    ];
  const seconds = Number(found.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return [
    well('namespace', namespace),
    ...(await guarded('retention', async () => [await retention(client, seconds / 86_400, fix)])),
    ...(await guarded('search attributes', async () => [await searchAttributes(client, fix)])),
    ...(await guarded('worker', async () => [await worker(client, environment)])),
  ];
}

async function retention(client: Client, days: number, fix: boolean): Promise<Finding> {
  const { namespace } = client.options;
  const kept = daysOf(days);
  if (days >= SHORTEST_RETENTION_DAYS)
    return well('retention', `closed workflows are kept for ${kept}`);
  const todo = `The alert receiver looks back ${SHORTEST_RETENTION_DAYS} days: doctor --fix, or: temporal operator namespace update --namespace ${namespace} --retention ${SHORTEST_RETENTION_DAYS}d`;
  if (!fix) return wrong('retention', `closed workflows are kept for ${kept}`, todo);
  try {
    await client.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(`${SHORTEST_RETENTION_DAYS} days`) },
    });
    return well(
      'retention',
      `closed workflows were kept for ${kept}, and are for ${daysOf(SHORTEST_RETENTION_DAYS)} now`,
    );
  } catch {
    return wrong(
      'retention',
      `closed workflows are kept for ${kept}, and this account may not change that`,
      todo,
    );
  }
}

function daysOf(days: number): string {
  const shown = Math.floor(days * 10) / 10;
  return `${shown} day${shown === 1 ? '' : 's'}`;
}

async function searchAttributes(client: Client, fix: boolean): Promise<Finding> {
  const { namespace } = client.options;
  const connection = client.connection as Connection;
  const wrongType = await attributesOfOtherTypes(connection, namespace);
  if (wrongType.length > 0)
    return wrong(
      'search attributes',
      `${wrongType.join(', ')} must be of type Keyword and is of another`,
      `Rotations would stall: ${removalOf(namespace, wrongType)}, then doctor --fix`,
    );
  const missing = await missingAttributes(connection, namespace).catch(() => undefined);
  if (missing === undefined)
    return notChecked('search attributes', 'Temporal does not say whether it knows them');
  if (missing.length === 0) return well('search attributes', 'all are registered');
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  const todo = `Rotations would stall: doctor --fix, or: temporal operator search-attribute create --namespace ${namespace} ${names}`;
  if (!fix) return wrong('search attributes', `not registered: ${missing.join(', ')}`, todo);
  try {
    await ensureSearchAttributes(connection, namespace);
    return well('search attributes', `${missing.join(', ')} were missing, and are registered now`);
  } catch (error) {
    const why =
      error instanceof SearchAttributesMissing ? error.message : 'they could not be registered';
    return wrong('search attributes', why, todo);
  }
}

async function worker(client: Client, environment: Environment): Promise<Finding> {
  const why = await whyNothingMoves(client, environment);
  if (why === undefined) return well('worker', 'a worker gets the tasks');
  const todo = why.startsWith('No worker')
    ? 'Start one; in Kubernetes, see why its pod does not run: kubectl --namespace signon-rotation get pods'
    : 'Do what this line says.';
  return wrong('worker', why, todo);
}
