import { Context } from '@temporalio/activity';
import ms from 'ms';
import pLimit from 'p-limit';
import { failedWith, failure } from '../failure.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { Secret } from '../../config/secret.ts';
import type { Settings } from '../../domain/settings/index.ts';
import type { HttpResponse } from '../http.ts';
import { Browser, type SignonPage } from './browser.ts';
import type { SignInOutcome } from '../../domain/sign-in/index.ts';
import { redact } from '../../domain/text/index.ts';
import { hasField, readAlert, readFormToken } from './pages.ts';
import { totpCode } from '../../config/totp.ts';

export type SignonAccount = Pick<
  Configuration,
  'SIGNON_URL' | 'SIGNON_EMAIL' | 'SIGNON_PASSWORD' | 'SIGNON_TOTP_SECRET'
> & { settings: Pick<Settings, 'answerLimit'> };

const SIGN_IN = '/users/sign_in';
const SECOND_STEP = '/users/two_step_verification_session';
const PROMPT = '/account/two_step_verification/prompt';
const STEP_SECONDS = 30;
const PASSWORD = 'user[password]';

/** At most 3 refused sign-ins an hour reach Signon from all workers and restarts together. */
export interface SignInBudget {
  /**
   * Permits sending a password to Signon once; counts against the hour until Signon is known not to
   * have refused it.
   * @returns what says what the sign-in came to
   * @throws SignInBudgetSpent (not retried), naming when the next may be tried; Unreachable
   * (retried) while too many are under way
   */
  reserve: () => Promise<(outcome: SignInOutcome['outcome']) => Promise<void>>;
}

/**
 * One worker's session with Signon. Signs in when first needed and when the session ended; a
 * refused password or code is never retried. Reads share the session; `alone` has it to itself, for
 * the cookie carries a new token's only showing.
 */
export class SignonSession {
  private readonly browser: Browser;
  private refused?: string;
  private isSignedIn = false;
  private readonly turns = pLimit(1);

  constructor(
    private readonly account: SignonAccount,
    private readonly budget: SignInBudget,
    private readonly now: () => number = Date.now,
    /**
     * Codes to send at a second step, one after the other: how many steps of 30 s each lies back.
     * The second is for a clock that runs ahead.
     */
    private readonly codes: readonly number[] = [0, 1],
  ) {
    this.browser = new Browser(account.SIGNON_URL, ms(account.settings.answerLimit));
  }

  /**
   * Runs one exchange with the session to itself: all exchanges go one after the other.
   * @param cancellationSignal gives it up; the activity's where absent
   */
  alone<T>(
    exchange: (pages: Pages) => Promise<T>,
    { cancellationSignal }: { cancellationSignal: AbortSignal } = Context.current(),
  ): Promise<T> {
    return this.turns(() => {
      cancellationSignal.throwIfAborted(); // its turn may come after its activity was given up
      return exchange({
        open: (path) => this.open(path),
        submit: (...form) => {
          cancellationSignal.throwIfAborted();
          return this.browser.submit(...form);
        },
      });
    });
  }

  /**
   * Loads a page as the signed-in superadmin.
   * @throws NotPermitted, PairChanged where it is no longer there (not retried)
   */
  private async open(path: string): Promise<SignonPage> {
    if (!this.isSignedIn) await this.signIn();
    let page = await this.browser.open(path);
    if (isSignIn(page)) {
      await this.signIn();
      page = await this.browser.open(path);
    }
    if (isSignIn(page))
      throw failure('Unreachable', `Signon ended the session while opening ${path}`);
    if (page.status === 404) throw failure('PairChanged', `Signon no longer has ${path}`);
    if (page.path !== path)
      throw failure(
        'NotPermitted',
        `Signon sent ${path} to ${redact(page.path, [`${SECOND_STEP}/new`, PROMPT])}: ${redact(readAlert(page.body)) || 'the account must be a superadmin'}`,
      );
    return page;
  }

  private async signIn(): Promise<void> {
    this.isSignedIn = false;
    if (this.refused !== undefined)
      throw failure(
        'SignInRefused',
        `Signon refused this worker’s credentials before, so they were not sent again: ${this.refused}`,
      );
    await this.browser.forgetSession();
    const form = await this.browser.open(SIGN_IN);
    const csrf = readFormToken(form.body, PASSWORD);
    const settle = await this.budget.reserve();
    const progress = { undecided: true };
    const refusedBecause = await this.answerForms(csrf, progress).catch(async (error: unknown) => {
      if (!progress.undecided) await settle('no-effect');
      throw error;
    });
    if (refusedBecause !== undefined)
      this.refused = redact(refusedBecause, [this.account.SIGNON_EMAIL]);
    await settle(refusedBecause === undefined ? 'accepted' : 'refused');
    if (refusedBecause !== undefined)
      throw failure(
        'SignInRefused',
        `Signon refused to sign ${this.account.SIGNON_EMAIL} in: ${this.refused}`,
      );
    this.isSignedIn = true;
  }

  /**
   * Sends password and code.
   * @returns why Signon refused them, undefined when it did not
   * @param progress says, should this throw, whether an answer to a password or code is
   * outstanding: it may have been a refusal
   */
  private async answerForms(
    csrf: Secret,
    progress: { undecided: boolean },
  ): Promise<string | undefined> {
    const fields = {
      'user[email]': this.account.SIGNON_EMAIL,
      [PASSWORD]: this.account.SIGNON_PASSWORD.reveal(),
    };
    const answer = await this.browser
      .submit(SIGN_IN, SIGN_IN, csrf, fields)
      .catch((error: unknown) => {
        if (failedWith(error, 'Throttled')) progress.undecided = false; // it had no effect
        throw error;
      });
    const isForm = hasField(answer.body, PASSWORD);
    progress.undecided = mayHaveJudged(answer) || (answer.status === 200 && !isForm);
    refuseServerError(answer, 'the sign-in');
    if (answer.status === 200 && isForm)
      return readAlert(answer.body) || 'Signon showed the sign-in form again';
    if (answer.location === undefined)
      throw failure('ContractChanged', `Signon answered the sign-in with ${answer.status}`);
    const page = await this.browser.open(answer.location);
    if (isSignIn(page)) return readAlert(page.body) || 'Signon showed the sign-in form again';
    if (page.path.startsWith(SECOND_STEP)) return this.secondStep(page, progress);
    return page.path === PROMPT
      ? 'a second step is required but not set up for this account'
      : undefined;
  }

  /** Sends one code after the other until one is taken. @returns why all were refused */
  private async secondStep(
    page: SignonPage,
    progress: { undecided: boolean },
  ): Promise<string | undefined> {
    let csrf = readFormToken(page.body, 'code');
    let alert = '';
    for (const stepsBack of this.codes) {
      progress.undecided = true;
      const wasRefused = alert !== '';
      const at = Math.floor(this.now() / 1000) - stepsBack * STEP_SECONDS;
      const fields = { code: totpCode(this.account.SIGNON_TOTP_SECRET, at) };
      const answer = await this.browser
        .submit(SECOND_STEP, page.path, csrf, fields)
        .catch((error: unknown) => {
          if (failedWith(error, 'Throttled')) progress.undecided = wasRefused;
          throw error;
        });
      if (answer.location !== undefined) return undefined;
      // Another answer is no refusal, unless the code before was refused.
      if (answer.status !== 200) progress.undecided = wasRefused || mayHaveJudged(answer);
      refuseServerError(answer, 'the second step');
      if (answer.status !== 200)
        throw failure('ContractChanged', `Signon answered the second step with ${answer.status}`);
      alert = readAlert(answer.body) || 'the second step was refused';
      if (!hasField(answer.body, 'code')) break; // locked
      csrf = readFormToken(answer.body, 'code');
    }
    return alert;
  }
}

/** What an exchange may do. */
export interface Pages {
  open: (path: string) => Promise<SignonPage>;
  submit: Browser['submit'];
}

/** Whether Signon may have judged what was sent. A 503 comes from what stands before it. */
function mayHaveJudged({ status }: HttpResponse): boolean {
  return status >= 500 && status !== 503;
}

function refuseServerError({ status }: HttpResponse, what: string): void {
  if (status >= 500) throw failure('Unreachable', `Signon answered ${what} with ${status}`);
}

function isSignIn(page: SignonPage): boolean {
  return page.path.startsWith(SIGN_IN) && hasField(page.body, PASSWORD);
}
