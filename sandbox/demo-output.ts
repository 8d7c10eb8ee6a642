import type { Progress } from '../domain/checklist.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { RotationReport } from '../domain/report.ts';
import type { Happened } from './world.ts';

const MARKS = { 'to come': '·', now: '▶', blocked: '✗', done: '✓', skipped: '–' } as const;

/** Prints each step whose state or note is new. */
export function printProgress(progress: Progress, printed: Map<string, string>): void {
  for (const { name, state, note } of progress.steps) {
    const line = `   ${MARKS[state]} ${name}${note ? `: ${note}` : ''}`;
    if (state === 'to come' || printed.get(name) === line) continue;
    printed.set(name, line);
    console.log(line);
  }
  const { waiting } = progress;
  if (waiting?.kind === 'blocked' && printed.get('blocked') !== waiting.since) {
    printed.set('blocked', waiting.since);
    console.log(
      `   What to do: ${waiting.todo}\n   Then signal \`retry\` in the UI with {"by": "you@example.org"}, or \`abort\` with a reason.`,
    );
  }
  for (const line of progress.retrying)
    if (!printed.has(line)) {
      printed.set(line, line);
      console.log(`   tried again: ${line}`);
    }
  if (progress.lastAnswer && printed.get('answer') !== progress.lastAnswer) {
    printed.set('answer', progress.lastAnswer);
    console.log(`   “${progress.lastAnswer}”`);
  }
}

export function printEvidence(evidence: Evidence): void {
  console.log(
    `\n   Evidence, round ${evidence.round}: new token ${evidence.newToken.masked}, until ${evidence.newToken.expires}`,
  );
  for (const { masked, authorisationId, expires, standing } of evidence.toRevoke)
    console.log(`   to revoke: ${masked} (authorisation ${authorisationId}, until ${expires}), ${standing}`);
  for (const { container, workload, pods, detail } of evidence.consumers)
    console.log(`   ${container} of ${workload}: ${pods.length} pods hold the new token; ${detail}`);
  console.log('');
}

export function printReport(report: RotationReport, happened: Happened): void {
  console.log(`\nOutcome: ${report.outcome}. ${report.why}`);
  if (report.newToken)
    console.log(
      `  new token  ${report.newToken.masked}, authorisation ${report.newToken.authorisationId}, until ${report.newToken.expires}`,
    );
  for (const { masked, authorisationId } of report.revoked)
    console.log(`  revoked    ${masked}, authorisation ${authorisationId}`);
  for (const { by, revoke } of report.approvals) console.log(`  approved   by ${by}, for ${revoke.join(', ')}`);
  console.log(`  sync Jobs  ${report.syncJobs.join(', ') || 'none'}`);
  console.log(`  meanwhile  ${happened.trafficCalls} calls of running pods, ${happened.outages.length} refused`);
}
