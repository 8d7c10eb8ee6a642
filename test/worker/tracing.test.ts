import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

interface Span {
  name: string;
  traceId: string;
  status: { code: number; message?: string };
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}
interface Exported {
  resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
}

let stage: Stage;
let collector: Server;
let endpoint: string;
const bodies: string[] = [];
beforeEach(async () => {
  stage = await Stage.set();
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/v1/traces') bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await stage.strike();
  collector.close();
});

const spans = (): Span[] =>
  bodies.flatMap((body) =>
    (JSON.parse(body) as Exported).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    ),
  );

test('all activities of a rotation are spans of one trace, those that failed by their failure’s kind, and no secret is in them', async () => {
  stage.sandbox.argo.faults.add({
    path: /resource-tree/,
    when: 'before',
    kind: 'status',
    status: 500,
  });
  const worker = stage.workerProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const rotation = await stage.rotation();
  await rotation.approve();
  await rotation.report();
  expect(await worker.stop()).toBe(0); // what is left is sent
  const runs = spans().filter(({ attributes }) =>
    attributes.some(
      ({ key, value }) =>
        key === 'temporalWorkflowId' && value.stringValue === rotation.handle.workflowId,
    ),
  );
  expect(new Set(runs.map(({ traceId }) => traceId)).size).toBe(1);
  expect(runs.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'findPair',
      'createToken',
      'lookAtConsumers',
      'revokeToken',
      'smokeConsumers',
    ]),
  );
  // a watch may be under way when the worker stops
  const failed = runs.filter(({ name, status }) => status.code === 2 && name !== 'awaitSighting');
  expect(failed.map(({ name, status }) => [name, status.message])).toEqual([
    ['findSyncCronJob', 'Unreachable'],
  ]);
  const { password, totpSecret } = stage.sandbox.world.state.account;
  for (const secret of [password, totpSecret, ...stage.tokens().map(({ token }) => token)])
    expect(bodies.join('\n')).not.toContain(secret);
});

test('a collector that is away holds up nothing', async () => {
  const worker = stage.workerProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  expect(await until('its end', () => worker.stop().then((code) => code ?? -1))).toBe(0);
});
