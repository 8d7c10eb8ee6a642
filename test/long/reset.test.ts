import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { randomUUID } from 'node:crypto';
import type { RotationReport } from '../../domain/rotation/report.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set({}, { soak: '1 second' });
  await stage.worker();
});
afterEach(() => stage.strike());

type Event = NonNullable<
  Awaited<ReturnType<StagedRotation['handle']['fetchHistory']>>['events']
>[number];

/**
 * Resets to the workflow task that ended last before an event, or first after it; what came later
 * is applied again.
 * @returns the new run's id
 */
async function reset(
  rotation: StagedRotation,
  to: 'before' | 'after',
  what: (event: Event) => boolean,
): Promise<string> {
  const { workflowId } = rotation.handle;
  const { runId } = await rotation.handle.describe();
  const events = (await rotation.handle.fetchHistory()).events ?? [];
  const at = events.findIndex(what);
  const tasks = (some: Event[]): Event[] =>
    some.filter((event) => event.workflowTaskCompletedEventAttributes);
  const task = to === 'before' ? tasks(events.slice(0, at)).at(-1) : tasks(events.slice(at)).at(0);
  const answer = await stage.client.workflowService.resetWorkflowExecution({
    namespace: stage.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: task!.eventId,
    reason: 'a test',
    requestId: randomUUID(),
  });
  return answer.runId;
}

const isApproval = (event: Event): boolean =>
  event.workflowExecutionSignaledEventAttributes?.signalName === 'approve' ||
  event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === 'approve';

test.each(['signal', 'update'] as const)(
  'a reset to before the approval applies it again (sent as %s), and it counts for nothing',
  async (way) => {
    const rotation = await stage.rotation();
    await rotation.approve(1, {}, way);
    expect((await rotation.report()).outcome).toBe('rotated');
    const [revoked] = stage.sandbox.world.happened.revoked;
    // A token that the approval named is live again: if it counted, it would be revoked.
    stage.tokens().find(({ id }) => id === revoked!.id)!.revokedAt = undefined;
    await reset(rotation, 'before', isApproval);
    // Applied again it comes early, before the evidence is shown, or quotes another run's code.
    await rotation.answered(/not accepted: (nothing waits for approval now|that is not the code)/);
    await rotation.awaitingApproval();
    expect((await rotation.status())?.waiting?.kind).toBe('approval');
    expect(stage.sandbox.world.happened.revoked).toHaveLength(1);
    await rotation.approve();
    expect(
      await stage.client.workflow.getHandle(rotation.handle.workflowId).result(),
    ).toMatchObject({
      outcome: 'rotated',
      approvals: [{}],
    });
    expect(stage.sandbox.world.happened.revoked).toHaveLength(2);
  },
);

const isStop = (event: Event): boolean =>
  event.workflowExecutionSignaledEventAttributes?.signalName === 'abort' ||
  event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === 'abort' ||
  event.workflowExecutionCancelRequestedEventAttributes !== null;

test.each(['signal', 'update', 'cancel'] as const)(
  'a reset of a rotation that was stopped by mistake (%s) applies the stop again, and it counts for nothing',
  async (way) => {
    const rotation = await stage.rotation();
    await rotation.awaitingApproval();
    const abort = { by: 'grace@example.org', reason: 'a mistake' };
    if (way === 'signal') await rotation.handle.signal<[unknown]>('abort', abort);
    else if (way === 'update') await rotation.handle.executeUpdate('abort', { args: [abort] });
    else await rotation.handle.cancel();
    expect((await rotation.report()).outcome).toBe('aborted');
    await reset(rotation, 'before', isStop);
    if (way !== 'cancel')
      // this server does not apply a cancel request again
      await rotation.answered(
        /not stopped: .* asked an earlier run of this rotation, which was reset/,
      );
    const { notes } = await rotation.awaitingApproval();
    if (way !== 'cancel') expect(notes.join()).toMatch(/not stopped: /);
    // One that is sent to this run counts.
    await rotation.send('abort', { reason: 'enough' });
    const { workflowId } = rotation.handle;
    expect(await stage.client.workflow.getHandle(workflowId).result()).toMatchObject({
      outcome: 'aborted',
      why: expect.stringContaining('enough'),
    });
  },
);

test('a reset to after the approval replays its verdict and goes on to the end', async () => {
  const rotation = await stage.rotation();
  await rotation.approve();
  await rotation.report();
  const isRevoke = (event: Event): boolean =>
    event.activityTaskScheduledEventAttributes?.activityType?.name === 'revokeToken';
  const runId = await reset(rotation, 'after', isRevoke);
  const report = (await stage.client.workflow
    .getHandle(rotation.handle.workflowId, runId)
    .result()) as RotationReport;
  expect(report).toMatchObject({
    outcome: 'rotated',
    approvals: [{ by: 'grace@example.org' }],
    revoked: [{}],
  });
  expect(stage.sandbox.world.happened.revoked).toHaveLength(1);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a third token in round one: its approval revokes nothing, and does not count in round two', async () => {
  const rotation = await stage.rotation();
  const { code = '' } = await rotation.awaitingApproval();
  const [old] = stage.tokens();
  const third = stage.sandbox.world.issue(old!.apiUserId, old!.applicationId);
  await rotation.approve();
  const second = await rotation.awaitingApproval(2);
  expect(second.waiting).toMatchObject({ evidence: { newToken: { authorisationId: third.id } } });
  await rotation.handle.signal<[unknown]>('approve', {
    by: 'grace@example.org',
    evidence: code,
    revoke: [old!.id],
  });
  await rotation.answered(/not accepted: that is not the code of this evidence/);
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  await rotation.approve(2);
  await until('a revoke', () => stage.sandbox.world.happened.revoked.length > 0 || undefined);
  await rotation.report();
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});
