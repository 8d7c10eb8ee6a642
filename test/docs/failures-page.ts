import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { FAILURES, isFailure, type Treatment } from '../../domain/rotation/failures.ts';

const PAGE = fileURLToPath(new URL('../../docs/failures.md', import.meta.url));
const BEFORE_DO: Record<Treatment, string> = {
  retried: 'Retried. ',
  blocks: '',
  fails: 'Fails the workflow. ',
};

/**
 * The page as it stands, and with what the code says about each failure: its last paragraph is
 * made, the rest is written by hand.
 */
export async function failuresPage(): Promise<{ written: string; made: string }> {
  const written = readFileSync(PAGE, 'utf8');
  const made = written.split(/^(?=## )/m).map(withTodo);
  return { written, made: await format(made.join('\n'), { parser: 'markdown' }) };
}

export async function writeFailuresPage(): Promise<void> {
  writeFileSync(PAGE, (await failuresPage()).made);
}

function withTodo(section: string): string {
  const name = /^## (.*)$/m.exec(section)?.[1]?.trim() ?? '';
  if (!isFailure(name)) return section;
  const byHand = section.split('\n').filter((line) => !line.includes('**Do:**'));
  const { treatment, todo } = FAILURES[name];
  return `${byHand.join('\n').trimEnd()}\n\n${BEFORE_DO[treatment]}**Do:** ${todo}\n`;
}
