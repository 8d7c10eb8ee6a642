import { evidenceLines, reportLines, stepLines } from '../../client/cli/print.ts';
import { drawn } from '../../client/cli/columns.ts';
import {
  type Progress,
  type RotationReport,
  userMetadataLink,
} from '../../domain/rotation/index.ts';
import type { Evidence } from '../../domain/evidence/index.ts';
import type { Happened } from '../world.ts';
import type { Ground } from './ground.ts';

/** Prints the address in the Temporal UI, and a command for another terminal. */
export function printWhereToWatch(
  { temporal, client }: Pick<Ground, 'temporal' | 'client'>,
  workflowId: string,
  runId: string,
  command: string,
): void {
  const { namespace } = client.options;
  if (temporal.uiUrl)
    console.log(
      `4. Watch it in the Temporal UI:\n   ${userMetadataLink({ url: temporal.uiUrl, namespace }, workflowId, runId)}\n`,
    );
  console.log(
    `   or from another terminal:\n   export TEMPORAL_ADDRESS=${temporal.address} ROTATION_ENVIRONMENT=integration ROTATION_BY=you@example.org\n   npx signon-rotation ${command}\n`,
  );
}

/** Prints each line that is new. */
export function printProgress(progress: Progress, printed: Map<string, string>): void {
  const once = (key: string, line: string): void => {
    if (printed.get(key) === line) return;
    printed.set(key, line);
    console.log(`   ${line}`);
  };
  for (const step of progress.steps.filter(({ state }) => state !== 'to come'))
    for (const line of stepLines({ steps: [step] })) once(step.name, line);
  const { waiting } = progress;
  if (waiting?.kind === 'blocked')
    once(
      'blocked',
      `${waiting.failure}: ${waiting.message}\n   Do this: ${waiting.todo}\n   The page in the Temporal UI offers what to send.`,
    );
  for (const line of progress.retrying) once(line, `retrying: ${line}`);
  if (progress.lastAnswer) once('answer', `“${progress.lastAnswer.text}”`);
}

export function printEvidence(evidence: Evidence, environment: string): void {
  console.log(
    `\n${drawn(evidenceLines(evidence, environment))
      .map((line) => `   ${line}`)
      .join('\n')}\n`,
  );
}

export function printReport(report: RotationReport, happened: Happened): void {
  console.log(`\n${drawn(reportLines(report)).join('\n')}`);
  console.log(
    `  meanwhile  ${happened.trafficCalls} calls of running pods, ${happened.outages.length} refused`,
  );
}
