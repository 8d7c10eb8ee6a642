import { afterEach, expect, test } from '../support/jest.ts';
import { Connection } from '@temporalio/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../domain/rotation/stage.ts';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal-server.ts';
import { ensureSearchAttributes, SearchAttributesMissing } from '../../worker/search-attributes.ts';

// Of Temporal's IndexedValueType.
const KEYWORD = 2;
const TEXT = 1;
let server: TemporalServer;
let connection: Connection;
let folder: string;

async function bareServer(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'signon-attributes-'));
  server = await startTemporal({
    dataFile: join(folder, 'temporal.db'),
    ui: false,
    searchAttributes: [],
  });
  connection = await Connection.connect({ address: server.address });
}
afterEach(async () => {
  await connection.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const registered = async (): Promise<Record<string, unknown>> => {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  return Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, customAttributes[name]]));
};
const all = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD]));

test('what a namespace lacks is registered, by two workers at once too, and known when they start', async () => {
  await bareServer();
  await Promise.all([
    ensureSearchAttributes(connection, 'default'),
    ensureSearchAttributes(connection, 'default'),
  ]);
  expect(await registered()).toEqual(all);
  await ensureSearchAttributes(connection, 'default');
});

test('an attribute of another type is refused, naming the commands', async () => {
  await bareServer();
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries([['RotationStage', TEXT]]),
  });
  const refused: unknown = await ensureSearchAttributes(connection, 'default').catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(SearchAttributesMissing);
  expect((refused as Error).message).toMatch(
    /RotationStage must be of type Keyword and is of another/,
  );
  expect((refused as Error).message).toContain(
    'temporal operator search-attribute remove --namespace default --name RotationStage',
  );
  expect((refused as Error).message).toContain('--name RotationEnvironment --type Keyword');
});
