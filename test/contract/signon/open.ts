import type { SignonPage } from '../../../activities/signon/browser.ts';
import type { SignonSession } from '../../../activities/signon/session.ts';
import { run } from '../run-activity.ts';

/** Loads a page through our session, as an activity does. */
export function openPage(session: SignonSession, path: string): Promise<SignonPage> {
  return run(() => session.alone((pages) => pages.open(path)));
}
