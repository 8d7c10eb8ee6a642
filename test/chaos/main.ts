// eslint-disable-next-line import/no-unassigned-import -- what is tried must be this code
import '../support/prepare.ts';
// eslint-disable-next-line import/no-unassigned-import -- retries calls of a killed server
import '../support/late-retries.js';
import { parseArgs } from 'node:util';
import { campaign } from './campaign.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '3' },
    results: { type: 'string', default: 'docs/chaos.json' },
    again: { type: 'boolean', default: false },
  },
});
const [runs, seed, lanes] = [values.runs, values.seed, values.lanes].map(Number);
if (![runs, seed, lanes].every((number) => Number.isSafeInteger(number) && number! > 0)) {
  console.error('usage: npm run chaos -- --runs N --seed S [--lanes L] [--results FILE] [--again]');
  process.exit(2);
}
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());
const { violations } = await campaign(
  { first: seed!, runs: runs!, lanes: lanes!, file: values.results, again: values.again },
  stopping.signal,
  console.log,
);
process.exit(violations === 0 ? 0 : 1);
