import { run } from '../../client/cli/program.ts';
import { run as runDoctor } from '../../doctor/program.ts';
import type { Stage } from './stage.ts';

/** What a command printed, and its exit code. */
interface Ran {
  code: number;
  out: string;
  err: string;
  /** Standard output as JSON, where it was asked for. */
  json: never[] & Record<string, unknown>;
}

interface Typed {
  /** Lines of standard input. */
  lines?: string[];
  env?: Record<string, string>;
  /** Columns of the terminal; without it there is none. */
  width?: number;
  /** Done before a line is read. */
  asked?: () => Promise<unknown>;
}

type Line = (args: string[], typed?: Typed) => Promise<Ran>;

/** The doctor beside a stage. */
export function doctorLine(stage: Stage): Line {
  return commandLine(stage, runDoctor);
}

/** The command line beside a stage. */
export function commandLine(stage: Stage, program = run): Line {
  return async (args, { lines = [], env = {}, width, asked = () => Promise.resolve() } = {}) => {
    const out: string[] = [];
    const err: string[] = [];
    const left = [...lines];
    const code = await program(args, {
      env: {
        ...stage.temporalEnv(),
        TEMPORAL_UI_URL: 'https://temporal.example.org',
        ROTATION_ENVIRONMENT: 'integration',
        ...env,
      },
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      widths: { out: width, err: width },
      readLine: async () => {
        await asked();
        return left.shift();
      },
      readSecret: () => Promise.resolve(left.shift()),
    });
    const text = out.join('\n');
    return {
      code,
      out: text,
      err: err.join('\n'),
      json: args.includes('--json') && text ? JSON.parse(text) : [],
    };
  };
}
