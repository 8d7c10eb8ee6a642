import { expect, test } from '../support/jest.ts';
import { DAY } from '../support/fake-systems.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();

test('issues, syncs, proves, asks, and only then revokes', () =>
  rotating(async (rotation) => {
    const { waiting } = await rotation.awaitingApproval();
    expect(rotation.systems.revoked).toEqual([]);
    expect(waiting).toMatchObject({
      evidence: {
        round: 1,
        newToken: { authorisationId: 102 },
        toRevoke: [{ authorisationId: 101, standing: 'given-up' }],
        shortfalls: [],
      },
    });
    await rotation.approve();
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'rotated',
      origin: 'issued',
      newToken: { authorisationId: 102 },
      revoked: [{ authorisationId: 101 }],
      alive: [{ authorisationId: 102 }],
      approvals: [{ by: 'grace@example.org', revoke: [101] }],
      syncJobs: ['sync-1'],
    });
    expect(rotation.systems.calls.filter((call) => /create|await|smoke|revoke/.test(call))).toEqual(
      [
        'createToken',
        'createSyncJob',
        'awaitSyncJob',
        'awaitRollout',
        'smokeConsumers',
        'revokeToken',
        'smokeConsumers',
      ],
    );
  }));

test('adopts a token that outlives the window instead of issuing another', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        origin: 'adopted',
        revoked: [{}],
      });
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => systems.issueByHand() },
  ));

test('skips the sync where every container holds the adopted token already; the old one must then be named', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ revoke: undefined });
      await rotation.answered(/no token is proven unused/);
      await rotation.approve({ revoke: [101] });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', syncJobs: [] });
      expect(rotation.systems.revoked).toEqual([101]);
    },
    {
      prepare: (systems) => {
        const { authorisationId } = systems.issueByHand();
        for (const container of systems.containers) container.holds = authorisationId;
      },
    },
  ));

test('syncs where a consumer has no container to look into, however many others hold the token', () =>
  rotating(
    async (rotation) => {
      const { waiting } = await rotation.awaitingApproval();
      expect(rotation.systems.calls).toContain('createSyncJob');
      expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'no-pod-seen' }] } });
      await rotation.approve({ accept: undefined, revoke: [101] });
      await rotation.answered(
        /not proven: cron-task of CronJob\/short-url-manager-task: no pod is running/,
      );
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.approve({ accept: ['no-pod-seen'], revoke: [101] });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    {
      prepare: (systems) => {
        const { authorisationId } = systems.issueByHand();
        for (const container of systems.containers) container.holds = authorisationId;
        systems.idle = [
          { workload: 'CronJob/short-url-manager-task', container: 'cron-task', variable: 'X' },
        ];
      },
    },
  ));

test('gives no access that was not there: a pair without any token ends as nothing to do', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.report()).toMatchObject({ outcome: 'nothing-to-do' });
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => (systems.tokens = []) },
  ));

test('has nothing to do where the only live token lives long and every container holds it', () =>
  rotating(
    async (rotation) => expect(await rotation.report()).toMatchObject({ outcome: 'nothing-to-do' }),
    {
      prepare: (systems) => {
        const { authorisationId } = systems.issueByHand();
        systems.tokens.shift();
        for (const container of systems.containers) container.holds = authorisationId;
      },
    },
  ));

test('issues another token when forced, whatever there is', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ revoke: [101, 102] });
      expect(await rotation.report()).toMatchObject({
        origin: 'issued',
        newToken: { authorisationId: 103 },
      });
    },
    { request: { force: true }, prepare: (systems) => systems.issueByHand() },
  ));

test('a forced rotation never falls back to a token from before it', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      rotation.systems.tokens = rotation.systems.tokens.filter(
        ({ authorisationId }) => authorisationId !== 103,
      );
      await rotation.approve({ revoke: [101, 102] });
      await rotation.blocked('NewTokenGone');
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.send('abort', { by: 'grace@example.org', reason: 'it is gone' });
      expect(await rotation.report()).toMatchObject({
        why: expect.stringMatching(
          /no longer lists the new token as live\. 2 tokens are live: the old one until/,
        ),
      });
    },
    { request: { force: true }, prepare: (systems) => systems.issueByHand() },
  ));

test('ends without a revoke when the old token ends while nobody decides', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    expect(await rotation.report()).toMatchObject({ outcome: 'old-token-expired', revoked: [] });
  }));

test('ignores staging without a look at anything', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.report()).toMatchObject({ outcome: 'ignored' });
      expect(rotation.systems.calls).toEqual([]);
    },
    { request: { environment: 'staging' } },
  ));

test('fails a bad request at once, naming each field and what was expected', () =>
  rotating(
    async (rotation) => {
      const { type, message } = await rotation.failure();
      expect(await rotation.details()).toContain('The request is not valid');
      expect(type).toBe('InvalidRequest');
      expect(message).toContain('api_user: unknown field, did you mean apiUser?');
      expect(message).toContain(
        'environment: expected one of integration, staging, production, got “live”',
      );
      expect(message).toContain(
        'apiUser: expected an e-mail address, e.g. short-url-manager@alphagov.co.uk, got nothing',
      );
      expect(rotation.systems.calls).toEqual([]);
    },
    {
      request: { environment: 'live', apiUser: undefined, api_user: 'x@y.z' },
      workflowId: 'bad-request',
    },
  ));

test('fails another environment’s request before anything is read', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.failure()).toMatchObject({
        type: 'InvalidRequest',
        message: 'environment: this worker serves integration, the request says production',
      });
      expect(rotation.systems.calls).toEqual([]);
    },
    { request: { environment: 'production' } },
  ));

test('fails a request that was copied from the docs, but where Signon is a stand-in', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.failure()).toMatchObject({
        type: 'InvalidRequest',
        message:
          'requestedBy: you@example.org is an address of the docs’ examples; start again with your own',
      });
      expect(rotation.systems.calls).toEqual([]);
    },
    {
      request: { requestedBy: 'you@example.org' },
      addresses: {
        SIGNON_URL: 'https://signon.integration.publishing.service.gov.uk',
        ARGOCD_URL: 'https://argo.eks.integration.govuk.digital',
      },
    },
  ));

test('where approvers are listed, production takes no request of a bare name: nobody could tell who the second person is', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.failure()).toMatchObject({
        type: 'InvalidRequest',
        message:
          'requestedBy: expected an e-mail address, since another person must approve in production',
      });
      expect(rotation.systems.calls).toEqual([]);
    },
    {
      request: { environment: 'production', requestedBy: 'Ada' },
      serves: 'production',
      settings: { approvers: { production: { who: ['@example.org'], approvals: 1 } } },
      prepare: (systems) => (systems.environment = 'production'),
    },
  ));

test('an abort while no token of the pair is listed any more says so', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.tokens = [];
    await rotation.approve({ revoke: [101] });
    await rotation.blocked('NewTokenGone');
    await rotation.send('abort', { by: 'grace@example.org', reason: 'suspended' });
    expect(await rotation.report()).toMatchObject({
      alive: [],
      why: expect.stringMatching(
        /no longer lists the new token as live\. No token of the pair is live\.$/,
      ),
    });
  }));

test('an abort while an older token outlives the issued one names the issued one, which lives', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('OlderTokenOutlives');
      await rotation.send('abort', { by: 'grace@example.org', reason: 'not now' });
      expect(await rotation.report()).toMatchObject({
        newToken: { authorisationId: 102 },
        alive: [{ authorisationId: 101 }, { authorisationId: 102 }],
        why: expect.stringMatching(/Both tokens are live/),
      });
    },
    {
      request: { force: true },
      prepare: (systems) => {
        systems.tokens = [systems.token(101, 0, Date.now() + 2000 * DAY)];
      },
    },
  ));

test('a forced rotation whose old token outlives the new one blocks, since the sync would go on writing it', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('OlderTokenOutlives');
      expect(message).toMatch(
        /^first101…last0101 \(authorisation 101\) was there before and lives until .*: the sync would write it$/,
      );
      rotation.systems.issueByHand(2000);
      await rotation.send('retry', { by: 'grace@example.org' });
      await rotation.awaitingApproval();
      expect(rotation.systems.calls).not.toContain('revokeToken');
    },
    {
      request: { force: true },
      prepare: (systems) => {
        const [old] = systems.tokens;
        const expires = new Date(Date.parse(`${old!.expires}T00:00:00Z`) + 800 * DAY)
          .toISOString()
          .slice(0, 10);
        systems.tokens = [{ ...old!, expires }];
      },
    },
  ));

test('a misspelt workflow type fails at once, and names those that people start', () =>
  rotating(async ({ client, handle }) => {
    const { taskQueue } = await handle.describe();
    const misspelt = await client.workflow.start('RotateToken', {
      workflowId: 'any',
      taskQueue,
      args: [{}],
    });
    await expect(misspelt.result()).rejects.toMatchObject({
      cause: {
        type: 'InvalidRequest',
        message:
          'workflow type: expected rotateToken, rotateExpiringTokens, rotateApiUser, takeInventory, got “RotateToken”',
      },
    });
  }));

test('a workflow type of a version to come is left to its worker: its task fails and is retried', () =>
  rotating(async ({ client, handle }) => {
    const { taskQueue } = await handle.describe();
    const later = await client.workflow.start('rotateApiKeys', {
      workflowId: 'later',
      taskQueue,
      args: [{}],
    });
    await until('its task to fail', async () => {
      const { events } = await later.fetchHistory();
      return events?.some(({ workflowTaskFailedEventAttributes: failed }) =>
        failed?.failure?.message?.includes('no workflow type “rotateApiKeys”'),
      );
    });
    expect((await later.describe()).status.name).toBe('RUNNING');
    await later.terminate();
  }));
