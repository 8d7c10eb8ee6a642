/** Text: names as Rails makes them, Markdown, redaction. */
export * from './markdown.ts';
export * from './minute.ts';
export * from './parameterize.ts';
export * from './plain-text.ts';
export * from './redact.ts';
export * from './size.ts';
export * from './wrapped-secrets.ts';
