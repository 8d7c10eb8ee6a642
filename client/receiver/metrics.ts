import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import type { Environment } from '../../domain/request/index.ts';
import { RESULTS } from './take-alerts.ts';

/**
 * What the receiver counts. Each counter begins at 0, because `increase()` misses a series’ first
 * value. Labels hold words of our own, nothing from outside.
 */
export function createMetrics(environment: Environment) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, label: string): Counter =>
    new Counter({ name, help, labelNames: [label], registers: [registry] });
  const metrics = {
    registry,
    alerts: counter(
      'signon_rotation_receiver_alerts_total',
      'Alerts taken, by what became of them.',
      'result',
    ),
    leftOut: counter(
      'signon_rotation_receiver_alerts_left_out_total',
      'Alerts that Alertmanager left out of a payload: its receiver sets max_alerts.',
      'environment',
    ),
    requests: counter(
      'signon_rotation_receiver_requests_total',
      'Requests to the webhook, by the status of the answer.',
      'status',
    ),
  };
  metrics.leftOut.inc({ environment }, 0);
  for (const result of RESULTS) metrics.alerts.inc({ result }, 0);
  return metrics;
}
