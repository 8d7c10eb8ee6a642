import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { setTimeout as after } from 'node:timers/promises';
import pLimit from 'p-limit';
import { WEBHOOK_PATH } from '../../client/receiver/server.ts';
import { startRotation, startSweep } from '../../client/start-workflows.ts';
import { ALERT_NAME } from '../../domain/alerts/alerts.ts';
import { rotationId } from '../../domain/request/request.ts';
import { BUNDLE } from '../support/bundle.ts';
import { setUpRuntime } from '../support/runtime.ts';
import { findSecrets, whatTemporalKeeps } from '../support/secret-search.ts';
import { fateOf, type Fate } from './fate.ts';
import { Ground } from './ground.ts';
import { judge, type Seen } from './judge.ts';
import { People, REQUESTER, type Standing } from './people.ts';
import { sweepId } from '../../domain/names/names.ts';

const LOOK_EVERY_MS = 150;
/** One look at everything that waits, and what is done about it. */
const ATTENDS_WITHIN_MS = 8000;
/** A run that neither ended nor waits after so long is stuck. */
const LIMIT_MS = 300_000;

/** What one run came to. */
export interface RunResult {
  seed: number;
  violations: string[];
  /** What was struck and what happened, in order. */
  met: string[];
  /** How each rotation stood at the end: an outcome, or `waits: …`. */
  ends: string[];
  seconds: number;
}

/** Plays what a seed has in store, and judges it. */
export async function run(seed: number): Promise<RunResult> {
  const fate = fateOf(seed);
  const began = performance.now();
  const ground = await Ground.lay(fate);
  try {
    const seen = await play(fate, ground);
    const { met } = ground.moments;
    const ends = seen.rotations.map(({ standing }) => nameOf(standing));
    return {
      seed,
      violations: judge(fate, seen),
      met,
      ends,
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    await ground.clear();
  }
}

async function play(fate: Fate, ground: Ground): Promise<Seen> {
  const { client, register, world, slack } = ground;
  const people = new People(fate, ground.moments);
  const handles = ground.pairs.map((pair) =>
    client.workflow.getHandle(rotationId({ environment: fate.environment, ...pair })),
  );
  await start(fate, ground);
  if (fate.early) await people.approveEarly(handles[0]!);
  const rotations: Seen['rotations'] = [];
  const begun = ground.pairs.map(() => Date.now());
  const keep = (standing: Standing, index: number): void => {
    const runId = 'runId' in standing ? standing.runId : '';
    rotations.push({
      pair: ground.pairs[index]!,
      runId,
      begun: begun[index]!,
      ended: Date.now(),
      standing,
    });
  };
  let standings = await attendAll(handles, people, ground);
  if (fate.again && standings.some(({ kind }) => kind === 'ended')) {
    // Those that ended are rotated once more, as days later: what they left is taken up.
    const ended = standings.flatMap((standing, index) =>
      standing.kind === 'ended' ? [index] : [],
    );
    for (const index of ended) keep(standings[index]!, index);
    for (const index of ended) {
      begun[index] = Date.now();
      await startOne(fate, ground, index);
    }
    standings = await attendAll(handles, people, ground);
  }
  await ground.quiet();
  for (const [index, standing] of standings.entries()) keep(standing, index);
  const troubles = [...ground.endedWorkers, ...(await troublesOf(ground))];
  const kept = await whatTemporalKeeps(ground);
  const metrics = await ground.metrics();
  await ground.endPrograms();
  return {
    rotations,
    sent: people.sent,
    register,
    world,
    met: ground.moments.met,
    troubles,
    secretsFound: findSecrets(secretsOf(ground), {
      ...kept,
      'what was printed': ground.printed,
      'what was posted': slack.messages.join('\n'),
      metrics,
    }),
  };
}

async function start(fate: Fate, ground: Ground): Promise<void> {
  const { client, pairs, receiver } = ground;
  if (fate.started === 'by a person')
    for (const index of pairs.keys()) await startOne(fate, ground, index);
  if (fate.started === 'by a sweep')
    await startSweep(client, { environment: fate.environment, requestedBy: REQUESTER });
  if (fate.started !== 'by an alert') return;
  const alerts = pairs.map(({ apiUser, application }) => ({
    status: 'firing',
    labels: {
      alertname: ALERT_NAME,
      environment: fate.environment,
      api_user: apiUser,
      application,
    },
    annotations: {},
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: '0123456789abcdef',
  }));
  const body = JSON.stringify({
    version: '4',
    groupKey: 'g',
    status: 'firing',
    receiver: 'r',
    alerts,
  });
  const headers = { authorization: `Bearer ${receiver.token}`, 'content-type': 'application/json' };
  // As Alertmanager does: again and again, until it is taken.
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await after(500)) {
    const answer = await fetch(`${receiver.address}${WEBHOOK_PATH}`, {
      method: 'POST',
      headers,
      body,
    }).catch(() => undefined);
    if (answer?.ok) return;
  }
}

async function startOne(fate: Fate, { client, pairs }: Ground, index: number): Promise<void> {
  const { environment, force } = fate;
  await startRotation(client, {
    environment,
    ...pairs[index]!,
    requestedBy: REQUESTER,
    ...(force && { force, reason: 'it leaked' }),
  });
}

/**
 * Lets people look after every rotation, and the sweep, until each has ended or is left waiting.
 */
async function attendAll(
  handles: WorkflowHandle[],
  people: People,
  ground: Ground,
): Promise<Standing[]> {
  const { client, fate } = ground;
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const standings = await client.withDeadline(Date.now() + ATTENDS_WITHIN_MS, () =>
      Promise.all(handles.map((handle) => people.attend(handle))),
    );
    if (fate.started === 'by a sweep' && standings.some(({ kind }) => kind === 'none yet')) {
      const sweep = await client.withDeadline(Date.now() + ATTENDS_WITHIN_MS, () =>
        people.attendSweep(client.workflow.getHandle(sweepId(fate.environment))),
      );
      if (sweep.kind === 'left waiting')
        for (const [index, { kind }] of standings.entries())
          if (kind === 'none yet') standings[index] = sweep;
      if (
        sweep.kind === 'ended' &&
        standings.every(({ kind }) => kind !== 'at work' && kind !== 'unknown')
      )
        return standings;
    }
    const open = standings.filter(({ kind }) => kind !== 'ended' && kind !== 'left waiting');
    if (open.length === 0 || Date.now() > deadline) return standings;
    await after(LOOK_EVERY_MS);
  }
}

interface Recorded {
  workflowId: string;
  history: History;
}

/**
 * Failures of workflow tasks, workflows that failed, and histories that do not replay: whoever took
 * such a workflow over would be stuck. None is meant to be.
 */
async function troublesOf({ client }: Ground): Promise<string[]> {
  const troubles: string[] = [];
  const histories: Recorded[] = [];
  for await (const { workflowId, runId, status } of client.workflow.list()) {
    if (['FAILED', 'TIMED_OUT'].includes(status.name))
      troubles.push(`${workflowId} is ${status.name}`);
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    histories.push({ workflowId, history });
    for (const { workflowTaskFailedEventAttributes: failed } of history.events ?? [])
      if (failed && !TEMPORALS_OWN.includes(Number(failed.cause)))
        troubles.push(
          `a workflow task of ${workflowId} failed: ${failed.failure?.message ?? String(failed.cause)}`,
        );
  }
  return [...troubles, ...(await oneReplay(() => replaysOf(histories)))];
}

/** The SDK ends its runtime with the last replay, whoever begins another meanwhile. */
const oneReplay = pLimit(1);

async function replaysOf(histories: readonly Recorded[]): Promise<string[]> {
  setUpRuntime();
  const troubles: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: BUNDLE },
    histories,
  ))
    if (error) troubles.push(`${workflowId} does not replay: ${error.message}`);
  return troubles;
}

/**
 * Temporal's own ways of saying that a signal came as the workflow was about to end, and that more
 * came than it keeps for a task: it runs again.
 */
const TEMPORALS_OWN = [1, 17];

function secretsOf({ world, register, slack, receiver }: Ground): Record<string, string> {
  const { account, argoToken, kubernetesTokens } = world.state;
  return {
    ...Object.fromEntries(
      register.values.map(({ id, token }, index) => [`token ${id} (${index})`, token]),
    ),
    ...Object.fromEntries(
      [...register.cookies].map((cookie, index) => [`cookie ${index}`, cookie]),
    ),
    password: account.password,
    'TOTP secret': account.totpSecret,
    'Argo CD token': argoToken,
    'Kubernetes token': Object.keys(kubernetesTokens)[0]!,
    'Slack webhook': slack.path,
    'receiver token': receiver.token,
  };
}

function nameOf(standing: Standing): string {
  if (standing.kind === 'ended') return standing.report?.outcome ?? `failed: ${standing.failure}`;
  if (standing.kind !== 'left waiting') return standing.kind;
  const { waiting } = standing;
  return waiting.kind === 'blocked' ? `waits: ${waiting.failure}` : `waits: ${waiting.kind}`;
}
