import { z } from 'zod';
import type { Alert } from '../../domain/alerts/index.ts';

/** Alertmanager's v4 webhook payload, as far as it is used; what else is there may be there. */
const payload = z.object({
  version: z.literal('4'),
  groupKey: z.string(),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  truncatedAlerts: z.unknown().optional(), // only logged: whatever it is, no alert is lost for it
  alerts: z.array(z.unknown()),
});
const alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: z.record(z.string(), z.string()),
  startsAt: z.iso.datetime({ offset: true }),
}) satisfies z.ZodType<Alert>;

/** One alert, or what is wrong with it: one that is misshapen keeps no other from being taken. */
export type Read = { ok: true; alert: Alert } | { ok: false; why: string };

/** Reads a payload, strictly where it is used; undefined where it is none. */
export function readPayload(body: unknown): { alerts: Read[]; truncated: number } | undefined {
  const parsed = payload.safeParse(body);
  if (!parsed.success) return undefined;
  const { alerts, truncatedAlerts } = parsed.data;
  return {
    alerts: alerts.map(readAlert),
    truncated: Number.isSafeInteger(truncatedAlerts) ? Math.max(0, truncatedAlerts as number) : 0,
  };
}

function readAlert(given: unknown): Read {
  const parsed = alert.safeParse(given);
  if (parsed.success) return { ok: true, alert: parsed.data };
  const fields = new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'alert')));
  return { ok: false, why: `misshapen: ${[...fields].join(', ')}` };
}
