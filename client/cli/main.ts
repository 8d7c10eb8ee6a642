import { processTerminal } from './command-line.ts';
import { run } from './program.ts';

process.exit(await run(process.argv.slice(2), processTerminal()));
