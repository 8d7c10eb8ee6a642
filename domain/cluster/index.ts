/** What a look at the cluster shows, and who holds a token. */
export * from './cluster.ts';
export * from './possession.ts';
