import { fileURLToPath } from 'node:url';

/** Where the workflows are; a bundle made before may be given instead. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
