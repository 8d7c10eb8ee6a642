import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '../support/jest.ts';

const PROGRAM = fileURLToPath(new URL('../../client/cli/signon-rotation.mjs', import.meta.url));
const run = (...args: string[]): string =>
  execFileSync('node', [PROGRAM, ...args], { encoding: 'utf8' });

/** What the shell's script is told after these words, the last of which is being typed. */
function completed(...words: string[]): string[] {
  const lines = run('complete', '--', ...words)
    .trim()
    .split('\n');
  return lines.slice(0, -1).map((line) => line.split('\t')[0]!); // the last one is a directive
}

test('commands, options and what an option takes are completed', () => {
  expect(completed('sw')).toEqual(['sweep']);
  expect(completed('sweep', 'sh')).toEqual(['show']);
  expect(completed('show', '--wa')).toEqual(['--watch']);
  expect(completed('list', '--environment', 'prod')).toEqual(['production']);
});

test.each(['bash', 'zsh', 'fish'])('%s has a script that asks for them', (shell) => {
  expect(run('completion', shell)).toContain('signon-rotation complete --');
});

test('bash can read its script', () => {
  execFileSync('bash', ['-n'], { input: run('completion', 'bash') });
});
