/** What an alert asks for. */
export * from './alerts.ts';
