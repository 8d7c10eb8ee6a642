import { setTimeout as after } from 'node:timers/promises';
import pLimit from 'p-limit';
import { AT_ONCE } from '../../client/cli/context.ts';
import { askStatus, listRotations, type ListedRotation } from '../../client/rotations.ts';
import { startSweep } from '../../client/start-workflows.ts';
import { approvalFor } from '../../domain/rotation/index.ts';
import { expireAllIn, seedWorld, type Reading } from '../seed.ts';
import type { WorkerProcess } from '../worker-process.ts';
import type { World } from '../world.ts';
import { layGround, median, type Ground } from './ground.ts';
import { usageOf } from './usage.ts';
import { sweepId, syncTokensId } from '../../domain/names/index.ts';

/** Real life, scaled down. */
const DELAYS = {
  jobMs: 2000,
  treeLagMs: 300,
  reloaderMs: 100,
  podStartMs: 500,
  terminationMs: 500,
  jobNameEveryMs: 1000,
  trafficEveryMs: 5000,
  execs: 'in the sandbox',
} as const;
const SETTINGS = {
  soak: '1 second',
  syncGathering: { quietFor: '5 seconds', atMost: '10 minutes' },
  sweep: { maxConcurrent: 1000, pause: '0 ms' },
};

/** What a fleet took. Seconds, by this process's clock. */
export interface FleetFigures {
  tokens: number;
  /** From the sweep's start until every rotation waits for approval. */
  untilWaiting: number;
  /** From the first approval at once until all that were approved have ended, soak included. */
  untilEnded: number;
  /**
   * Of those that were approved one by one, the median from approval to end; absent where none was.
   */
  oneByOne?: number;
  jobs: number;
  requests: { signon: number; argo: number; kubernetes: number };
  signIns: number;
  /** Of all histories, divided by the tokens. */
  eventsPerToken: number;
  activitiesPerToken: number;
  /** Processor time of the workers that were not killed, ms. */
  cpuPerToken: number;
  /** MiB of one worker, while all wait for approval, and at most. */
  waitingMib: number;
  peakMib: number;
  refusedCalls: number;
}

/** A fleet of the estate's 62 tokens, or of as many made-up ones. */
export async function layFleet(
  tokens: number | 'real',
  settings: object = {},
  delays: object = {},
): Promise<Ground> {
  const world = tokens === 'real' ? seedWorld() : seedWorld({ readings: madeUp(tokens) });
  expireAllIn(world, 10);
  return layGround({ ...DELAYS, ...delays }, { world, settings: { ...SETTINGS, ...settings } });
}

/** Applications that read two tokens each, in two pods. */
function madeUp(tokens: number): Reading[] {
  return Array.from({ length: tokens }, (_, at): Reading => {
    const application = `app-${String(Math.floor(at / 2)).padStart(4, '0')}`;
    const server = at % 2 === 0 ? 'publishing-api' : 'email-alert-api';
    const envVar = `${server.toUpperCase().replaceAll('-', '_')}_BEARER_TOKEN`;
    return {
      secret: `signon-token-${application}-${server}`,
      application,
      envVar,
      replicas: 2,
      hasWorkerDeployment: false,
      cronTasks: 0,
    };
  });
}

/** The tokens of a world. */
export const tokensOf = ({ state }: World): number => state.authorisations.length;

/** How a fleet is approved. */
export interface Approving {
  /** So many first, one by one. */
  oneByOne?: number;
  /** So many of the others at once, all where absent. */
  atOnce?: number;
  /** What happens when the approvals were sent. */
  meanwhile?: () => Promise<void>;
}

/** Sweeps the fleet, approves it, and waits for the end of the last. */
export async function rotateFleet(
  ground: Ground,
  workers: readonly [WorkerProcess, ...WorkerProcess[]],
  { oneByOne = 0, atOnce = Infinity, meanwhile = () => Promise.resolve() }: Approving = {},
): Promise<FleetFigures> {
  const { client, sandbox } = ground;
  const [worker] = workers;
  const tokens = tokensOf(sandbox.world);
  const began = performance.now();
  const cpuOfAll = (): number =>
    workers
      .filter(({ child }) => child.signalCode === null)
      .reduce((sum, one) => sum + usageOf(one).cpuMs, 0);
  const cpuBefore = cpuOfAll();
  const { handle } = await startSweep(client, { environment: 'integration', requestedBy: 'bench' });
  const { rows } = await handle.result();
  const waiting = rows.filter(({ state }) => state === 'waiting-approval').length;
  if (waiting !== tokens) throw new Error(`${waiting} of ${tokens} wait for approval`);
  const untilWaiting = performance.now() - began;
  await after(5000);
  const waitingMib = usageOf(worker).mib;

  const rotations = await untilListed(ground, tokens);
  const approvals = await pLimit(AT_ONCE).map(rotations, (rotation) =>
    approvalOf(ground, rotation),
  );
  const approve = ({ workflowId, approval }: (typeof approvals)[number]): Promise<void> =>
    client.workflow.getHandle(workflowId).signal<[unknown]>('approve', approval);
  const alone: number[] = [];
  for (const approval of approvals.slice(0, oneByOne)) {
    const sent = performance.now();
    await approve(approval);
    await client.workflow.getHandle(approval.workflowId).result();
    alone.push(performance.now() - sent);
  }
  const approved = performance.now();
  const woken = approvals.slice(oneByOne, oneByOne + atOnce);
  await pLimit(AT_ONCE).map(woken, approve);
  await meanwhile();
  await pLimit(AT_ONCE).map(woken, ({ workflowId }) =>
    client.workflow.getHandle(workflowId).result(),
  );
  const untilEnded = performance.now() - approved;

  const { peakMib } = usageOf(worker);
  const cpuMs = cpuOfAll() - cpuBefore;
  const ids = [
    ...rotations.map(({ workflowId }) => workflowId),
    sweepId('integration'),
    syncTokensId('integration'),
  ];
  const lengths = await pLimit(AT_ONCE).map(
    ids,
    async (id) => (await client.workflow.getHandle(id).describe()).historyLength,
  );
  const { events = [] } = await client.workflow.getHandle(ids[0]!).fetchHistory();
  const { happened } = sandbox.world;
  return {
    tokens,
    untilWaiting: untilWaiting / 1000,
    untilEnded: untilEnded / 1000,
    oneByOne: alone.length > 0 ? median(alone) : undefined,
    jobs: happened.jobs.length,
    requests: { ...happened.requests },
    signIns: happened.signIns,
    eventsPerToken: lengths.reduce((sum, length) => sum + length, 0) / tokens,
    activitiesPerToken: (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes)
      .length,
    cpuPerToken: cpuMs / tokens,
    waitingMib,
    peakMib,
    refusedCalls: happened.outages.length,
  };
}

async function untilListed({ client }: Ground, tokens: number): Promise<ListedRotation[]> {
  for (;;) {
    const listed = await listRotations(client, 'integration', { stages: ['waiting-approval'] });
    if (listed.length === tokens) return listed;
    await after(500);
  }
}

/** What a person who has read the evidence sends. */
async function approvalOf(
  { client }: Ground,
  { workflowId, runId }: ListedRotation,
): Promise<{ workflowId: string; approval: object }> {
  const status = await askStatus(client, workflowId);
  if (status?.waiting?.kind !== 'approval')
    throw new Error(`${workflowId} does not wait for approval`);
  const { evidence } = status.waiting;
  const accept = [...new Set(evidence.shortfalls.map(({ code }) => code))];
  return { workflowId, approval: { ...approvalFor(evidence, runId), by: 'approver', accept } };
}
