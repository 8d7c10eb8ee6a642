import { bundleWorkflowCode, type BundleOptions, DefaultLogger } from '@temporalio/worker';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATA_CONVERTER } from '../config/temporal.ts';

/** Where the workflows are; a bundle made before may be given instead. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/**
 * The rules hold no state, so all workflows of a worker share them: each would else keep a copy of
 * its own, and load it.
 */
export function bundlerOptions(): Pick<BundleOptions, 'preloadModules'> {
  const domain = new URL('../domain/', import.meta.url);
  if (!existsSync(domain)) return {}; // a built worker has a bundle
  return {
    preloadModules: readdirSync(domain).map((folder) =>
      fileURLToPath(new URL(`${folder}/index.ts`, domain)),
    ),
  };
}

/**
 * Bundles the workflows, the product's where no others are given, into a file, so that a worker
 * with `WORKFLOW_BUNDLE` starts faster.
 */
export async function writeBundle(file: string, workflowsPath = WORKFLOWS_PATH): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    ...DATA_CONVERTER,
    logger: new DefaultLogger('WARN'),
    ...(workflowsPath === WORKFLOWS_PATH ? bundlerOptions() : {}),
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
}
