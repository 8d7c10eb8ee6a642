import { setTimeout as after } from 'node:timers/promises';
import {
  type ApiUserRequest,
  isOfApiUser,
  parseApiUserRequest,
  rowId,
  type SweepProgress,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import { command } from '../../domain/request/index.ts';
import type { InventoryRow } from '../../domain/inventory/index.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import { askStatus } from '../rotations.ts';
import { type Started, type RotateExpiringTokens, startSweep } from '../start-workflows.ts';
import { leavesAlone, type Context } from './context.ts';
import {
  badUsage,
  noWorker,
  notAccepted,
  nothingThere,
  requestOrEnd,
  EXIT,
  type ExitCode,
} from './exit-codes.ts';
import { takenInventory } from './inventory.ts';
import { printStarted } from './start.ts';
import { showSweep } from './sweep.ts';

/** What somebody knows of a leaked token: true asks for all of it. */
type KnownToken = string | true | undefined;

/** Rotates the tokens of an API user by force, or the one that a token belongs to. */
export async function leak(
  context: Context,
  [apiUser, ...applications]: string[],
  { reason, token, wait }: { reason: string; token?: KnownToken; wait?: boolean },
): Promise<ExitCode> {
  if ((apiUser === undefined) === (token === undefined))
    throw badUsage('Name an API user, or say --token.');
  const requestedBy = context.who();
  if (leavesAlone(context)) return EXIT.done;
  const named = token === undefined ? { apiUser, applications } : await pairOf(context, token);
  const { environment } = context;
  const asked = { environment, requestedBy, reason, ...named };
  const request = requestOrEnd(parseApiUserRequest(asked));
  // Without a worker nothing would happen, and people would believe that the leak is handled.
  await context.needWorker();
  const { handle, fresh, status } = await startedAndListed(context, request);
  const { workflowId } = handle;
  const rest = fresh ? [] : missingIn(status, request.applications);
  if (rest.length > 0)
    throw notAccepted(
      `${workflowId} is open already, without ${rest.join(', ')}. ${startAnew(request)}.`,
    );
  const report = status === undefined ? await handle.result() : undefined;
  if (report?.outcome === 'nothing-to-do')
    throw nothingThere(`Nothing was started: ${report.why}.`);
  await printStarted(context, { handle, fresh });
  context.say(
    `The leaked tokens work until their revokes are approved: ${command(environment, 'approve', '--waiting')}`,
  );
  const begunBefore = (fresh ? [] : (status?.rows ?? []))
    .filter(({ started }) => started)
    .map((row) => rowId(environment, row));
  const code = await showSweep(context, workflowId, { watch: wait, all: true });
  const rows = report?.rows ?? (await rowsNow(context, handle)) ?? status?.rows ?? [];
  const left = rows.flatMap((row) => {
    const why = whyNotRotated(row, request, begunBefore.includes(rowId(environment, row)));
    return why === undefined ? [] : `${rowId(environment, row)}: ${why}.`;
  });
  const blocked = wait ? rows.filter(({ state }) => state === 'blocked') : [];
  const stuck = blocked.map(
    ({ apiUser: user, application }) =>
      `blocked, so its leaked token still works: ${command(environment, 'show', user, application)}`,
  );
  context.say(...left, ...stuck);
  if (code !== EXIT.done) return code;
  if (blocked.length > 0) return EXIT.needsPerson;
  if (!wait && status?.blocked) return EXIT.needsPerson; // a watch ends by itself then
  return left.length > 0 ? EXIT.notAccepted : EXIT.done;
}

/** Starts the leak, or finds the open one; one that ended meanwhile is started again. */
async function startedAndListed(
  context: Context,
  request: ApiUserRequest,
): Promise<Started<RotateExpiringTokens> & { status?: SweepProgress }> {
  for (;;) {
    const started = await startSweep(context.client, request);
    const { workflowId } = started.handle;
    context.say(`${workflowId} reads which tokens it rotates.`);
    const status = await listed(context, workflowId);
    if (status || started.fresh) return { ...started, status };
  }
}

/** The rows as they stand now; undefined where no worker answers. */
async function rowsNow(
  { client }: Context,
  handle: Started<RotateExpiringTokens>['handle'],
): Promise<SweepRow[] | undefined> {
  const { status } = await handle.describe();
  if (status.name !== 'RUNNING') return (await handle.result()).rows;
  return (await askStatus<SweepProgress>(client, handle.workflowId))?.rows;
}

/** Why a leaked token of a pair may live on, whatever this leak does; undefined where it does not. */
function whyNotRotated(
  { state, what, ends, application }: SweepRow,
  request: ApiUserRequest,
  wasBegun: boolean,
): string | undefined {
  const { applications = [] } = request;
  if (state === 'open before') return what;
  const isMeant = ends !== undefined || applications.includes(application);
  if (state === 'left alone' && isMeant) return what;
  if (!wasBegun || (applications.length > 0 && !applications.includes(application)))
    return undefined;
  return `its rotation began before this command (${state}). If its new token leaked too, abort that rotation. ${startAnew(request)}`;
}

/** How to replace the open leak of an API user by another. */
function startAnew({ environment, apiUser }: ApiUserRequest): string {
  return `To replace this leak: ${command(environment, 'sweep', 'abort', apiUser)} --reason replaced. Then run leak again`;
}

const LOOK_EVERY_MS = 500;
/** Questions, of 20 s each, that may stay without an answer. */
const UNANSWERED_AT_MOST = 2;

/** Where it stands, once it has listed the tokens or is blocked; undefined once it has ended. */
async function listed(context: Context, workflowId: string): Promise<SweepProgress | undefined> {
  let [doing, unanswered] = ['', 0];
  for (;;) {
    const { status: execution } = await context.client.workflow.getHandle(workflowId).describe();
    if (execution.name !== 'RUNNING') return undefined;
    const status = await askStatus<SweepProgress>(context.client, workflowId);
    // A sweep that leaves all alone is about to end.
    if (!status && ++unanswered >= UNANSWERED_AT_MOST)
      throw noWorker(`${workflowId} was started, but does not answer: see the worker’s log.`);
    if (status && status.doing !== doing) context.say((doing = status.doing));
    const isUnderWay = status?.rows.some(({ state }) => state !== 'left alone');
    if (status && (isUnderWay || status.blocked)) return status;
    await after(LOOK_EVERY_MS);
  }
}

/** Requested applications that the open workflow does not rotate. */
function missingIn(
  status: SweepProgress | undefined,
  applications: readonly string[] | undefined,
): string[] {
  if (!status || !isOfApiUser(status.request) || !status.request.applications) return [];
  const { applications: running } = status.request;
  return (applications ?? ['all others']).filter((application) => !running.includes(application));
}

const WHOLE = /^[A-Za-z0-9_-]{43}$/;

/**
 * The pair of the only live token that begins and ends so.
 * @throws CommandEnd where there is none, or more than one
 */
async function pairOf(
  context: Context,
  token: string | true,
): Promise<{ apiUser: string; applications: string[] }> {
  if (token === true) context.say('Paste the whole token; it is not shown: ');
  const masked = token === true ? maskedOf(await context.terminal.readSecret()) : shortOf(token);
  const { rows } = await takenInventory(context);
  const found = rows.flatMap((row) =>
    row.tokens.filter((one) => one.masked === masked).map((one) => ({ row, one })),
  );
  const name = ({ apiUser, application }: InventoryRow): string => `${apiUser} → ${application}`;
  const [first] = found;
  if (!first)
    throw nothingThere(
      `Signon lists no token ${masked} in ${context.environment}; nothing was started.`,
    );
  if (found.length > 1)
    throw badUsage(
      `${masked} fits ${found.length} tokens: ${found.map(({ row }) => name(row)).join(', ')}. Name the API user.`,
    );
  const { row, one } = first;
  const whose = `${masked} (authorisation ${one.authorisationId}) is a token of ${name(row)}`;
  if (!one.live) throw nothingThere(`${whose}. It has expired; nothing was started.`);
  context.say(`${whose}.`);
  return { apiUser: row.apiUser, applications: [row.application] };
}

/** First and last eight characters of a whole token; nothing else of it is kept. */
function maskedOf(token: string | undefined): string {
  const whole = token?.trim() ?? '';
  if (WHOLE.test(whole)) return fingerprintOf(new Secret(whole)).masked;
  throw badUsage('That is no token of Signon: expected 43 letters, digits, - and _.');
}

/** `abcdefgh…ijklmnop`, as scanners report a token. */
function shortOf(given: string): string {
  const [, first, last] =
    /^([A-Za-z0-9_-]{8})(?:…|\.{2,3})([A-Za-z0-9_-]{8})$/.exec(given.trim()) ?? [];
  if (first && last) return `${first}…${last}`;
  throw badUsage(
    'expected --token abcdefgh…ijklmnop, the first and last eight characters. A whole token does not belong on a command line: say --token alone.',
  );
}
