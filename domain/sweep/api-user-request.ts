import { apiUserIdsOf, planId, sweepId } from '../names/index.ts';
import { parseRequest } from '../request/index.ts';
import { kind, listOf, optional, type Parsed, parseAs, textUpTo } from '../shape/index.ts';
import type { SweepRequest } from './sweep-request.ts';

/** What a person asks for after a leak: the input of `rotateApiUser`. */
export interface ApiUserRequest extends SweepRequest {
  /** E-mail of the API user. */
  apiUser: string;
  /** Parameterized names of its server applications; all of them where absent. */
  applications?: string[];
  reason: string;
}

/** No API user has more. */
const MOST_APPLICATIONS = 100;
const ANYTHING = kind<never>('', () => true); // checked by the rules of a rotation's request
const FIELDS = {
  environment: ANYTHING,
  apiUser: ANYTHING,
  requestedBy: ANYTHING,
  reason: textUpTo(Infinity, 'why, e.g. “in a public log”'),
  applications: optional(listOf(ANYTHING, 'a list of applications’ names', MOST_APPLICATIONS)),
};

/** Reads a request strictly: it is one for a rotation of each application. */
export function parseApiUserRequest(input: unknown): Parsed<ApiUserRequest> {
  const parsed = parseAs(input, FIELDS);
  if (!parsed.ok) return parsed;
  const { applications = [], ...common } = parsed.request;
  const isNamed = applications.length > 0;
  const read = (isNamed ? applications : ['any']).map((application) =>
    parseRequest({ ...common, application }),
  );
  const problems = new Set(read.flatMap((one) => (one.ok ? [] : one.problems)));
  if (problems.size > 0) return { ok: false, problems: [...problems] };
  const requests = read.flatMap((one) => (one.ok ? [one.request] : []));
  const { environment, apiUser, requestedBy, reason = '' } = requests[0]!;
  const named = [...new Set(requests.map(({ application }) => application))];
  const request = { environment, apiUser, requestedBy, reason };
  return { ok: true, request: isNamed ? { ...request, applications: named } : request };
}

export function isOfApiUser(request: SweepRequest): request is ApiUserRequest {
  return 'apiUser' in request;
}

/**
 * The id of a sweep, which is its lock. A plan touches nothing, so it has another id and locks
 * nothing.
 */
export function lockOf(request: SweepRequest): string {
  const { environment, plan } = request;
  if (isOfApiUser(request)) return `${apiUserIdsOf(environment)}${request.apiUser}`;
  return plan ? planId(environment) : sweepId(environment);
}
