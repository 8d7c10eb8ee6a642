import { expect, test } from '../support/jest.ts';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReceiverConfiguration } from '../../client/receiver/configuration.ts';

const GOOD = { ROTATION_ENVIRONMENT: 'integration', RECEIVER_TOKEN: 'sixteen-letters-' };
const problems = (env: Record<string, string>): string => {
  try {
    readReceiverConfiguration(env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

test('an environment and a token suffice; it listens on loopback unless told otherwise', () => {
  const read = readReceiverConfiguration(GOOD);
  expect(read.RECEIVER_ADDRESS).toEqual({ host: '127.0.0.1', port: 9095 });
  expect(read.ALERT_RECEIVER_IDENTITY).toBe('alert-receiver');
  expect(
    readReceiverConfiguration({ ...GOOD, RECEIVER_ADDRESS: '[::1]:80' }).RECEIVER_ADDRESS,
  ).toEqual({
    host: '::1',
    port: 80,
  });
});

test('the token may come from a file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'receiver-')), 'token');
  writeFileSync(file, 'a-token-of-a-file\n');
  const { RECEIVER_TOKEN: token } = readReceiverConfiguration({
    ROTATION_ENVIRONMENT: 'production',
    RECEIVER_TOKEN_FILE: file,
  });
  expect(token.reveal()).toBe('a-token-of-a-file');
});

test('every bad variable is named at once, and no value', () => {
  const message = problems({
    ROTATION_ENVIRONMENT: 'staging',
    RECEIVER_TOKEN: 'too-short',
    RECEIVER_ADDRESS: '9095',
  });
  for (const name of ['ROTATION_ENVIRONMENT', 'RECEIVER_TOKEN', 'RECEIVER_ADDRESS'])
    expect(message).toContain(name);
  expect(message).toContain('receiver’s configuration has 3 problem(s)');
  expect(message).not.toContain('too-short');
  expect(problems({})).toMatch(/ROTATION_ENVIRONMENT: is not set[^]*RECEIVER_TOKEN: is not set/);
});

test('so many rotations are started in an hour, within bounds', () => {
  expect(readReceiverConfiguration(GOOD).RECEIVER_STARTS_PER_HOUR).toBe(20);
  expect(
    readReceiverConfiguration({ ...GOOD, RECEIVER_STARTS_PER_HOUR: '62' }).RECEIVER_STARTS_PER_HOUR,
  ).toBe(62);
  for (const wrong of ['0', '1001', '-1', '1.5', 'many', '1e3'])
    expect(problems({ ...GOOD, RECEIVER_STARTS_PER_HOUR: wrong })).toContain(
      'RECEIVER_STARTS_PER_HOUR: expected a whole number from 1 to 1000',
    );
});
