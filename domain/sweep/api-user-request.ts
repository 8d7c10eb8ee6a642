import { parseRequest } from '../request/index.ts';
import {
  type Fields,
  isObject,
  kind,
  listOf,
  optional,
  problemsOf,
  unknownFields,
} from '../shape/index.ts';
import type { SweepRequest } from './sweep-request.ts';

/** What a person asks for after a leak: the input of `rotateApiUser`. */
export interface ApiUserRequest extends SweepRequest {
  /** E-mail of the API user. */
  apiUser: string;
  /** Parameterized names of its server applications; all of them where absent. */
  applications?: string[];
  reason: string;
}

export type ParsedApiUserRequest =
  { ok: true; request: ApiUserRequest } | { ok: false; problems: string[] };

/** No API user has more. */
const MOST_APPLICATIONS = 100;
const ANYTHING = kind<never>('', () => true);
const FIELDS: Fields<Omit<ApiUserRequest, 'plan' | 'maxConcurrent'>> = {
  environment: ANYTHING, // each of these is checked by the rules of a rotation's request
  apiUser: ANYTHING,
  requestedBy: ANYTHING,
  reason: kind(
    'why, e.g. “in a public log”',
    (value) => typeof value === 'string' && value.trim() !== '',
  ),
  applications: optional(
    listOf(
      kind<string>('', () => true),
      'a list of applications’ names',
      MOST_APPLICATIONS,
    ),
  ),
};

/** Reads a request strictly: it is one for a rotation of each application. */
export function parseApiUserRequest(input: unknown): ParsedApiUserRequest {
  if (!isObject(input)) return { ok: false, problems: ['the input must be one JSON object'] };
  const names = Object.keys(FIELDS);
  const { applications, ...common } = input;
  const problems = [
    ...unknownFields(input, names).map(
      (key) => `${key.slice(0, 40)}: unknown field, expected ${names.join(', ')}`,
    ),
    ...problemsOf(input, FIELDS),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const given = Array.isArray(applications) && applications.length > 0 ? applications : undefined;
  const parsed = (given ?? ['any']).map((application: unknown) =>
    parseRequest({ ...common, application }),
  );
  const wrong = parsed.flatMap((one) => (one.ok ? [] : one.problems));
  const requests = parsed.flatMap((one) => (one.ok ? [one.request] : []));
  const [first] = requests;
  if (!first || wrong.length > 0) return { ok: false, problems: [...new Set(wrong)] };
  const { environment, apiUser, requestedBy, reason = '' } = first;
  const named = given
    ? { applications: [...new Set(requests.map(({ application }) => application))] }
    : {};
  return { ok: true, request: { environment, apiUser, requestedBy, reason, ...named } };
}

/** Whether a sweep is one of an API user's tokens, after a leak. */
export function isOfApiUser(request: SweepRequest): request is ApiUserRequest {
  return 'apiUser' in request;
}
