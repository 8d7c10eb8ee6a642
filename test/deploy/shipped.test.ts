import { expect, test } from '../support/jest.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { MALLOC_ARENAS, NODE_FLAGS } from '../../sandbox/own-process.ts';
import { isDockerIgnored } from '../support/docker-ignore.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { license, scripts, dependencies } = JSON.parse(read('package.json')) as {
  license: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

test('the licence that package.json names lies beside it', () => {
  expect(license).toBe('MIT');
  expect(read('LICENSE')).toMatch(
    /^MIT License\n\nCopyright \(c\) 2026 the Signon token rotation authors\n/,
  );
});

test('the image and npm start bound the memory of a worker as the benchmarks measure it', () => {
  const command = ['node', ...NODE_FLAGS, 'dist/worker/main.mjs'];
  const [[name, value]] = Object.entries(MALLOC_ARENAS) as [[string, string]];
  expect(scripts.start).toBe(`${name}=${value} ${command.join(' ')}`);
  expect(read('Dockerfile')).toContain(`CMD [${command.map((part) => `"${part}"`).join(', ')}]`);
  expect(read('Dockerfile')).toContain(`ENV NODE_ENV=production ${name}=${value}`);
});

test.each([
  'worker.env',
  'receiver.env',
  '.env',
  'deploy/compose/live.env',
  'secrets/signon_password',
  'deploy/secrets/token',
  'kubeconfig',
  'deploy/kubeconfig.yaml',
  '.kube/config',
  '.git/config',
  '.demo/worker.env',
  'client.pem',
  'certificates/client.key',
  'temporal.toml',
  'temporal.db',
  'test/histories/rotated.json',
  'worker.log',
])('%s is not built into an image', (path) => {
  expect(isDockerIgnored(path)).toBe(true);
});

test.each([
  'package.json',
  'worker/main.ts',
  'config/settings.yaml',
  'sandbox/serve.ts',
  'config/secret.ts',
])('%s is', (path) => {
  expect(isDockerIgnored(path)).toBe(false);
});

/** Direct dependencies that nothing of ours imports, and why they are there. */
const NOT_IMPORTED: Record<string, string> = {};

test('each direct dependency is imported by something that ships', () => {
  const imported = ['activities', 'client', 'config', 'doctor', 'domain', 'worker', 'workflows']
    .flatMap((folder) =>
      readdirSync(new URL(`../../${folder}`, import.meta.url), {
        recursive: true,
        encoding: 'utf8',
      })
        .filter((file) => /\.(ts|mjs|cjs)$/.test(file))
        .map((file) => read(`${folder}/${file}`)),
    )
    .flatMap((code) => [...code.matchAll(/(?:from|import|require)\s*\(?\s*'([^'./][^']*)'/g)])
    .map(([, name]) => /^(@[^/]+\/)?[^/]+/.exec(name!)![0]);
  const idle = Object.keys(dependencies).filter((name) => !imported.includes(name));
  expect(idle.toSorted()).toEqual(Object.keys(NOT_IMPORTED).toSorted());
});

interface Policy {
  metadata: { name: string };
  spec: Record<'ingress' | 'egress', { ports: { port: number }[] }[]>;
}

test('docs/security.md names the ports that the network policies open, and no other', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/network-policy.yaml'));
  const lines = read('docs/security.md').split('\n');
  for (const { metadata, spec } of documents.map((one) => one.toJS() as Policy)) {
    const open = (way: 'ingress' | 'egress'): number[] => {
      const ports = spec[way].flatMap((rule) => rule.ports.map(({ port }) => port));
      return [...new Set(ports)].toSorted((a, b) => a - b);
    };
    const row = lines
      .find((line) => new RegExp(`^\\| ${metadata.name} +\\| \\d`).test(line))!
      .split('|');
    const named = (cell: string): number[] => [...cell.matchAll(/\d+/g)].map(Number);
    expect({ in: named(row[2]!), out: named(row[3]!) }).toEqual({
      in: open('ingress'),
      out: open('egress'),
    });
  }
});

test('the AlertmanagerConfig routes the alert as the configuration of Alertmanager itself does', () => {
  const { route, receivers } = parse(read('deploy/alertmanager.yaml')) as Alertmanager;
  const { spec } = parse(read('deploy/monitoring/alertmanager-config.yaml')) as AlertmanagerConfig;
  const own = route.routes[0]!;
  expect(spec.route).toMatchObject({
    receiver: own.receiver,
    continue: own.continue,
    repeatInterval: own.repeat_interval,
  });
  expect(
    spec.route.matchers.map(({ name, matchType, value }) => `${name} ${matchType} "${value}"`),
  ).toEqual(own.matchers);
  expect(spec.receivers.map(({ name }) => name)).toEqual(receivers.map(({ name }) => name));
  const [webhook, ownWebhook] = [
    spec.receivers[0]!.webhookConfigs[0]!,
    receivers[0]!.webhook_configs[0]!,
  ];
  expect(webhook).toMatchObject({ url: ownWebhook.url, sendResolved: ownWebhook.send_resolved });
  expect(webhook.httpConfig.authorization.type).toBe(ownWebhook.http_config.authorization.type);
});

interface Alertmanager {
  route: {
    routes: { receiver: string; continue: boolean; repeat_interval: string; matchers: string[] }[];
  };
  receivers: {
    name: string;
    webhook_configs: {
      url: string;
      send_resolved: boolean;
      http_config: { authorization: { type: string } };
    }[];
  }[];
}

interface AlertmanagerConfig {
  spec: {
    route: { matchers: { name: string; matchType: string; value: string }[] };
    receivers: {
      name: string;
      webhookConfigs: {
        url: string;
        sendResolved: boolean;
        httpConfig: { authorization: { type: string } };
      }[];
    }[];
  };
}

test('Argo CD’s ConfigMaps give the account and the policy lines of argocd-rbac.csv, and no other', () => {
  const [account, policy] = parseAllDocuments(read('deploy/argocd.yaml')).map(
    (document) => document.toJS() as { metadata: { name: string }; data: Record<string, string> },
  );
  expect(account).toMatchObject({
    metadata: { name: 'argocd-cm' },
    data: { 'accounts.signon-rotation': 'apiKey' },
  });
  expect(policy).toMatchObject({
    metadata: { name: 'argocd-rbac-cm' },
    data: { 'policy.signon-rotation.csv': read('deploy/argocd-rbac.csv') },
  });
});
