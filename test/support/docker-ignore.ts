import { readFileSync } from 'node:fs';

/** The patterns of `.dockerignore`, as regular expressions of paths from the project's root. */
const PATTERNS = readFileSync(new URL('../../.dockerignore', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => line.trim().replace(/^\/+|\/+$/g, ''))
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    if (/^!|[[\]\\]/.test(line)) throw new Error(`${line} is not known here`);
    return new RegExp(
      `^${line
        .split(/(\*\*\/|\*\*|\*|\?)/)
        .map(partOf)
        .join('')}(/|$)`,
    );
  });

/**
 * Whether Docker leaves a path out of what it builds from: `*` stays within a folder, `**` spans
 * any number of them.
 */
export function isDockerIgnored(path: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(path));
}

function partOf(part: string): string {
  const wild = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' }[part];
  return wild ?? part.replace(/[.+^${}()|]/g, String.raw`\$&`);
}
