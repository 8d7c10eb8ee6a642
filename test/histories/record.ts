// eslint-disable-next-line import/no-unassigned-import -- what is recorded must be this code
import '../support/prepare.ts';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { pairOf } from '../../sandbox/seed.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';

/** Records the histories that `test/replay.test.ts` replays: run it when a change of the workflows is meant to end what ran before. */
const SCENES: Record<string, (stage: Stage) => Promise<StagedRotation>> = {
  rotated: async (stage) => {
    const rotation = await stage.rotation();
    await rotation.approve();
    await rotation.report();
    return rotation;
  },
  'rotated-with-trouble': async (stage) => {
    const { world, signon } = stage.sandbox;
    signon.faults.add({ method: 'POST', path: /\/authorisations$/, when: 'after', kind: 'cut' });
    world.sync.fails = 1;
    const rotation = await stage.rotation();
    await rotation.blocked('SyncJobFailed');
    await rotation.retry();
    await rotation.awaitingApproval();
    const { user, server } = pairOf(world, REQUEST.apiUser, REQUEST.application);
    world.issue(user.id, server.id);
    await rotation.approve();
    const { waiting } = await rotation.awaitingApproval(2);
    if (waiting?.kind !== 'approval') throw new Error('no second round');
    const all = waiting.evidence.toRevoke.map(({ authorisationId }) => authorisationId);
    await rotation.approve(2, { revoke: all });
    await rotation.report();
    return rotation;
  },
  aborted: async (stage) => {
    const rotation = await stage.rotation();
    await rotation.awaitingApproval();
    await rotation.handle.signal<[unknown]>('abort', { by: 'grace@example.org', reason: 'recorded' });
    await rotation.report();
    return rotation;
  },
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
for (const [name, play] of Object.entries(SCENES)) {
  const stage = await Stage.set({ jobMs: 50, podStartMs: 20, terminationMs: 50, reloaderMs: 10 });
  await stage.worker();
  const rotation = await play(stage);
  const json = historyToJSON(await rotation.handle.fetchHistory());
  const clean = json.replaceAll(ROOT, '').replaceAll(`@${hostname()}`, '@worker');
  writeFileSync(new URL(`./${name}.json`, import.meta.url), `${clean}\n`);
  console.log(`${name}: ${JSON.parse(clean).events.length} events`);
  await stage.strike();
}
process.exit(0);
