import { expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { heartbeats, keepForNextAttempt, keptByLastAttempt } from '../../activities/heartbeat.ts';

test('an activity that only waits heartbeats by the clock, repeating what it kept', async () => {
  const environment = new MockActivityEnvironment(
    { heartbeatTimeoutMs: 10_000 },
    { interceptors: [heartbeats] },
  );
  const beats: unknown[] = [];
  const twice = new Promise<void>((resolve) => {
    environment.on('heartbeat', (details: unknown) => {
      beats.push(details);
      if (beats.length === 3) resolve();
    });
  });
  await environment.run(async () => {
    keepForNextAttempt({ before: ['uid-1'] });
    await twice;
  });
  expect(beats).toEqual([{ before: ['uid-1'] }, { before: ['uid-1'] }, { before: ['uid-1'] }]);
});

test('what the last attempt kept is not lost before this one keeps something', async () => {
  const info = { heartbeatTimeoutMs: 10_000, heartbeatDetails: { before: ['uid-1'] } };
  const environment = new MockActivityEnvironment(info, { interceptors: [heartbeats] });
  const beat = new Promise((resolve) => void environment.once('heartbeat', resolve));
  const seen = await environment.run(async () => ({
    kept: keptByLastAttempt(),
    beaten: await beat,
  }));
  expect(seen).toEqual({ kept: { before: ['uid-1'] }, beaten: { before: ['uid-1'] } });
});
