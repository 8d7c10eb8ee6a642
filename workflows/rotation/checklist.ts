import {
  CancellationScope,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  attributesOf,
  currentCode,
  drawChecklist,
  firstEndOf,
  keyOf,
  pairsOf,
  type Progress,
  type RotationReport,
  SEARCH_ATTRIBUTES,
  type Stage,
  stageOf,
  type StepName,
  STEPS,
} from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import {
  activities,
  type Notices,
  stageReported,
  status,
  WATCH_RETRIES_AFTER,
} from '../shared/index.ts';
import { apiUserIdsOf, sweepId } from '../../domain/names/index.ts';

/** Remarks kept for the report. */
const NOTES_KEPT = 200;
const LONGEST_NOTE = 2000;

/**
 * Shows where a rotation stands: in the current details, the `status` query and the search
 * attributes.
 */
export class Checklist {
  readonly progress: Progress;
  /** The step that was begun last. */
  current: StepName = 'assess';
  private active = false;
  private watching = false;
  private stage: Stage;
  /** Settles when a sweep has been told all there was. */
  sweepTold: Promise<unknown> = Promise.resolve();

  /** @param steps as far as a run before this one came */
  constructor(
    request: RotationRequest,
    { notes, handOver, remembered }: Pick<RotationReport, 'notes' | 'handOver' | 'remembered'>,
    private readonly notices: Notices,
    steps: Progress['steps'] = STEPS.map((name) => ({ name, state: 'to come', note: '' })),
  ) {
    this.progress = { request, steps, retrying: [], notes, links: {}, handOver, remembered };
    const withCode = () => ({
      ...this.progress,
      code: currentCode(this.progress, workflowInfo().runId),
    });
    setHandler(status, withCode, { description: 'Where this rotation stands' });
    // Starters of ours set them, so that a rotation no worker has seen yet is listed too; the UI's
    // form does not.
    const { typedSearchAttributes: given } = workflowInfo();
    const attributes = attributesOf(request);
    const isWrong = SEARCH_ATTRIBUTES.some((name) => {
      const value = given.get(keyOf(name));
      // After continue-as-new, the stage is the one that the run before came to.
      return name === 'RotationStage' ? value === undefined : value !== attributes[name];
    });
    this.stage = isWrong ? 'preparing' : (given.get(keyOf('RotationStage')) as Stage);
    if (isWrong) upsertSearchAttributes(pairsOf(attributes));
    this.show();
  }

  show(changed: Partial<Progress> = {}): void {
    Object.assign(this.progress, changed);
    setCurrentDetails(drawChecklist(this.progress, workflowInfo().runId));
    this.keepFirstEnd();
    const stage = stageOf(this.progress);
    if (stage === undefined || stage === this.stage) return;
    this.stage = stage;
    upsertSearchAttributes(pairsOf({ RotationStage: stage }));
    this.tellSweep(stage);
  }

  /** Says what a step did, in the checklist. */
  note(name: StepName, note: string): void {
    this.mark(name, this.stateOf(name).state, note);
  }

  answer(text: string): void {
    if (!this.progress.ended) this.show({ lastAnswer: { at: new Date().toISOString(), text } });
  }

  /** Keeps a remark for details and report. */
  remark(text: string): void {
    const { notes } = this.progress;
    const note = text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE)}…` : text;
    if (!notes.includes(note)) notes.push(note);
    // The first and the last notes tell most.
    if (notes.length > NOTES_KEPT) notes.splice(NOTES_KEPT / 2, 1);
    this.show();
  }

  /**
   * Shows what a person is needed for, and reminds them until the rotation continues (undefined).
   */
  waitFor(waiting: Progress['waiting']): void {
    this.show({ waiting });
    if (waiting) void this.notices.whileNeeded(waiting, () => this.progress.waiting === waiting);
    else this.watchRetries();
  }

  /** The rotation has ended: nobody is waited for any more. */
  end(ended: RotationReport): void {
    for (const step of this.progress.steps) if (step.state === 'now') step.state = 'skipped';
    Object.assign(this.progress, { waiting: undefined, lastAnswer: undefined, ended });
  }

  begin(name: StepName): void {
    this.current = name;
    this.mark(name, 'now');
    this.active = true;
    this.watchRetries();
  }

  /** No step is under way any more, so nothing is retried. */
  rest(): void {
    this.active = false;
    this.progress.retrying = [];
  }

  mark(name: StepName, state: Progress['steps'][number]['state'], note?: string): void {
    const step = this.stateOf(name);
    step.state = state;
    if (note !== undefined) step.note = note;
    else if (state === 'now') step.note = '';
    this.show();
  }

  /**
   * A sweep that started this rotation is told where it stands; one that has ended is told nothing.
   */
  private tellSweep(stage: Stage): void {
    const { parent, workflowId } = workflowInfo();
    const { environment } = this.progress.request;
    const isSweep =
      parent?.workflowId === sweepId(environment) ||
      parent?.workflowId.startsWith(apiUserIdsOf(environment));
    if (!parent || !isSweep) return;
    const sweep = getExternalWorkflowHandle(parent.workflowId);
    const told = CancellationScope.nonCancellable(() =>
      sweep.signal(stageReported, { workflowId, stage }),
    ).catch(() => undefined);
    this.sweepTold = Promise.all([this.sweepTold, told]);
  }

  /** Keeps for lists, which no worker has to answer, when the first token to revoke ends. */
  private keepFirstEnd(): void {
    const firstEnd = firstEndOf(this.progress);
    if (firstEnd !== undefined && firstEnd !== workflowInfo().memo?.firstEnd)
      upsertMemo({ firstEnd });
  }

  private stateOf(name: StepName): Progress['steps'][number] {
    return this.progress.steps.find((step) => step.name === name)!;
  }

  /**
   * While activities take their time, says what they wait for; which are being retried, how often,
   * and what failed last. Ends when a person is waited for.
   */
  private watchRetries(): void {
    if (this.watching) return;
    this.watching = true;
    // May begin inside a step's scope: a stop that cancels that must not reach it.
    void CancellationScope.nonCancellable(async () => {
      for (const pause of WATCH_RETRIES_AFTER) {
        await sleep(pause);
        if (!this.watched()) break;
        const retrying = await activities.readRetries().catch(() => []);
        if (!this.watched()) break;
        this.show({ retrying });
      }
      this.watching = false;
    });
  }

  /** Whether the step waits for activities, not for a person. */
  private watched(): boolean {
    return this.active && this.progress.waiting === undefined;
  }
}
