import type {
  V1Container,
  V1EphemeralContainer,
  V1PodSpec,
  V1Volume,
} from '@kubernetes/client-node';
import type { Consumer, Workload } from '../../domain/cluster/index.ts';
import type { Reading } from '../../domain/inventory/index.ts';
import { tokenShapedIn } from './scripts.ts';

/** A workload's name and what its pods are made of. */
export interface Template {
  workload: Workload;
  spec: V1PodSpec | undefined;
  /** What keeps a Deployment from replacing its pods, in Kubernetes' words. */
  hindrance?: string;
}

export type ContainerSpec = V1Container | V1EphemeralContainer;

/**
 * Where a variable's value comes from; without a variable, all variables of an object come from
 * there.
 */
export interface Source {
  variable?: string;
  /** `Secret legacy, key token`. */
  from: string;
  /** The Secret's name, where it is one. */
  secret?: string;
  /** The variable that has the token of a pair's Secret, unless another overrides it. */
  reads?: string;
  /** A literal value, as the spec has it. Never leaves the worker. */
  literal?: string;
}

/** Key of the token inside its Secret. */
const KEY = 'bearer_token';

/** The variables through which a container reads a Secret. */
export function readingVariables(sources: readonly Source[], secret: string): string[] {
  return sources.flatMap((one) => (one.secret === secret ? (one.reads ?? []) : []));
}

/**
 * Where a container's variables come from, as far as they may hold a token: none for a container
 * that cannot hold one.
 */
export function sourcesOf({ env = [], envFrom = [] }: ContainerSpec): Source[] {
  // Of entries with one name the last counts.
  const effective = env.filter(
    ({ name }, at) => !env.slice(at + 1).some((later) => later.name === name),
  );
  const single = effective.flatMap(({ name: variable, value, valueFrom }): Source[] => {
    if (valueFrom?.secretKeyRef) {
      const { name = '', key } = valueFrom.secretKeyRef;
      return [{ variable, from: `Secret ${name}, key ${key}`, secret: name, reads: variable }];
    }
    if (valueFrom?.configMapKeyRef) {
      const { name = '', key } = valueFrom.configMapKeyRef;
      return [{ variable, from: `ConfigMap ${name}, key ${key}` }];
    }
    if (valueFrom?.resourceFieldRef) return [];
    if (valueFrom?.fieldRef)
      return /annotations|labels/.test(valueFrom.fieldRef.fieldPath)
        ? [{ variable, from: `its pod’s ${valueFrom.fieldRef.fieldPath}` }]
        : [];
    if (valueFrom) return [{ variable, from: 'a source of an unknown kind' }];
    // `$(NAME)` puts other variables together
    return value !== undefined && (tokenShapedIn(value).length > 0 || value.includes('$('))
      ? [{ variable, from: 'a literal value', literal: value }]
      : [];
  });
  const whole = envFrom.map(({ secretRef, configMapRef, prefix = '' }, at): Source => {
    if (!secretRef) return { from: `all of ConfigMap ${configMapRef?.name ?? ''}` };
    const { name: secret = '' } = secretRef;
    const reads = `${prefix}${KEY}`;
    // A variable of its own overrides one from a whole Secret, and the last whole Secret the others.
    const isOverridden =
      env.some(({ name }) => name === reads) ||
      envFrom
        .slice(at + 1)
        .some((later) => isPairs(later.secretRef?.name) && (later.prefix ?? '') === prefix);
    return { from: `all of Secret ${secret}`, secret, ...(!isOverridden && { reads }) };
  });
  return [...single, ...whole];
}

/** Every container of a template that reads a Secret of some pair, and through which variable. */
export function pairSecretsOf({ workload, spec }: Template): Reading[] {
  return containersOf(spec).flatMap((container) =>
    sourcesOf(container).flatMap(({ secret, reads: variable }) =>
      isPairs(secret) && variable !== undefined
        ? { workload, container: container.name, variable, secret }
        : [],
    ),
  );
}

/** The containers of a template that read a pair's Secret, init containers included. */
export function readersIn(template: Template, pairs: string): Consumer[] {
  return pairSecretsOf(template).flatMap(({ secret, ...consumer }) =>
    secret === pairs ? consumer : [],
  );
}

/** Secrets of pairs that a template mounts as files. */
export function filesOf(spec: V1PodSpec | undefined): string[] {
  return [...new Set((spec?.volumes ?? []).flatMap(secretsOfVolume))].filter((secret) =>
    isPairs(secret),
  );
}

/** Whether a Secret is one that Signon's sync writes, or wrote. */
export function isPairs(secret: string | undefined): secret is string {
  return secret?.startsWith('signon-token-') === true;
}

/** All containers of a pod or template: init containers and ephemeral ones too. */
export function containersOf(spec: V1PodSpec | undefined): ContainerSpec[] {
  return [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
}

function secretsOfVolume({ secret, projected }: V1Volume): string[] {
  return [
    secret?.secretName,
    ...(projected?.sources ?? []).map((source) => source.secret?.name),
  ].filter((name) => name !== undefined);
}
