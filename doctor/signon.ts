import { ApplicationFailure } from '@temporalio/common';
import {
  readApiUser,
  readApiUsers,
  readManageTokens,
  readNewTokenPage,
  readRevokePage,
  type ApiUserRow,
} from '../activities/signon/pages.ts';
import {
  SignonSession,
  type SignInBudget,
  type SignonAccount,
} from '../activities/signon/session.ts';
import { FAILURES, type FailureName } from '../domain/rotation/index.ts';
import { allNotChecked, notChecked, reasonOf, well, wrong, type Finding } from './finding.ts';

export const SIGNON_CHECKS = ['Signon sign-in', 'Signon superadmin', 'Signon pages'] as const;
const [SIGN_IN, SUPERADMIN, PAGES] = SIGNON_CHECKS;

/** API users whose tokens are looked at, until one has any. */
const USERS_LOOKED_AT = 10;
/**
 * One code is sent, not a second for a clock that runs ahead: doctor may be run again and again,
 * and refusals lock the account.
 */
const ONE_CODE = [0];

/**
 * Signs in once and reads the pages that rotations read; nothing is sent but password and code.
 * @param budget asked before the password is sent
 */
export async function examineSignon(
  account: SignonAccount,
  budget: SignInBudget,
): Promise<Finding[]> {
  const session = new SignonSession(account, budget, Date.now, ONE_CODE);
  const open = async (path: string): Promise<string> => {
    const { signal: cancellationSignal } = new AbortController();
    return (await session.alone((pages) => pages.open(path), { cancellationSignal })).body;
  };
  let list: string;
  try {
    list = await open('/api_users');
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'NotPermitted')
      return [
        well(SIGN_IN, `${account.SIGNON_EMAIL} is let in`),
        wrong(
          SUPERADMIN,
          error.message,
          'Give the account the role superadmin in Signon, and a second step.',
        ),
        notChecked(PAGES, 'API users are shown to superadmins only'),
      ];
    const known =
      error instanceof ApplicationFailure ? FAILURES[error.type as FailureName] : undefined;
    return [
      wrong(SIGN_IN, reasonOf(error), known?.todo ?? 'Check SIGNON_URL.'),
      ...allNotChecked([SUPERADMIN, PAGES], 'not signed in'),
    ];
  }
  return [
    well(
      SIGN_IN,
      `${account.SIGNON_EMAIL} is let in, with its second step where Signon asks for one`,
    ),
    well(SUPERADMIN, 'API users are shown'),
    await readPages(list, open),
  ];
}

/** Reads each page that a rotation reads, of one API user that has a token. */
async function readPages(list: string, open: (path: string) => Promise<string>): Promise<Finding> {
  try {
    const users = readApiUsers(list);
    const found = await someToken(users, open);
    if (!found)
      return notChecked(
        PAGES,
        `of ${users.length} API users, none of the first ${USERS_LOOKED_AT} has a token to read`,
      );
    const { id, authorisationId } = found;
    readApiUser(await open(`/api_users/${id}/edit`));
    const { applications } = readNewTokenPage(await open(`/api_users/${id}/authorisations/new`));
    readRevokePage(await open(`/api_users/${id}/authorisations/${authorisationId}/edit`));
    return well(
      PAGES,
      `as expected: ${users.length} API users, ${applications.length} applications on offer`,
    );
  } catch (error) {
    return wrong(PAGES, reasonOf(error), FAILURES.ContractChanged.todo);
  }
}

async function someToken(
  users: readonly ApiUserRow[],
  open: (path: string) => Promise<string>,
): Promise<{ id: number; authorisationId: number } | undefined> {
  for (const { id, suspended } of users.slice(0, USERS_LOOKED_AT)) {
    if (suspended) continue;
    const [card] = readManageTokens(await open(`/api_users/${id}/manage_tokens`)).cards;
    if (card) return { id, authorisationId: card.authorisationId };
  }
  return undefined;
}
