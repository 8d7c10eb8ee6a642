import { afterEach, beforeEach, describe, expect, test } from '../support/jest.ts';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  createNotifyActivities,
  type Notifying,
} from '../../activities/notify/create-activities.ts';
import { Secret } from '../../config/secret.ts';
import { userMetadataLink } from '../../domain/rotation/links.ts';
import type { Notice, NoticePace } from '../../domain/notices/notices.ts';
import type { Fault } from '../../sandbox/faults.ts';
import { SlackStandIn } from '../../sandbox/slack/server.ts';

const settings = {
  temporalUiUrl: 'https://temporal.example.org',
  notices: { collectFor: '30 s', quietFor: '5 minutes' } satisfies NoticePace,
  answerLimit: '5 seconds' as const,
};

let slack: SlackStandIn;
let webhook: string;
beforeEach(async () => {
  slack = new SlackStandIn();
  webhook = await slack.listen();
});
afterEach(() => slack.close());

/** The activities over a Temporal client that only keeps what it was asked to start. */
function notifying(
  given: Partial<Notifying> = {},
): ReturnType<typeof createNotifyActivities> & { started: unknown[] } {
  const started: unknown[] = [];
  const signalWithStart = (...call: unknown[]): Promise<void> => {
    started.push(call);
    return Promise.resolve();
  };
  const withDeadline = (_at: number, call: () => Promise<void>): Promise<void> => call();
  const options = { namespace: 'default' };
  const client = { workflow: { signalWithStart }, withDeadline, options } as unknown as Client;
  const all: Notifying = {
    ROTATION_ENVIRONMENT: 'integration',
    SLACK_WEBHOOK_URL: new Secret(webhook),
    settings,
    ...given,
  };
  return { ...createNotifyActivities(client, all), started };
}

/** Posts as an activity; the failure, where it fails. */
async function post(
  text: string,
  given: Partial<Notifying> = {},
): Promise<ApplicationFailure | undefined> {
  const failed: unknown = await new MockActivityEnvironment()
    .run(() => notifying(given).postToSlack(text))
    .catch((error: unknown) => error);
  if (failed === undefined || failed instanceof ApplicationFailure) return failed;
  throw new Error('something else than an ApplicationFailure was thrown');
}

const strike = (fault: Partial<Fault>): void =>
  slack.faults.add({ path: /^\/services\//, when: 'before', kind: 'status', ...fault });

describe('posting to Slack', () => {
  test('sends the text as it is', async () => {
    const text = '*[integration] A rotation waits*\n• a → b: &lt;x&gt; “ü” 😀';
    expect(await post(text)).toBeUndefined();
    expect(slack.messages).toEqual([text]);
  });

  test('sends nothing where there is no webhook', async () => {
    expect(await post('a text', { SLACK_WEBHOOK_URL: undefined })).toBeUndefined();
    expect(slack.messages).toEqual([]);
  });

  test('to an address that Slack does not know is refused, and not tried again', async () => {
    const elsewhere = new Secret(`${webhook}x`);
    expect(await post('a text', { SLACK_WEBHOOK_URL: elsewhere })).toMatchObject({
      type: 'SlackRefused',
      nonRetryable: true,
      message: expect.stringContaining('404'),
    });
    expect(slack.messages).toEqual([]);
  });

  test.each([301, 302, 400, 403, 404, 410])(
    'is refused by a %i, and not tried again',
    async (status) => {
      strike({ status });
      expect(await post('a text')).toMatchObject({ type: 'SlackRefused', nonRetryable: true });
    },
  );

  test('follows no redirect: what was meant for Slack goes nowhere else', async () => {
    const away = createServer((_request, response) =>
      response.writeHead(307, { location: webhook }).end(),
    );
    await new Promise<void>((resolve) => away.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(away.address() as AddressInfo).port}`;
    const failed = await post('a text', { SLACK_WEBHOOK_URL: new Secret(origin + slack.path) });
    away.closeAllConnections();
    away.close();
    expect(failed).toMatchObject({ type: 'SlackRefused', message: expect.stringContaining('307') });
    expect(slack.messages).toEqual([]);
  });

  test('a text that Slack finds empty is refused', async () => {
    expect(await post('')).toMatchObject({
      type: 'SlackRefused',
      message: expect.stringContaining('400'),
    });
  });

  test.each([429, 500, 502, 503])('is tried again after a %i', async (status) => {
    strike({ status });
    expect(await post('a text')).toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
      message: expect.stringContaining(String(status)),
    });
    expect(await post('a text')).toBeUndefined();
    expect(slack.messages).toEqual(['a text']);
  });

  test.each(['cut', 'hang'] as const)('is tried again where the connection is %s', async (kind) => {
    strike({ kind });
    expect(
      await post('a text', { settings: { ...settings, answerLimit: '300 ms' } }),
    ).toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
    });
    expect(slack.faults.hits).toBe(1);
    expect(slack.messages).toEqual([]);
  });

  test('is tried again where only the answer was lost: the message may come twice', async () => {
    strike({ kind: 'cut', when: 'after' });
    expect(await post('a text')).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect(await post('a text')).toBeUndefined();
    expect(slack.messages).toEqual(['a text', 'a text']);
  });

  test('is tried again where nobody listens', async () => {
    await slack.close();
    expect(await post('a text')).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  });
});

describe('the webhook’s address is in no failure', () => {
  const faults: [string, Partial<Fault>][] = [
    ...[302, 404, 410, 429, 500].map((status): [string, Partial<Fault>] => [
      `a ${status}`,
      { status },
    ]),
    ['a cut connection', { kind: 'cut' }],
    ['no answer', { kind: 'hang' }],
  ];

  /** All that could be seen of a failure: by a person, in a log, in a history. */
  const shown = (failure: ApplicationFailure | undefined): string => {
    expect(failure).toBeInstanceOf(ApplicationFailure);
    const { message, stack, cause, details } = failure!;
    const inspected = inspect(failure, { depth: Infinity, showHidden: true });
    return [
      message,
      stack,
      inspect(cause, { depth: Infinity }),
      JSON.stringify(details),
      inspected,
    ].join('\n');
  };

  test.each(faults)('after %s', async (_what, fault) => {
    strike(fault);
    const seen = shown(await post('a text', { settings: { ...settings, answerLimit: '300 ms' } }));
    for (const part of slack.path.split('/').slice(2)) expect(seen).not.toContain(part);
    expect(seen).not.toContain('/services');
  });

  test.each([
    ['cannot be resolved', 'http://nowhere.invalid'],
    ['is none', 'not-an-address '],
    ['has an unknown scheme', 'gopher://127.0.0.1'],
  ])('where it %s', async (_what, origin) => {
    const seen = shown(
      await post('a text', { SLACK_WEBHOOK_URL: new Secret(origin + slack.path) }),
    );
    for (const part of slack.path.split('/').slice(2)) expect(seen).not.toContain(part);
  });
});

describe('a notice', () => {
  const notice: Notice = {
    kind: 'needed',
    cause: 'approval',
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    text: 'every consumer that runs holds the new token',
  };
  const workflowExecution = { workflowId: 'rotate-token/integration/a@b/c', runId: 'run-1' };
  const tell = async (given: Partial<Notifying> = {}, told = notice): Promise<unknown[]> => {
    const { notify, started } = notifying(given);
    await new MockActivityEnvironment({ workflowExecution }).run(() => notify(told));
    return started;
  };

  test('goes to its environment’s collector, with the link to the run that gave it', async () => {
    const link = userMetadataLink(
      { url: settings.temporalUiUrl, namespace: 'default' },
      workflowExecution.workflowId,
      workflowExecution.runId,
    );
    expect(await tell()).toEqual([
      [
        'notifications',
        expect.objectContaining({
          workflowId: 'notifications/integration',
          taskQueue: 'signon-rotation-integration',
          args: [],
          signal: 'notice',
          signalArgs: [{ ...notice, link }],
        }),
      ],
    ]);
    expect(slack.messages).toEqual([]);
  });

  test('has no link where nobody said where the UI is', async () => {
    expect(await tell({ settings: { ...settings, temporalUiUrl: undefined } })).toEqual([
      ['notifications', expect.objectContaining({ signalArgs: [notice] })],
    ]);
  });

  test('of staging goes to the worker’s own collector: nobody works for staging', async () => {
    const [[, start]] = (await tell({}, { ...notice, environment: 'staging' })) as [
      [string, object],
    ];
    expect(start).toMatchObject({
      workflowId: 'notifications/integration',
      taskQueue: 'signon-rotation-integration',
    });
  });

  test('says nothing of the webhook', async () => {
    expect(inspect(await tell(), { depth: Infinity })).not.toContain('/services');
  });

  test('goes nowhere where there is no webhook', async () => {
    expect(await tell({ SLACK_WEBHOOK_URL: undefined })).toEqual([]);
  });
});

describe('the stand-in answers as Slack does', () => {
  const send = async (path: string, init?: RequestInit): Promise<[number, string]> => {
    const answer = await fetch(new URL(path, webhook), init);
    return [answer.status, await answer.text()];
  };

  test('to a text, to none, to what is no JSON, and to an address it does not know', async () => {
    expect(await send(slack.path, { method: 'POST', body: '{"text": "a text"}' })).toEqual([
      200,
      'ok',
    ]);
    for (const body of ['{}', '{"text": ""}', '{"text": 7}'])
      expect(await send(slack.path, { method: 'POST', body })).toEqual([400, 'no_text']);
    for (const body of ['', 'text', '"text"', '[]', 'null', '{"text"'])
      expect(await send(slack.path, { method: 'POST', body })).toEqual([400, 'invalid_payload']);
    expect(await send('/services/T0/B0/x', { method: 'POST', body: '{"text": "x"}' })).toEqual([
      404,
      'no_service',
    ]);
    expect(await send(slack.path)).toEqual([405, 'method_not_allowed']);
    expect(slack.messages).toEqual(['a text']);
  });

  test('to who sends too much: with how long to wait', async () => {
    strike({ status: 429 });
    const answer = await fetch(webhook, { method: 'POST', body: '{"text": "a text"}' });
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, 30]);
  });
});
