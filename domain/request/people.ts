import type { Environment } from './environments.ts';

export interface Approvers {
  /**
   * E-mail addresses, and domains such as `@digital.cabinet-office.gov.uk`; compared as names are.
   */
  who: string[];
  /** How many of them must approve one evidence. */
  approvals: number;
}

/** What the settings say of approvers: of all environments, or of each. */
export type ApproversSetting = 'anyone' | Partial<Record<Environment, 'anyone' | Approvers>>;

/** Undefined where the settings say nothing of the environment: then anyone may approve. */
export function approversOf(
  setting: ApproversSetting,
  environment: Environment,
): 'anyone' | Approvers | undefined {
  return setting === 'anyone' ? 'anyone' : setting[environment];
}

export function approvalsNeeded(setting: ApproversSetting, environment: Environment): number {
  const approvers = approversOf(setting, environment);
  return approvers === undefined || approvers === 'anyone' ? 1 : approvers.approvals;
}

/**
 * Marks that no name shows: zero-width spaces, soft hyphens, variation selectors, marks that turn
 * text around.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;

/**
 * A name or e-mail address as it is compared: of `Ada <Ada@Example.ORG.>` it is `ada@example.org`.
 * Two that read alike are one. Undefined where it is empty, has control characters, mixes scripts,
 * or is an address with letters that only look like a to z.
 */
export function comparable(name: string): string | undefined {
  const visible = name.normalize('NFKC').replace(INVISIBLE, '');
  const [, inner] = /^[^<>]*<([^<>]+)>[\s.]*$/.exec(visible) ?? [];
  const plain = (inner ?? visible)
    .toLowerCase()
    .normalize('NFKC')
    .replace(/\s+/g, ' ')
    .replace(/^[\s.]+|[\s.]+$/g, '');
  if (plain === '' || /\p{Cc}/u.test(plain)) return undefined;
  const letters = plain.match(/\p{L}/gu) ?? [];
  const isOf = (script: RegExp): boolean => letters.some((letter) => script.test(letter));
  if (isOf(/\p{Script=Latin}/u) && isOf(/(?![\p{Script=Latin}\p{Script=Common}])\p{L}/u))
    return undefined;
  const looksAlike = (letter: string): boolean => !/^[a-z]\p{M}*$/u.test(letter.normalize('NFD'));
  return plain.includes('@') && letters.some(looksAlike) ? undefined : plain;
}

/** Names of one person, each list; the first stands for them all. */
export type People = readonly (readonly string[])[];

/** The name that stands for whoever has this one. Takes a comparable name. */
export function personOf(name: string, people: People): string {
  const known = people.find((names) => names.some((one) => comparable(one) === name));
  return known ? (comparable(known[0]!) ?? name) : name;
}

/**
 * Whether a list names somebody, by any of their addresses or by a domain. Takes a comparable name.
 */
export function isListed(name: string, who: readonly string[], people: People): boolean {
  if (!/^[^\s@]+@[^\s@]+$/.test(name)) return false;
  const person = personOf(name, people);
  return who.some((entry) => {
    const listed = comparable(entry);
    if (listed === undefined) return false;
    if (listed.startsWith('@')) return name.slice(name.lastIndexOf('@')) === listed;
    return personOf(listed, people) === person;
  });
}
