import { createHash } from 'node:crypto';
import type { V1ContainerState, V1EnvVar, V1Pod } from '@kubernetes/client-node';
import * as fc from 'fast-check';
import type {
  Census,
  ClusterLook,
  Consumer,
  ConsumingContainer,
  Readers,
} from '../../domain/cluster/cluster.ts';
import type { judgeApproval } from '../../domain/evidence/approval.ts';
import { type Evidence, type SmokeResult } from '../../domain/evidence/evidence.ts';
import { gatherEvidence } from '../../domain/evidence/gather-evidence.ts';
import type { RotationRequest } from '../../domain/request/request.ts';
import type { Settings } from '../../domain/settings/settings.ts';
import type { Fingerprint, ListedToken } from '../../domain/tokens/tokens.ts';

/** The moment the rules are asked at, unless a test says otherwise. */
export const NOW = Date.parse('2026-09-01T12:00:00Z');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A listed token; ends in nine days unless told otherwise. */
export function aToken(authorisationId: number, given: Partial<ListedToken> = {}): ListedToken {
  const masked = `first${String(authorisationId).padStart(3, '0')}…last${String(authorisationId).padStart(4, '0')}`;
  const token = {
    authorisationId,
    masked,
    generated: '2024-09-10',
    expires: '2026-09-10',
    ...given,
  };
  return { maskedSha256: sha256(token.masked.replace('…', '')), ...token };
}

export const OLD = aToken(101);
export const NEW = aToken(102, { generated: '2026-09-01', expires: '2028-09-01' });

export const APP: Consumer = {
  workload: 'Deployment/short-url-manager',
  container: 'app',
  variable: 'PUBLISHING_API_BEARER_TOKEN',
};
export const TWIN: Consumer = {
  ...APP,
  workload: 'Deployment/short-url-manager-worker',
  container: 'worker',
};

/** What a census gives of a container that holds this token. */
export function piecesOf(token: Fingerprint): { sha256: string; maskedSha256: string } {
  return {
    sha256: token.sha256 ?? sha256(`value of ${token.masked}`),
    maskedSha256: token.maskedSha256,
  };
}

/** A pod with one container `app`, as Kubernetes lists it. */
export function aListedPod(name: string, env: V1EnvVar[], state = RUNS): V1Pod {
  const status = { name: 'app', image: '', imageID: '', restartCount: 0, ready: true, state };
  return {
    metadata: { name },
    spec: { containers: [{ name: 'app', env }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ ...status, containerID: 'containerd://1' }],
    },
  };
}

/** The state of a container that runs. */
export const RUNS: V1ContainerState = { running: { startedAt: new Date('2026-09-01T00:00:00Z') } };

/** A census that asked one container and found nothing else. */
export function aCensus(given: Partial<Census> = {}): Census {
  return { asked: 1, environments: [], starting: [], unasked: [], otherSecrets: [], ...given };
}

/** What is looked for: the pair's two tokens. */
export function someReaders(given: Partial<Readers> = {}): Readers {
  return {
    secret: 'signon-token-short-url-manager-publishing-api',
    holding: [OLD, NEW],
    also: [],
    ofOtherPairs: [],
    ...given,
  };
}

/** A running, ready container of `APP` whose variable is that token. */
export function aContainer(
  token: Fingerprint,
  given: Partial<ConsumingContainer> = {},
): ConsumingContainer {
  return {
    ...APP,
    pod: 'short-url-manager-1',
    state: 'running',
    startedAt: '2026-08-01T00:00:00Z',
    ready: true,
    terminating: false,
    token: token.masked,
    environment: 'integration',
    ...given,
  };
}

/** A container that has not started, so nobody could ask it. */
export function aStartingContainer(given: Partial<ConsumingContainer> = {}): ConsumingContainer {
  const unasked = { startedAt: undefined, token: undefined, environment: undefined, ready: false };
  return aContainer(OLD, { pod: 'short-url-manager-2', ...unasked, state: 'starting', ...given });
}

/** A look; its consumers are those of its containers unless told otherwise. */
export function aLook(
  containers: ConsumingContainer[],
  given: Partial<ClusterLook> = {},
): ClusterLook {
  const consumers = containers
    .map(({ workload, container, variable }) => ({ workload, container, variable }))
    .filter(
      (one, index, all) => all.findIndex(({ workload }) => workload === one.workload) === index,
    );
  return {
    at: new Date(NOW).toISOString(),
    consumers,
    containers,
    mountedBy: [],
    census: aCensus(),
    ...given,
  };
}

export function aSmokeResult(consumer: Consumer, given: Partial<SmokeResult> = {}): SmokeResult {
  return {
    ...consumer,
    pod: 'short-url-manager-1',
    verdict: 'passed',
    detail: 'lookup_content_id returned',
    ...given,
  };
}

type Seen = Parameters<typeof gatherEvidence>[0];

/**
 * Evidence as a rotation gathers it: one consumer that gave up the old token for the new one, and
 * passed.
 */
export function anEvidence(given: Partial<Seen> = {}): Evidence {
  return gatherEvidence({
    round: 1,
    application: 'Publishing API',
    now: NOW,
    look: aLook([aContainer(NEW)]),
    tokens: [OLD, NEW],
    newToken: NEW,
    everHeld: [{ token: OLD.masked, by: 'app in short-url-manager-0' }],
    known: [APP.workload],
    smoke: [aSmokeResult(APP)],
    ...given,
  });
}

export function aRequest(given: Partial<RotationRequest> = {}): RotationRequest {
  return {
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    requestedBy: 'ada@example.org',
    ...given,
  };
}

export const SETTINGS: Settings = {
  approvers: {},
  people: [],
  window: '14 days',
  answerLimit: '30 s',
  signonRequestLimit: '60 s',
  syncLimit: '10 minutes',
  syncGathering: { quietFor: '10 seconds', atMost: '10 minutes', askAgainAfter: '5 minutes' },
  sweep: { maxConcurrent: 20, pause: '200 ms', looksEvery: '10 minutes', endsAfter: '20 hours' },
  rolloutLimit: '30 minutes',
  pollEvery: '15 s',
  lookupCachedFor: '5 minutes',
  soak: '10 minutes',
  evidenceHoldsFor: '1 hour',
  disusedWatch: '3 days',
  notices: { collectFor: '30 s', quietFor: '5 minutes' },
  specialCases: [],
  recipients: [],
  renewal: {
    domains: ['alphagov.co.uk', 'publishing.service.gov.uk'],
    every: '1 day',
    at: '1 hour',
    takes: '40 minutes',
    before: '31 days',
  },
  smokeCalls: {},
  hosts: { integration: '.*', staging: '.*', production: '.*' },
};

/** The same ASCII text as somebody else might type it: in any case, with blanks around it. */
export function retyped(text: string): fc.Arbitrary<string> {
  const blanks = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\u00a0'), maxLength: 3 });
  const capitals = fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length });
  return fc
    .tuple(blanks, capitals, blanks)
    .map(
      ([before, upper, after]) =>
        before +
        Array.from(text, (letter, at) =>
          upper[at] ? letter.toUpperCase() : letter.toLowerCase(),
        ).join('') +
        after,
    );
}

/** Calendar days of the years around the project's, both clock changes included. */
export const aDay = fc
  .integer({
    min: Date.parse('2024-01-01') / 86_400_000,
    max: Date.parse('2032-12-31') / 86_400_000,
  })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));

/** Tokens of one pair: ids differ, days may coincide. */
export const somePairsTokens = fc
  .uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 999 }), expires: aDay }), {
    selector: ({ id }) => id,
    maxLength: 6,
  })
  .map((tokens) => tokens.map(({ id, expires }) => aToken(id, { expires })));

/** What an approval of this evidence is judged by, where nobody in particular asked or sent. */
export function judgedBy(
  evidence: Evidence,
  code: string,
  given: Partial<Parameters<typeof judgeApproval>[1]> = {},
): Parameters<typeof judgeApproval>[1] {
  const nobody = { identity: '' };
  return {
    request: aRequest(),
    evidence,
    code,
    starter: nobody,
    sender: nobody,
    receiver: 'alert-receiver',
    standIns: true,
    approvers: undefined,
    people: [],
    given: [],
    ...given,
  };
}
