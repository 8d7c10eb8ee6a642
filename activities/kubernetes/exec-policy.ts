import { parseAllDocuments, stringify } from 'yaml';
import type { SmokeCall } from '../../domain/settings/index.ts';
import { censusWithRuby, censusWithShell, smokeWithRuby, textOf } from './scripts.ts';

/** Whose execs the policy is about. */
export const WORKER_ACCOUNT = 'system:serviceaccount:signon-rotation:worker';

/**
 * A variable's name: it stands in the program's arguments, and is nothing but a key of `ENV` there.
 */
const VARIABLE = '^[A-Za-z_][A-Za-z0-9_]*$';

const HEADER = `# The worker may run its own programs in containers, and nothing else, even if somebody steals its credentials. Made from the programs
# and the shipped smoke calls: npx signon-rotation-doctor --exec-policy prints it for settings with others. Kubernetes 1.30 and newer.
`;

/**
 * The admission policy for `pods/exec` and its binding, as YAML. An exec that fits no program is
 * refused before the upgrade, with 422.
 * @param smokeCalls of the settings, by application: no other call can be made
 * @param beside the expression of a policy that goes on being allowed, while workers of two
 * versions run
 */
export function execPolicy(
  smokeCalls: Readonly<Record<string, SmokeCall>>,
  beside?: string,
): string {
  const name = 'signon-rotation-exec';
  const expressions = [programs(smokeCalls), ...(beside === undefined ? [] : [beside])];
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CONNECT'],
            resources: ['pods/exec'],
          },
        ],
      },
      matchConditions: [
        { name: 'is-the-worker', expression: `request.userInfo.username == "${WORKER_ACCOUNT}"` },
      ],
      validations: [
        {
          expression: expressions.map((one) => `(\n${one}\n)`).join(' || '),
          message: 'The worker of signon-rotation may run its own programs alone.',
        },
        {
          expression: '!(has(object.stdin) && object.stdin) && !(has(object.tty) && object.tty)',
          message: 'The programs of signon-rotation read no input.',
        },
      ],
    },
  };
  const binding = {
    apiVersion: policy.apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny', 'Audit'] },
  };
  return HEADER + [policy, binding].map((one) => stringify(one, { lineWidth: 0 })).join('---\n');
}

/** The expression of a policy that was printed before. @throws Error where the file holds none */
export function programsOf(yaml: string): string {
  const [policy] = parseAllDocuments(yaml).map(
    (document) =>
      document.toJS() as Partial<{
        kind: string;
        spec: { validations?: { expression?: unknown }[] };
      }>,
  );
  const expression =
    policy?.kind === 'ValidatingAdmissionPolicy'
      ? policy.spec?.validations?.[0]?.expression
      : undefined;
  if (typeof expression === 'string') return expression;
  throw new Error('the file holds no ValidatingAdmissionPolicy that this program printed');
}

/**
 * Whether a command is one of the programs, in the Common Expression Language: each text compared
 * exactly.
 */
function programs(smokeCalls: Readonly<Record<string, SmokeCall>>): string {
  // string(…): Kubernetes refuses a list literal of texts and of what has no type.
  const [call, application, variable] = [6, 7, 8].map((at) => `string(object.command[${at}])`) as [
    string,
    string,
    string,
  ];
  const smoke = smokeWithRuby(call, application, variable).map((part) =>
    part.startsWith('string(') ? part : literal(part),
  );
  const allowed = Object.entries(smokeCalls).map(
    ([name, one]) => `  [${literal(textOf(one))}, ${literal(name)}]`,
  );
  return [
    `object.command == ${listOf(censusWithShell)} ||`,
    `object.command == ${listOf(censusWithRuby)} ||`,
    `size(object.command) == ${smoke.length} && object.command == [${smoke.join(', ')}] &&`,
    `[${call}, ${application}] in [\n${allowed.join(',\n')}\n] &&`,
    `${variable}.matches(${literal(VARIABLE)})`,
  ].join('\n');
}

function listOf(command: readonly string[]): string {
  return `[${command.map(literal).join(', ')}]`;
}

/** A text as a raw literal, so that a program reads in the policy as it runs. */
function literal(text: string): string {
  const quotes = text.includes('\n') ? "'''" : "'";
  return text.includes(quotes) || text.endsWith("'")
    ? JSON.stringify(text)
    : `r${quotes}${text}${quotes}`;
}
