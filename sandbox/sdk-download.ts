import { TestWorkflowEnvironment } from '@temporalio/testing';
import { copyFileSync, chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

/**
 * The programs that come from outside: the server with its UI, and the test server that skips time.
 */
export type Binary = 'temporal' | 'temporal-test-server';

const LIMIT_MS = 60_000;

/**
 * Lets Temporal's SDK download the program, as its test environment does, and keeps it.
 * @returns why not, or undefined
 */
export async function downloadBySdk(name: Binary, target: string): Promise<string | undefined> {
  const downloadDir = mkdtempSync(join(dirname(target), 'sdk-'));
  const executable = { type: 'cached-download' as const, downloadDir };
  const starting =
    name === 'temporal'
      ? TestWorkflowEnvironment.createLocal({ server: { executable } })
      : TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  try {
    const environment = await Promise.race([starting, after(LIMIT_MS, undefined, { ref: false })]);
    if (!environment) {
      starting.then((late) => late.teardown()).catch(() => undefined);
      return `took more than ${LIMIT_MS / 1000} s`;
    }
    await environment.teardown();
    const [program] = readdirSync(downloadDir);
    if (!program) return 'it left no program';
    copyFileSync(join(downloadDir, program), target);
    chmodSync(target, 0o755);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'failed') : 'failed';
  } finally {
    rmSync(downloadDir, { recursive: true, force: true });
  }
}
