/** What is asked for: a rotation, and of which environment and version. */
export * from './commands.ts';
export * from './deployment.ts';
export * from './environments.ts';
export * from './request.ts';
export * from './people.ts';
