import { generateSync } from 'otplib';
import { failure } from '../failure.ts';
import type { Secret } from '../secret.ts';
import type { Answer } from '../http.ts';
import { Browser, type Page } from './browser.ts';
import { readAlert, readFormToken, readSignIn } from './pages.ts';
import type { SignInBudget } from './sign-in-budget.ts';

export interface SignonAccount {
  url: string;
  email: string;
  password: Secret;
  totpSecret: Secret;
}

const SIGN_IN = '/users/sign_in';
const SECOND_STEP = '/users/two_step_verification_session';
const PROMPT = '/account/two_step_verification/prompt';
const STEP_SECONDS = 30;

/**
 * One worker's session with Signon. Signs in when first needed and when the session ended; a refused password or code is never tried again.
 * Reads share the session; `alone` has it to itself, for the cookie carries a new token's only showing.
 */
export class SignonSession {
  private readonly browser: Browser;
  private refused?: string;
  private signedIn?: Promise<void>;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly account: SignonAccount,
    private readonly budget: SignInBudget,
    private readonly now: () => number = Date.now,
  ) {
    this.browser = new Browser(account.url);
  }

  /** Runs one exchange with the session to itself: all exchanges go one after the other. */
  alone<T>(exchange: (pages: Pages) => Promise<T>): Promise<T> {
    const mine = this.turn.then(() =>
      exchange({ open: (path) => this.open(path), submit: (...form) => this.browser.submit(...form) }),
    );
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /** Loads a page as the signed-in superadmin. @throws NotPermitted */
  private async open(path: string): Promise<Page> {
    await this.ensureSignedIn();
    let page = await this.browser.open(path);
    if (isSignIn(page)) {
      this.signedIn = undefined;
      await this.ensureSignedIn();
      page = await this.browser.open(path);
    }
    if (isSignIn(page)) throw failure('Unreachable', `Signon ended the session while opening ${path}`);
    if (page.path !== path)
      throw failure(
        'NotPermitted',
        `Signon sent ${path} to ${page.path}: ${readAlert(page.body) || 'the account must be a superadmin'}`,
      );
    return page;
  }

  private ensureSignedIn(): Promise<void> {
    this.signedIn ??= this.signIn().catch((error: unknown) => {
      this.signedIn = undefined;
      throw error;
    });
    return this.signedIn;
  }

  private async signIn(): Promise<void> {
    if (this.refused !== undefined) throw failure('SignInRefused', `not tried again: ${this.refused}`);
    await this.browser.forgetSession();
    const form = await this.browser.open(SIGN_IN);
    const csrf = readFormToken(form.body, 'user[password]');
    const reservation = await this.budget.reserve();
    const answer = await this.browser.submit(SIGN_IN, SIGN_IN, csrf, {
      'user[email]': this.account.email,
      'user[password]': this.account.password.reveal(),
    });
    if (answer.status === 200) this.refuse(readSignIn(answer.body).alert || 'Signon showed the sign-in form again');
    if (answer.location === undefined)
      throw failure('ContractChanged', `Signon answered the sign-in with ${answer.status}`);
    let page = await this.browser.open(answer.location);
    if (isSignIn(page)) this.refuse(readAlert(page.body) || 'Signon showed the sign-in form again');
    if (page.path.startsWith(SECOND_STEP)) page = await this.secondStep(page);
    if (page.path === PROMPT) this.refuse('a second step is required but not set up for this account');
    await reservation.release();
  }

  /** Sends the code of now, then that of the step before, for a clock that runs ahead: at most two. */
  private async secondStep(page: Page): Promise<Page> {
    let csrf = readFormToken(page.body, 'code');
    let alert = '';
    for (const stepsBack of [0, 1]) {
      const answer: Answer & { location?: string } = await this.browser.submit(SECOND_STEP, page.path, csrf, {
        code: this.code(stepsBack),
      });
      if (answer.location !== undefined) return this.browser.open(answer.location);
      alert = readAlert(answer.body);
      if (/locked/i.test(answer.body)) break;
      csrf = readFormToken(answer.body, 'code');
    }
    return this.refuse(alert || 'the second step was refused');
  }

  private code(stepsBack: number): string {
    const epoch = Math.floor(this.now() / 1000) - stepsBack * STEP_SECONDS;
    return generateSync({ secret: this.account.totpSecret.reveal(), epoch });
  }

  private refuse(why: string): never {
    this.refused = why;
    throw failure('SignInRefused', `Signon refused to sign ${this.account.email} in: ${why}`);
  }
}

/** What an exchange may do. */
export interface Pages {
  open(path: string): Promise<Page>;
  submit: Browser['submit'];
}

function isSignIn(page: Page): boolean {
  return page.path.startsWith(SIGN_IN) && readSignIn(page.body).isForm;
}
