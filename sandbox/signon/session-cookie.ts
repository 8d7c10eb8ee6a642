import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** What Signon's session cookie carries. */
export interface Session {
  email?: string;
  /** Sessions of an older epoch were ended. */
  epoch?: number;
  secondStepDone?: boolean;
  /** Which accepted password it began with. */
  signIn?: number;
  lastSeen?: number;
  csrf: string;
  returnTo?: string;
  flash?: Flash;
  /** What the request before left to be shown: by this answer or by none. */
  shown?: Flash;
}

interface Flash {
  notice?: string;
  alert?: string;
  token?: { application: string; value: string };
}

export function newSession(): Session {
  return { csrf: randomBytes(32).toString('hex') };
}

/** Encrypts a session into the cookie, as Rails does: nothing is kept at the server. */
export function seal(session: Session, key: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'hex'), iv);
  const body = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

export function unseal(cookie: string, key: string): Session | undefined {
  try {
    const raw = Buffer.from(cookie, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), raw.subarray(0, 12));
    decipher.setAuthTag(raw.subarray(12, 28));
    return JSON.parse(
      Buffer.concat([decipher.update(raw.subarray(28)), decipher.final()]).toString('utf8'),
    ) as Session;
  } catch {
    return undefined;
  }
}

/** A token for one form, or for any POST where no form is named. */
export function csrfToken(session: Session, form = '*'): string {
  const salt = randomBytes(8).toString('hex');
  return `${salt}${sign(session, salt, form)}`;
}

export function csrfValid(session: Session, token: string, path: string): boolean {
  const salt = token.slice(0, 16);
  return [path, '*'].some((form) => {
    const expected = Buffer.from(sign(session, salt, form));
    const given = Buffer.from(token.slice(16));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}

function sign(session: Session, salt: string, form: string): string {
  return createHmac('sha256', session.csrf).update(salt).update(form).digest('base64url');
}
