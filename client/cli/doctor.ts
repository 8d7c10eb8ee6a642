import { plain } from '../../domain/plain-text.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { connect, environmentOf, type CommonOptions, type Terminal } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { columns } from './print.ts';

const SIGNS: Record<Finding['verdict'], string> = { well: '✓', wrong: '✗', 'not checked': '–' };

/** Checks each thing that a worker needs, and prints a line for each: ✓, ✗, or – where it was not checked. */
export async function doctor(
  options: CommonOptions & { fix?: boolean; signIn?: boolean; slack?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { env } = terminal;
  const environment = environmentOf(options, env);
  const client = await connect(env).catch(() => undefined); // that is a finding, whatever it is
  try {
    const { fix = false, signIn, slack = false } = options;
    const warn = (line: string): void => terminal.err(plain(line));
    const findings = await examine({ environment, env, client, fix, signIn, slack, warn });
    if (options.json) terminal.out(JSON.stringify(findings, undefined, 2));
    else for (const line of lines(findings)) terminal.out(line);
    return findings.some(({ verdict }) => verdict === 'wrong') ? EXIT.failed : EXIT.done;
  } finally {
    await client?.connection.close();
  }
}

/** A line for each finding, and one below for what to do. */
function lines(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ check, verdict, found }) => [SIGNS[verdict], check, found]);
  const [, ...table] = columns(['', 'CHECK', 'FOUND'], rows);
  return findings.flatMap(({ todo }, at) => [table[at]!, ...(todo === undefined ? [] : [plain(`     → ${todo}`)])]);
}
