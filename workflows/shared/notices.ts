import { CancellationScope, condition } from '@temporalio/workflow';
import type { Waiting } from '../../domain/rotation/index.ts';
import { bounded, nextReminder, type Notice } from '../../domain/notices/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import { startOfDay, type ListedToken } from '../../domain/tokens/index.ts';
import { activities } from './activities.ts';

type What = Pick<Notice, 'kind' | 'cause' | 'text' | 'todo'>;

/**
 * Tells people what happens to one rotation. Nothing waits for it, but the end for its last word,
 * some seconds at most.
 */
export class Notices {
  private announced?: Waiting;

  constructor(
    private readonly request: RotationRequest,
    private readonly firstToEnd: () => ListedToken | undefined,
  ) {}

  /** Hands a notice over; what keeps it from arriving is the collector's worry. */
  async tell(what: What): Promise<void> {
    const { environment, apiUser, application } = this.request;
    const ends = this.firstToEnd()?.expires;
    await CancellationScope.nonCancellable(() =>
      activities
        .notify({ ...what, text: bounded(what.text), environment, apiUser, application, ends })
        .catch(() => undefined),
    );
  }

  /** Says that a person is needed, once, and reminds them for as long as they are. */
  async whileNeeded(waiting: Waiting, stillWaits: () => boolean): Promise<void> {
    const what = whatIsNeeded(waiting);
    await CancellationScope.nonCancellable(async () => {
      if (this.announced !== waiting) void this.tell(what);
      this.announced = waiting;
      for (;;) {
        const ending = this.firstToEnd();
        const next = nextReminder({
          since: Date.parse(waiting.since),
          now: Date.now(),
          ends: ending && startOfDay(ending.expires),
        });
        const summary = 'Until the next reminder';
        if (await condition(() => !stillWaits(), Math.max(1, next - Date.now()), { summary }))
          return;
        if (what.kind === 'needed') void this.tell({ ...what, kind: 'reminder' });
        else void this.tell(what);
      }
    });
  }
}

function whatIsNeeded(waiting: Waiting): What {
  if (waiting.kind === 'classification')
    return {
      kind: 'needed',
      cause: 'classification',
      text: 'no workload reads this token, and no running container was found to hold it',
      todo: 'Find out who holds the token and send classify.',
    };
  if (waiting.kind === 'approval') {
    const { asks, recipient, newToken, toRevoke } = waiting.evidence;
    const about = !newToken
      ? 'nobody seems to use this pair'
      : recipient
        ? `${recipient.name} was to be handed a token: ask whether they use it`
        : 'the new token is rolled out';
    const text =
      asks === 'hand-over'
        ? `a token is to be issued and handed over to ${recipient?.name ?? ''}`
        : `${about}; tokens to revoke: ${toRevoke.length}`;
    const todo = 'Read the evidence and send approve or reject.';
    return { kind: 'needed', cause: 'approval', text, todo };
  }
  const { failure, step, message, todo } = waiting;
  // After a revoke something is broken: nobody should read of it a second time only in the list of
  // what is blocked.
  const kind = failure === 'ConfirmFailed' ? 'incident' : 'needed';
  return { kind, cause: failure, text: `in “${step}”: ${message}`, todo };
}
