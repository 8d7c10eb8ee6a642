import { comparable } from './people.ts';
import { parameterize } from '../text/index.ts';
import { ENVIRONMENTS, type Environment } from './environments.ts';
import { rotationIdsOf } from '../names/index.ts';
import {
  FLAG,
  type Kind,
  kind,
  oneOf,
  optional,
  type Parsed,
  parseAs,
  type Read,
} from '../shape/index.ts';

const LONGEST_TEXT = 254;
/**
 * Control characters but line ends and tabs, and halves of characters: no system takes them in a
 * name.
 */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

/** A text that every system takes: not empty, not long, printable. The rule of all requests. */
const plain = (expected: string, like: (value: string) => boolean = Boolean): Kind<string> =>
  kind(
    expected,
    (value) =>
      typeof value === 'string' &&
      value.length <= LONGEST_TEXT &&
      !UNPRINTABLE.test(value) &&
      value.trim() !== '' &&
      like(value.trim()),
  );
/** Who asks: the rule of all requests. */
export const REQUESTER = plain(
  'the e-mail address or name of who asks, in one script',
  (name) => comparable(name) !== undefined,
);
/** What a person, an alert or a sweep asks for: the input of `rotateToken`. */
const FIELDS = {
  environment: oneOf(ENVIRONMENTS),
  /** E-mail of the API user, as in the alert's `api_user` label. */
  apiUser: plain('an e-mail address, e.g. short-url-manager@alphagov.co.uk', (address) =>
    /^[^\s@/]+@[^\s@/]+$/.test(address),
  ),
  /**
   * Parameterized name of the server application, as in the alert's `application` label; a display
   * name is understood too.
   */
  application: plain(
    'the server application’s name, e.g. publishing-api',
    (name) => parameterize(name) !== '',
  ),
  requestedBy: REQUESTER,
  reason: optional(plain(`a text of at most ${LONGEST_TEXT} characters`)),
  /**
   * Rotate although the token is not near its end (a leak). Never adopts a token that existed
   * before.
   */
  force: optional(FLAG),
  /** Name of an outside recipient in the settings. */
  recipient: optional(plain('a recipient’s name from the settings')),
};
export type RotationRequest = Read<typeof FIELDS>;
/** The pair of a rotation, in its environment. */
export type RotatedPair = Pick<RotationRequest, 'environment' | 'apiUser' | 'application'>;

/** Reads a request strictly: each problem names the field and what was expected. */
export function parseRequest(input: unknown): Parsed<RotationRequest> {
  const parsed = parseAs(input, FIELDS);
  if (!parsed.ok) return parsed;
  const { apiUser, application } = parsed.request;
  const names = { apiUser: apiUser.toLowerCase(), application: parameterize(application) };
  return { ok: true, request: { ...parsed.request, ...names } };
}

/** The workflow id of a rotation, which is also the lock of its pair. Takes a request as parsed. */
export function rotationId({ environment, apiUser, application }: RotatedPair): string {
  return `${rotationIdsOf(environment)}${apiUser.trim().toLowerCase()}/${parameterize(application)}`;
}

/** The pair that a rotation's workflow id names; empty names for any other id. */
export function pairOfId(workflowId: string): Pick<RotationRequest, 'apiUser' | 'application'> {
  const [type, , apiUser = '', application = ''] = workflowId.split('/');
  return type === 'rotate-token' ? { apiUser, application } : { apiUser: '', application: '' };
}

export function taskQueueOf(environment: Environment): string {
  return `signon-rotation-${environment}`;
}

/** The task queue of waits, beside the worker's own: no number of waits delays other activities. */
export function waitsQueueOf(taskQueue: string): string {
  return `${taskQueue}-waits`;
}
