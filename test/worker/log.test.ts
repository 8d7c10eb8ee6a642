import { describe, expect, test } from '../support/jest.ts';
import { ApplicationFailure } from '@temporalio/common';
import axios, { AxiosError } from 'axios';
import { jsonLogger } from '../../worker/log.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

/** One line, as it is written. */
function logged(message: string, meta?: Record<string, unknown>): Record<string, unknown> {
  const lines: string[] = [];
  jsonLogger('INFO', (line) => lines.push(line)).warn(message, meta);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

describe('a log line', () => {
  test('is one JSON object with time, level, message and where it was said', () => {
    expect(
      logged('two\nlines', {
        workflowId: 'w',
        attempt: 2,
        start: 3n,
        at: new Date(0),
        none: undefined,
      }),
    ).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      level: 'WARN',
      message: 'two\nlines',
      workflowId: 'w',
      attempt: 2,
      start: '3',
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  test('tells of a failure its type, message, stack and cause', () => {
    const error = ApplicationFailure.create({
      type: 'Unreachable',
      message: 'no answer',
      cause: new Error('cut'),
    });
    expect(logged('failed', { error })).toMatchObject({
      error: {
        type: 'Unreachable',
        message: 'no answer',
        stack: expect.any(String),
        cause: { message: 'cut' },
      },
    });
  });

  test('tells nothing of a request that an error knows', async () => {
    const request = axios.get('http://127.0.0.1:1/', {
      headers: { Authorization: 'Bearer a-secret' },
    });
    const error: unknown = await request.catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(AxiosError);
    expect(JSON.stringify(error)).toContain('a-secret'); // what its own toJSON would have told
    expect(JSON.stringify(logged('failed', { error }))).not.toContain('a-secret');
  });

  test('is bounded, whatever it is given', () => {
    const deep: Record<string, unknown> = {};
    deep.deep = deep;
    const line = JSON.stringify(
      logged('x'.repeat(1e6), { deep, long: 'y'.repeat(1e6), act: () => undefined }),
    );
    expect(line.length).toBeLessThan(30_000);
  });
});

test('a worker’s lines name the workflow they are about', async () => {
  const stage = await Stage.set();
  try {
    const worker = stage.workerProcess({ LOG_LEVEL: 'DEBUG' });
    const rotation = await stage.rotation();
    await rotation.approve();
    await rotation.report();
    const lines = await until('a line about the rotation', () => {
      const all = worker.output.split('\n').filter((line) => line.startsWith('{'));
      return all.some((line) => line.includes(rotation.handle.workflowId)) ? all : undefined;
    });
    const about = lines
      .slice(0, -1) // the last may be cut off
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ workflowId }) => workflowId === rotation.handle.workflowId);
    expect(about).toContainEqual(
      expect.objectContaining({ level: 'DEBUG', runId: expect.any(String) }),
    );
    expect(
      worker.output.split('\n').filter((line) => line !== '' && !line.startsWith('{')),
    ).toEqual([]);
  } finally {
    await stage.strike();
  }
});
