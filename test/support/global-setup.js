import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Prepares once what all tests share: the Temporal programs and the workflow bundle. A process of
 * its own, so that TypeScript runs as it is.
 */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default function setup() {
  const script = fileURLToPath(new URL('./prepare.ts', import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', script], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the tests could not be prepared');
}
