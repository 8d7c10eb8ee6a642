import { KubeConfig } from '@kubernetes/client-node';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from '../support/jest.ts';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { until } from '../support/until.ts';

/** A Kubernetes API that answers as each test says. */
let server: Server;
let answer: (response: ServerResponse) => void;
let asked = 0;
let origin: string;
beforeAll(async () => {
  server = createServer((_request, response) => {
    asked++;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function client(limitMs: number): KubernetesClient {
  const config = new KubeConfig();
  config.loadFromOptions({
    // else the client refuses plain HTTP
    clusters: [{ name: 'c', server: origin, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'kubernetes-secret' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return new KubernetesClient(config, 'apps', limitMs);
}

describe('a request to Kubernetes', () => {
  test('that is never answered ends at its limit', async () => {
    answer = () => undefined;
    await expect(client(200).pods()).rejects.toMatchObject({
      type: 'Unreachable',
      message: 'Kubernetes did not answer “list pods”',
    });
    expect(asked).toBe(1);
  });

  test('whose answer begins and never ends, ends at its limit', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"items": [');
    };
    await expect(client(200).pods()).rejects.toMatchObject({ type: 'Unreachable' });
  });

  test('whose answer is larger than any page is cut off, and not held', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        for (let room = true; room && !response.destroyed && sent < 500; sent++)
          room = response.write(chunk);
      };
      response.on('drain', more);
      more();
    };
    await expect(client(60_000).pods()).rejects.toMatchObject({ type: 'Unreachable' });
    expect(sent).toBeGreaterThan(30);
    expect(sent).toBeLessThan(60); // of 500 MiB on offer
  });

  test('says in its failure neither the token nor what came back', async () => {
    answer = (response) =>
      response
        .writeHead(500, { 'content-type': 'application/json' })
        .end('{"message": "Bearer kubernetes-secret"}');
    const failed: unknown = await client(5000)
      .pods()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({
      type: 'Unreachable',
      message: 'Kubernetes answered “list pods” with 500',
    });
    expect(JSON.stringify(failed, Object.getOwnPropertyNames(failed))).not.toContain(
      'kubernetes-secret',
    );
  });
});

describe('a stream', () => {
  const stopping = new AbortController();
  afterEach(() => stopping.abort());

  test('that is cut is followed again, each line of it told', async () => {
    let lines = 0;
    asked = 0;
    // What lists pods and what watches them gets the same.
    const metadata = { resourceVersion: '1' };
    const both = { items: [], metadata, type: 'ADDED', object: { metadata } };
    answer = (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write(`${JSON.stringify(both)}\n`, () => response.end());
    };
    client(1000).podWatch.nudges(() => lines++, stopping.signal);
    await until('two connections', () => asked >= 2 && lines >= 2);
    expect(lines).toBeLessThanOrEqual(asked);
  });
});

describe('programs in containers', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), IMMEDIATE);
  });
  afterEach(() => sandbox.stop());

  test('are at most 32 at the same time, whoever asks', async () => {
    const config = new KubeConfig();
    config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
    const kubernetes = new KubernetesClient(config, 'apps', 5000);
    const [pod] = sandbox.world.state.pods;
    const target = { pod: pod!.name, container: pod!.containers[0]!.name };
    const results = await Promise.all(
      Array.from({ length: 100 }, () =>
        kubernetes.exec(target, ['sh', '-c', 'sleep 0.05; echo end-of-answer']),
      ),
    );
    expect(results.map(({ kind }) => kind)).toEqual(Array(100).fill('answered'));
    expect(sandbox.kubernetes.exec.open.most).toBeLessThanOrEqual(32);
    expect(sandbox.kubernetes.exec.open.most).toBeGreaterThan(1);
  });

  test('whose answer lacks its end have not answered, though they are said to have succeeded', async () => {
    const config = new KubeConfig();
    config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
    const kubernetes = new KubernetesClient(config, 'apps', 5000);
    const [pod] = sandbox.world.state.pods;
    const target = { pod: pod!.name, container: pod!.containers[0]!.name };
    const command = ['sh', '-c', 'echo a line of twenty; echo end-of-answer'];
    sandbox.kubernetes.exec.faults.push('false-success');
    await expect(kubernetes.exec(target, command)).rejects.toMatchObject({
      type: 'ExecIncomplete',
    });
    expect(await kubernetes.exec(target, command)).toEqual({
      kind: 'answered',
      lines: ['a line of twenty'],
    });
  });
});
