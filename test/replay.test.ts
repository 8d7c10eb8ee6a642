import { describe, expect, test } from './support/jest.ts';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { readdirSync, readFileSync } from 'node:fs';
import { OUTCOMES } from '../domain/rotation/plan.ts';
import { BUNDLE } from './support/bundle.ts';
import { changedBundle } from './support/changed-bundle.ts';

/** What `npm run record` keeps of a run. */
interface Recorded {
  workflowId: string;
  history: { events?: { markerRecordedEventAttributes?: Marker }[] };
}

interface Marker {
  details?: Record<string, { payloads?: { data?: string }[] }>;
}

const FOLDER = new URL('./histories/', import.meta.url);
const histories = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

const WHAT_TO_DO = `Rotations that run now would not go on with this code. Keep the old way for them: put the change behind patched('…')
(docs/operations.md, “Upgrade”). Where none is open that began before it, or all may be started anew, record afresh: npm run record.`;

function read(name: string): Recorded {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Recorded;
}

/**
 * Replays one history.
 * @throws with what to do, where the code went another way than the history
 */
async function replay(name: string, workflowBundle = BUNDLE): Promise<void> {
  const { workflowId, history } = read(name);
  try {
    await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
  } catch (error) {
    if (error instanceof DeterminismViolationError)
      throw new Error(`${name}: ${error.message}\n${WHAT_TO_DO}`, { cause: error });
    throw error;
  }
}

describe('what runs in production goes on with this code', () => {
  test.each(histories)('%s', async (name) => {
    await expect(replay(name)).resolves.toBeUndefined();
  });
});

test('every outcome is among them', () => {
  expect(histories).toEqual(expect.arrayContaining([...OUTCOMES]));
});

test('nothing but notices runs as a local activity, whose end may be replayed in another order', () => {
  const local = histories.flatMap((name) => localActivitiesOf(read(name)));
  expect([...new Set(local)]).toEqual(['notify']);
});

function localActivitiesOf({ history }: Recorded): string[] {
  return (history.events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const said = marker?.details?.['data']?.payloads?.[0]?.data;
    return said ? [JSON.parse(Buffer.from(said, 'base64').toString()).activity_type] : [];
  });
}

test('a change that is incompatible is refused, and the refusal says what to do', async () => {
  const changed = await changedBundle({
    file: 'workflows/rotation/steps/sync.ts',
    find: 'await activities.requestSync(request);',
    replace: 'await condition(() => false, 1);\n    await activities.requestSync(request);',
  });
  await expect(replay('rotated', changed)).rejects.toThrow(/patched\('…'\)[^]*npm run record/);
});

test('the same change behind a patch is taken', async () => {
  const changed = await changedBundle(
    {
      file: 'workflows/rotation/steps/sync.ts',
      find: 'await activities.requestSync(request);',
      replace:
        "if (patched('wait-first')) await condition(() => false, 1);\n    await activities.requestSync(request);",
    },
    {
      file: 'workflows/rotation/steps/sync.ts',
      find: 'condition, uuid4',
      replace: 'condition, patched, uuid4',
    },
  );
  await expect(replay('rotated', changed)).resolves.toBeUndefined();
});
