import { readFileSync, writeFileSync } from 'node:fs';
import { findBinary } from '../../sandbox/temporal-binary.ts';
import { writeBundle } from '../../worker/bundle.ts';
import { BUNDLE } from './bundle.ts';

await findBinary('temporal');
await findBinary('temporal-test-server');
await writeBundle(BUNDLE.codePath);
// Each worker of a test would keep the source map, two thirds of the bundle, in memory; nobody
// debugs there.
const bundle = readFileSync(BUNDLE.codePath, 'utf8');
const code = bundle.slice(0, bundle.lastIndexOf('//# sourceMappingURL='));
const noMap = btoa(
  JSON.stringify({ version: 3, sources: [], names: [], mappings: '', file: BUNDLE.codePath }),
);
writeFileSync(
  BUNDLE.codePath,
  `${code}//# sourceMappingURL=data:application/json;base64,${noMap}\n`,
);
