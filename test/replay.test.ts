import { expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { rotationId } from '../domain/request.ts';
import { BUNDLE } from './support/bundle.ts';
import { REQUEST } from './support/request.ts';

const FOLDER = new URL('./histories/', import.meta.url);
const histories = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

test('there are recorded histories', () => expect(histories.length).toBeGreaterThan(0));

test.each(histories)('%s replays: what runs in production goes on with this code', async (file) => {
  const history: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
  await Worker.runReplayHistory({ workflowBundle: BUNDLE }, history, rotationId(REQUEST));
});
