import { expect } from '../../support/jest.ts';
import ms from 'ms';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { until } from '../../support/until.ts';
import { pass, readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { callArgo, logQuery } from './caller.ts';

/** Moved by the clock alone. */
const systems = useSystems({ ...IMMEDIATE, treeLagMs: ms('1 minute') });
const LOGS = '/applications/signon/logs';

interface Line {
  result: { content: string; podName: string; last: boolean };
}

const lines = async (job: string, tailLines?: string): Promise<Line['result'][]> => {
  const { body } = await callArgo(systems, LOGS, { query: logQuery(systems, job, tailLines) });
  return body.split('\n').map((line) => (JSON.parse(line) as Line).result);
};

async function ended(name: string): Promise<void> {
  systems.sandbox.cluster.createJob(name);
  await until(
    `${name} to end`,
    () =>
      systems.sandbox.world.state.jobs.some((job) => job.name === name && job.endedAt) || undefined,
  );
}

readOnlyTest(
  'the log of a Job that the tree does not hold is a 200 with an empty body, and nothing to our client',
  async () => {
    const answer = await callArgo(systems, LOGS, { query: logQuery(systems, 'no-such-job') });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(await systems.argo.logTail('no-such-job', 20)).toBe('');
  },
);

standInTest('the log of a Job whose pod is not in the tree yet is empty, too', async () => {
  await ended('a-job');
  expect(await callArgo(systems, LOGS, { query: logQuery(systems, 'a-job') })).toMatchObject({
    status: 200,
    body: '',
  });
  pass(systems.sandbox, '61 seconds');
  expect(await systems.argo.logTail('a-job', 20)).toBe('Syncing tokens\nDone');
});

standInTest('so is that of a Job that the tree never shows, with the controller down', async () => {
  systems.sandbox.argo.controllerDown = true;
  await ended('a-job');
  pass(systems.sandbox, '61 seconds');
  expect(await systems.argo.logTail('a-job', 20)).toBe('');
});

standInTest(
  'a log is a line of JSON for each of its lines, and one more that is the last',
  async () => {
    await ended('a-job');
    pass(systems.sandbox, '61 seconds');
    const read = await lines('a-job');
    expect(read.map(({ content }) => content)).toEqual(['Syncing tokens', 'Done', '']);
    expect(read.map(({ last }) => last)).toEqual([false, false, true]);
    for (const { podName } of read.slice(0, -1)) expect(podName).toMatch(/^a-job-/);
    for (const line of read) expect(line).toHaveProperty('timeStampStr');
  },
);

standInTest('tailLines counts from the end', async () => {
  systems.sandbox.world.sync.extraLog = ['one', 'two'];
  await ended('a-job');
  pass(systems.sandbox, '61 seconds');
  expect((await lines('a-job', '2')).map(({ content }) => content)).toEqual(['two', 'Done', '']);
  expect(await systems.argo.logTail('a-job', 2)).toBe('two\nDone');
});

standInTest(
  'an error of Kubernetes comes as a line without a pod, and our client does not take it for the log',
  async () => {
    await ended('a-job');
    pass(systems.sandbox, '61 seconds');
    systems.sandbox.argo.podsGone = true;
    expect(await lines('a-job')).toEqual([
      { content: expect.stringContaining('not found'), podName: '' },
    ]);
    expect(await systems.argo.logTail('a-job', 20)).toBe('');
    systems.sandbox.argo.podsGone = false;
    const query = { ...logQuery(systems, 'a-job'), container: 'app' };
    expect((await callArgo(systems, LOGS, { query })).body).toContain('"podName":""');
  },
);

standInTest('a log goes with its Job', async () => {
  for (const name of ['first', 'second', 'third', 'fourth']) await ended(name);
  pass(systems.sandbox, '61 seconds');
  expect(await systems.argo.logTail('first', 20)).toBe('');
  expect(await systems.argo.logTail('second', 20)).not.toBe('');
});
