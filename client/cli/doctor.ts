import { SEARCH_ATTRIBUTES } from '../../domain/stage.ts';
import { plain } from '../../domain/plain-text.ts';
import { whyNothingMoves } from '../polling.ts';
import type { Context } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** What one check found. */
interface Finding {
  check: string;
  good: boolean;
  found: string;
  /** What to do, where it is not good. */
  todo?: string;
}

/** An alert may come again for so long, and must find what a person answered. */
const SHORTEST_RETENTION_DAYS = 15;

/** Checks what rotations need of Temporal; reads only. */
export async function doctor(context: Context): Promise<ExitCode> {
  const findings = [await retention(context), await searchAttributes(context), await workers(context)];
  const bad = findings.filter(({ good }) => !good);
  context.print(
    findings.flatMap(({ check, good, found, todo }) => [
      plain(`${good ? '✓' : '✗'} ${check}: ${found}`),
      ...(todo === undefined ? [] : [plain(`    ${todo}`)]),
    ]),
    findings,
  );
  return bad.length === 0 ? EXIT.done : EXIT.failed;
}

async function retention({ client }: Context): Promise<Finding> {
  const { namespace } = client.options;
  const { config } = await client.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const good = days >= SHORTEST_RETENTION_DAYS;
  return {
    check: 'retention',
    good,
    found: `closed workflows are kept for ${Math.floor(days * 10) / 10} days`,
    ...(!good && {
      todo: `The alert receiver looks back ${SHORTEST_RETENTION_DAYS} days: temporal operator namespace update --namespace ${namespace} --retention ${SHORTEST_RETENTION_DAYS}d`,
    }),
  };
}

async function searchAttributes({ client }: Context): Promise<Finding> {
  const { namespace } = client.options;
  const missing: string[] = [];
  for (const name of SEARCH_ATTRIBUTES) {
    const known = await client.workflow.count(`${name} = 'none'`).then(
      () => true,
      () => false,
    );
    if (!known) missing.push(name);
  }
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  return {
    check: 'search attributes',
    good: missing.length === 0,
    found: missing.length === 0 ? 'all are registered' : `${missing.join(', ')} cannot be searched by`,
    ...(missing.length > 0 && {
      todo: `Rotations would stall: temporal operator search-attribute create --namespace ${namespace} ${names}`,
    }),
  };
}

async function workers({ client, environment }: Context): Promise<Finding> {
  const why = await whyNothingMoves(client, environment);
  return {
    check: 'worker',
    good: why === undefined,
    found: why ?? 'one polls',
    ...(why?.startsWith('No worker') && { todo: 'Start one: npm run worker' }),
  };
}
