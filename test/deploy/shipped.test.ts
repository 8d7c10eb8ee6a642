import { expect, test } from '../support/jest.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { isDockerIgnored } from '../support/docker-ignore.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { license, dependencies } = JSON.parse(read('package.json')) as {
  license: string;
  dependencies: Record<string, string>;
};

test('the licence that package.json names lies beside it', () => {
  expect(license).toBe('MIT');
  expect(read('LICENSE')).toMatch(/^MIT License\n\nCopyright \(c\) 2026 the Signon token rotation authors\n/);
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

test.each(['package.json', 'worker/main.ts', 'config/settings.yaml', 'sandbox/serve.ts', 'config/secret.ts'])(
  '%s is',
  (path) => {
    expect(isDockerIgnored(path)).toBe(false);
  },
);

/** Direct dependencies that nothing of ours imports, and why they are there. */
const NOT_IMPORTED: Record<string, string> = {};

test('each direct dependency is imported by something that ships', () => {
  const imported = ['activities', 'client', 'config', 'doctor', 'domain', 'worker', 'workflows']
    .flatMap((folder) =>
      readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, encoding: 'utf8' })
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
  const said = read('docs/security.md');
  for (const { metadata, spec } of documents.map((one) => one.toJS() as Policy)) {
    const ports = (way: 'ingress' | 'egress'): number[] => [
      ...new Set(spec[way].flatMap((rule) => rule.ports.map(({ port }) => port))),
    ];
    const paragraph = said
      .split('\n')
      .find((line) => line.startsWith(metadata.name === 'worker' ? '**With a worker**' : '**With the receiver'))!;
    expect(paragraph).toContain('network-policy.yaml');
    const named = (what: RegExp): number[] => [...(what.exec(paragraph)?.[1] ?? '').matchAll(/\d+/g)].map(Number);
    expect(named(/port (\d+)/)).toEqual(ports('ingress'));
    expect(named(/out go ports ([\d, and]+)/)).toEqual(ports('egress').toSorted((a, b) => a - b));
  }
});
