import type { Notice, NoticePace } from '../../domain/notices/index.ts';

/** What a rotation asks to tell people. */
export interface NotifyActivities {
  /**
   * Hands a notice, with the link to the calling run, to the workflow that collects them; nothing
   * where no webhook is configured. A retry may hand it over twice: the collector keeps a
   * rotation's last.
   */
  notify: (notice: Notice) => Promise<void>;
  /** How this worker's settings say that notices become messages. */
  noticePace: () => Promise<NoticePace>;
  /**
   * Sends one message to the Slack webhook. A retry after a lost answer may send it twice.
   * @throws Unreachable (retried, after the pause that Slack asks for), SlackRefused (not retried);
   * neither names the webhook's address, which is a secret
   */
  postToSlack: (text: string) => Promise<void>;
}
