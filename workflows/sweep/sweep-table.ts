import {
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { keyOf, pairsOf } from '../../domain/rotation/index.ts';
import {
  drawSweep,
  hear,
  parseStageReport,
  rowId,
  type SweepProgress,
  type SweepRequest,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import { stageReported, sweepStatus } from '../shared/index.ts';

/**
 * Where each pair of a sweep stands: what the rotations report, and what the current details and
 * the `status` query show.
 */
export class SweepTable {
  readonly progress: SweepProgress;
  private byId?: Map<string, SweepRow>;
  /** The details are to be drawn, once for all that happens at a time. */
  private stale = false;

  constructor(
    private readonly request: SweepRequest,
    { rows = [], pausedBy }: { rows?: SweepRow[]; pausedBy?: string } = {},
  ) {
    this.progress = { request, rows, doing: 'Begins.', pausedBy };
    setHandler(sweepStatus, () => this.progress, { description: 'Where this sweep stands' });
    setHandler(
      stageReported,
      (input) => {
        const report = parseStageReport(input);
        const row = report && this.rowOf(report.workflowId);
        if (!row) return;
        hear(row, report.stage);
        this.show();
      },
      { description: 'Sent by rotations, not by people' },
    );
    this.show();
  }

  get rows(): SweepRow[] {
    return this.progress.rows;
  }

  answer(lastAnswer: string): void {
    this.show({ lastAnswer });
  }

  /** Shows where the sweep stands, and what of that is new. */
  show(change: Partial<SweepProgress> = {}): void {
    Object.assign(this.progress, change);
    if (change.rows) this.byId = undefined;
    if (this.stale) return;
    this.stale = true;
    void Promise.resolve().then(() => {
      this.stale = false;
      setCurrentDetails(drawSweep(this.progress));
      const stage = this.progress.blocked ? 'blocked' : 'sweeping';
      const { typedSearchAttributes: listed } = workflowInfo();
      if (stage !== listed.get(keyOf('RotationStage')))
        upsertSearchAttributes(pairsOf({ RotationStage: stage }));
    });
  }

  private rowOf(workflowId: string): SweepRow | undefined {
    this.byId ??= new Map(this.rows.map((row) => [rowId(this.request.environment, row), row]));
    return this.byId.get(workflowId);
  }
}
