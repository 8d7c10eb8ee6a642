import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { ApplicationsStandIn } from '../../sandbox/applications/server.ts';
import { parameterize } from '../../domain/text/parameterize.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import type { World } from '../../sandbox/world.ts';

let world: World;
let applications: ApplicationsStandIn | undefined;
beforeEach(() => {
  world = seedWorld({ only: ['short-url-manager'] });
});
afterEach(() => applications?.close());

/** The status of a call with the pair's first token, before and after its revoke. */
async function statuses(cacheMs: number): Promise<number[]> {
  applications = new ApplicationsStandIn(world, cacheMs);
  const [first] = world.state.authorisations;
  const { name } = world.state.applications.find(({ id }) => id === first!.applicationId)!;
  const url = `${await applications.listen()}/${parameterize(name)}/lookup`;
  const call = async (token: string): Promise<number> =>
    (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
  const before = await call(first!.token);
  world.revoke(first!.id);
  const after = await call(first!.token);
  const issued = world.issue(first!.apiUserId, first!.applicationId);
  return [before, after, await call(issued.token)];
}

test('an application goes on letting in a revoked token that it let in before, for as long as its cache lives, and a new one at once', async () => {
  expect(await statuses(300_000)).toEqual([200, 200, 200]);
});

test('without its cache it refuses a revoked token at once', async () => {
  expect(await statuses(0)).toEqual([200, 401, 200]);
});
