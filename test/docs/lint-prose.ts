import { findProse } from './prose.ts';

const found = findProse();
for (const line of found) console.error(line);
process.exit(found.length === 0 ? 0 : 1);
