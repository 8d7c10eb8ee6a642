import { generateIdentity, identityToRecipient } from 'age-encryption';
import { startInventory, startSweep } from '../../client/start-workflows.ts';
import { rotationId, taskQueueOf } from '../../domain/request/request.ts';
import { pairOf } from '../../sandbox/seed.ts';
import { REQUEST } from '../support/request.ts';
import type { Stage, StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';
import { syncTokensId } from '../../domain/names/names.ts';

const HMRC = 'hmrc@example.org';
const BY = 'grace@example.org';

/** Settings of all scenes: short waits, a holder outside, a renewal every few seconds. */
export async function sceneSettings(): Promise<object> {
  const key = await identityToRecipient(await generateIdentity());
  return {
    recipients: [{ name: 'HMRC', apiUser: HMRC, key }],
    renewal: { every: '3 seconds', at: '0 ms', takes: '1500 ms' },
    rolloutLimit: '1 minute',
    soak: '2 seconds',
  };
}

/** Plays until a workflow has the history that is wanted, ended or not; and names it. */
export type Scene = (stage: Stage) => Promise<{ workflowId: string }>;

const idOf = ({ handle }: StagedRotation): { workflowId: string } => ({
  workflowId: handle.workflowId,
});

/** Nothing reads this API user's token. */
async function unread(stage: Stage): Promise<StagedRotation> {
  stage.addApiUser('Legacy', 'legacy@alphagov.co.uk', 5);
  const rotation = await stage.rotation({ apiUser: 'legacy@alphagov.co.uk' });
  await rotation.awaitingClassification();
  return rotation;
}

async function toOutside(stage: Stage): Promise<StagedRotation> {
  stage.addApiUser('HMRC', HMRC);
  const rotation = await stage.rotation({ apiUser: HMRC, recipient: 'HMRC' });
  await rotation.awaitingApproval(1);
  return rotation;
}

async function proven(stage: Stage): Promise<StagedRotation> {
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  return rotation;
}

async function swept(stage: Stage): Promise<{ workflowId: string }> {
  const { handle } = await startSweep(stage.client, {
    environment: 'integration',
    requestedBy: 'ada@example.org',
  });
  return handle;
}

/** Whether an activity of the rotation is under way. */
async function underWay(rotation: StagedRotation, activity: string): Promise<boolean | undefined> {
  const { raw } = await rotation.handle.describe();
  return (
    raw.pendingActivities?.some(({ activityType }) => activityType?.name === activity) || undefined
  );
}

/** Every outcome a rotation may have. */
const OUTCOMES: Record<string, Scene> = {
  rotated: async (stage) => {
    const rotation = await proven(stage);
    await rotation.approve();
    await rotation.report();
    return idOf(rotation);
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
    await rotation.approve(2, {
      revoke: waiting.evidence.toRevoke.map(({ authorisationId }) => authorisationId),
    });
    await rotation.report();
    return idOf(rotation);
  },
  'revoked-disused': async (stage) => {
    const rotation = await unread(stage);
    await rotation.send('classify', { as: 'disused' });
    await rotation.approve(1);
    await until('the revoke', () => stage.sandbox.world.happened.revoked.length > 0 || undefined);
    stage.sandbox.world.renewNightly();
    await rotation.approve(2);
    await rotation.report();
    return idOf(rotation);
  },
  'handed-over': async (stage) => {
    const rotation = await toOutside(stage);
    await rotation.approve(1);
    await rotation.awaitingApproval(2);
    await rotation.approve(2);
    await rotation.report();
    return idOf(rotation);
  },
  'old-token-expired': async (stage) => {
    for (const token of stage.tokens()) token.expiresAt = stage.sandbox.world.now() - 86_400_000;
    const rotation = await stage.rotation();
    await rotation.report();
    return idOf(rotation);
  },
  ignored: async (stage) => {
    const { client } = stage;
    const args = [{ ...REQUEST, environment: 'staging' }];
    const taskQueue = taskQueueOf('integration');
    const handle = await client.workflow.start('rotateToken', {
      workflowId: 'staging',
      taskQueue,
      args,
    });
    await handle.result();
    return handle;
  },
  referred: async (stage) => {
    stage.addApiUser('Trade Tariff Admin', 'trade-tariff-admin@alphagov.co.uk');
    const rotation = await stage.rotation({ apiUser: 'trade-tariff-admin@alphagov.co.uk' });
    await rotation.report();
    return idOf(rotation);
  },
  'nothing-to-do': async (stage) => {
    for (const token of stage.tokens())
      token.expiresAt = stage.sandbox.world.now() + 400 * 86_400_000;
    const rotation = await stage.rotation();
    await rotation.report();
    return idOf(rotation);
  },
  delegated: async (stage) => {
    const { client } = stage;
    const taskQueue = taskQueueOf('integration');
    const handle = await client.workflow.start('rotateToken', {
      workflowId: 'at-random',
      taskQueue,
      args: [REQUEST],
    });
    await handle.result();
    await client.workflow.getHandle(rotationId(REQUEST)).cancel();
    return handle;
  },
  rejected: async (stage) => {
    const rotation = await proven(stage);
    await rotation.send('reject', { reason: 'not on a Friday' });
    await rotation.report();
    return idOf(rotation);
  },
  aborted: async (stage) => {
    const rotation = await proven(stage);
    await rotation.send('abort', { reason: 'recorded' });
    await rotation.report();
    return idOf(rotation);
  },
};

/** Every wait a rotation may be met in by a new version of the worker. */
const WAITS: Record<string, Scene> = {
  'waits-for-approval': async (stage) => idOf(await proven(stage)),
  'waits-for-approval-again': async (stage) => {
    const rotation = await proven(stage);
    await rotation.send('approve', { evidence: '00000000' });
    await rotation.answered(/not accepted/);
    return idOf(rotation);
  },
  'waits-for-classification': async (stage) => idOf(await unread(stage)),
  'waits-for-plan-to-hand-over': async (stage) => idOf(await toOutside(stage)),
  'waits-for-renewal': async (stage) => {
    const rotation = await unread(stage);
    await rotation.send('classify', { as: 'disused' });
    await rotation.approve(1);
    await until('the revoke', () => stage.sandbox.world.happened.revoked.length > 0 || undefined);
    return idOf(rotation);
  },
  'waits-blocked': async (stage) => {
    stage.sandbox.world.sync.fails = 1;
    const rotation = await stage.rotation();
    await rotation.blocked('SyncJobFailed');
    return idOf(rotation);
  },
  'waits-in-sync': async (stage) => {
    stage.sandbox.options.jobMs = 3_600_000;
    const rotation = await stage.rotation();
    await until('a sync Job', () => stage.sandbox.world.happened.jobs.length > 0 || undefined);
    return idOf(rotation);
  },
  'waits-in-roll-out': async (stage) => {
    stage.sandbox.world.overlooked.add('short-url-manager');
    const rotation = await stage.rotation();
    await until('the rollout to be waited for', () => underWay(rotation, 'awaitRollout'));
    return idOf(rotation);
  },
  'waits-in-soak': async (stage) => {
    const rotation = await proven(stage);
    await rotation.approve();
    await until('the soak', async () => {
      const { steps = [] } = (await rotation.status()) ?? {};
      return (
        steps.some(({ name, note }) => name === 'confirm' && note.includes('checking again in')) ||
        undefined
      );
    });
    return idOf(rotation);
  },
};

/** The workflows around rotations. */
const OTHERS: Record<string, Scene> = {
  'inventory-taken': async (stage) => {
    const request = { environment: 'integration', requestedBy: 'ada@example.org' } as const;
    const { handle } = await startInventory(stage.client, request);
    await handle.result();
    return handle;
  },
  'sweep-ended': async (stage) => {
    const sweep = await swept(stage);
    await stage.client.workflow.getHandle(sweep.workflowId).result();
    return sweep;
  },
  'sweep-waits': async (stage) => {
    stage.sandbox.options.jobMs = 3_600_000; // its rotations do not come to a person
    const sweep = await swept(stage);
    await until('a sync Job', () => stage.sandbox.world.happened.jobs.length > 0 || undefined);
    return sweep;
  },
  'sync-tokens-ended': async (stage) => {
    await proven(stage);
    const workflowId = syncTokensId('integration');
    await stage.client.workflow.getHandle(workflowId).result();
    return { workflowId };
  },
  'sync-tokens-in-a-job': async (stage) => {
    stage.sandbox.options.jobMs = 3_600_000;
    await stage.rotation();
    await until('a sync Job', () => stage.sandbox.world.happened.jobs.length > 0 || undefined);
    return { workflowId: syncTokensId('integration') };
  },
  notifications: async (stage) => {
    const rotation = await proven(stage);
    await rotation.send('abort', { by: BY, reason: 'recorded' });
    await rotation.report();
    return { workflowId: 'notifications/integration' };
  },
  'sign-in-ledger': async (stage) => {
    await proven(stage);
    for await (const { workflowId, type } of stage.client.workflow.list())
      if (type === 'signInLedger') return { workflowId };
    throw new Error('no sign-in ledger');
  },
};

export const SCENES: Record<string, Scene> = { ...OUTCOMES, ...WAITS, ...OTHERS };
