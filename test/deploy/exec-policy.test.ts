import * as fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { execPolicy, programsOf } from '../../activities/kubernetes/exec-policy.ts';
import {
  censusWithRuby,
  censusWithShell,
  smokeWithRuby,
  textOf,
} from '../../activities/kubernetes/scripts.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { policyFrom, SHIPPED_POLICY } from '../support/exec-policy.ts';
import { describe, expect, test } from '../support/jest.ts';

const { smokeCalls } = DEFAULT_SETTINGS;
const ownCall = textOf(smokeCalls['publishing-api']!);
const smoke = smokeWithRuby(ownCall, 'publishing-api', 'PUBLISHING_API_BEARER_TOKEN');
const allows = policyFrom(SHIPPED_POLICY);

test('the manifest is what the programs and the shipped smoke calls make of it', () => {
  const parsed = (yaml: string): unknown[] =>
    parseAllDocuments(yaml).map((document): unknown => document.toJS());
  expect(parsed(SHIPPED_POLICY)).toEqual(parsed(execPolicy(smokeCalls)));
});

describe('evaluated by a CEL engine (@bufbuild/cel), the policy lets through', () => {
  test.each([
    ['the census with a shell', censusWithShell],
    ['the census with Ruby', censusWithRuby],
    ...Object.entries(smokeCalls).map(([application, one]): [string, string[]] => [
      `the smoke call of ${application}`,
      smokeWithRuby(textOf(one), application, 'A_TOKEN'),
    ]),
  ])('%s', (_, command) => {
    expect(allows({ command, container: 'app' })).toBe(true);
  });
});

const changed = (command: readonly string[], at: number, text: string): string[] =>
  command.with(at, text);
const [, , censusText = ''] = censusWithShell;

describe('it refuses', () => {
  test.each<[string, string[]]>([
    ['nothing at all', []],
    ['printenv', ['printenv']],
    ['a shell', ['sh']],
    ['sh -c with a program of its own', ['sh', '-c', 'printenv']],
    ['the census with an extra argument', [...censusWithShell, 'x']],
    ['the census without its text', censusWithShell.slice(0, 2)],
    ['the census with one byte changed', changed(censusWithShell, 2, censusText.replace('x', 'y'))],
    ['the census with a line more', changed(censusWithShell, 2, `${censusText}\nprintenv`)],
    ['the census with a line before', changed(censusWithShell, 2, `printenv\n${censusText}`)],
    ['the census with another option', changed(censusWithShell, 1, '-xc')],
    ['the census in another shell', changed(censusWithShell, 0, 'bash')],
    ['the census by a path', changed(censusWithShell, 0, '/usr/local/bin/sh')],
    ['the census in capitals', censusWithShell.map((part) => part.toUpperCase())],
    ['Ruby’s census with a library more', ['ruby', '-ropen3', ...censusWithRuby.slice(1)]],
    ['Ruby’s program by the shell', ['sh', '-c', censusWithRuby[3]!]],
    ['two commands in one', [...censusWithRuby, ...censusWithShell]],
    ['the smoke call’s program without bundler', smoke.slice(2)],
    ['the smoke call with an extra argument', [...smoke, 'x']],
    ['the smoke call without its variable', smoke.slice(0, -1)],
    [
      'another call of the same adapter',
      changed(smoke, 6, ownCall.replace('lookup_content_id', 'put_content')),
    ],
    ['a call of any class', changed(smoke, 6, ownCall.replace('PublishingApi', 'Kernel'))],
    ['the same call, written differently', changed(smoke, 6, ownCall.replace(':', ': '))],
    ['the call of another application', changed(smoke, 7, 'asset-manager')],
    ['an application that is not known', changed(smoke, 7, 'nobody')],
    ['a variable with a command in it', changed(smoke, 8, 'A`id`')],
    ['a variable with a line end', changed(smoke, 8, 'A_TOKEN\n')],
    ['an option in place of a variable', changed(smoke, 8, '-rsocket')],
    ['an empty variable', changed(smoke, 8, '')],
  ])('%s', (_, command) => {
    expect(allows({ command, container: 'app' })).toBe(false);
  });

  test('our programs where they may read what is typed', () => {
    for (const command of [censusWithShell, censusWithRuby, smoke])
      for (const typed of [{ stdin: true }, { tty: true }])
        expect(allows({ command, container: 'app', ...typed })).toBe(false);
  });

  test('whatever is not one of the programs, letter by letter', () => {
    const programs = [censusWithShell, censusWithRuby, smoke];
    fc.assert(
      fc.property(
        fc.constantFrom(...programs),
        fc.nat(8),
        fc.string(),
        fc.nat(),
        (command, at, text, where) => {
          const part = command[at % command.length]!;
          const start = where % (part.length + 1);
          const edited = changed(
            command,
            at % command.length,
            part.slice(0, start) + text + part.slice(start),
          );
          const isVariable =
            at % command.length === 8 &&
            /^[A-Za-z_][A-Za-z0-9_]*$/.test(edited[8]!) &&
            !edited[8]!.includes('\n');
          expect(allows({ command: edited, container: 'app' })).toBe(text === '' || isVariable);
        },
      ),
    );
  });
});

test('it is about the worker alone: others keep what their roles give them', () => {
  expect(allows({ command: ['printenv'] }, 'system:serviceaccount:other:worker')).toBe(true);
});

test('a policy printed beside an older one lets both versions’ programs through, and no mixture', () => {
  const older = execPolicy({ 'support-api': smokeCalls['support-api']! });
  const both = policyFrom(
    execPolicy({ 'asset-manager': smokeCalls['asset-manager']! }, programsOf(older)),
  );
  const of = (application: string, text = textOf(smokeCalls[application]!)): string[] =>
    smokeWithRuby(text, application, 'A_TOKEN');
  expect([of('asset-manager'), of('support-api')].map((command) => both({ command }))).toEqual([
    true,
    true,
  ]);
  expect(
    [of('publishing-api'), of('support-api', ownCall)].map((command) => both({ command })),
  ).toEqual([false, false]);
  expect(() => programsOf('kind: Deployment')).toThrow(/no ValidatingAdmissionPolicy/);
});

test('no list of texts holds what has no type: Kubernetes would not take the policy', () => {
  expect(SHIPPED_POLICY).toMatch(/string\(object\.command\[6\]\)/);
  expect(SHIPPED_POLICY).not.toMatch(/(?<!string\()object\.command\[/);
});

test.each([`o'neil`, `'] || true || object.command == ['`, `'''"\\n\n'`])(
  'a smoke call with %j in it is compared as it is',
  (odd) => {
    const call = { ...smokeCalls['publishing-api']!, keyword: { base_path: odd } };
    const policy = policyFrom(execPolicy({ odd: call }));
    expect(policy({ command: smokeWithRuby(textOf(call), 'odd', 'A') })).toBe(true);
    expect(
      policy({ command: smokeWithRuby(textOf(call).replace('base_path', 'base'), 'odd', 'A') }),
    ).toBe(false);
    expect(policy({ command: ['printenv'] })).toBe(false);
  },
);
