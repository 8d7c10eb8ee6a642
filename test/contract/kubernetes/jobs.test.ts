import type { V1Job } from '@kubernetes/client-node';
import { expect } from '../../support/jest.ts';
import ms from 'ms';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { until } from '../../support/until.ts';
import { pass, standInTest, useSystems } from '../systems.ts';

/** Moved by the clock alone. */
const systems = useSystems({ ...IMMEDIATE, jobMs: ms('1 hour') });

/** Makes a Job and lets it end. */
async function ended(name: string, fails = false): Promise<V1Job> {
  systems.sandbox.world.sync.fails = fails ? 1 : 0;
  systems.sandbox.cluster.createJob(name);
  pass(systems.sandbox, '2 hours');
  return until(`${name} to end`, async () =>
    (await systems.kubernetes.jobs()).find(
      ({ metadata, status }) => metadata?.name === name && status?.conditions?.length,
    ),
  );
}
const conditions = ({ status }: V1Job): object =>
  (status?.conditions ?? []).map(({ type, status: is }) => ({ type, is }));

standInTest('a Job that runs has no condition and no end', async () => {
  systems.sandbox.cluster.createJob('a-job');
  const [job] = await systems.kubernetes.jobs();
  expect(conditions(job!)).toEqual([]);
  expect(await systems.kubernetes.jobCompletedAt('a-job')).toBeUndefined();
});

standInTest(
  'a Job that succeeded is Complete, after SuccessCriteriaMet, and says when',
  async () => {
    const job = await ended('a-job');
    expect(conditions(job)).toEqual([
      { type: 'SuccessCriteriaMet', is: 'True' },
      { type: 'Complete', is: 'True' },
    ]);
    const at = await systems.kubernetes.jobCompletedAt('a-job');
    expect(at).toBe(new Date(job.status!.completionTime!).toISOString());
  },
);

standInTest('a Job writes the tokens as it read them when it began', async () => {
  const { world, cluster } = systems.sandbox;
  const before = { ...world.state.secrets };
  cluster.createJob('a-job');
  const [pair] = world.state.authorisations;
  const { token } = world.issue(pair!.apiUserId, pair!.applicationId);
  pass(systems.sandbox, '2 hours');
  await until('it to end', () => world.state.jobs[0]?.endedAt);
  expect(world.state.secrets).toEqual(before);
  await ended('the next');
  expect(Object.values(world.state.secrets)).toContain(token);
});

standInTest('a Job that failed is Failed, after FailureTarget, and never completed', async () => {
  const job = await ended('a-job', true);
  expect(conditions(job)).toEqual([
    { type: 'FailureTarget', is: 'True' },
    { type: 'Failed', is: 'True' },
  ]);
  expect(job.status?.completionTime).toBeUndefined();
  expect(await systems.kubernetes.jobCompletedAt('a-job')).toBeUndefined();
});

standInTest('a Job that is gone is gone from here too', async () => {
  for (const name of ['first', 'second', 'third', 'fourth']) await ended(name);
  expect(await systems.kubernetes.jobCompletedAt('first')).toBeUndefined();
  expect(await systems.kubernetes.jobCompletedAt('fourth')).toEqual(expect.any(String));
});
