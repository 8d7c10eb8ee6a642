import { parameterize } from './parameterize.ts';

export const ENVIRONMENTS = ['integration', 'staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** What a person, an alert or a sweep asks for: the input of `rotateToken`. */
export interface RotationRequest {
  environment: Environment;
  /** E-mail of the API user, as in the alert's `api_user` label. */
  apiUser: string;
  /** Parameterized name of the server application, as in the alert's `application` label; a display name is understood too. */
  application: string;
  /** Who asks: a name or e-mail. */
  requestedBy: string;
  reason?: string;
  /** Rotate although the token is not near its end (a leak). Never adopts a token that existed before. */
  force?: boolean;
  /** Name of an outside recipient in the settings. */
  recipient?: string;
}

export type ParsedRequest = { ok: true; request: RotationRequest } | { ok: false; problems: string[] };

const FIELDS = ['environment', 'apiUser', 'application', 'requestedBy', 'reason', 'force', 'recipient'] as const;
const LONGEST_TEXT = 254;
/** Control characters but line ends and tabs, and halves of characters: no system takes them in a name. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

/** Reads a request strictly: every field is checked, and each problem names the field and what was expected. */
export function parseRequest(input: unknown): ParsedRequest {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { ok: false, problems: ['the input must be one JSON object'] };
  const given = input as Record<string, unknown>;
  const problems = Object.keys(given)
    .filter((key) => !(FIELDS as readonly string[]).includes(key))
    .map((key) => unknownField(key));

  const text = (field: (typeof FIELDS)[number], expected: string, required: boolean): string => {
    const value = given[field];
    if (value === undefined && !required) return '';
    if (typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT && !UNPRINTABLE.test(value))
      return value.trim();
    problems.push(`${field}: expected ${expected}, ${value === undefined ? 'got nothing' : 'got something else'}`);
    return '';
  };
  const environment = given.environment as Environment;
  if (!ENVIRONMENTS.includes(environment)) problems.push(`environment: expected one of ${ENVIRONMENTS.join(', ')}`);
  const apiUser = text('apiUser', 'the API user’s e-mail', true);
  if (apiUser !== '' && !/^[^\s@/]+@[^\s@/]+$/.test(apiUser)) problems.push('apiUser: expected an e-mail address');
  const application = text('application', 'the server application’s name, e.g. "publishing-api"', true);
  if (application !== '' && parameterize(application) === '')
    problems.push('application: expected a name with letters or digits');
  const requestedBy = text('requestedBy', 'the name or e-mail of who asks', true);
  const reason = text('reason', `a text of at most ${LONGEST_TEXT} characters`, false);
  const recipient = text('recipient', 'a recipient’s name from the settings', false);
  if (given.force !== undefined && typeof given.force !== 'boolean') problems.push('force: expected true or false');

  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    request: {
      environment,
      apiUser: apiUser.toLowerCase(),
      application: parameterize(application),
      requestedBy,
      ...(reason === '' ? {} : { reason }),
      ...(given.force === undefined ? {} : { force: given.force as boolean }),
      ...(recipient === '' ? {} : { recipient }),
    },
  };
}

/** The workflow id of a rotation, which is also the lock of its pair. Takes a request as parsed. */
export function rotationId(request: Pick<RotationRequest, 'environment' | 'apiUser' | 'application'>): string {
  return `rotate-token/${request.environment}/${request.apiUser.trim().toLowerCase()}/${parameterize(request.application)}`;
}

/** The task queue of the workers of one environment. */
export function taskQueueOf(environment: Environment): string {
  return `signon-rotation-${environment}`;
}

/** The task queue of waits beside a worker's own, so that however many of them hold up no act. */
export function waitsQueueOf(taskQueue: string): string {
  return `${taskQueue}-waits`;
}

function unknownField(key: string): string {
  const shown = key.length > 40 ? `${key.slice(0, 40)}…` : key;
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
  const near = FIELDS.find((field) => editDistance(plain(field), plain(key.slice(0, 40))) <= 2);
  return near ? `${shown}: unknown field, did you mean ${near}?` : `${shown}: unknown field`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (b[j] === letter ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
