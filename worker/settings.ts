import type { Settings } from '../domain/settings.ts';

/** What ships. The smoke calls are gds-api-adapters' read-only ones; the hosts are GOV.UK's. */
export const DEFAULT_SETTINGS: Settings = {
  window: '14 days',
  answerLimit: '30 seconds',
  signonRequestLimit: '60 seconds',
  syncLimit: '30 minutes',
  rolloutLimit: '15 minutes',
  pollEvery: '2 seconds',
  soak: '10 minutes',
  evidenceHoldsFor: '1 hour',
  notices: { collectFor: '30 seconds', quietFor: '5 minutes' },
  smokeCalls: {
    'publishing-api': {
      adapter: 'PublishingApi',
      requires: 'gds_api/publishing_api',
      method: 'lookup_content_id',
      positional: [],
      keyword: { base_path: '/' },
    },
    'email-alert-api': {
      adapter: 'EmailAlertApi',
      requires: 'gds_api/email_alert_api',
      method: 'get_subscriber_list',
      positional: [],
      keyword: { slug: 'no-such-list' },
    },
    'asset-manager': {
      adapter: 'AssetManager',
      requires: 'gds_api/asset_manager',
      method: 'asset',
      positional: ['000000000000000000000000'],
      keyword: {},
    },
    'link-checker-api': {
      adapter: 'LinkCheckerApi',
      requires: 'gds_api/link_checker_api',
      method: 'get_batch',
      positional: [0],
      keyword: {},
    },
    'support-api': {
      adapter: 'SupportApi',
      requires: 'gds_api/support_api',
      method: 'organisations_list',
      positional: [],
      keyword: {},
    },
    'signon-api': {
      adapter: 'SignonApi',
      requires: 'gds_api/signon_api',
      method: 'get_users',
      positional: [],
      keyword: { uuids: [] },
    },
    'content-store': {
      adapter: 'ContentStore',
      requires: 'gds_api/content_store',
      method: 'content_item',
      positional: ['/'],
      keyword: {},
    },
  },
  hosts: {
    integration:
      '^(signon\\.integration\\.publishing\\.service\\.gov\\.uk|argo\\.eks\\.integration\\.govuk\\.digital)$',
    staging: '^$',
    production: '^(signon\\.publishing\\.service\\.gov\\.uk|argo\\.eks\\.production\\.govuk\\.digital)$',
  },
};
