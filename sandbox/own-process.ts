import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from '../worker/build.ts';

/**
 * How the image and `npm start` bound the memory of a program: V8 keeps what its young generation
 * once grew to, in each of a worker's three isolates, and glibc keeps an arena for each thread.
 */
export const NODE_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=512'];
export const MALLOC_ARENAS = { MALLOC_ARENA_MAX: '2' };

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PROGRAMS = join(ROOT, '.cache', 'programs');
/** By this process: what it starts is its own code. */
let isBuilt = false;

/**
 * A program of ours in a process of its own, as it is deployed; it gets the environment given,
 * `TEMPORAL_…`, and what a program needs to run, nothing else.
 */
export class OwnProcess {
  readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  /** What it printed, both streams. */
  output = '';

  /**
   * @param program its main file without ending, from the project's top. It is built first; without
   * a `WORKFLOW_BUNDLE`, a worker runs from source and bundles the workflows at its start
   */
  constructor(program: 'worker/main' | 'client/alert-receiver', env: Record<string, string>) {
    const fromSource = program === 'worker/main' && env.WORKFLOW_BUNDLE === undefined;
    if (!fromSource && !isBuilt) buildPrograms(PROGRAMS);
    isBuilt ||= !fromSource;
    const built = [...NODE_FLAGS, join(PROGRAMS, `${program}.mjs`)];
    this.child = spawn(
      process.execPath,
      fromSource ? ['--import', 'tsx', join(ROOT, `${program}.ts`)] : built,
      {
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          ...MALLOC_ARENAS,
          ...temporalVariables(),
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
  }

  /** @returns its exit code, null where a signal ended it */
  exit(): Promise<number | null> {
    return this.ended;
  }

  /**
   * Asks it to end, and ends it where it does not within 10 s: the SDK may hang when told to stop
   * right after its start.
   */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }

  /** Ends it as a crash would. */
  crash(): Promise<number | null> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}

/** How to reach Temporal, where this process was told; the SDK's debug mode is not handed on. */
function temporalVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => name.startsWith('TEMPORAL_') && name !== 'TEMPORAL_DEBUG',
    ),
  );
}
