import { writeBundle } from './bundle.ts';

const file = process.argv[2] ?? '.cache/workflow-bundle.js';
await writeBundle(file);
console.log(`Bundled the workflows into ${file}; give it to workers as WORKFLOW_BUNDLE.`);
