import { describe, expect, test } from '../support/jest.ts';
import { newReport, type RotationReport } from '../../domain/rotation/report.ts';
import { pairOf, seedWorld } from '../../sandbox/seed.ts';
import type { World } from '../../sandbox/world.ts';
import { REQUEST } from '../support/request.ts';
import { fateOf } from './fate.ts';
import { judge, type Seen } from './judge.ts';
import type { Standing } from './people.ts';
import type { Entry } from './register.ts';

const PAIR = { apiUser: REQUEST.apiUser, application: REQUEST.application };
const SECRET = 'signon-token-short-url-manager-publishing-api';
const OLD = 101;
const NEW = 900;
const T0 = Date.now();

/** A rotation that went as it should, over a world that shows it, changed as given. */
function aRun(
  change: (seen: Seen & { world: World }, report: RotationReport) => void = () => undefined,
): string[] {
  const world = seedWorld({ only: ['short-url-manager'] });
  const { user, server } = pairOf(world, PAIR.apiUser, PAIR.application);
  const [pattern] = world.state.authorisations;
  const old = { ...pattern!, id: OLD, apiUserId: user.id, applicationId: server.id, revokedAt: T0 };
  world.state.authorisations = [
    { ...old, token: `token ${OLD}` },
    { ...old, id: NEW, token: `token ${NEW}`, revokedAt: undefined },
  ];
  const entry = (id: number): Entry => ({
    id,
    apiUserId: user.id,
    applicationId: server.id,
    at: T0,
    byHand: false,
    heldBy: [],
  });
  const listed = (id: number): NonNullable<RotationReport['newToken']> => ({
    authorisationId: id,
    masked: 'a…b',
    maskedSha256: '',
    generated: '2026-11-25',
    expires: '2028-11-25',
  });
  const report: RotationReport = {
    ...newReport(REQUEST),
    outcome: 'rotated',
    newToken: listed(NEW),
    alive: [listed(NEW)],
    revoked: [listed(OLD)],
  };
  const standing: Standing = { kind: 'ended', runId: 'r', report };
  const seen = {
    rotations: [{ pair: PAIR, runId: 'r', begun: T0 - 9000, ended: T0 + 9000, standing }],
    sent: [{ runId: 'r', at: T0 - 1000, covers: [OLD], how: 'does what is offered' as const }],
    register: {
      issued: [entry(NEW)],
      revoked: [entry(OLD)],
      copiedOver: new Set<number>(),
      values: [OLD, NEW].map((id) => ({ id, token: `token ${id}`, expiresAt: T0 + 1e9 })),
    },
    world,
    met: [] as string[],
    troubles: [] as string[],
    secretsFound: [] as string[],
  };
  change(seen, report);
  return judge({ ...fateOf(1), force: false, again: false }, seen);
}

const refused = (id: number): World['happened']['outages'][number] => ({
  pod: 'p',
  container: 'app',
  application: 'publishing-api',
  status: 401,
  at: T0,
  token: `token ${id}`,
});

test('a rotation that went as it should breaks no rule', () => expect(aRun()).toEqual([]));

describe('is found', () => {
  test.each<[rule: string, change: Parameters<typeof aRun>[0]]>([
    ['an outage', ({ world }) => void world.happened.outages.push(refused(OLD))],
    ['an outage', ({ world }) => void world.happened.outages.push(refused(4711))],
    ['a revoke without approval', (seen) => void Object.assign(seen, { sent: [] })],
    ['a revoke without approval', ({ sent }) => void Object.assign(sent[0]!, { covers: [] })],
    ['a revoke without approval', ({ sent }) => void Object.assign(sent[0]!, { at: T0 + 1 })],
    ['a revoke without approval', ({ sent }) => void Object.assign(sent[0]!, { runId: 'another' })],
    [
      'a revoke of a held token',
      ({ register }) => void register.revoked[0]!.heldBy.push('app of p'),
    ],
    [
      'a foreign pair touched',
      ({ register }) => void Object.assign(register.issued[0]!, { apiUserId: -1 }),
    ],
    [
      'too many new tokens',
      ({ register }) => void register.issued.push({ ...register.issued[0]! }),
    ],
    [
      'a token nobody knows of',
      ({ register }) => void register.issued.push({ ...register.issued[0]!, id: 7 }),
    ],
    ['an untrue report', ({ register }) => void register.revoked.splice(0)],
    [
      'an untrue report',
      ({ world }) => void Object.assign(world.state.authorisations[0]!, { revokedAt: undefined }),
    ],
    [
      'neither ended nor waiting',
      ({ rotations }) => void Object.assign(rotations[0]!, { standing: { kind: 'at work' } }),
    ],
    [
      'neither ended nor waiting',
      ({ rotations }) => void Object.assign(rotations[0]!, { standing: { kind: 'none yet' } }),
    ],
    [
      'a locked account',
      ({ world }) => void Object.assign(world.state.account, { lockedUntil: T0 }),
    ],
    [
      'a locked account',
      ({ world }) =>
        void world.happened.refusedSignIns.push(
          ...[1, 2, 3, 4].map((at) => ({ at, what: 'password' as const })),
        ),
    ],
    [
      'a locked account',
      ({ world }) =>
        void world.happened.refusedSignIns.push(
          ...[1, 2, 3, 4].map((signIn) => ({ at: 1, what: 'code' as const, signIn })),
        ),
    ],
    [
      'a defect of the worker',
      (seen) => void Object.assign(seen, { troubles: ['a workflow task failed'] }),
    ],
    [
      'a defect of the worker',
      ({ rotations }) =>
        void Object.assign(rotations[0]!, { standing: { kind: 'ended', failure: 'x' } }),
    ],
    [
      'a defect of the worker',
      ({ rotations }) =>
        void Object.assign(rotations[0]!, {
          standing: {
            kind: 'left waiting',
            runId: 'r',
            waiting: { kind: 'blocked', failure: 'TypeError', message: 'x' },
          },
        }),
    ],
    [
      'an untrue report',
      ({ world }) => {
        const spec = { name: 'app', tokens: [{ variable: 'T', secret: SECRET }], ruby: true };
        Object.assign(world.state.workloads[0]!, { containers: [spec] });
        const { name: workload } = world.state.workloads[0]!;
        const container = { name: 'app', id: 'c', env: { T: `token ${OLD}` } };
        world.state.pods.push({
          name: 'p',
          uid: 'u',
          workload,
          generation: 1,
          containers: [container],
          startsAt: 0,
          running: true,
        });
      },
    ],
    [
      'a secret in the open',
      (seen) => void Object.assign(seen, { secretsFound: ['password in a log'] }),
    ],
  ])('%s', (rule, change) => {
    expect(aRun(change)).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`^${rule}: `))]),
    );
  });
});

describe('is excused', () => {
  test('a refused call with a token that the campaign’s own engineer ended, or that expired', () => {
    expect(
      aRun(({ world, register }) => {
        world.happened.outages.push(refused(OLD), refused(7));
        register.revoked[0]!.byHand = true;
        register.values.push({ id: 7, token: 'token 7', expiresAt: 0 });
      }).filter((what) => what.startsWith('an outage')),
    ).toEqual([]);
  });

  test('a second token where a create was struck', () => {
    expect(
      aRun(({ register, met }) => {
        register.issued.push({ ...register.issued[0]! });
        (met as string[]).push('after create 1: cut');
      }),
    ).toEqual([]);
  });
});
