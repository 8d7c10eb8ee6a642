import { processTerminal } from './command-line.ts';
import { run } from './program.ts';

// Not `exit`, which would drop what a pipe has not taken yet.
process.exitCode = await run(process.argv.slice(2), processTerminal());
