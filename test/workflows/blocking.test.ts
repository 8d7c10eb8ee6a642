import { expect, test } from '../support/jest.ts';
import { escapeMarkdown } from '../../domain/text/markdown.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();
const BY = { by: 'grace@example.org' };

test.each([
  ['findPair', 'UnknownApiUser', 'assess'],
  ['findSyncCronJob', 'SyncCronJobMissing', 'assess'],
  ['listTokens', 'ContractChanged', 'assess'],
  ['lookAtConsumers', 'NotPermitted', 'assess'],
  ['createToken', 'CreateAnswerLost', 'issue'],
  ['createSyncJob', 'SyncJobUnseen', 'sync'],
  ['awaitSyncJob', 'SyncJobFailed', 'sync'],
  ['awaitRollout', 'ExecIncomplete', 'roll out'],
  ['smokeConsumers', 'ExecIncomplete', 'smoke'],
  ['revokeToken', 'NotTheApprovedToken', 'revoke'],
] as const)(
  '%s that fails with %s blocks in “%s”, says what to do, and goes on from there on retry',
  (...given) => {
    const [activity, failure, step] = given;
    return rotating(
      async (rotation) => {
        if (step === 'revoke') await rotation.approve();
        const blocked = await rotation.blocked(failure);
        expect(blocked).toMatchObject({ step, message: `${failure} as told` });
        const details = await rotation.details();
        expect(details).toContain(`Blocked in ${step}: `);
        expect(details).toContain('```json\n{\n  "by": ""\n}\n```');
        expect(details).toContain(escapeMarkdown(blocked.todo));
        const before = rotation.systems.calls.filter((call) => call === 'createToken').length;
        await rotation.send('retry', BY);
        if (step === 'issue') await rotation.pass('61 seconds'); // Signon's request limit: a late one would be there
        if (step !== 'revoke') await rotation.approve();
        expect(await rotation.report()).toMatchObject({
          outcome: 'rotated',
          newToken: { authorisationId: 102 },
        });
        const issues = rotation.systems.calls.filter((call) => call === 'createToken').length;
        expect(issues - before).toBe(step === 'assess' || step === 'issue' ? 1 : 0);
      },
      { prepare: (systems) => systems.fail(activity, failure) },
    );
  },
);

test('a sync CronJob that was made anew is compared again by itself, once; then it blocks', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('SyncCronJobChanged');
      const { calls } = rotation.systems;
      expect(calls.filter((call) => call === 'findSyncCronJob')).toHaveLength(2);
      rotation.systems.fail('createSyncJob', 'SyncCronJobChanged');
      await rotation.send('retry', BY);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', syncJobs: ['sync-1'] });
      expect(calls.filter((call) => call === 'findSyncCronJob')).toHaveLength(3);
    },
    { prepare: (systems) => systems.fail('createSyncJob', 'SyncCronJobChanged', { times: 2 }) },
  ));

test.each(['UnknownApiUser', 'UnknownApplication'] as const)(
  'a pair that Signon does not list ends a rotation that only an alert asked for: %s',
  (failure) =>
    rotating(
      async (rotation) => {
        expect(await rotation.report()).toMatchObject({
          outcome: 'nothing-to-do',
          why: `only an alert asked, and ${failure} as told`,
          revoked: [],
        });
        expect(rotation.systems.calls).toEqual(['findPair']);
      },
      {
        request: { requestedBy: 'alert' },
        prepare: (systems) => systems.fail('findPair', failure),
      },
    ),
);

test('whatever else fails waits for a person, though only an alert asked', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.blocked('AmbiguousApplication')).toMatchObject({ step: 'assess' });
    },
    {
      request: { requestedBy: 'alert' },
      prepare: (systems) => systems.fail('findPair', 'AmbiguousApplication'),
    },
  ));

test('retry may be sent again and again, and says so when nothing is blocked', () =>
  rotating(
    async (rotation) => {
      for (let tries = 1; tries <= 3; tries++) {
        await until(
          `try ${tries}`,
          async () => (await rotation.blocked('UnknownApiUser')).tries === tries || undefined,
        );
        await rotation.send('retry', BY);
      }
      await rotation.awaitingApproval();
      await rotation.approve();
      await rotation.noted('confirm', /checking again in/);
      await rotation.send('retry', BY);
      await rotation.answered(/nothing is blocked/);
    },
    { prepare: (systems) => systems.fail('findPair', 'UnknownApiUser', { times: 3 }) },
  ));

test('a rotation that is blocked goes on weeks later', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('SyncJobFailed');
      await rotation.pass('121 hours');
      await rotation.send('retry', BY);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        syncJobs: ['sync-1', 'sync-2'],
      });
    },
    { prepare: (systems) => systems.fail('awaitSyncJob', 'SyncJobFailed') },
  ));

test('what is retried stands in the details: which, how often, when next, what failed', () =>
  rotating(
    async (rotation) => {
      await rotation.pass('50 seconds');
      const details = await until('a retry in the details', async () => {
        const text = await rotation.details();
        return text.includes('**Under way:**') ? text : undefined;
      });
      expect(details).toMatch(
        /findPair, attempt \d+ of 15(, next \d\d:\d\d:\d\d UTC)?(, gives up by (?!00:00:00)\d\d:\d\d:\d\d UTC)?: Unreachable as told/,
      );
    },
    {
      prepare: (systems) =>
        systems.fail('findPair', 'Unreachable', { times: 12, nonRetryable: false }),
    },
  ));

test('retries are bounded: when they are spent, the rotation blocks', () =>
  rotating(
    async (rotation) => {
      await rotation.pass('1 hour');
      await rotation.blocked('Unreachable');
      expect(rotation.systems.calls.filter((call) => call === 'findPair')).toHaveLength(15);
    },
    {
      prepare: (systems) =>
        systems.fail('findPair', 'Unreachable', { times: 15, nonRetryable: false }),
    },
  ));

test('a CronJob of another cluster blocks, naming both sides', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('WrongEnvironment');
      expect(message).toMatch(/cron-1 in Argo CD and cron-elsewhere in Kubernetes/);
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => (systems.cronJobUid = 'cron-elsewhere') },
  ));

test('a worker whose Signon is another environment’s blocks before anything is read', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('WrongEnvironment');
      expect(message).toMatch(
        /^SIGNON_URL is signon\.publishing\.service\.gov\.uk, which does not match integration’s pattern/,
      );
      expect(rotation.systems.calls).toEqual([]);
    },
    {
      request: { requestedBy: 'ada@digital.cabinet-office.gov.uk' },
      addresses: {
        SIGNON_URL: 'https://signon.publishing.service.gov.uk',
        ARGOCD_URL: 'https://argo.eks.integration.govuk.digital',
      },
    },
  ));

test('a worker whose hosts are its environment’s goes on', () =>
  rotating(
    async (rotation) => {
      expect((await rotation.awaitingApproval()).code).toMatch(/^[0-9a-f]{8}$/);
    },
    {
      request: { requestedBy: 'ada@digital.cabinet-office.gov.uk' },
      addresses: {
        SIGNON_URL: 'https://signon.integration.publishing.service.gov.uk',
        ARGOCD_URL: 'https://argo.eks.integration.govuk.digital',
      },
    },
  ));

test('an integration request to a production cluster blocks before anything is issued', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('WrongEnvironment');
      expect(message).toContain(
        'app in a-1 has GOVUK_ENVIRONMENT "production", but the request says "integration"',
      );
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => (systems.environment = 'production') },
  ));

test('a container with a token that Signon does not list blocks, until a person accepts just that', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('UnlistedToken');
      expect(message).toContain('worker in w-1 holds a token that Signon does not list');
      await rotation.send('retry', BY);
      await rotation.answered(/retrying/);
      await rotation.blocked('UnlistedToken');
      expect(await rotation.details()).toContain('"unlisted-token"');
      await rotation.send('retry', { ...BY, accept: ['unlisted-token'] });
      await rotation.approve();
      const report = await rotation.report();
      expect(report.outcome).toBe('rotated');
      expect(report.notes.join()).toContain('accepting unlisted-token');
    },
    { prepare: (systems) => (systems.containers[2]!.holds = 77) },
  ));

test('an unlisted token cannot be accepted before anybody was shown it', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('UnknownApiUser');
      await rotation.send('retry', { ...BY, accept: ['unlisted-token'] });
      await rotation.answered(/nothing is up for acceptance here/);
      await rotation.send('retry', BY);
      await rotation.blocked('UnlistedToken');
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    {
      prepare: (systems) => {
        systems.fail('findPair', 'UnknownApiUser');
        systems.containers[2]!.holds = 77;
      },
    },
  ));

test.each([
  ['SecretMountedAsFile', /by Deployment\/legacy/],
  ['ApiUserSuspended', /suspended/],
] as const)('blocks with %s before anything is issued', (failure, message) =>
  rotating(
    async (rotation) => {
      expect((await rotation.blocked(failure)).message).toMatch(message);
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    {
      prepare: (systems) => {
        if (failure === 'SecretMountedAsFile') systems.mountedBy = ['Deployment/legacy'];
        if (failure === 'ApiUserSuspended') systems.pair.apiUser.suspended = true;
      },
    },
  ),
);
