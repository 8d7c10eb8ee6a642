import { bundleWorkflowCode } from '@temporalio/worker';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findBinary } from '../../sandbox/temporal-server.ts';
import { PAYLOAD_CONVERTER_PATH, WORKFLOWS_PATH } from '../../worker/run-worker.ts';
import { BUNDLE } from './bundle.ts';

await findBinary('temporal');
await findBinary('temporal-test-server');
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
const { code } = await bundleWorkflowCode({
  workflowsPath: WORKFLOWS_PATH,
  payloadConverterPath: PAYLOAD_CONVERTER_PATH,
  logger: quiet,
});
mkdirSync(dirname(BUNDLE.codePath), { recursive: true });
writeFileSync(BUNDLE.codePath, code);
