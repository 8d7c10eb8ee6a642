import type { Connection } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { redact } from '../domain/text/index.ts';
import { SEARCH_ATTRIBUTES, type SearchAttribute } from '../domain/rotation/index.ts';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;
/** gRPC's: a query names what the server does not know. */
const INVALID_ARGUMENT = 3;
/** A server may take a while to know of an attribute that was just registered. */
const KNOWN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;

/**
 * Thrown at start: rotations would stall on attributes that the namespace does not know. Names the
 * command that registers them.
 */
export class SearchAttributesMissing extends Error {
  constructor(namespace: string, why: string) {
    const names = SEARCH_ATTRIBUTES.flatMap((name) => ['--name', name, '--type', 'Keyword']);
    super(
      `The namespace ${namespace} lacks search attributes that rotations set, and they could not be registered (${why}). Register them:\n  temporal operator search-attribute create --namespace ${namespace} ${names.join(' ')}`,
    );
  }
}

/**
 * Sees to it that the namespace knows the search attributes of rotations: registers them where they
 * are missing and it may.
 * @throws SearchAttributesMissing
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<void> {
  const wrong = await attributesOfOtherTypes(connection, namespace);
  if (wrong.length > 0)
    throw new SearchAttributesMissing(
      namespace,
      `${wrong.join(', ')} must be of type Keyword and is of another; first remove:\n  ${removalOf(namespace, wrong)}\n`,
    );
  if (await areKnown(connection, namespace)) return;
  const refused = await connection.operatorService
    .addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD])),
    })
    .then(
      () => undefined,
      (error: unknown) =>
        redact(error instanceof Error ? error.message : String(error)).slice(0, 300),
    );
  const deadline = Date.now() + KNOWN_WITHIN_MS;
  // Where it is refused, another worker may have been faster.
  while (!(await areKnown(connection, namespace))) {
    const why = refused ?? `not known ${KNOWN_WITHIN_MS / 1000} s after registering`;
    if (refused !== undefined || Date.now() > deadline)
      throw new SearchAttributesMissing(namespace, why);
    await after(LOOK_EVERY_MS);
  }
}

/**
 * Names attributes of another type, which stall rotations as missing ones do; none where types
 * cannot be listed.
 */
export async function attributesOfOtherTypes(
  connection: Connection,
  namespace: string,
): Promise<string[]> {
  const answer = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch(() => undefined);
  return SEARCH_ATTRIBUTES.filter(
    (name) => (answer?.customAttributes?.[name] ?? KEYWORD) !== KEYWORD,
  );
}

export function removalOf(namespace: string, names: readonly string[]): string {
  return `temporal operator search-attribute remove --namespace ${namespace} ${names.map((name) => `--name ${name}`).join(' ')}`;
}

/** Attributes that no query can name: this tells where listing attributes is not permitted. */
export async function missingAttributes(
  connection: Connection,
  namespace: string,
): Promise<SearchAttribute[]> {
  const missing: SearchAttribute[] = [];
  for (const name of SEARCH_ATTRIBUTES) {
    const query = `${name} = 'none'`;
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query });
    } catch (error) {
      if ((error as { code?: number }).code !== INVALID_ARGUMENT) throw error;
      missing.push(name);
    }
  }
  return missing;
}

async function areKnown(connection: Connection, namespace: string): Promise<boolean> {
  return (await missingAttributes(connection, namespace)).length === 0;
}
