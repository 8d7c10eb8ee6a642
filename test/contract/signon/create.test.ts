import { describe, expect } from '../../support/jest.ts';
import { load } from 'cheerio';
import { createSignonActivities } from '../../../activities/signon/create-activities.ts';
import { readManageTokens } from '../../../activities/signon/pages.ts';
import type { Authorisation } from '../../../sandbox/world-state.ts';
import { pairOf } from '../../../sandbox/seed.ts';
import { run } from '../run-activity.ts';
import { standInTest, useSystems, writingTest } from '../systems.ts';
import { signedIn, type Answer, type Visitor } from './visitor.ts';

const systems = useSystems();
const shownOn = ({ body }: Answer): string | undefined =>
  load(body)('.gem-c-copy-to-clipboard input[readonly]').attr('value');
const create = (visitor: Visitor, application: string, user = 1): Promise<Answer> => {
  const path = `/api_users/${user}/authorisations`;
  return visitor.submit(`${path}/new`, path, { 'authorisation[application_id]': application });
};
const made = (): Authorisation[] =>
  systems.sandbox.world.state.authorisations.filter(({ id }) =>
    systems.sandbox.world.happened.created.some((created) => created.id === id),
  );

describe('a create', () => {
  standInTest('is a 302 to manage_tokens, which shows the token once', async () => {
    const visitor = await signedIn(systems.sandbox);
    const answer = await create(visitor, '1');
    expect(answer).toMatchObject({
      status: 302,
      location: `${visitor.origin}/api_users/1/manage_tokens`,
      body: '',
    });
    const shown = shownOn(await visitor.follow(answer));
    expect(shown).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(shown).toBe(made()[0]!.token);
    expect(shownOn(await visitor.follow(answer))).toBeUndefined();
  });

  standInTest('is no longer shown once another page was loaded in between', async () => {
    const visitor = await signedIn(systems.sandbox);
    const answer = await create(visitor, '1');
    await visitor.get('/api_users');
    expect(shownOn(await visitor.follow(answer))).toBeUndefined();
    expect(made()).toHaveLength(1);
  });

  standInTest('makes a token for two years', async () => {
    await create(await signedIn(systems.sandbox), '1');
    const [token] = made();
    expect(token!.expiresAt - token!.createdAt).toBe(63_113_904_000);
  });

  standInTest('sent again makes another token', async () => {
    const visitor = await signedIn(systems.sandbox);
    const shown = [];
    for (let time = 0; time < 2; time++)
      shown.push(shownOn(await visitor.follow(await create(visitor, '1'))));
    expect(shown).toEqual(made().map(({ token }) => token));
    expect(new Set(shown).size).toBe(2);
  });

  standInTest(
    'with an empty or an unknown application id is a 500, and nothing is made',
    async () => {
      const visitor = await signedIn(systems.sandbox);
      expect(await create(visitor, '')).toMatchObject({ status: 500, body: '' });
      expect(await create(visitor, '999999')).toMatchObject({ status: 500, body: '' });
      expect(made()).toEqual([]);
    },
  );

  standInTest(
    'for a retired application is a 500, and yet a token is made that no page lists',
    async () => {
      const { state } = systems.sandbox.world;
      state.applications.find(({ id }) => id === 1)!.retired = true;
      const visitor = await signedIn(systems.sandbox);
      expect(await create(visitor, '1')).toMatchObject({ status: 500, body: '' });
      const [token] = made();
      expect(token!.revokedAt).toBeUndefined();
      const { cards } = readManageTokens((await visitor.get('/api_users/1/manage_tokens')).body);
      expect(cards.map(({ authorisationId }) => authorisationId)).not.toContain(token!.id);
    },
  );

  standInTest('works for a suspended API user, whom the sync skips', async () => {
    const { world } = systems.sandbox;
    const { user, server } = pairOf(world, systems.pair.apiUser, systems.pair.application);
    user.suspended = true;
    const visitor = await signedIn(systems.sandbox);
    const shown = shownOn(await visitor.follow(await create(visitor, String(server.id), user.id)));
    expect(shown).toBe(made()[0]!.token);
    expect(world.syncSecrets()).toEqual([]);
    expect(Object.values(world.state.secrets)).not.toContain(shown);
  });

  standInTest('loses its showing where another answer’s cookie comes later', async () => {
    const visitor = await signedIn(systems.sandbox);
    await create(visitor, '1');
    const before = new Map(visitor.cookies);
    const lost = await create(visitor, '1');
    visitor.cookies.clear();
    for (const pair of before) visitor.cookies.set(...pair);
    expect(shownOn(await visitor.follow(lost))).toBe(made()[0]!.token);
    expect(shownOn(await visitor.follow(lost))).toBeUndefined();
    expect(made()).toHaveLength(2);
  });
});

describe('our create', () => {
  writingTest(
    'brings one token more, told by its fingerprint, and our revoke takes it away for good',
    async () => {
      const signon = createSignonActivities(systems.signon);
      const pair = await run(signon.findPair, systems.pair);
      const before = (await run(signon.listTokens, pair)).map(
        ({ authorisationId }) => authorisationId,
      );
      const created = await run(signon.createToken, { pair, before });
      const notAfter = new Date(Date.now() + 60_000).toISOString();
      try {
        expect(created.origin).toBe('issued');
        expect(created.token.sha256).toMatch(/^[0-9a-f]{64}$/);
        const added = created.tokens.filter(
          ({ authorisationId }) => !before.includes(authorisationId),
        );
        expect(added.map(({ masked }) => masked)).toEqual([created.token.masked]);
      } finally {
        expect(
          await run(signon.revokeToken, { pair, token: created.token, notAfter }),
        ).toMatchObject({ how: 'revoked' });
      }
      expect(await run(signon.revokeToken, { pair, token: created.token, notAfter })).toMatchObject(
        {
          how: 'already-revoked',
        },
      );
      const after = (await run(signon.listTokens, pair)).map(
        ({ authorisationId }) => authorisationId,
      );
      expect(after).toEqual(before);
    },
  );

  standInTest(
    'whose answer was lost is found again by its next attempt, and made once',
    async () => {
      const { sandbox } = systems;
      const signon = createSignonActivities(systems.signon);
      const pair = await run(signon.findPair, systems.pair);
      const before = (await run(signon.listTokens, pair)).map(
        ({ authorisationId }) => authorisationId,
      );
      sandbox.signon.faults.add({
        method: 'POST',
        path: /authorisations$/,
        when: 'after',
        kind: 'cut',
      });
      await expect(run(signon.createToken, { pair, before })).rejects.toMatchObject({
        type: 'CreateAnswerLost',
      });
      const adopted = await run(signon.createToken, { pair, before });
      expect(adopted).toMatchObject({
        origin: 'maybe another’s',
        token: { authorisationId: made()[0]!.id },
      });
      expect(adopted.token.sha256).toBeUndefined();
      expect(made()).toHaveLength(1);
    },
  );

  standInTest('never reaches for an application that is retired', async () => {
    const signon = createSignonActivities(systems.signon);
    const pair = await run(signon.findPair, systems.pair);
    const before = (await run(signon.listTokens, pair)).map(
      ({ authorisationId }) => authorisationId,
    );
    const { server } = pairOf(
      systems.sandbox.world,
      systems.pair.apiUser,
      systems.pair.application,
    );
    server.retired = true;
    await expect(run(signon.createToken, { pair, before })).rejects.toMatchObject({
      nonRetryable: true,
    });
    expect(made()).toEqual([]);
  });
});
