interface Policy {
  /** Why nothing is rotated there. */
  leftAlone?: string;
  /** An approval needs another person than the one who asked. */
  secondPerson: boolean;
  /** A password may go over a network in clear, where the worker's variables say so. */
  plainHttp: boolean;
}

/** The environments, and how they differ: adding one touches this table and nothing else. */
const POLICIES = {
  integration: { secondPerson: false, plainHttp: true },
  staging: {
    leftAlone: 'it is overwritten from production every night',
    secondPerson: false,
    plainHttp: false,
  },
  production: { secondPerson: true, plainHttp: false },
} as const satisfies Record<string, Policy>;

export type Environment = keyof typeof POLICIES;
export const ENVIRONMENTS = Object.keys(POLICIES) as [Environment, ...Environment[]];
const policyOf = (environment: Environment): Policy => POLICIES[environment];

/** Why an environment is left alone, one sentence; undefined where tokens are rotated. */
export function whyLeftAlone(environment: Environment): string | undefined {
  const { leftAlone } = policyOf(environment);
  return leftAlone && `${environment} is left alone, since ${leftAlone}`;
}

const those = (like: (environment: Environment) => boolean) =>
  ENVIRONMENTS.filter(like) as typeof ENVIRONMENTS;
/** Environments in which tokens are rotated: each has workers. */
export const ROTATED = those((one) => !whyLeftAlone(one));
/** Those in which a password may go over a network in clear. */
export const PLAIN_HTTP = those((one) => policyOf(one).plainHttp);

/** Whether an approval needs another person than the one who asked. */
export function needsSecondPerson(environment: Environment): boolean {
  return policyOf(environment).secondPerson;
}
