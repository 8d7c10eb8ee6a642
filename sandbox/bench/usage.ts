import { readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';

/** The kernel counts a process's time in these. */
const TICKS_PER_SECOND = 100;

/** What a process uses: memory now and at most, in MiB, and processor time so far, in ms. */
export function usageOf({ child }: { child: ChildProcess }): {
  mib: number;
  peakMib: number;
  cpuMs: number;
} {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const mib = (field: string): number =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const cpuMs = ((Number(user) + Number(system)) / TICKS_PER_SECOND) * 1000;
  return { mib: mib('VmRSS'), peakMib: mib('VmHWM'), cpuMs };
}
