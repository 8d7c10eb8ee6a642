import { bundleWorkflowCode } from '@temporalio/worker';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PAYLOAD_CONVERTER_PATH, WORKFLOWS_PATH } from './run-worker.ts';

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };

/** Bundles the workflows, the product's where no others are given, into a file, so that a worker with `WORKFLOW_BUNDLE` starts faster. */
export async function writeBundle(file: string, workflowsPath = WORKFLOWS_PATH): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: PAYLOAD_CONVERTER_PATH,
    logger: quiet,
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
}
