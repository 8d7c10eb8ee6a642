import { createInterface } from 'node:readline';
import { run } from './program.ts';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const code = await run(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  readLine: async () => {
    const { value, done } = await lines.next();
    return done ? undefined : value;
  },
});
process.exit(code);
