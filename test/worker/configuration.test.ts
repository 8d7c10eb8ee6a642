import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { readConfiguration } from '../../worker/configuration.ts';
import { BadConfiguration } from '../../worker/variables.ts';

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
  expect(readConfiguration({ ...rest, SIGNON_PASSWORD_FILE: file }).SIGNON_PASSWORD.reveal()).toBe('from a file');
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
  writeFileSync(file, JSON.stringify({ soak: '1 minute' }));
  expect(readConfiguration({ ...GOOD, ROTATION_SETTINGS: file }).settings).toMatchObject({
    soak: '1 minute',
    window: '14 days',
  });
  writeFileSync(file, JSON.stringify({ soak: 'a while', windw: '1 day' }));
  const problems = problemsOf({ ...GOOD, ROTATION_SETTINGS: file });
  expect(problems).toContainEqual('ROTATION_SETTINGS: line 1: soak: expected a duration such as "10 minutes"');
  expect(problems.join()).toContain('windw');
  rmSync(folder, { recursive: true });
});

test('a worker with a bad configuration says so and exits 1 before it connects', () => {
  const { PATH, HOME } = process.env;
  const worker = spawnSync(process.execPath, ['--import', 'tsx', 'worker/main.ts'], {
    env: { PATH, HOME, TEMPORAL_ADDRESS: '127.0.0.1:1', ...GOOD, ARGOCD_URL: 'nowhere', SIGNON_EMAIL: '' },
    encoding: 'utf8',
  });
  expect(worker.status).toBe(1);
  expect(worker.stderr).toContain('2 problem(s)');
  expect(worker.stderr).toMatch(/SIGNON_EMAIL: is not set[^]*ARGOCD_URL: Invalid URL/);
  expect(worker.stderr + worker.stdout).not.toMatch(/a password|127\.0\.0\.1/);
});
