import { expect, test } from '../support/jest.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();
const BY = 'grace@example.org';
const HOLDER = {
  workload: 'Deployment/legacy',
  container: 'app',
  variable: 'OLD_API_BEARER_TOKEN',
} as const;

/** No workload reads the pair's Secret. */
const nobodyReads = (systems: FakeSystems): void => {
  systems.containers = [];
};
/** A container that was given the token by another way than the pair's Secret. */
const elsewhere = (systems: FakeSystems): FakeSystems['elsewhere'][number] => ({
  ...systems.container('app', 'legacy-1'),
  ...HOLDER,
});

test('a container that holds the token without reading its Secret is found by a search, and must hold the new one before the old is revoked', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('RolloutIncomplete');
      expect(message).toMatch(/app in legacy-1 holds/);
      expect(rotation.systems.revoked).toEqual([]);
      rotation.systems.elsewhere[0]!.holds = 102;
      await rotation.send('retry', { by: BY });
      await rotation.approve();
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'rotated', revoked: [{ authorisationId: 101 }] });
    },
    {
      prepare: (systems) => {
        systems.elsewhere = [elsewhere(systems)];
        nobodyReads(systems);
      },
    },
  ));

test('a copy of the token elsewhere in the namespace keeps the old one alive, though every reader of the Secret holds the new one', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('RolloutIncomplete');
      expect(message).toBe(
        'app in legacy-1 holds first101…last0101 (authorisation 101), from Secret legacy, key token',
      );
      rotation.systems.elsewhere = [];
      await rotation.send('retry', { by: BY });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
    },
    {
      prepare: (systems) => {
        systems.elsewhere = [elsewhere(systems)];
      },
    },
  ));

test('a copy that appears after the approval keeps the old token alive too', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    systems.elsewhere = [{ ...elsewhere(systems), holds: 101 }];
    await rotation.approve();
    const { message } = await rotation.blocked('RolloutIncomplete');
    expect(message).toContain('app in legacy-1 holds first101…last0101');
    expect(systems.revoked).toEqual([]);
  }));

test('where nobody is found, a person is asked, and shown the domain, the tokens and what was searched', () =>
  rotating(
    async (rotation) => {
      const findings = await rotation.awaitingClassification();
      expect(findings).toMatchObject({
        domain: 'alphagov.co.uk',
        internal: true,
        tokens: [{ authorisationId: 101 }],
        census: { asked: 1, unasked: ['app in distroless-1 could not be asked'] },
      });
      const details = await rotation.details();
      for (const shown of [
        /distroless/,
        /first101…last0101/,
        /"as": "disused"/,
        /"as": "internal"/,
      ])
        expect(details).toMatch(shown);
      expect(details).not.toMatch(/"as":"external"/);
      expect(rotation.systems.calls).not.toContain('createToken');
      expect(rotation.systems.notices).toMatchObject([{ kind: 'needed', cause: 'classification' }]);
    },
    {
      prepare: (systems) => {
        systems.elsewhere = [{ ...elsewhere(systems), holds: 4711 }];
        systems.unasked = ['app in distroless-1 could not be asked'];
        nobodyReads(systems);
      },
    },
  ));

test('whoever names a container is believed only if it holds one of the pair’s tokens', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingClassification();
      await rotation.send('classify', { by: BY, as: 'internal', ...HOLDER });
      await rotation.answered(
        /no running app of Deployment\/legacy holds one of the pair’s tokens/,
      );
      await rotation.send('classify', { by: BY, as: 'internal', ...HOLDER, workload: 'legacy' });
      await rotation.answered(/workload: expected a kind and a name/);
      rotation.systems.elsewhere[0]!.holds = 101;
      await rotation.send('classify', { by: BY, as: 'internal', ...HOLDER });
      await rotation.answered(/classified as internal by grace/);
      await rotation.blocked('RolloutIncomplete');
      rotation.systems.elsewhere[0]!.holds = 102;
      await rotation.send('retry', { by: BY });
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: { consumers: [HOLDER], toRevoke: [{ standing: 'given-up' }] },
      });
    },
    {
      prepare: (systems) => {
        systems.elsewhere = [{ ...elsewhere(systems), holds: 4711 }];
        nobodyReads(systems);
      },
    },
  ));

test('an outside holder that the settings do not name is not believed', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingClassification();
      await rotation.send('classify', { by: BY, as: 'external', recipient: 'HMRC' });
      await rotation.answered(/the settings name no recipient for this API user, not “HMRC”/);
      expect((await rotation.status()).waiting).toMatchObject({ kind: 'classification' });
    },
    { prepare: nobodyReads },
  ));

test('a classification that nobody asked for counts for nothing', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.send('classify', { by: BY, as: 'disused' });
    await rotation.answered(/classify not accepted: nothing waits for a classification/);
    expect((await rotation.status()).waiting).toMatchObject({ kind: 'approval' });
  }));

test('a search that meets another environment’s containers blocks', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('WrongEnvironment');
      expect(message).toMatch(/GOVUK_ENVIRONMENT "production"/);
    },
    {
      prepare: (systems) => {
        systems.environment = 'production';
        nobodyReads(systems);
      },
    },
  ));

test('a rotation that waits to hear who holds a token is stopped tidily', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingClassification();
      await rotation.send('abort', { by: BY, reason: 'not today' });
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
    },
    { prepare: nobodyReads },
  ));

test('who is asked for a classification is reminded every day, for the old token has ten days left', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingClassification();
      await rotation.pass('4 days');
      const reminders = await until('three reminders', () => {
        const all = rotation.systems.notices.filter(({ kind }) => kind === 'reminder');
        return all.length >= 3 ? all : undefined;
      });
      expect(reminders[0]).toMatchObject({ cause: 'classification' });
    },
    { prepare: nobodyReads },
  ));
