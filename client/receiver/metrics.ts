import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** What the receiver counts. Labels hold words of our own, nothing from outside. */
export function createMetrics(): { registry: Registry; alerts: Counter<'result'>; requests: Counter<'status'> } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    alerts: new Counter({
      name: 'signon_rotation_receiver_alerts_total',
      help: 'Alerts taken, by what became of them.',
      labelNames: ['result'],
      registers: [registry],
    }),
    requests: new Counter({
      name: 'signon_rotation_receiver_requests_total',
      help: 'Requests to the webhook, by the status of the answer.',
      labelNames: ['status'],
      registers: [registry],
    }),
  };
}
