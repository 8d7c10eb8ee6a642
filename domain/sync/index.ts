/** What rotations ask of a sync, and hear of it. */
export * from './sync-requests.ts';
