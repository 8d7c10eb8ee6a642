import { beforeEach, describe, expect } from '../../support/jest.ts';
import { createSignonActivities } from '../../../activities/signon/create-activities.ts';
import { readManageTokens, readRevokePage, readSuccess } from '../../../activities/signon/pages.ts';
import type { Authorisation } from '../../../sandbox/world-state.ts';
import { pairOf } from '../../../sandbox/seed.ts';
import { run } from '../run-activity.ts';
import { standInTest, useSystems } from '../systems.ts';
import { metaToken, signedIn, type Answer, type Visitor } from './visitor.ts';

const systems = useSystems();
const MANAGE = '/api_users/1/manage_tokens';
const page = (id: number): string => `/api_users/1/authorisations/${id}`;
const revoke = (visitor: Visitor, id: number): Promise<Answer> =>
  visitor.submit(`${page(id)}/edit`, `${page(id)}/revoke`);

describe('a revoke', () => {
  let visitor: Visitor;
  let token: Authorisation;
  let name: string;

  beforeEach(async () => {
    if (!systems.sandbox) return;
    visitor = await signedIn(systems.sandbox);
    token = systems.sandbox.world.issue(1, 1);
    name = systems.sandbox.world.state.applications.find(({ id }) => id === 1)!.name;
  });

  standInTest('is a 302 to manage_tokens, which says so and has the card no more', async () => {
    const answer = await revoke(visitor, token.id);
    expect(answer).toMatchObject({ status: 302, location: visitor.origin + MANAGE, body: '' });
    const { body } = await visitor.follow(answer);
    expect(readSuccess(body)).toBe(`Access for ${name} was revoked`);
    expect(
      readManageTokens(body).cards.map(({ authorisationId }) => authorisationId),
    ).not.toContain(token.id);
    expect(systems.sandbox.world.letsIn('publishing-api', token.token)).toBe(false);
  });

  standInTest('sent again is a 302 once more, changes nothing and says nothing', async () => {
    await visitor.follow(await revoke(visitor, token.id));
    const { revokedAt } = token;
    const again = await revoke(visitor, token.id);
    expect(again).toMatchObject({ status: 302, location: visitor.origin + MANAGE });
    expect(readSuccess((await visitor.follow(again)).body)).toBe('');
    expect(token.revokedAt).toBe(revokedAt);
    expect(systems.sandbox.world.happened.revoked).toHaveLength(1);
  });

  standInTest('of an unknown id, or one of another API user, is a 404', async () => {
    const other = systems.sandbox.world.issue(2, 1);
    const csrf = { authenticity_token: metaToken((await visitor.get(MANAGE)).body) };
    for (const id of [999_999, other.id]) {
      expect(await visitor.get(`${page(id)}/edit`)).toMatchObject({ status: 404, body: '' });
      expect(await visitor.post(`${page(id)}/revoke`, csrf)).toMatchObject({
        status: 404,
        body: '',
      });
    }
    expect(other.revokedAt).toBeUndefined();
  });

  standInTest(
    'has a page with details and a form, the same for a token already revoked',
    async () => {
      const read = async (): Promise<object> => {
        const { csrf: _differs, ...rest } = readRevokePage(
          (await visitor.get(`${page(token.id)}/edit`)).body,
        );
        return rest;
      };
      const before = await read();
      expect(before).toMatchObject({ application: name, action: `${page(token.id)}/revoke` });
      systems.sandbox.world.revoke(token.id);
      expect(await read()).toEqual(before);
    },
  );
});

describe('our revoke', () => {
  const notAfter = new Date(Date.now() + 600_000).toISOString();

  standInTest(
    'cannot tell of a token whose application was retired: Signon hides it alive',
    async () => {
      const { world } = systems.sandbox;
      const signon = createSignonActivities(systems.signon);
      const pair = await run(signon.findPair, systems.pair);
      const [token] = await run(signon.listTokens, pair);
      pairOf(world, systems.pair.apiUser, systems.pair.application).server.retired = true;
      await expect(
        run(signon.revokeToken, { pair, token: token!, notAfter }),
      ).rejects.toMatchObject({
        type: 'CannotTell',
      });
      expect(world.happened.revoked).toEqual([]);
    },
  );

  standInTest('whose answer was lost finds its work done', async () => {
    const { world, signon: standIn } = systems.sandbox;
    const signon = createSignonActivities(systems.signon);
    const pair = await run(signon.findPair, systems.pair);
    const [token] = await run(signon.listTokens, pair);
    standIn.faults.add({ method: 'POST', path: /revoke$/, when: 'after', kind: 'cut' });
    await expect(run(signon.revokeToken, { pair, token: token!, notAfter })).rejects.toMatchObject({
      type: 'Unreachable',
    });
    expect(await run(signon.revokeToken, { pair, token: token!, notAfter })).toMatchObject({
      how: 'already-revoked',
    });
    expect(world.happened.revoked).toHaveLength(1);
  });

  standInTest('leaves alone an id that shows another token by now', async () => {
    const { world } = systems.sandbox;
    const signon = createSignonActivities(systems.signon);
    const pair = await run(signon.findPair, systems.pair);
    const [token] = await run(signon.listTokens, pair);
    const stored = world.state.authorisations.find(({ id }) => id === token!.authorisationId)!;
    stored.token = stored.token.toLowerCase().split('').toReversed().join('');
    await expect(run(signon.revokeToken, { pair, token: token!, notAfter })).rejects.toMatchObject({
      type: 'NotTheApprovedToken',
    });
    expect(world.happened.revoked).toEqual([]);
  });
});
