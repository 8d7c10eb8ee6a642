import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** What the receiver counts. Labels hold words of our own, nothing from outside. */
export function createMetrics() {
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
    leftOut: new Counter({
      name: 'signon_rotation_receiver_alerts_left_out_total',
      help: 'Alerts that Alertmanager left out of a payload: its receiver sets max_alerts.',
      labelNames: ['environment'],
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
