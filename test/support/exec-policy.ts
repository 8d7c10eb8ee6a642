import { celEnv, parse as parseCel, plan } from '@bufbuild/cel';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { WORKER_ACCOUNT } from '../../activities/kubernetes/exec-policy.ts';

/** An exec as an admission policy sees it: `object` is Kubernetes' PodExecOptions. */
export interface AskedExec {
  command: string[];
  container?: string;
  stdin?: boolean;
  tty?: boolean;
}

interface Policy {
  kind: string;
  spec: { matchConditions: { expression: string }[]; validations: { expression: string }[] };
}

export const SHIPPED_POLICY = readFileSync(
  new URL('../../deploy/kubernetes/exec-policy.yaml', import.meta.url),
  'utf8',
);

/**
 * What a policy lets through, evaluated by a CEL engine as Kubernetes evaluates it: an error in an
 * expression refuses.
 */
export function policyFrom(yaml: string): (exec: AskedExec, username?: string) => boolean {
  const [policy] = parseAllDocuments(yaml).map((document) => document.toJS() as Policy);
  const { matchConditions, validations } = policy!.spec;
  const [conditions, rules] = [matchConditions, validations].map((all) =>
    all.map(({ expression }) => plan(celEnv(), parseCel(expression))),
  );
  return ({ command, container, stdin, tty }, username = WORKER_ACCOUNT) => {
    const object = {
      command,
      ...(container !== undefined && { container }),
      ...(stdin && { stdin }), // Kubernetes leaves out what is false
      ...(tty && { tty }),
    };
    const holds = (expression: ReturnType<typeof plan>): boolean =>
      expression({ object, request: { userInfo: { username } } }) === true;
    return !conditions!.every(holds) || rules!.every(holds);
  };
}
