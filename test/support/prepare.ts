import { findBinary } from '../../sandbox/temporal-binary.ts';
import { writeBundle } from '../../worker/bundle.ts';
import { BUNDLE } from './bundle.ts';

await findBinary('temporal');
await findBinary('temporal-test-server');
await writeBundle(BUNDLE.codePath);
