import { afterEach, expect, test } from '../support/jest.ts';
import { Client, Connection } from '@temporalio/client';
import { join } from 'node:path';
import { startRotation } from '../../client/start-workflows.ts';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal-server.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, StagedRotation } from '../support/stage.ts';

let stage: Stage;
let empty: TemporalServer | undefined;
let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  await stage.strike();
  await empty?.stop();
});

test('a server that lost its data: started again, the rotation adopts what the lost one issued, and the old token must be named', async () => {
  stage = await Stage.set();
  const first = stage.workerProcess();
  await (await stage.rotation()).awaitingApproval();
  await first.crash();
  const before = stage.tokens().map(({ id }) => id);
  expect(before).toHaveLength(2);

  empty = await startTemporal({ dataFile: join(stage.folder, 'empty.db'), ui: false });
  connection = await Connection.connect({ address: empty.address, connectTimeout: '1 minute' });
  stage.workerProcess({ TEMPORAL_ADDRESS: empty.address, TEMPORAL_NAMESPACE: 'default' });
  const { handle } = await startRotation(new Client({ connection }), REQUEST);
  const again = new StagedRotation(handle, stage.sandbox);
  const { waiting } = await again.awaitingApproval();
  expect(waiting).toMatchObject({
    evidence: {
      newToken: { authorisationId: before[1] },
      toRevoke: [{ authorisationId: before[0], standing: 'holder-unknown' }],
    },
  });
  await again.approve();
  expect(await again.report()).toMatchObject({
    outcome: 'rotated',
    origin: 'adopted',
    revoked: [{ authorisationId: before[0] }],
  });
  expect(stage.tokens().map(({ id }) => id)).toEqual(before);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});
