import { afterAll, beforeAll, describe, expect, test } from '../support/jest.ts';
import { Client, Connection } from '@temporalio/client';
import * as fc from 'fast-check';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Secret } from '../../config/secret.ts';
import { createReceiver, WEBHOOK_PATH } from '../../client/receiver/server.ts';
import type { Taken } from '../../client/receiver/take-alerts.ts';
import { isPolled } from '../../client/polling.ts';
import { ALERT_NAME } from '../../domain/alerts/alerts.ts';
import { rotationId, type Environment } from '../../domain/request/index.ts';
import { freePort } from '../../sandbox/temporal-server.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

const TOKEN = 'a-token-of-alertmanager-0123456789';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const HOUR = 3_600_000;
const STARTS_AT = '2026-11-24T09:00:00.123456789Z';

type Given = Record<string, unknown>;
const labels = (given: Given = {}): Given => ({
  alertname: ALERT_NAME,
  severity: 'warning',
  environment: 'integration',
  api_user: REQUEST.apiUser,
  application: REQUEST.application,
  ...given,
});
const alert = (given: Given = {}): Given => ({
  status: 'firing',
  labels: labels(),
  annotations: { summary: 'ends soon', runbook_url: 'https://docs.example.org' },
  startsAt: STARTS_AT,
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'https://prometheus.example.org/graph',
  fingerprint: 'c0ffee',
  ...given,
});
const payload = (alerts: unknown, given: Given = {}): Given => ({
  version: '4',
  groupKey: '{}:{alertname="SignonApiUserTokenExpirySoon"}',
  status: 'firing',
  receiver: 'rotation',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'https://alertmanager.example.org',
  truncatedAlerts: 0,
  alerts,
  ...given,
});

/** A receiver on a real socket, and how many rotations it started. */
interface Listening {
  url: string;
  logged: string[];
  starts: () => number;
  post: (
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; results: Taken[]; text: string }>;
  server: FastifyInstance;
}

let stage: Stage;
const listening: Listening[] = [];
beforeAll(async () => {
  stage = await Stage.set({}, {}, { also: [['collections', 'email-alert-api']] });
  await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
});
afterAll(async () => {
  await Promise.all(listening.map(({ server }) => server.close()));
  await stage.strike();
});

async function listen({
  environment = 'integration',
  connection = stage.client.connection,
  now = Date.now,
  startsPerHour = 20,
  ...options
}: {
  environment?: Environment;
  connection?: Client['connection'];
  now?: () => number;
  startsPerHour?: number;
  closesWithinMs?: number;
} = {}): Promise<Listening> {
  let count = 0;
  const logged: string[] = [];
  const client = new Client({
    connection,
    namespace: stage.namespace,
    identity: 'alert-receiver',
    interceptors: {
      workflow: [
        {
          startWithDetails: async (input, next) => {
            const begun = await next(input);
            count += 1;
            return begun;
          },
        },
      ],
    },
  });
  const server = createReceiver(
    client,
    {
      ROTATION_ENVIRONMENT: environment,
      RECEIVER_TOKEN: new Secret(TOKEN),
      RECEIVER_STARTS_PER_HOUR: startsPerHour,
      LOG_LEVEL: 'TRACE',
    },
    { ...options, stream: { write: (line) => logged.push(line) }, now },
  );
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const one: Listening = {
    url,
    logged,
    server,
    starts: () => count,
    post: async (body, headers = {}) => {
      const answer = await fetch(url + WEBHOOK_PATH, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...BEARER, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await answer.text();
      const results = text.startsWith('{')
        ? ((JSON.parse(text) as { results?: Taken[] }).results ?? [])
        : [];
      return { status: answer.status, results, text };
    },
  };
  listening.push(one);
  return one;
}

const rotationOf = (apiUser: string, application: string): StagedRotation =>
  new StagedRotation(
    stage.client.workflow.getHandle(
      rotationId({ environment: 'integration', apiUser, application }),
    ),
    stage.sandbox,
  );

describe('a firing alert', () => {
  test('starts its pair’s rotation, under the receiver’s identity; again, it says that it runs', async () => {
    const receiver = await listen();
    const first = await receiver.post(payload([alert()]));
    const workflowId = rotationId(REQUEST);
    expect(first).toMatchObject({ status: 200, results: [{ result: 'started', workflowId }] });
    expect(await receiver.post(payload([alert(), alert()]))).toMatchObject({
      status: 200,
      results: [{ result: 'already running' }, { result: 'already running' }],
    });
    expect(receiver.starts()).toBe(1);
    const handle = stage.client.workflow.getHandle(workflowId);
    const { memo } = await handle.describe();
    expect(memo).toMatchObject({ startsAt: '2026-11-24T09:00:00.123Z' });
    const [start] = (await handle.fetchHistory()).events ?? [];
    expect(start?.workflowExecutionStartedEventAttributes?.identity).toBe('alert-receiver');
    const rotation = rotationOf(REQUEST.apiUser, REQUEST.application);
    expect((await rotation.awaitingApproval()).request).toMatchObject({ requestedBy: 'alert' });
  });

  test('one payload carries many, each with an answer of its own; what is no concern of this receiver is not started', async () => {
    const receiver = await listen();
    const { status, results } = await receiver.post(
      payload([
        alert({ labels: labels({ alertname: 'SomethingElse' }) }),
        alert({ status: 'resolved', labels: labels({ api_user: 'collections@alphagov.co.uk' }) }),
        alert({ labels: labels({ environment: 'staging' }) }),
        alert({ labels: labels({ environment: 'production' }) }),
        { ...alert(), startsAt: 'yesterday' },
        alert({ labels: labels({ api_user: 'no e-mail' }) }),
        alert({
          labels: labels({
            api_user: 'collections@alphagov.co.uk',
            application: 'email-alert-api',
          }),
        }),
      ]),
    );
    expect(status).toBe(200);
    expect(results.map(({ result, why }) => `${result}${why ? `: ${why}` : ''}`)).toEqual([
      'ignored: another alert',
      'ignored: resolved',
      'ignored: staging is left alone, since it is overwritten from production every night',
      'refused: other environment',
      'refused: misshapen: startsAt',
      'refused: apiUser: expected an e-mail address, e.g. short-url-manager@alphagov.co.uk, got “no e-mail”',
      'started',
    ]);
    expect(receiver.starts()).toBe(1);
    const lines = receiver.logged.map(
      (line) => JSON.parse(line) as { msg: string; result?: string },
    );
    expect(lines.filter(({ msg }) => msg === 'alert').map(({ result }) => result)).toEqual(
      results.map(({ result }) => result),
    );
  });

  test('starts nothing for three hours after its pair’s rotation closed, and none again for the alert that a person answered', async () => {
    const early = await listen();
    const late = await listen({ now: () => Date.now() + 4 * HOUR });
    const collections = labels({
      api_user: 'collections@alphagov.co.uk',
      application: 'email-alert-api',
    });
    const same = payload([alert({ labels: collections })]);
    const rotation = rotationOf('collections@alphagov.co.uk', 'email-alert-api');
    await rotation.awaitingApproval();
    await rotation.send('reject', { reason: 'not now' });
    expect((await rotation.handle.result()).outcome).toBe('rejected');
    expect((await early.post(same)).results).toMatchObject([
      { result: 'ignored', why: expect.stringMatching(/closed 0 minutes ago/) },
    ]);
    await until('the server to list it', async () => {
      const { results } = await late.post(same);
      return /this very alert ended as rejected/.test(results[0]?.why ?? '') || undefined;
    });
    expect([early.starts(), late.starts()]).toEqual([0, 0]);
    const later = payload([alert({ labels: collections, startsAt: '2026-11-30T09:00:00Z' })]);
    expect((await late.post(later)).results).toMatchObject([{ result: 'started' }]);
  });
});

describe('pairs that somebody makes up', () => {
  const madeUp = (count: number, of: string): Given[] =>
    Array.from({ length: count }, (_, at) =>
      alert({ labels: labels({ api_user: `${of}-${at}@example.org` }) }),
    );

  test('start no more rotations in an hour than the setting says; what exceeds it is to come again', async () => {
    let hours = 0;
    const receiver = await listen({ startsPerHour: 3, now: () => Date.now() + hours * HOUR });
    const flood = payload(madeUp(5, 'flood'));
    const { status, results } = await receiver.post(flood);
    expect(status).toBe(503);
    const throttled = {
      result: 'throttled',
      why: 'as many rotations were started as an hour allows',
    };
    expect(results).toMatchObject([
      ...Array.from({ length: 3 }, () => ({ result: 'started' })),
      throttled,
      throttled,
    ]);
    expect((await receiver.post(payload(madeUp(5, 'more')))).results).toMatchObject(
      Array.from({ length: 5 }, () => throttled),
    );
    expect(receiver.starts()).toBe(3);
    expect(await (await fetch(`${receiver.url}/metrics`)).text()).toContain(
      'signon_rotation_receiver_alerts_total{result="throttled"} 7',
    );
    const warned = receiver.logged.map(
      (line) => JSON.parse(line) as { msg: string; level: number },
    );
    expect(warned.filter(({ msg }) => msg.includes('RECEIVER_STARTS_PER_HOUR'))).toHaveLength(1);
    expect(warned.filter(({ msg, level }) => msg === 'alert' && level > 30)).toEqual([]);
    hours = 1;
    expect((await receiver.post(payload(madeUp(1, 'later')))).results).toMatchObject([
      { result: 'started' },
    ]);
  });

  test('take no start from a rotation that is open already', async () => {
    const receiver = await listen({ startsPerHour: 1 });
    await (await listen()).post(payload([alert()]));
    const { status, results } = await receiver.post(
      payload([alert(), alert(), ...madeUp(1, 'open')]),
    );
    expect(status).toBe(200);
    expect(results.map(({ result }) => result)).toEqual([
      'already running',
      'already running',
      'started',
    ]);
  });

  test('end by themselves, and wait for nobody', async () => {
    const receiver = await listen();
    await receiver.post(payload(madeUp(1, 'nobody')));
    const report = await rotationOf('nobody-0@example.org', REQUEST.application).report();
    expect(report).toMatchObject({
      outcome: 'nothing-to-do',
      why: expect.stringContaining('nobody-0@example.org'),
    });
  });
});

test.each([null, undefined, 0, 3, 'many', {}])(
  'an alert is taken whatever Alertmanager says of how many it cut: %j',
  async (truncatedAlerts) => {
    const receiver = await listen();
    await receiver.post(payload([alert()], { truncatedAlerts }));
    const { status, results } = await receiver.post(payload([alert()], { truncatedAlerts }));
    expect({ status, results }).toMatchObject({
      status: 200,
      results: [{ result: 'already running' }],
    });
  },
);

test('how many alerts Alertmanager left out is counted, for a rule to warn of', async () => {
  const receiver = await listen();
  const before = await (await fetch(`${receiver.url}/metrics`)).text();
  expect(before).toContain(
    'signon_rotation_receiver_alerts_left_out_total{environment="integration"} 0',
  ); // or the first would be no increase
  for (const truncatedAlerts of [40, 2, -7, 1.5, 'many'])
    await receiver.post(payload([alert()], { truncatedAlerts }));
  const metrics = await (await fetch(`${receiver.url}/metrics`)).text();
  expect(metrics).toContain(
    'signon_rotation_receiver_alerts_left_out_total{environment="integration"} 42',
  );
});

describe('nobody to do it', () => {
  test('while no worker polls, what would start is to come again, and nothing is started; the rest is answered as ever', async () => {
    const receiver = await listen({ environment: 'production' });
    const mine = alert({ labels: labels({ environment: 'production' }) });
    expect(await receiver.post(payload([mine, alert({ status: 'resolved' })]))).toMatchObject({
      status: 503,
      results: [
        { result: 'later', why: expect.stringMatching(/no worker polls/) },
        { result: 'ignored' },
      ],
    });
    expect(await receiver.post(payload([alert({ status: 'resolved' })]))).toMatchObject({
      status: 200,
    });
    expect(receiver.starts()).toBe(0);
  });

  test('while Temporal is away it says so, is alive all the same, and goes on when Temporal is there', async () => {
    const port = await freePort();
    const connection = Connection.lazy({ address: `127.0.0.1:${port}`, connectTimeout: 500 });
    const receiver = await listen({ connection });
    const { status, results } = await receiver.post(
      payload([alert(), alert({ status: 'resolved' }), alert()]),
    );
    expect(status).toBe(503);
    expect(results.map(({ result, why }) => `${result}: ${why}`)).toEqual([
      'later: Temporal does not answer',
      'ignored: resolved',
      'later: Temporal does not answer',
    ]);
    expect(await (await fetch(`${receiver.url}/healthz`)).json()).toEqual({
      status: 'ok',
      environment: 'integration',
    });
    const temporal = new URL(`http://${stage.temporal.address}`);
    const door = createServer((caller) => {
      const through = connect(Number(temporal.port), temporal.hostname);
      caller.pipe(through).pipe(caller);
      for (const socket of [caller, through]) socket.on('error', () => undefined);
    }).listen(port, '127.0.0.1');
    await until(
      'it to go on',
      async () => (await receiver.post(payload([alert()]))).status === 200 || undefined,
    );
    expect((await receiver.post(payload([alert()]))).results).toMatchObject([
      { result: 'already running' },
    ]);
    // before its connection: a question to a closed one may never end
    await receiver.server.close();
    await connection.close();
    door.close();
  });
});

test.each([
  ['nothing', ''],
  ['half a head', `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: receiver\r\n`],
  [
    'half a body',
    `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: receiver\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
  ],
])('a caller that sends %s does not keep it from ending', async (_, sent) => {
  const { server, url } = await listen({ closesWithinMs: 100 });
  const connected = once(server.server, 'connection') as Promise<Socket[]>;
  const caller = connect(Number(new URL(url).port), '127.0.0.1');
  const closed = once(caller.resume(), 'close');
  const [socket] = await connected;
  caller.write(sent);
  await until('it to be read', () => socket!.bytesRead === sent.length || undefined);
  await server.close();
  await closed;
});

describe('who may post', () => {
  test.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer another' }],
    ['a longer one', { authorization: `Bearer ${TOKEN}0` }],
    ['a shorter one', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }],
    ['no scheme', { authorization: TOKEN }],
    ['two tokens', { authorization: `Bearer x ${TOKEN}` }],
  ])('%s: refused before the body is read', async (_, headers) => {
    const receiver = await listen();
    for (const body of ['not even JSON', JSON.stringify(payload([alert()]))]) {
      const answer = await fetch(receiver.url + WEBHOOK_PATH, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers } as Record<string, string>,
        body,
      });
      expect(answer.status).toBe(401);
    }
    expect(receiver.starts()).toBe(0);
  });

  test('the token stands in no answer, log line or metric', async () => {
    const receiver = await listen();
    const answer = await receiver.post(payload([alert()]));
    await fetch(`${receiver.url}${WEBHOOK_PATH}?token=${TOKEN}`, {
      method: 'POST',
      headers: BEARER,
    });
    await receiver.post(`{"token":"${TOKEN}"`);
    const metrics = await (await fetch(`${receiver.url}/metrics`)).text();
    expect(metrics).toMatch(/signon_rotation_receiver_alerts_total\{result="already running"\} 1/);
    expect(metrics).toMatch(/signon_rotation_receiver_requests_total\{status="400"\} \d/);
    expect([answer.text, metrics, ...receiver.logged].join('\n')).not.toContain(TOKEN);
  });

  test('nor does the token of a request that cannot be parsed stand in the log at TRACE', async () => {
    const receiver = await listen();
    const { hostname, port } = new URL(receiver.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n`,
    );
    await once(socket.resume(), 'close');
    const logged = receiver.logged.join('');
    expect(logged).toContain('client error');
    const bytes = [...logged.matchAll(/\[([\d,]+)\]/g)].map(([, list = '']) =>
      Buffer.from(list.split(',').map(Number)).toString('latin1'),
    );
    expect([logged, ...bytes].join('\n')).not.toContain(TOKEN);
  });
});

describe('whatever is posted', () => {
  let receiver: Listening;
  beforeAll(async () => {
    receiver = await listen();
  });
  /** Answered as bad or as no concern, with no start. */
  const harmless = async (body: unknown, headers?: Record<string, string>): Promise<void> => {
    const { status, results } = await receiver.post(body, headers);
    expect(status).toBeLessThan(500);
    expect(
      results
        .map(({ result }) => result)
        .filter((result) => !['ignored', 'refused'].includes(result)),
    ).toEqual([]);
  };
  const without = (whole: Given, key: string): Given =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));
  const ODD: unknown[] = [
    null,
    true,
    0,
    -1,
    1e308,
    '',
    ' ',
    'x',
    [],
    {},
    [[]],
    ['firing'],
    { a: 1 },
  ];

  test('each field of the payload or of an alert that is missing or of another kind is refused', async () => {
    for (const key of ['version', 'groupKey', 'status', 'receiver', 'alerts'])
      await harmless(without(payload([alert()]), key));
    for (const key of ['version', 'status', 'alerts'])
      for (const odd of ODD) await harmless(payload([alert()], { [key]: odd }));
    for (const key of ['status', 'labels', 'startsAt']) {
      await harmless(payload([without(alert(), key)]));
      for (const odd of ODD) await harmless(payload([alert({ [key]: odd })]));
    }
    for (const key of ['alertname', 'environment', 'api_user', 'application']) {
      await harmless(payload([alert({ labels: without(labels(), key) })]));
      for (const odd of ODD.filter((one) => key !== 'application' || one !== 'x'))
        await harmless(payload([alert({ labels: labels({ [key]: odd }) })]));
    }
    expect(receiver.starts()).toBe(0);
  });

  test.each([
    ['half a JSON', '{"version":"4","alerts":['],
    ['nothing', ''],
    ['a NUL', '\u0000'],
    ['a byte order mark', `\ufeff${JSON.stringify(payload([]))}`],
    ['ten thousand brackets', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['an object as deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['a prototype', '{"__proto__":{"version":"4","alerts":[]},"version":"4"}'],
    ['a constructor', '{"constructor":{"prototype":{"status":"firing"}},"version":"4"}'],
    [
      'a prototype in labels',
      JSON.stringify(payload([alert()])).replace('"alertname"', '"__proto__"'),
    ],
    ['an alert twice removed', JSON.stringify(payload([[alert()]]))],
    ['a payload in a list', JSON.stringify([payload([alert()])])],
    [
      'two megabytes',
      JSON.stringify(payload([alert({ annotations: { summary: 'x'.repeat(2_000_000) } })])),
    ],
    ['numbers without end', `{"version":4${'0'.repeat(100_000)}}`],
  ])('%s is refused', async (_, body) => {
    await harmless(body);
    expect(receiver.starts()).toBe(0);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/xml',
    '',
  ])('a payload as “%s” is refused', async (type) => {
    const { status } = await receiver.post(payload([alert()]), { 'content-type': type });
    expect([400, 415]).toContain(status);
    expect(receiver.starts()).toBe(0);
  });

  test('four hundred bodies made up at random bring no 5xx and no start', async () => {
    const word = fc.constantFrom(
      'firing',
      'resolved',
      ALERT_NAME,
      'integration',
      'a@b.co',
      STARTS_AT,
      '4',
      'x',
      '',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        word,
        fc.jsonValue(),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    }));
    // A name that is never the alert's, so that whatever else is right, nothing may start.
    const someLabels = fc.dictionary(
      fc.constantFrom(
        'alertname',
        'environment',
        'api_user',
        'application',
        'severity',
        '__proto__',
      ),
      fc.oneof(
        word.filter((one) => one !== ALERT_NAME),
        fc.string(),
        value,
      ),
    );
    const someAlert = fc.record(
      {
        status: fc.oneof(word, value),
        labels: fc.oneof(someLabels, value),
        startsAt: fc.oneof(word, value),
      },
      { requiredKeys: [] },
    );
    const somePayload = fc.record(
      {
        version: fc.oneof(fc.constant('4'), value),
        groupKey: fc.oneof(fc.string(), value),
        status: fc.oneof(word, value),
        receiver: fc.oneof(fc.string(), value),
        alerts: fc.oneof(fc.array(fc.oneof(someAlert, value), { maxLength: 4 }), value),
      },
      { requiredKeys: ['version', 'alerts'] },
    );
    const body = fc.oneof(
      somePayload.map((one) => JSON.stringify(one)),
      somePayload.map((one) => JSON.stringify(one).slice(0, -3)),
      fc.json(),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(body, async (one) => {
        if (one.includes(`"alertname":"${ALERT_NAME}"`)) return;
        await harmless(one);
      }),
      { numRuns: 400 },
    );
    expect(receiver.starts()).toBe(0);
  });

  test.each([
    [`o'brien@example.org`, 'publishing-api'],
    [`a"b@example.org`, 'publishing-api'],
    [`a\\'b@example.org`, 'publishing-api'],
    [`x' OR WorkflowType = 'rotateToken'@example.org`.replaceAll(' ', '\u2009'), 'publishing-api'],
    ['a\u0007b@example.org', 'publishing-api'],
    ['a\u202eb@example.org', 'publishing-api'],
    ['\ud800@example.org', 'publishing-api'],
    ['a\u0000b@example.org', 'publishing-api'],
    ['short-url-manager@alphagov.co.uk', 'publishing\ud800api'],
    [`${'ä'.repeat(240)}@example.org`, '*'.repeat(200) + 'x'],
    ['**bold**@example.org', '<img src=x onerror=alert(1)>'],
  ])(
    'names as odd as %j and %j are names: the same alert twice starts one rotation at most',
    async (api_user, application) => {
      const odd = await listen();
      const one = payload([alert({ labels: labels({ api_user, application }) })]);
      const [first, second] = [await odd.post(one), await odd.post(one)];
      expect([first.status, second.status]).toEqual([200, 200]);
      const [{ result } = { result: '' }] = first.results;
      expect(['started', 'refused']).toContain(result);
      expect(second.results[0]?.result).toBe(result === 'started' ? 'already running' : 'refused');
      expect(odd.starts()).toBe(result === 'started' ? 1 : 0);
    },
  );
});
