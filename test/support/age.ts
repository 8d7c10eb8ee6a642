import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether the real `age` is on the PATH. */
export const HAS_AGE = ['age', 'age-keygen'].every((program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program))),
);

/**
 * A new key pair, as a holder outside makes it: the file with the private key, and the public key.
 */
export function ageKey(file: string): string {
  execFileSync('age-keygen', ['--output', file], { stdio: 'ignore' });
  return execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim();
}

/** What a text says to whoever has the private key. */
export function decrypt(armoured: string, file: string): string {
  return execFileSync('age', ['--decrypt', '--identity', file], {
    input: armoured,
    encoding: 'utf8',
  });
}
