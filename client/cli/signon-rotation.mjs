#!/usr/bin/env node
import { existsSync } from 'node:fs';

/**
 * In a checkout the source runs; in an installed package, which has none, what `npm pack` built.
 */
const isCheckout = existsSync(new URL('./main.ts', import.meta.url));
if (isCheckout) (await import('tsx/esm/api')).register();
await import(isCheckout ? './main.ts' : '../../dist/client/cli/main.mjs');
