import { fileURLToPath } from 'node:url';
import { buildPrograms } from './build.ts';
import { writeBundle } from './bundle.ts';

const folder = fileURLToPath(new URL('../dist/', import.meta.url));
buildPrograms(folder);
await writeBundle(`${folder}workflows/bundle.js`);
console.log(
  'Built dist/: npm start runs the worker, node dist/client/alert-receiver.mjs the alert receiver, node dist/client/cli/main.mjs the command line.',
);
