import { evidenceLines, reportLines, stepLines } from '../../client/cli/print.ts';
import type { Progress } from '../../domain/checklist.ts';
import { retriesFor } from '../../domain/offers.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { RotationReport } from '../../domain/report.ts';
import type { Happened } from '../world.ts';

/** Prints each line that is new. */
export function printProgress(progress: Progress, printed: Map<string, string>): void {
  const once = (key: string, line: string): void => {
    if (printed.get(key) === line) return;
    printed.set(key, line);
    console.log(`   ${line}`);
  };
  stepLines(progress).forEach((line, at) => {
    const step = progress.steps[at]!;
    if (step.state !== 'to come') once(step.name, line);
  });
  const { waiting } = progress;
  if (waiting?.kind === 'blocked')
    once(
      'blocked',
      `What to do: ${waiting.todo}\n   Then signal \`retry\` in the UI with ${retriesFor(waiting)
        .map((retry) => JSON.stringify(retry))
        .join(' or ')}, or \`abort\` with a reason.`,
    );
  for (const line of progress.retrying) once(line, `tried again: ${line}`);
  if (progress.lastAnswer) once('answer', `“${progress.lastAnswer}”`);
}

export function printEvidence(evidence: Evidence): void {
  console.log(
    `\n${evidenceLines(evidence)
      .map((line) => `   ${line}`)
      .join('\n')}\n`,
  );
}

export function printReport(report: RotationReport, happened: Happened): void {
  console.log(`\n${reportLines(report).join('\n')}`);
  console.log(`  meanwhile  ${happened.trafficCalls} calls of running pods, ${happened.outages.length} refused`);
}
