import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stage.ts';

/** What a text looks like inside base64, wherever in a group of three bytes it begins. */
function inBase64(text: string, encoding: 'base64' | 'base64url', offset: 0 | 1 | 2): string {
  const encoded = Buffer.from('x'.repeat(offset) + text)
    .toString(encoding)
    .replace(/=+$/, '');
  return encoded.slice(offset === 0 ? 0 : offset + 1, -1);
}

/** A secret in every spelling that could carry it away, and its halves. */
function spellings(secret: string): string[] {
  const half = Math.ceil(secret.length / 2);
  const halves = secret.length >= 24 ? [secret.slice(0, half), secret.slice(half)] : [];
  return [secret, ...halves].flatMap((text) => [
    text,
    encodeURIComponent(text),
    ...([0, 1, 2] as const).flatMap((offset) => [
      inBase64(text, 'base64', offset),
      inBase64(text, 'base64url', offset),
    ]),
    Buffer.from(text).toString('hex'),
  ]);
}

/** Every history of a stage's server, and its data file, as text. */
export async function whatTemporalKeeps(
  stage: Pick<Stage, 'client' | 'folder'>,
): Promise<Record<string, string>> {
  const kept: Record<string, string> = {};
  for await (const { workflowId, runId } of stage.client.workflow.list()) {
    const history = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory();
    kept[`the history of ${workflowId}`] = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
  }
  for (const file of readdirSync(stage.folder).filter((name) => name.startsWith('temporal.db')))
    kept[file] = bytesOf(join(stage.folder, file)).toString('latin1');
  return kept;
}

/**
 * Which secrets are where, in whatever spelling: `token 145 in the history of …`. Secrets and
 * haystacks by what they are.
 */
export function findSecrets(
  secrets: Record<string, string>,
  haystacks: Record<string, string>,
): string[] {
  return Object.entries(secrets).flatMap(([what, secret]) =>
    Object.entries(haystacks).flatMap(([where, text]) =>
      spellings(secret).some((spelling) => text.includes(spelling)) ? [`${what} in ${where}`] : [],
    ),
  );
}

/**
 * A file's bytes; none where it is gone by now, as SQLite's journal is whenever a transaction ends.
 */
function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
