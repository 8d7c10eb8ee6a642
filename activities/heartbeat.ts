import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { failure } from './failure.ts';

const EVERY_MS = 2_000;
const kept = new WeakMap<Context, unknown>();

/**
 * Refuses an activity that no workflow scheduled. Whoever may start workflows may start an activity
 * by itself, and would issue or revoke a token without evidence.
 */
export const inWorkflowsOnly: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input, next) {
      if (info.inWorkflow) return next(input);
      throw failure('NotPermitted', `${info.activityType} runs only inside a workflow`);
    },
  },
});

/**
 * Heartbeats every 2 s while an activity runs, so that only a worker that died misses one, and
 * repeats what it kept. An activity that hangs is ended by its own limits, not by a missed
 * heartbeat: its retry would run beside it.
 */
export const heartbeats: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      if (context.info.heartbeatTimeoutMs === undefined) return next(input);
      kept.set(context, context.info.heartbeatDetails);
      const timer = setInterval(() => context.heartbeat(kept.get(context)), EVERY_MS);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});

/** Where progress says what is waited for, in words: the rotation’s page shows it. */
export const WAITS_FOR = 'waitsFor';

/**
 * Keeps progress for the next attempt, should this worker die. No secrets: it is stored at the
 * server.
 */
export function keepForNextAttempt(progress: unknown): void {
  kept.set(Context.current(), progress);
  heartbeat(progress);
}

export function keptByLastAttempt(): unknown {
  return activityInfo().heartbeatDetails;
}
