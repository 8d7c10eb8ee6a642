/** Something that may be done with a kind of object in the applications' namespace. */
export interface Right {
  group: string;
  /** A subresource after a slash: `pods/exec`. */
  resource: string;
  verb: string;
}

/** A WebSocket exec takes `get` up to Kubernetes 1.34, and both from 1.35 on. */
export const EXEC: readonly Right[] = ['get', 'create'].map((verb) => ({
  group: '',
  resource: 'pods/exec',
  verb,
}));

/** All that a rotation does in the cluster. */
export const RIGHTS: readonly Right[] = [
  { group: 'apps', resource: 'deployments', verb: 'list' },
  { group: 'apps', resource: 'statefulsets', verb: 'list' },
  { group: 'batch', resource: 'cronjobs', verb: 'get' },
  { group: 'batch', resource: 'cronjobs', verb: 'list' },
  { group: 'batch', resource: 'jobs', verb: 'get' },
  { group: 'batch', resource: 'jobs', verb: 'list' },
  { group: '', resource: 'pods', verb: 'list' },
  { group: '', resource: 'pods', verb: 'watch' },
  ...EXEC,
];

/** What `retry` with `restart` does besides. */
export const RESTART: Right = { group: 'apps', resource: 'deployments', verb: 'patch' };

/** What nothing of ours does: an account that may do it can do more than it needs. */
export const READ_SECRETS: readonly Right[] = ['get', 'list', 'watch'].map((verb) => ({
  group: '',
  resource: 'secrets',
  verb,
}));
