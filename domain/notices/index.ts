/** What people are told, and how often. */
export * from './notices.ts';
export * from './reminders.ts';
