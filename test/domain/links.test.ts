import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { startFormLink, userMetadataLink } from '../../domain/rotation/links.ts';
import { rotationId, taskQueueOf } from '../../domain/request/request.ts';
import { aRequest } from '../support/builders.ts';

const ui = { url: 'https://temporal.example.org', namespace: 'default' };
const request = aRequest();
const RUN = '0197a1b2-0000-7000-8000-000000000000';

describe('the link to a run', () => {
  test('leads to the page of its details, with / and @ of the id encoded', () => {
    expect(userMetadataLink(ui, rotationId(request), RUN)).toBe(
      'https://temporal.example.org/namespaces/default/workflows/' +
        `rotate-token%2Fintegration%2Fshort-url-manager%40alphagov.co.uk%2Fpublishing-api/${RUN}/user-metadata`,
    );
  });

  test.each([
    'https://example.org/temporal',
    'https://example.org/temporal/',
    'https://example.org/temporal//',
  ])('keeps the path that the UI is served under: %s', (url) => {
    expect(userMetadataLink({ ...ui, url }, 'w', RUN)).toBe(
      `https://example.org/temporal/namespaces/default/workflows/w/${RUN}/user-metadata`,
    );
  });

  test('says namespace and id exactly, whatever they are made of', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/^\.\.?$/.test(text));
    fc.assert(
      fc.property(segment, segment, (namespace, id) => {
        const { host, pathname, search, hash } = new URL(
          userMetadataLink({ ...ui, namespace }, id, RUN),
        );
        expect({ host, search, hash }).toEqual({
          host: 'temporal.example.org',
          search: '',
          hash: '',
        });
        const [, , ns, , workflow, run, page, ...more] = pathname
          .split('/')
          .map(decodeURIComponent);
        expect([ns, workflow, run, page, more]).toEqual([namespace, id, RUN, 'user-metadata', []]);
      }),
    );
  });

  test('holds nothing that would end a link in Slack or in Markdown early', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (id) => {
        expect(userMetadataLink(ui, id, RUN)).not.toMatch(/[\s<>|"[\]\\]/);
      }),
    );
  });
});

describe('the link to the start form', () => {
  test('has the id, the task queue and the type filled in', () => {
    const link = new URL(startFormLink(ui, request));
    expect(link.origin + link.pathname).toBe(
      'https://temporal.example.org/namespaces/default/workflows/start-workflow',
    );
    expect(Object.fromEntries(link.searchParams)).toEqual({
      workflowId: rotationId(request),
      taskQueue: taskQueueOf('integration'),
      workflowType: 'rotateToken',
    });
  });

  test('encodes the id', () => {
    expect(startFormLink(ui, request)).toContain(
      'workflowId=rotate-token%2Fintegration%2Fshort-url-manager%40alphagov.co.uk%2Fpublishing-api&',
    );
  });

  test('fills in one id, however the API user is spelt', () => {
    const apiUser = 'a&workflowType=x#y+z@example.org';
    expect(
      new URL(startFormLink(ui, { ...request, apiUser })).searchParams.getAll('workflowType'),
    ).toEqual(['rotateToken']);
    expect(new URL(startFormLink(ui, { ...request, apiUser })).searchParams.get('workflowId')).toBe(
      rotationId({ ...request, apiUser }),
    );
  });

  test('is that of the environment asked for, under the UI’s own path', () => {
    const link = startFormLink(
      { url: 'https://example.org/temporal/', namespace: 'rotation' },
      {
        ...request,
        environment: 'production',
      },
    );
    expect(link).toMatch(
      /^https:\/\/example\.org\/temporal\/namespaces\/rotation\/workflows\/start-workflow\?/,
    );
    expect(link).toContain('taskQueue=signon-rotation-production');
  });
});
