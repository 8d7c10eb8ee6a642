import type { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../domain/stage.ts';
import type { Environment } from '../../domain/request.ts';
import { ensureSearchAttributes, SearchAttributesMissing } from '../../worker/search-attributes.ts';
import { whyNothingMoves } from '../polling.ts';
import { notChecked, well, wrong, type Finding } from './finding.ts';

/** An alert may come again for so long, and must find what a person answered. */
const SHORTEST_RETENTION_DAYS = 15;

/** Checks what rotations need of Temporal. @param fix registers search attributes that are missing: all that doctor ever changes there */
export async function examineTemporal(
  client: Client,
  environment: Environment,
  { fix }: { fix: boolean },
): Promise<Finding[]> {
  const { namespace } = client.options;
  const found = await client.workflowService.describeNamespace({ namespace }).catch(() => undefined);
  if (!found)
    return [
      wrong(
        'namespace',
        `Temporal does not show the namespace ${namespace}`,
        'Check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.',
      ),
      ...['retention', 'search attributes', 'worker'].map((check) => notChecked(check, 'the namespace is not shown')),
    ];
  const seconds = Number(found.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return [
    well('namespace', namespace),
    retention(namespace, seconds / 86_400),
    await searchAttributes(client, fix),
    await worker(client, environment),
  ];
}

function retention(namespace: string, days: number): Finding {
  const found = `closed workflows are kept for ${Math.floor(days * 10) / 10} days`;
  if (days >= SHORTEST_RETENTION_DAYS) return well('retention', found);
  return wrong(
    'retention',
    found,
    `The alert receiver looks back ${SHORTEST_RETENTION_DAYS} days: temporal operator namespace update --namespace ${namespace} --retention ${SHORTEST_RETENTION_DAYS}d`,
  );
}

async function searchAttributes(client: Client, fix: boolean): Promise<Finding> {
  const missing = await missingAttributes(client);
  if (missing.length === 0) return well('search attributes', 'all are registered');
  const { namespace } = client.options;
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  const todo = `Rotations would stall: signon-rotation doctor --fix, or: temporal operator search-attribute create --namespace ${namespace} ${names}`;
  if (!fix) return wrong('search attributes', `${missing.join(', ')} cannot be searched by`, todo);
  try {
    await ensureSearchAttributes(client.connection as Connection, namespace);
    return well('search attributes', `${missing.join(', ')} were missing, and are registered now`);
  } catch (error) {
    const why = error instanceof SearchAttributesMissing ? error.message : 'they could not be registered';
    return wrong('search attributes', why, todo);
  }
}

async function missingAttributes(client: Client): Promise<string[]> {
  const missing: string[] = [];
  for (const name of SEARCH_ATTRIBUTES) {
    const known = await client.workflow.count(`${name} = 'none'`).then(
      () => true,
      () => false,
    );
    if (!known) missing.push(name);
  }
  return missing;
}

async function worker(client: Client, environment: Environment): Promise<Finding> {
  const why = await whyNothingMoves(client, environment);
  if (why === undefined) return well('worker', 'one polls');
  const todo = why.startsWith('No worker') ? 'Start one: npm run worker' : 'The command stands above.';
  return wrong('worker', why, todo);
}
