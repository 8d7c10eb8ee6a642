import { Client, Connection } from '@temporalio/client';
import type { TemporalUi } from '../../domain/rotation/index.ts';
import { ENVIRONMENTS, parseRequest, rotationId, whyLeftAlone, type Environment } from '../../domain/request/index.ts';
import { plain } from '../../domain/text/index.ts';
import { readTemporal } from '../../config/temporal.ts';
import { BadConfiguration, isWithoutCredentials, WITHOUT_CREDENTIALS } from '../../config/variables.ts';
import { whyNothingMoves } from '../polling.ts';
import { Ended, EXIT } from './exit-codes.ts';
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
}

/** Options that every command takes. */
export interface CommonOptions {
  environment?: string;
  json?: boolean;
  by?: string;
}

/** @throws Ended where the environment is not named, or is none */
export function environmentOf(options: CommonOptions, env: NodeJS.ProcessEnv): Environment {
  const environment = (options.environment ?? env.ROTATION_ENVIRONMENT) as Environment | undefined;
  if (environment && !ENVIRONMENTS.includes(environment))
    throw new Ended(EXIT.usage, `${environment} is not one of ${ENVIRONMENTS.join(', ')}.`);
  if (!environment)
    throw new Ended(
      EXIT.usage,
      `Say which environment: --environment, or ROTATION_ENVIRONMENT; one of ${ENVIRONMENTS.join(', ')}.`,
    );
  return environment;
}

/**
 * Connects to Temporal as `TEMPORAL_…` say. @throws Ended where it cannot be reached
 * @param by what the server records of the sender: an e-mail address takes part in the rule of the second person
 */
export async function connect(env: NodeJS.ProcessEnv, by?: string): Promise<Client> {
  const { connectionOptions, namespace } = temporalOf(env);
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5 seconds' }).catch(() => {
    throw new Ended(EXIT.failed, `Temporal does not answer at ${address}. Check TEMPORAL_ADDRESS and the like.`);
  });
  return new Client({ connection, namespace, ...(by && { identity: by }) });
}

function temporalOf(env: NodeJS.ProcessEnv): ReturnType<typeof readTemporal> {
  try {
    return readTemporal(env);
  } catch (error) {
    throw error instanceof BadConfiguration ? new Ended(EXIT.usage, error.message) : error;
  }
}

/** A command under way, connected to Temporal. */
export class Context {
  private constructor(
    readonly client: Client,
    readonly environment: Environment,
    readonly ui: TemporalUi | undefined,
    readonly json: boolean,
    private readonly by: string | undefined,
    readonly terminal: Terminal,
  ) {}

  /** @throws Ended where the environment is not named or Temporal cannot be reached */
  static async open(options: CommonOptions, terminal: Terminal): Promise<Context> {
    const { env } = terminal;
    if (!isWithoutCredentials(env.TEMPORAL_UI_URL ?? ''))
      throw new Ended(EXIT.usage, `TEMPORAL_UI_URL: ${WITHOUT_CREDENTIALS}.`);
    const environment = environmentOf(options, env);
    const by = (options.by ?? env.ROTATION_BY)?.trim() || undefined;
    const client = await connect(env, by);
    const ui = env.TEMPORAL_UI_URL ? { url: env.TEMPORAL_UI_URL, namespace: client.options.namespace } : undefined;
    return new Context(client, environment, ui, options.json ?? false, by, terminal);
  }

  close(): Promise<void> {
    return this.client.connection.close();
  }

  /** Who acts: recorded, and compared in production. */
  who(): string {
    if (this.by) return this.by;
    throw new Ended(EXIT.usage, 'Say who you are: --by you@example.org, or ROTATION_BY.');
  }

  /** Prints for people, or one JSON value for programs. */
  print(lines: string[], value: unknown): void {
    if (this.json) this.terminal.out(JSON.stringify(value, undefined, 2));
    else for (const line of lines) this.terminal.out(line);
  }

  /** Says something that is not the result. */
  say(...lines: string[]): void {
    for (const line of lines) this.terminal.err(line);
  }

  /** Asks before something that ends access or a rotation; only the environment's name is a yes. */
  async confirm(question: string): Promise<void> {
    this.say(`${question} Type ${this.environment} to go on: `);
    const answer = await this.terminal.readLine();
    if (answer === undefined)
      throw new Ended(
        EXIT.declined,
        'Nothing was sent: nobody answered on a terminal. Scripts use approve --evidence.',
      );
    if (answer.trim() !== this.environment) throw new Ended(EXIT.declined, 'Nothing was sent.');
  }

  /** @throws Ended where nothing would answer */
  async needWorker(): Promise<void> {
    const why = await whyNothingMoves(this.client, this.environment);
    if (why !== undefined) throw new Ended(EXIT.noWorker, plain(why));
  }

  /** A workflow id from what a person names: the pair, or the id itself. */
  idOf(pair: string[]): string {
    if (pair.length === 1 && pair[0]!.startsWith(rotationIdsOf(this.environment))) return pair[0]!;
    if (pair.length === 1 && pair[0]!.includes('/'))
      throw new Ended(EXIT.usage, `${pair[0]} is not an id of a rotation of ${this.environment}.`);
    const [apiUser, application] = pair;
    const parsed = parseRequest({ environment: this.environment, apiUser, application, requestedBy: 'somebody' });
    if (!parsed.ok) throw new Ended(EXIT.usage, parsed.problems.join('\n'));
    return rotationId(parsed.request);
  }
}

/** Says so where nothing is rotated in an environment. */
export function leavesAlone(context: Context): boolean {
  const why = whyLeftAlone(context.environment);
  if (why) context.print([`Nothing was started: ${why}.`], { started: false, ignored: true });
  return why !== undefined;
}
