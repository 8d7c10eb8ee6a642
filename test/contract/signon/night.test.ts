import { describe, expect } from '../../support/jest.ts';
import { readManageTokens } from '../../../activities/signon/pages.ts';
import type { World } from '../../../sandbox/world.ts';
import type { Authorisation } from '../../../sandbox/world-state.ts';
import { pairOf } from '../../../sandbox/seed.ts';
import { standInTest, useSystems } from '../systems.ts';
import { signedIn } from './visitor.ts';

const systems = useSystems();
const DAY = 86_400_000;
const SECRET = 'signon-token-short-url-manager-publishing-api';

interface Night {
  world: World;
  user: { id: number; suspended: boolean; email: string };
  token: Authorisation;
  issue: (days: number) => Authorisation;
  /** Ids that Signon's page lists for the API user. */
  listed: () => Promise<number[]>;
}

/** The one token of the pair, with so many days left. */
function withDaysLeft(days: number): Night {
  const { world } = systems.sandbox;
  const { user, server } = pairOf(world, systems.pair.apiUser, systems.pair.application);
  const token = world.state.authorisations.find(
    (one) => one.apiUserId === user.id && one.applicationId === server.id,
  )!;
  token.expiresAt = world.now() + days * DAY;
  return {
    world,
    user,
    token,
    issue: (left) => world.issue(user.id, server.id, left * DAY),
    listed: async () => {
      const visitor = await signedIn(systems.sandbox);
      const { body } = await visitor.get(`/api_users/${user.id}/manage_tokens`);
      return readManageTokens(body).cards.map(({ authorisationId }) => authorisationId);
    },
  };
}

describe('renewal', () => {
  standInTest(
    'gives a token with under a month left a successor, and revokes nothing',
    async () => {
      const { world, token, listed } = withDaysLeft(20);
      const before = await listed();
      world.renewNightly();
      const after = await listed();
      expect(after).toHaveLength(before.length + 1);
      expect(after).toContain(token.id);
      world.renewNightly();
      expect(await listed()).toEqual(after);
    },
  );

  standInTest('leaves a token with more than a month alone, and API users outside', async () => {
    const { world, token, user } = withDaysLeft(40);
    world.renewNightly();
    expect(world.happened.created).toEqual([]);
    token.expiresAt = world.now() + 20 * DAY;
    user.email = 'short-url-manager@example.org';
    world.renewNightly();
    expect(world.happened.created).toEqual([]);
  });

  standInTest('stops for a pair whose later token was revoked', async () => {
    const { world, issue, listed } = withDaysLeft(20);
    world.revoke(issue(700).id);
    const before = await listed();
    world.renewNightly();
    expect(await listed()).toEqual(before);
  });

  standInTest(
    'brings back a revoked token with under a month left, where nothing expires later',
    async () => {
      const { world, token, listed } = withDaysLeft(20);
      world.revoke(token.id);
      const before = await listed();
      world.renewNightly();
      expect(await listed()).toHaveLength(before.length + 1);
    },
  );

  standInTest('renews for suspended API users as well', async () => {
    const { world, user, listed } = withDaysLeft(20);
    world.suspend(user.id);
    expect(await listed()).toEqual([]);
    world.renewNightly();
    expect(await listed()).toHaveLength(1);
  });
});

describe('the token sync', () => {
  standInTest(
    'writes the token with the latest expiry, wherever it stands among the ids',
    async () => {
      const { world, issue } = withDaysLeft(20);
      const latest = issue(700);
      issue(300);
      expect(world.syncSecrets()).toEqual([SECRET]);
      expect(world.state.secrets[SECRET]).toBe(latest.token);
    },
  );

  standInTest('writes an expired one too, where no other is left', async () => {
    const { world, token, issue } = withDaysLeft(20);
    const expired = issue(-1);
    world.revoke(token.id);
    expect(world.syncSecrets()).toEqual([SECRET]);
    expect(world.state.secrets[SECRET]).toBe(expired.token);
  });

  standInTest(
    'skips suspended API users, and leaves Secrets of tokens that are gone as they are',
    async () => {
      const { world, user, token } = withDaysLeft(20);
      world.suspend(user.id);
      world.renewNightly();
      expect(world.syncSecrets()).toEqual([]);
      expect(world.state.secrets[SECRET]).toBe(token.token);
    },
  );

  standInTest('skips retired applications', async () => {
    const { world, issue } = withDaysLeft(20);
    issue(700);
    pairOf(world, systems.pair.apiUser, systems.pair.application).server.retired = true;
    expect(world.syncSecrets()).toEqual([]);
  });
});

standInTest('the weekly deletion takes expired tokens; their ids then answer 404', async () => {
  const { world, user, token, listed } = withDaysLeft(-1);
  const visitor = await signedIn(systems.sandbox);
  const page = `/api_users/${user.id}/authorisations/${token.id}/edit`;
  expect(await listed()).toContain(token.id);
  expect((await visitor.get(page)).status).toBe(200);
  world.deleteExpired();
  expect(await listed()).not.toContain(token.id);
  expect((await visitor.get(page)).status).toBe(404);
});

standInTest('suspending an API user revokes its tokens; lifting that restores none', async () => {
  const { world, user, listed } = withDaysLeft(300);
  expect((await listed()).length).toBeGreaterThan(0);
  world.suspend(user.id);
  user.suspended = false;
  expect(await listed()).toEqual([]);
});
