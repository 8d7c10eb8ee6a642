import { afterEach, beforeEach, describe, expect, test } from '../support/jest.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { readTemporal } from '../../config/temporal.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'signon-temporal-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const KEY = 'a-key-of-temporal-cloud';

/** What is read, or said of it. */
function saidOf(env: NodeJS.ProcessEnv): string {
  try {
    return JSON.stringify(readTemporal(env));
  } catch (error) {
    return inspect(error, { depth: 9 });
  }
}

test('the API key may come from a file, so that no manifest holds it', () => {
  const file = join(folder, 'temporal-api-key');
  writeFileSync(file, `${KEY}\n`);
  const env = {
    TEMPORAL_ADDRESS: 'cloud.example.org:7233',
    TEMPORAL_NAMESPACE: 'signon',
    TEMPORAL_API_KEY_FILE: file,
  };
  expect(readTemporal(env)).toMatchObject({
    namespace: 'signon',
    connectionOptions: { address: 'cloud.example.org:7233', apiKey: KEY },
  });
});

test('a file that cannot be read, and a key given twice, are named and never quoted', () => {
  const env = { TEMPORAL_API_KEY: KEY, TEMPORAL_API_KEY_FILE: join(folder, 'missing') };
  const said = saidOf(env);
  expect(said).toContain('TEMPORAL_API_KEY_FILE: the file cannot be read');
  expect(said).toContain('set both as a value and as TEMPORAL_API_KEY_FILE');
  expect(said).not.toContain(KEY);
});

describe('a configuration file of Temporal’s that is wrong is named, and no word of it is said', () => {
  const { PATH, HOME } = process.env;
  const RECEIVER = { ROTATION_ENVIRONMENT: 'integration', RECEIVER_TOKEN: 'sixteen-letters-' };
  const WORKER = {
    ROTATION_ENVIRONMENT: 'integration',
    SIGNON_URL: 'https://signon.integration.publishing.service.gov.uk',
    SIGNON_EMAIL: 'token-rotation@digital.cabinet-office.gov.uk',
    SIGNON_PASSWORD: 'a password',
    SIGNON_TOTP_SECRET: 'JBSWY3DPEHPK3PXP',
    ARGOCD_URL: 'https://argo.eks.integration.govuk.digital',
    ARGOCD_TOKEN: 'an-argo-token',
  };
  const toml = (text: string): string => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, text);
    return file;
  };

  test.each([
    ['half a line', `[profile.default]\napi_key = "${KEY}\n`],
    ['a key without quotes', `[profile.default]\napi_key = ${KEY}\n`],
    ['a profile that is none', `profile = "${KEY}"\n`],
    ['no TOML at all', `${KEY}\n`],
  ])('%s', (_, text) => {
    const said = saidOf({ TEMPORAL_CONFIG_FILE: toml(text), TEMPORAL_PROFILE: 'default' });
    expect(said).toContain('TEMPORAL_CONFIG_FILE: ');
    expect(said).not.toContain(KEY);
  });

  test.each([
    ['worker', ['worker/main.ts'], WORKER],
    ['alert receiver', ['client/alert-receiver.ts'], RECEIVER],
    ['command line', ['client/cli/main.ts', 'list', '--environment', 'integration'], {}],
  ])('by the %s', (_, [program = '', ...args], env) => {
    const file = toml(`[profile.default]\napi_key = "${KEY}\naddress = "x"\n`);
    const ran = spawnSync(process.execPath, ['--import', 'tsx', program, ...args], {
      env: { PATH, HOME, TEMPORAL_CONFIG_FILE: file, ...env },
      encoding: 'utf8',
    });
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toContain('TEMPORAL_CONFIG_FILE: ');
    expect(ran.stdout + ran.stderr).not.toMatch(new RegExp(`${KEY}|api_key|TomlError|    at `));
  });
});

test('a certificate that cannot be read is named by its variables, not by its path', () => {
  const said = saidOf({
    TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such/file',
    TEMPORAL_TLS_CLIENT_KEY_PATH: '/none',
  });
  expect(said).toContain('TEMPORAL_TLS_CLIENT_CERT_PATH');
  expect(said).not.toContain('/no/such/file');
});

test.each([
  ['two lines', `${KEY}\n${KEY}`],
  ['a zero-width space', `${KEY}\u200b`],
])('a key or a header of %s is refused before gRPC can quote it', (_what, value) => {
  for (const name of ['TEMPORAL_API_KEY', 'TEMPORAL_GRPC_META_AUTHORIZATION']) {
    const said = saidOf({ [name]: value });
    expect(said).toMatch(
      /TEMPORAL_(API_KEY|GRPC_META_…): expected letters, digits and signs of ASCII/,
    );
    expect(said).not.toContain(KEY);
  }
});

test('an address with a user and a password in it is refused by the variable’s name', () => {
  const said = saidOf({ TEMPORAL_ADDRESS: 'me:hunter2@cloud.example.org:7233' });
  expect(said).toContain('TEMPORAL_ADDRESS: ');
  expect(said).not.toContain('hunter2');
});
