import { createInterface } from 'node:readline/promises';
import { setTimeout as after } from 'node:timers/promises';
import { run } from '../../client/cli/program.ts';
import { askStatus, listRotations } from '../../client/rotations.ts';
import { startSweep } from '../../client/start-workflows.ts';
import {
  countByState,
  type RowState,
  type SweepProgress,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import { expireAllIn, seedWorld } from '../seed.ts';
import type { World } from '../world.ts';
import type { Ground } from './ground.ts';
import { printWhereToWatch } from './output.ts';

/** One wave takes them all; rotations wait for each other a little before they ask for a sync. */
export const FLEET_SETTINGS = {
  sweep: { maxConcurrent: 100, pause: '20 ms' },
  syncGathering: { quietFor: '5 seconds', atMost: '2 minutes' },
};
const LOOK_EVERY_MS = 1000;

/** The whole estate, every token about to end. */
export function seedFleet(): World {
  const world = seedWorld();
  expireAllIn(world, 10);
  return world;
}

/** Rotates every token of the estate in one sweep. */
export async function rotateFleet({ temporal, sandbox, client, asks }: Ground): Promise<void> {
  const begun = Date.now();
  const { handle } = await startSweep(client, { environment: 'integration', requestedBy: 'demo' });
  const { runId } = await handle.describe();
  printWhereToWatch({ temporal, client }, handle.workflowId, runId, 'sweep show --watch');

  const says = printer(begun);
  const swept = handle.result();
  await untilSettled(swept, async () => {
    const status = await askStatus<SweepProgress>(client, handle.workflowId, runId);
    if (status) says(status.rows, status.doing);
  });
  const { rows, why } = await swept;
  says(rows, why);

  if (asks && !(await agreed()))
    return console.log('   Nothing was revoked; both tokens of each pair are alive.');
  if (!asks) console.log('\n   Approving all by itself (--yes, or no terminal).');
  await approveAll(temporal.address);
  const stages = async (): Promise<Pick<SweepRow, 'state'>[]> =>
    (await listRotations(client, 'integration', { closed: true })).map(({ stage }) => ({
      state: stage,
    }));
  for (;;) {
    const now = await stages();
    says(now, 'Revokes, and looks again.');
    if (now.every(({ state }) => !['waiting-approval', 'revoking', 'preparing'].includes(state)))
      break;
    await after(LOOK_EVERY_MS);
  }
  const { jobs, requests, trafficCalls, outages, created, revoked } = sandbox.world.happened;
  console.log(`
   ${created.length} tokens issued, ${revoked.length} revoked, by ${jobs.length} sync Job${jobs.length === 1 ? '' : 's'}, in ${seconds(begun)} s
   ${requests.signon} requests to Signon, ${requests.argo} to Argo CD, ${requests.kubernetes} to Kubernetes
   ${trafficCalls} calls of running pods meanwhile, ${outages.length} refused`);
}

/** Prints how many stand where, whenever that changes. */
function printer(begun: number): (rows: readonly Pick<SweepRow, 'state'>[], doing: string) => void {
  let last = '';
  return (rows, doing) => {
    const counts = countByState(rows as SweepRow[]).map(
      ({ state, count }: { state: RowState; count: number }) => `${state} ${count}`,
    );
    const line = counts.length > 0 ? counts.join(' · ') : doing;
    if (line !== last) console.log(`   ${seconds(begun).padStart(4)} s  ${line}`);
    last = line;
  };
}

const seconds = (since: number): string => ((Date.now() - since) / 1000).toFixed(0);

async function untilSettled(what: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  const settled = what.then(
    () => true,
    () => true,
  );
  do await look().catch(() => undefined);
  while (!(await Promise.race([settled, after(LOOK_EVERY_MS, false)])));
}

async function agreed(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    let answer = '';
    while (!/^(y|yes|n|no)$/i.test(answer))
      answer = (
        await terminal.question(
          '\n   Each waits with its evidence: npx signon-rotation list --waiting\n   Approve all, and revoke the old tokens in integration (sandbox)? yes/no: ',
        )
      ).trim();
    return /^y/i.test(answer);
  } finally {
    terminal.close();
  }
}

/** As `signon-rotation approve --waiting` does, its evidence left out. */
async function approveAll(address: string): Promise<void> {
  const accept = ['--accept', 'no-pod-seen', '--accept', 'not-smoke-tested'];
  const said: string[] = [];
  const code = await run(
    ['approve', '--waiting', '--no-wait', '--by', 'you@example.org', ...accept],
    {
      env: { ...process.env, TEMPORAL_ADDRESS: address, ROTATION_ENVIRONMENT: 'integration' },
      out: (line) => said.push(line),
      err: (line) => said.push(line),
      readLine: () => Promise.resolve('integration'),
      readSecret: () => Promise.resolve(undefined),
    },
  );
  if (code !== 0) console.log(said.slice(-5).join('\n'));
}
