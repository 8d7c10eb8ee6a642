import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundle } from '../../worker/bundle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One change of a file of the workflows: what stands there once, and what is to stand there. */
export interface Change {
  file: string;
  find: string;
  replace: string;
}

/** The workflows with changes, bundled as another version of the worker would bring them. */
export async function changedBundle(...changes: Change[]): Promise<{ codePath: string }> {
  // inside, where imports find their packages
  const folder = mkdtempSync(join(ROOT, '.cache', 'changed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['workflows', 'domain'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  for (const { file, find, replace } of changes) {
    const path = join(folder, file);
    const source = readFileSync(path, 'utf8');
    if (source.split(find).length !== 2)
      throw new Error(`${file} does not hold exactly one “${find}”`);
    writeFileSync(
      path,
      source.replace(find, () => replace),
    );
  }
  const codePath = join(folder, 'bundle.js');
  await writeBundle(codePath, join(folder, 'workflows', 'index.ts'));
  return { codePath };
}
