import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { TemporalUi } from '../../domain/rotation/index.ts';
import {
  command,
  ENVIRONMENTS,
  parseRequest,
  rotationId,
  whyLeftAlone,
  type Environment,
} from '../../domain/request/index.ts';
import { parameterize, plainJson, plainLines, redact } from '../../domain/text/index.ts';
import { DATA_CONVERTER, readTemporal } from '../../config/temporal.ts';
import { address as addressShape } from '../../config/variables.ts';
import { whyNothingMoves } from '../polling.ts';
import { listRotations } from '../rotations.ts';
import { drawn, type Printed } from './columns.ts';
import {
  badUsage,
  declined,
  failed,
  noWorker,
  nothingThere,
  requestOrEnd,
  wordsOf,
} from './exit-codes.ts';
import { rotationIdsOf } from '../../domain/names/index.ts';

/** Rotations that one command asks, or sends something to, at the same time. */
export const AT_ONCE = 8;

/** What a command runs with: where it reads and writes, and what its user's environment says. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  /** One line on standard output. */
  out: (line: string) => void;
  /** One line on standard error: questions, warnings, failures. */
  err: (line: string) => void;
  /** One line that a person types; undefined where there is no terminal. */
  readLine: () => Promise<string | undefined>;
  /**
   * The same, and nothing that is typed is shown; where there is no terminal, a line of standard
   * input.
   */
  readSecret: () => Promise<string | undefined>;
  /** Columns of standard output and of standard error, where they are a terminal. */
  widths?: { out?: number; err?: number };
}

/**
 * How a result is printed: `wide` is a table with every column, `json` and `yaml` are for programs.
 */
export const OUTPUTS = ['table', 'wide', 'json', 'yaml'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface CommonOptions {
  environment?: string;
  output: Output;
  by?: string;
}

/** Prints for people, or one value for programs. */
export function printAs(
  output: Output,
  terminal: Terminal,
  lines: readonly Printed[],
  value: unknown,
): void {
  if (output === 'json') terminal.out(plainJson(value));
  else if (output === 'yaml')
    terminal.out(
      `---\n${plainLines(stringify(value, { aliasDuplicateObjects: false })).trimEnd()}`,
    );
  else for (const line of drawn(lines, terminal.widths?.out)) terminal.out(line);
}

/** @throws CommandEnd where the environment is not named, or is none */
export function environmentOf(options: CommonOptions, env: NodeJS.ProcessEnv): Environment {
  const environment = (options.environment ?? env.ROTATION_ENVIRONMENT) as Environment | undefined;
  if (!environment)
    throw badUsage(
      `Say which environment: --environment, or ROTATION_ENVIRONMENT; one of ${ENVIRONMENTS.join(', ')}.`,
    );
  if (ENVIRONMENTS.includes(environment)) return environment;
  const meant = ENVIRONMENTS.find((name) => name.startsWith(environment.toLowerCase()));
  const hint = meant ? ` Did you mean ${meant}?` : '';
  throw badUsage(`${environment} is not one of ${ENVIRONMENTS.join(', ')}.${hint}`);
}

/**
 * Connects to Temporal as `TEMPORAL_…` say. Its identity names no person: whoever types `--by` may
 * type any name.
 * @throws CommandEnd where it cannot be reached
 */
export async function connect(env: NodeJS.ProcessEnv): Promise<Client> {
  const { connectionOptions, namespace } = readTemporal(env);
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await Connection.connect({
    ...connectionOptions,
    connectTimeout: '5 seconds',
  }).catch((error: unknown) => {
    throw failed(
      `Temporal does not answer at ${address} (${redact(wordsOf(error))}). Check TEMPORAL_ADDRESS, TEMPORAL_API_KEY and TEMPORAL_TLS….`,
    );
  });
  return new Client({ connection, namespace, dataConverter: DATA_CONVERTER });
}

/** A command under way, connected to Temporal. */
export class Context {
  private saidLast?: string;

  private constructor(
    readonly client: Client,
    readonly environment: Environment,
    readonly ui: TemporalUi | undefined,
    readonly output: Output,
    private readonly by: string | undefined,
    readonly terminal: Terminal,
  ) {}

  /** @throws CommandEnd where the environment is not named or Temporal cannot be reached */
  static async open(options: CommonOptions, terminal: Terminal): Promise<Context> {
    const { env } = terminal;
    const isAddress = addressShape.optional().safeParse(env.TEMPORAL_UI_URL || undefined).success;
    if (!isAddress)
      throw badUsage(
        'TEMPORAL_UI_URL: expected an address that begins with https:// or http://, without user and password.',
      );
    const environment = environmentOf(options, env);
    const by = (options.by ?? env.ROTATION_BY)?.trim() || undefined;
    const client = await connect(env);
    const ui = env.TEMPORAL_UI_URL
      ? { url: env.TEMPORAL_UI_URL, namespace: client.options.namespace }
      : undefined;
    return new Context(client, environment, ui, options.output, by, terminal);
  }

  close(): Promise<void> {
    return this.client.connection.close();
  }

  /** Who acts: recorded, and compared in production. */
  who(): string {
    if (this.by) return this.by;
    throw badUsage('Say who you are: --by you@example.org, or ROTATION_BY.');
  }

  print(lines: readonly Printed[], value: unknown): void {
    printAs(this.output, this.terminal, lines, value);
  }

  /** Says something that is not the result. */
  say(...lines: Printed[]): void {
    for (const line of drawn(lines, this.terminal.widths?.err)) this.terminal.err(line);
  }

  /** The same, but not what was said last: a watched look would repeat it every second. */
  sayOnce(line: string): void {
    if (line !== this.saidLast) this.say(line);
    this.saidLast = line;
  }

  /** Asks before something that ends access or a rotation; only the environment's name is a yes. */
  async confirm(question: string): Promise<void> {
    this.say(`${question} Type ${this.environment} to continue: `);
    const answer = await this.terminal.readLine();
    if (answer === undefined)
      throw declined(
        'Nothing was sent: this command asks a question, and needs a terminal for it. In a script, only approve works: add --evidence CODE.',
      );
    if (answer.trim() !== this.environment)
      throw declined(`Nothing was sent: the answer was not ${this.environment}.`);
  }

  /** @throws CommandEnd where nothing would answer */
  async needWorker(): Promise<void> {
    const why = await whyNothingMoves(this.client, this.environment);
    if (why !== undefined) throw noWorker(why);
  }

  /**
   * A workflow id from what a person names: the pair, the id itself, or as much of the pair's names
   * as only one rotation has.
   */
  async idOf(pair: string[]): Promise<string> {
    if (pair.length > 2) throw badUsage('Name one pair; quote a name of several words.');
    if (pair.length === 1 && pair[0]!.startsWith(rotationIdsOf(this.environment))) return pair[0]!;
    if (pair.length === 1 && pair[0]!.includes('/'))
      throw badUsage(`${pair[0]} is not an id of a rotation of ${this.environment}.`);
    const [apiUser = '', application] = pair;
    if (!apiUser.includes('@')) return this.onlyIdOf(apiUser, application);
    const asked = { environment: this.environment, apiUser, application, requestedBy: 'somebody' };
    return rotationId(requestOrEnd(parseRequest(asked)));
  }

  /**
   * The one rotation that fits an API user's name without its domain and, if given, an application:
   * of those that are open, else of those that have ended.
   */
  private async onlyIdOf(apiUser: string, application: string | undefined): Promise<string> {
    const named = [apiUser, application].filter(Boolean).join(' ');
    for (const closed of [false, true]) {
      const known = await listRotations(this.client, this.environment, { closed });
      const fits = known.filter(
        (one) =>
          one.workflowId.startsWith(rotationIdsOf(this.environment)) &&
          one.apiUser.startsWith(`${apiUser.toLowerCase()}@`) &&
          (!application || one.application === parameterize(application)),
      );
      const ids = [...new Set(fits.map(({ workflowId }) => workflowId))];
      if (ids.length === 1) return ids[0]!;
      if (ids.length > 1)
        throw badUsage(`${named} matches several rotations. Use one of these ids:`, ...ids);
    }
    throw nothingThere(
      `There is no rotation of ${named} in ${this.environment}. To see all: ${command(this.environment, 'list', '--closed')}`,
    );
  }
}

/** Says so where nothing is rotated in an environment. */
export function leavesAlone(context: Context): boolean {
  const why = whyLeftAlone(context.environment);
  if (why) context.print([`Nothing was started: ${why}.`], { started: false, ignored: true });
  return why !== undefined;
}
