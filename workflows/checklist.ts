import {
  CancellationScope,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { currentCode } from '../domain/offers.ts';
import { drawChecklist } from '../domain/details.ts';
import { STEPS, type Progress, type StepName } from '../domain/checklist.ts';
import { newReport, type HandOver, type RotationReport } from '../domain/report.ts';
import type { RotationRequest } from '../domain/request.ts';
import type { Settings } from '../domain/settings.ts';
import { attributesOf, SEARCH_ATTRIBUTES, stageOf, type SearchAttribute, type Stage } from '../domain/stage.ts';
import { readRetries } from './activities.ts';
import { sweepId } from '../domain/sweep-request.ts';
import { stageReported, status } from './messages.ts';
import { keyOf, pairsOf } from '../domain/search-attributes.ts';
import { WATCH_RETRIES_AFTER } from './steps.ts';

/** Shows where a rotation stands: in the current details, the `status` query and the search attributes. */
export class Checklist {
  readonly report: RotationReport;
  protected readonly progress: Progress;
  /** A step is under way. */
  private active = false;
  private watching = false;
  private stage: Stage = 'preparing';
  /** Settles when a sweep has been told all there was. */
  sweepTold: Promise<unknown> = Promise.resolve();

  constructor(request: RotationRequest) {
    this.report = newReport(request);
    this.progress = {
      request,
      steps: STEPS.map((name) => ({ name, state: 'to come', note: '' })),
      retrying: [],
      notes: this.report.notes,
      links: {},
    };
    setHandler(status, () => ({ ...this.progress, code: currentCode(this.progress, workflowInfo().runId) }), {
      description: 'Where this rotation stands',
    });
    // Starters of ours set them, so that a rotation no worker has seen yet is listed too; the UI's form does not.
    const { typedSearchAttributes: given } = workflowInfo();
    const missing = SEARCH_ATTRIBUTES.some((name) => given.get(keyOf(name)) === undefined);
    if (missing) this.attribute(attributesOf(request));
    this.show();
  }

  /** Links into the Temporal UI and the documentation, from now on. */
  linkTo({ temporalUiUrl, docsUrl }: Settings): void {
    const { namespace } = workflowInfo();
    this.progress.links = {
      ...(temporalUiUrl && { ui: { url: temporalUiUrl, namespace } }),
      ...(docsUrl && { docs: docsUrl }),
    };
  }

  /** Marks a step as not needed. */
  skip(name: StepName, note: string): undefined {
    this.mark(name, 'skipped', note);
    return undefined;
  }

  /** Says what a step did, in the checklist. */
  note(name: StepName, note: string): void {
    this.mark(name, this.stateOf(name).state, note);
  }

  /** Keeps a remark for details and report. */
  remark(note: string): void {
    if (!this.report.notes.includes(note)) this.report.notes.push(note);
    this.show();
  }

  /** Says what the rotation waits for a person with; undefined when it goes on. */
  waitFor(waiting: Progress['waiting']): void {
    this.progress.waiting = waiting;
    this.show();
    if (!waiting) this.watchRetries();
  }

  /** Shows the new token, encrypted, to whoever sends it on. */
  handOver(sealed: HandOver): void {
    this.report.handOver = sealed;
    this.progress.handOver = sealed;
    this.show();
  }

  /** Answers a decision somebody sent. */
  answer(text: string): void {
    this.progress.lastAnswer = text;
    this.show();
  }

  /** The outside is at work from now on: what is tried again is watched. */
  protected begin(name: StepName): void {
    this.mark(name, 'now');
    this.active = true;
    this.watchRetries();
  }

  /** No step is under way any more, so nothing is tried again. */
  protected rest(): void {
    this.active = false;
    this.progress.retrying = [];
  }

  protected mark(name: StepName, state: Progress['steps'][number]['state'], note?: string): void {
    const step = this.stateOf(name);
    step.state = state;
    if (note !== undefined) step.note = note;
    else if (state === 'now') step.note = '';
    this.show();
  }

  private show(): void {
    setCurrentDetails(drawChecklist(this.progress, workflowInfo().runId));
    const stage = stageOf(this.progress);
    if (stage === undefined || stage === this.stage) return;
    this.stage = stage;
    this.attribute({ RotationStage: stage });
    this.tellSweep(stage);
  }

  /** A sweep that started this rotation is told where it stands; one that is over needs to know no more. */
  private tellSweep(stage: Stage): void {
    const { parent, workflowId } = workflowInfo();
    if (parent?.workflowId !== sweepId(this.report.environment)) return;
    const sweep = getExternalWorkflowHandle(parent.workflowId);
    const told = CancellationScope.nonCancellable(() => sweep.signal(stageReported, { workflowId, stage })).catch(
      () => undefined,
    );
    this.sweepTold = Promise.all([this.sweepTold, told]);
  }

  private attribute(values: Partial<Record<SearchAttribute, string>>): void {
    upsertSearchAttributes(pairsOf(values));
  }

  private stateOf(name: StepName): Progress['steps'][number] {
    return this.progress.steps.find((step) => step.name === name)!;
  }

  /** While activities are tried again and again, says so: which, how often, and what failed last. Ends when a person is waited for. */
  private watchRetries(): void {
    if (this.watching) return;
    this.watching = true;
    // May begin inside a step's scope: a stop that cancels that must not reach it.
    void CancellationScope.nonCancellable(async () => {
      for (const pause of WATCH_RETRIES_AFTER) {
        await sleep(pause);
        if (!this.watched()) break;
        const retrying = await readRetries().catch(() => []);
        if (!this.watched()) break;
        this.progress.retrying = retrying;
        this.show();
      }
      this.watching = false;
    });
  }

  /** Whether it is the outside that is waited for, not a person. */
  private watched(): boolean {
    return this.active && this.progress.waiting === undefined;
  }
}
