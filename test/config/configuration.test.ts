import { afterAll, describe, expect, test } from '../support/jest.ts';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { run } from '../../client/cli/program.ts';
import { createClients } from '../../worker/clients.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { BadConfiguration } from '../../config/variables.ts';

const GOOD = {
  ROTATION_ENVIRONMENT: 'integration',
  SIGNON_URL: 'https://signon.integration.publishing.service.gov.uk/',
  SIGNON_EMAIL: 'token-rotation@digital.cabinet-office.gov.uk',
  SIGNON_PASSWORD: 'a password with  spaces ',
  SIGNON_TOTP_SECRET: 'JBSWY3DPEHPK3PXP',
  ARGOCD_URL: 'https://argo.eks.integration.govuk.digital',
  ARGOCD_TOKEN: 'an-argo-token',
};

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfiguration(env);
  } catch (error) {
    if (error instanceof BadConfiguration) return error.problems;
    throw error;
  }
  return [];
}

test('reads a good configuration, with defaults, and takes a password as it is', () => {
  const configuration = readConfiguration(GOOD);
  expect(configuration).toMatchObject({
    SIGNON_URL: 'https://signon.integration.publishing.service.gov.uk',
    ARGOCD_APPLICATION: 'signon',
    ARGOCD_APP_NAMESPACE: 'cluster-services',
    ARGOCD_SYNC_CRONJOBS: ['signon-sync-token-secrets-to-k8s', 'signon-sync-app-secrets-to-k8s'],
    KUBERNETES_NAMESPACE: 'apps',
    settings: { window: '14 days', soak: '10 minutes' },
  });
  expect(configuration.SIGNON_PASSWORD.reveal()).toBe('a password with  spaces ');
});

test('names every bad variable at once, never its value', () => {
  const problems = problemsOf({
    ...GOOD,
    ROTATION_ENVIRONMENT: 'live',
    SIGNON_URL: 'ftp://signon',
    SIGNON_EMAIL: undefined,
    SIGNON_TOTP_SECRET: 'not base32!',
    ARGOCD_TOKEN: '',
  });
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'ROTATION_ENVIRONMENT',
    'SIGNON_URL',
    'SIGNON_EMAIL',
    'SIGNON_TOTP_SECRET',
    'ARGOCD_TOKEN',
  ]);
  expect(problems.join()).not.toMatch(/live|ftp|not base32!/);
});

test('shows no secret when printed, serialised or inspected', () => {
  const configuration = readConfiguration(GOOD);
  for (const shown of [
    JSON.stringify(configuration),
    inspect(configuration, { depth: 9 }),
    String(configuration.SIGNON_PASSWORD),
  ])
    expect(shown).not.toMatch(/a password|JBSWY3DPEHPK3PXP|an-argo-token/);
});

test('takes secrets from files, without the newline at their end, and refuses one given twice', () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = join(folder, 'password');
  writeFileSync(file, 'from a file\n');
  const { SIGNON_PASSWORD: _given, ...rest } = GOOD;
  expect(readConfiguration({ ...rest, SIGNON_PASSWORD_FILE: file }).SIGNON_PASSWORD.reveal()).toBe(
    'from a file',
  );
  expect(problemsOf({ ...GOOD, SIGNON_PASSWORD_FILE: file })).toEqual([
    'SIGNON_PASSWORD: set both as a value and as SIGNON_PASSWORD_FILE',
  ]);
  expect(problemsOf({ ...rest, SIGNON_PASSWORD_FILE: join(folder, 'none') })).toEqual([
    'SIGNON_PASSWORD_FILE: the file cannot be read',
  ]);
  rmSync(folder, { recursive: true });
});

test('settings replace the shipped ones by name; a wrong one is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ soak: '6 minutes' }));
  expect(readConfiguration({ ...GOOD, ROTATION_SETTINGS: file }).settings).toMatchObject({
    soak: '6 minutes',
    window: '14 days',
  });
  writeFileSync(file, JSON.stringify({ soak: 'a while', windw: '1 day' }));
  const problems = problemsOf({ ...GOOD, ROTATION_SETTINGS: file });
  expect(problems).toContainEqual(
    'ROTATION_SETTINGS: line 1: soak: expected a duration such as "10 minutes"',
  );
  expect(problems.join()).toContain('windw');
  rmSync(folder, { recursive: true });
});

test('a worker with a bad configuration says so and exits 1 before it connects', () => {
  const { PATH, HOME } = process.env;
  const worker = spawnSync(process.execPath, ['--import', 'tsx', 'worker/main.ts'], {
    env: {
      PATH,
      HOME,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      ...GOOD,
      ARGOCD_URL: 'nowhere',
      SIGNON_EMAIL: '',
    },
    encoding: 'utf8',
  });
  expect(worker.status).toBe(1);
  expect(worker.stderr).toContain('2 problem(s)');
  expect(worker.stderr).toMatch(/SIGNON_EMAIL: is not set[^]*ARGOCD_URL: Invalid URL/);
  expect(worker.stderr + worker.stdout).not.toMatch(/a password|127\.0\.0\.1/);
});

test.each(['localhost:9464', 'metrics.example.org:9464'])(
  'METRICS_ADDRESS is an IP address and a port, as the worker’s metrics need it: not %s',
  (value) => {
    expect(problemsOf({ ...GOOD, METRICS_ADDRESS: value })).toEqual([
      expect.stringMatching(/^METRICS_ADDRESS: expected /),
    ]);
  },
);

test.each(['0.0.0.0:9464', '[::1]:9464'])('METRICS_ADDRESS may be %s', (value) => {
  expect(problemsOf({ ...GOOD, METRICS_ADDRESS: value })).toEqual([]);
});

const CREDENTIALS = 'me:hunter2@';
const WITH_CREDENTIALS = `https://${CREDENTIALS}example.org/`;

describe('an address with a user and a password in it is refused by name, and not quoted', () => {
  test.each([
    'SIGNON_URL',
    'ARGOCD_URL',
    'TEMPORAL_UI_URL',
    'SLACK_WEBHOOK_URL',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ])('%s', (name) => {
    const problems = problemsOf({ ...GOOD, [name]: WITH_CREDENTIALS });
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^${name}: .*without user and password`)),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each([
    ['docsUrl', { docsUrl: WITH_CREDENTIALS }],
    [
      'specialCases.0.link',
      { specialCases: [{ apiUser: 'A', outcome: 'referred', why: 'x', link: WITH_CREDENTIALS }] },
    ],
  ])('%s, of the settings', (field, settings) => {
    const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
    const file = join(folder, 'settings.json');
    writeFileSync(file, JSON.stringify(settings));
    const problems = problemsOf({ ...GOOD, ROTATION_SETTINGS: file });
    expect(problems).toEqual([
      `ROTATION_SETTINGS: line 1: ${field}: expected an address without user and password`,
    ]);
    rmSync(folder, { recursive: true });
  });

  test('TEMPORAL_UI_URL, of the command line', async () => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const code = await run(['list'], {
      env: { ROTATION_ENVIRONMENT: 'integration', TEMPORAL_UI_URL: WITH_CREDENTIALS },
      out: say,
      err: say,
      readLine: () => Promise.resolve(undefined),
      readSecret: () => Promise.resolve(undefined),
    });
    expect(code).toBe(EXIT.usage);
    expect(said).toEqual([
      'TEMPORAL_UI_URL: expected an address that begins with https:// or http://, without user and password.',
    ]);
  });

  test.each([
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'TEMPORAL_UI_URL',
  ])('%s, though its password keeps it from being an address', (name) => {
    const problems = problemsOf({ ...GOOD, [name]: 'http://me:hunt#er2@example.org:4318' });
    expect(problems).toEqual([`${name}: Invalid URL`]);
  });
});

/** A settings file that says that anyone may approve. */
const ANYONE = join(mkdtempSync(join(tmpdir(), 'settings-')), 'settings.yaml');
writeFileSync(ANYONE, 'approvers: anyone\n');
afterAll(() => rmSync(dirname(ANYONE), { recursive: true }));

test('in production the settings say who may approve, or that anyone may', () => {
  const production = { ...GOOD, ROTATION_ENVIRONMENT: 'production' };
  const missing =
    'ROTATION_SETTINGS: approvers: expected who may approve in production, or approvers: anyone';
  expect(problemsOf(production)).toEqual([missing]);
  expect(problemsOf({ ...production, ROTATION_SETTINGS: ANYONE })).toEqual([]);
  expect(problemsOf({ ...GOOD, ROTATION_ENVIRONMENT: 'integration' })).toEqual([]);
});

describe('passwords and tokens are not sent in clear', () => {
  const PLAIN = { SIGNON_URL: 'http://signon.example.org', ARGOCD_URL: 'http://argo.example.org' };
  const named = (env: NodeJS.ProcessEnv): string[] =>
    problemsOf({ ...GOOD, ROTATION_SETTINGS: ANYONE, ...env }).map(
      (problem) => problem.split(':')[0]!,
    );

  test('http is refused in production, whatever is allowed', () => {
    const production = { ...PLAIN, ROTATION_ENVIRONMENT: 'production' };
    expect(named(production)).toEqual(['SIGNON_URL', 'ARGOCD_URL']);
    expect(named({ ...production, ALLOW_PLAIN_HTTP: 'integration' })).toEqual([
      'SIGNON_URL',
      'ARGOCD_URL',
    ]);
    expect(named({ ...production, ALLOW_PLAIN_HTTP: 'production' })).toContain('ALLOW_PLAIN_HTTP');
  });

  test('http is refused in integration, unless ALLOW_PLAIN_HTTP names it', () => {
    expect(named(PLAIN)).toEqual(['SIGNON_URL', 'ARGOCD_URL']);
    expect(problemsOf({ ...GOOD, ...PLAIN })[0]).toContain('ALLOW_PLAIN_HTTP=integration');
    expect(named({ ...PLAIN, ALLOW_PLAIN_HTTP: 'integration' })).toEqual([]);
  });

  test('an address that only looks like this machine’s is refused', () => {
    for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', '[::2]'])
      expect(named({ SIGNON_URL: `http://${host}` })).toEqual(['SIGNON_URL']);
  });

  test('a Slack webhook’s address is a secret, too', () => {
    expect(named({ SLACK_WEBHOOK_URL: 'http://hooks.example.org/services/T0' })).toEqual([
      'SLACK_WEBHOOK_URL',
    ]);
  });

  test.each(['integration', 'production'])(
    'on this machine http is fine, in %s too: it crosses no network',
    (of) => {
      for (const host of ['localhost:3016', '127.0.0.1:3016', '127.8.8.8', '[::1]:3016'])
        expect(
          named({
            ROTATION_ENVIRONMENT: of,
            SIGNON_URL: `http://${host}`,
            ARGOCD_URL: `http://${host}`,
          }),
        ).toEqual([]);
    },
  );
});

describe('a secret that cannot be one is named at start', () => {
  test.each([
    ['a blank one', '   '],
    ['two newlines at its end', 'a-token\n\n'],
    ['two lines', 'a-token\nanother'],
    ['a carriage return within', 'a-to\rken'],
    ['a NUL', 'a-to\u0000ken'],
  ])('%s', (_, value) => {
    const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
    const file = join(folder, 'secret');
    writeFileSync(file, value);
    for (const name of ['SIGNON_PASSWORD', 'ARGOCD_TOKEN']) {
      const problems = problemsOf({ ...GOOD, [name]: undefined, [`${name}_FILE`]: file });
      expect(problems).toEqual([
        `${name}: expected one line that is not blank, without control characters`,
      ]);
    }
    rmSync(folder, { recursive: true });
  });
});

test('settings for stand-ins are refused beside systems that are none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ forStandIns: true, soak: '1 ms' }));
  const env = { ...GOOD, ROTATION_SETTINGS: file, SIGNON_URL: 'http://127.0.0.1:3016' };
  expect(problemsOf(env)).toEqual([
    expect.stringMatching(/^ROTATION_SETTINGS: line 1: forStandIns: /),
  ]);
  expect(readConfiguration({ ...env, ARGOCD_URL: 'http://127.0.0.1:3017' }).settings.soak).toBe(
    '1 ms',
  );
  rmSync(folder, { recursive: true });
});

describe('a kubeconfig that leads to no cluster is named at start, and not quoted', () => {
  const whole = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'k', cluster: { server: 'https://kubernetes.example.org' } }],
    users: [{ name: 'worker', user: { token: 'a-token-of-kubernetes' } }],
    contexts: [{ name: 'here', context: { cluster: 'k', user: 'worker' } }],
  };
  const server = (address: unknown): object => ({
    clusters: [{ name: 'k', cluster: { server: address } }],
  });

  test.each([
    ['no current context', { 'current-context': undefined }, /current-context/],
    ['a context that it lacks', { 'current-context': 'there' }, /current-context/],
    ['no cluster', { clusters: [] }, /cluster/],
    ['a cluster without a server', server(undefined), /KUBECONFIG: /],
    ['a server that is no address', server('kubernetes'), /server/],
    ['a server with a password in it', server(WITH_CREDENTIALS), /server/],
  ])('%s', (_, change, says) => {
    const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
    const file = join(folder, 'kubeconfig');
    writeFileSync(file, JSON.stringify({ ...whole, ...change }));
    const clients = (): unknown => createClients(readConfiguration({ ...GOOD, KUBECONFIG: file }));
    expect(clients).toThrow(BadConfiguration);
    expect(clients).toThrow(says);
    expect(clients).not.toThrow(/a-token-of-kubernetes|hunter2/);
    writeFileSync(file, JSON.stringify(whole));
    expect(clients).not.toThrow();
    rmSync(folder, { recursive: true });
  });

  test('none is read that nobody named: the one at home may be of another environment', () => {
    const home = mkdtempSync(join(tmpdir(), 'configuration-'));
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube', 'config'), JSON.stringify(whole));
    const before = process.env.HOME;
    process.env.HOME = home;
    try {
      expect(() => createClients(readConfiguration({ ...GOOD, KUBECONFIG: undefined }))).toThrow(
        /KUBECONFIG: set it; this is no pod of a cluster/,
      );
    } finally {
      process.env.HOME = before;
      rmSync(home, { recursive: true });
    }
  });
});
