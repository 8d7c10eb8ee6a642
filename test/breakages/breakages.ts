/** One deliberate breakage of the product, and the test that must catch it: its title as it stands in the file, `%s` and the like included. */
export interface Breakage {
  /** What is broken, in a few words. */
  what: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  caughtBy: { file: string; test: string };
}

/** Each undoes one thing that a promise rests on. */
export const BREAKAGES: readonly Breakage[] = [
  {
    what: 'the look right before a revoke is not compared with the evidence',
    file: 'workflows/revoke.ts',
    find: 'const reason = reasonNow(fresh);',
    replace: 'const reason = reasonNow(fresh) && undefined;',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'a running container that holds the old token at the last look keeps it alive, and is named',
    },
  },
  {
    what: 'what Signon lists after a revoke is not looked at before the next',
    file: 'workflows/revoke.ts',
    find: 'if (reasonNow({ ...fresh, tokens: revoked.tokens }) !== undefined) break;',
    replace: '',
    caughtBy: {
      file: 'test/workflows/sizes.test.ts',
      test: 'of many tokens, no other is revoked after one whose page shows that the approval is void, though one look serves several',
    },
  },
  {
    what: 'a revoke is sent however old its look is',
    file: 'activities/signon/revoke-token.ts',
    find: 'if (Date.now() > Date.parse(notAfter))',
    replace: 'if (Date.now() < 0)',
    caughtBy: { file: 'test/activities/signon.test.ts', test: 'a revoke whose look is too old is not sent' },
  },
  {
    what: 'only the first container is verified',
    file: 'domain/possession.ts',
    find: 'const others = running(look).filter((container) => !holds(container, token));',
    replace: 'const others = running(look).slice(0, 1).filter((container) => !holds(container, token));',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'is never done while any running container holds another token',
    },
  },
  {
    what: 'pods that are being deleted are ignored',
    file: 'domain/possession.ts',
    find: 'const others = running(look).filter((container) => !holds(container, token));',
    replace: 'const others = running(look).filter((one) => !one.terminating && !holds(one, token));',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'waits for a pod that is being deleted and still holds the old token',
    },
  },
  {
    what: 'a container that is about to start is not waited for',
    file: 'domain/possession.ts',
    find: "const starting = look.containers.filter(({ state, terminating }) => state === 'starting' && !terminating);",
    replace: 'const starting: ConsumingContainer[] = [];',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'waits for a container that is about to start, unless its pod is being deleted',
    },
  },
  {
    what: 'the old token is revoked before anybody approved',
    file: 'workflows/approval.ts',
    find: 'if (!verdict.counts) {',
    replace: 'if (!verdict.counts && false) {',
    caughtBy: {
      file: 'test/workflows/approval.test.ts',
      test: 'an approval that quotes the round before revokes nothing',
    },
  },
  {
    what: 'any evidence code is accepted',
    file: 'domain/approval.ts',
    find: 'if (approval.evidence.trim().toLowerCase() !== code)',
    replace: "if (approval.evidence.trim() === '')",
    caughtBy: { file: 'test/domain/approval.test.ts', test: 'an approval meant for another run counts for nothing' },
  },
  {
    what: 'the code is the same in every round',
    file: 'domain/evidence.ts',
    find: '    String(evidence.round),\n',
    replace: '',
    caughtBy: { file: 'test/domain/evidence.test.ts', test: 'differs between runs and between rounds' },
  },
  {
    what: 'an approval covers tokens whose holder is unknown, unnamed',
    file: 'domain/approval.ts',
    find: "evidence.toRevoke.filter(({ standing }) => standing === 'given-up').map(",
    replace: 'evidence.toRevoke.map(',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'without names it covers the tokens given up, and no token whose holder is unknown',
    },
  },
  {
    what: 'production takes the requester’s own approval',
    file: 'domain/approval.ts',
    find: "request.environment === 'production' && !isNobody",
    replace: "request.environment === 'staging' && !isNobody",
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'production counts no approval by the requester, whatever the case and the blanks of the name',
    },
  },
  {
    what: 'whoever says “alert” is nobody, whatever the server recorded',
    file: 'domain/approval.ts',
    find: 'if (requestedBy === ALERT) return starter.identity === receiver;',
    replace: 'if (requestedBy === ALERT) return receiver !== undefined;',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'who only calls himself %s, started by %j, is a person like any other',
    },
  },
  {
    what: 'a failed smoke call is up for acceptance',
    file: 'domain/approval.ts',
    find: "shortfall === 'smoke-failed' || !approval.accept?.includes(shortfall)",
    replace: "shortfall !== 'smoke-failed' && !approval.accept?.includes(shortfall)",
    caughtBy: { file: 'test/domain/approval.test.ts', test: 'never covers a failed smoke call, whatever is accepted' },
  },
  {
    what: 'a create is sent again without a look for what the first made',
    file: 'activities/signon/create-token.ts',
    find: 'if (found) return { adopted',
    replace: 'if (found && listed.length < 0) return { adopted',
    caughtBy: {
      file: 'test/whole/rotation.test.ts',
      test: 'the lost answer of a create makes no second token',
    },
  },
  {
    what: 'access is granted to a pair that has none',
    file: 'domain/plan.ts',
    find: 'if (!newest)\n    return {',
    replace: 'if (!newest && tokens.length > 0)\n    return {',
    caughtBy: { file: 'test/domain/plan.test.ts', test: 'never gets one (force: %p), and the end says so' },
  },
  {
    what: 'access that somebody ended meanwhile is granted anew',
    file: 'activities/signon/create-token.ts',
    find: 'if (!listed.some(({ authorisationId }) => before.includes(authorisationId)))',
    replace: 'if (listed.length < 0)',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'grants nothing anew to a pair whose tokens were all revoked since the rotation began',
    },
  },
  {
    what: 'a forced rotation adopts a token from before it',
    file: 'domain/plan.ts',
    find: 'if (request.force || !outlives',
    replace: 'if (!outlives',
    caughtBy: {
      file: 'test/domain/plan.test.ts',
      test: 'where force asks for it, however long the newest lives and whoever holds it',
    },
  },
  {
    what: 'the workflow goes another way in another run',
    file: 'workflows/sync.ts',
    find: 'const { workflowId } = workflowInfo();\n',
    replace:
      'const { workflowId, runId } = workflowInfo();\n  for (let n = parseInt(runId.slice(0, 2), 16); n > 0; n--) await condition(() => false, 1);\n',
    caughtBy: {
      file: 'test/whole/reset.test.ts',
      test: 'a reset to after the approval replays its verdict and goes on to the end',
    },
  },
  {
    what: 'exec’s Success is believed without the end marker',
    file: 'activities/kubernetes/exec.ts',
    find: 'if (lines.pop() !== END_MARKER) throw',
    replace: 'if (lines.pop() === undefined) throw',
    caughtBy: {
      file: 'test/activities/limits.test.ts',
      test: 'whose answer lacks its end have not answered, though they are said to have succeeded',
    },
  },
  {
    what: 'a container that gives no answer is taken for ended',
    file: 'activities/kubernetes/look.ts',
    find: 'const silent = running.filter((container) => !asked.has(keyOf(container)));',
    replace: 'const silent = running.filter((container) => !asked.has(keyOf(container)) && !container.pod);',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a container whose exec is killed every time is never taken for ended',
    },
  },
  {
    what: 'axios’ own error is passed on',
    file: 'activities/http.ts',
    find: "throw failure('Unreachable', `${system} did not answer ${method} ${pathOf(config.url)} ${how}`);",
    replace:
      "throw Object.assign(failure('Unreachable', `${system} did not answer ${method} ${pathOf(config.url)} ${how}`), { cause: error });",
    caughtBy: {
      file: 'test/activities/http.test.ts',
      test: 'an answer that is %s is a failure rebuilt from method and path',
    },
  },
  {
    what: 'text from outside is quoted as it is',
    file: 'domain/redact.ts',
    find: ".replace(LONG_RUN, (run) => (known.has(run) ? run : '[redacted]'));",
    replace: '.replace(LONG_RUN, (run) => run);',
    caughtBy: {
      file: 'test/domain/redact.test.ts',
      test: 'takes an unknown 43-character token out of a sync Job’s log',
    },
  },
  {
    what: 'a secret prints itself',
    file: 'activities/secret.ts',
    find: "  toJSON(): string {\n    return '[secret]';",
    replace: '  toJSON(): string {\n    return this.#value;',
    caughtBy: {
      file: 'test/worker/configuration.test.ts',
      test: 'shows no secret when printed, serialised or inspected',
    },
  },
  {
    what: 'text from outside is Markdown',
    file: 'domain/markdown.ts',
    find: '.replace(/[\\\\`*_{}[\\]()#+!|~&<>]/g, (mark) => `\\\\${mark}`)',
    replace: '',
    caughtBy: { file: 'test/domain/markdown.test.ts', test: 'brings no tag and no entity of its own into the page' },
  },
  {
    what: 'a Job that began before the token was there is taken over',
    file: 'activities/argo/create-activities.ts',
    find: 'Date.parse(job.createdAt) >= Date.parse(notBefore) + TAKE_OVER_AFTER_MS',
    replace: 'Date.parse(job.createdAt) >= 0',
    caughtBy: { file: 'test/activities/argo.test.ts', test: 'makes a new Job where the one that is there %s' },
  },
  {
    what: 'the token under the approved id is not compared',
    file: 'activities/signon/revoke-token.ts',
    find: 'if (seen.masked !== approved.masked || seen.expires !== approved.expires)',
    replace: 'if (seen.masked === approved.expires)',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a token that differs from the approved one in “%s” is not revoked',
    },
  },
  {
    what: 'a token of a retired application counts as revoked',
    file: 'activities/signon/revoke-token.ts',
    find: '    await refuseUnlessOnOffer(pages, pair, `authorisation ${token.authorisationId} is not listed`); // else it was revoked\n',
    replace: '',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a token that is gone counts as revoked only while its application is still on offer',
    },
  },
  {
    what: 'a refused password is tried again',
    file: 'activities/signon/session.ts',
    find: "if (this.refused !== undefined) throw failure('SignInRefused'",
    replace: "if (this.refused === '') throw failure('SignInRefused'",
    caughtBy: { file: 'test/activities/signon.test.ts', test: 'a refused password is not tried again by that worker' },
  },
  {
    what: 'Argo CD and Kubernetes may be of two clusters',
    file: 'workflows/assess.ts',
    find: 'if (uid !== cronJob.uid)',
    replace: 'if (uid === cronJob.name)',
    caughtBy: {
      file: 'test/workflows/blocking.test.ts',
      test: 'a CronJob of another cluster blocks, naming both sides',
    },
  },
  {
    what: 'a smoke call that any token passes counts as passed',
    file: 'activities/kubernetes/create-activities.ts',
    find: "return REFUSED.has(madeUp) ? result('passed', seen)",
    replace: "return madeUp ? result('passed', seen)",
    caughtBy: {
      file: 'test/whole/rotation.test.ts',
      test: 'a server application that lets any token in is reported as no proof',
    },
  },
  {
    what: 'a create is cut short by an abort',
    file: 'workflows/issue.ts',
    find: 'const created = await CancellationScope.nonCancellable(async () => {',
    replace: 'const created = await CancellationScope.cancellable(async () => {',
    caughtBy: {
      file: 'test/workflows/stopping.test.ts',
      test: 'an abort in the middle of a create lets it end, and the report knows the new token',
    },
  },
  {
    what: 'nothing is confirmed after the revoke',
    file: 'workflows/rotate-token.ts',
    find: "      await book.step('confirm', () => confirmed(book, { ...expected, ...now }, evidence));\n",
    replace: '',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'a failure after the revoke is an incident that blocks and says what to do',
    },
  },
  {
    what: 'what cannot be seen after the revoke counts as confirmed',
    file: 'workflows/confirm.ts',
    find: "if (missing === undefined || !patched('confirm-waits')) return;",
    replace: 'return;',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'containers that %s after the revoke are an incident, once the limit of a rollout is over',
    },
  },
  {
    what: 'nobody asks who copied the token from its Secret',
    file: 'workflows/holders.ts',
    find: "{ readers: { ...everywhere, asking: 'copies' }, look, recipient }",
    replace: '{ readers: { secret: pair.secret, also: [] }, look, recipient }',
    caughtBy: {
      file: 'test/workflows/holders.test.ts',
      test: 'a copy of the token elsewhere in the namespace keeps the old one alive, though every reader of the Secret holds the new one',
    },
  },
  {
    what: 'an empty list of a retired application counts as no token',
    file: 'activities/signon/pair-tokens.ts',
    find: 'if (tokens.length === 0) await',
    replace: 'if (tokens.length < 0) await',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a list without any token of the pair is believed only while its application is on offer',
    },
  },
  {
    what: 'a rollout is over before a pod is ready to call from',
    file: 'activities/kubernetes/create-activities.ts',
    find: 'if (held && (allReady(now) ||',
    replace: 'if (held && (now !== undefined ||',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a rollout is over once a pod of each consumer is ready to call from',
    },
  },
  {
    what: 'the receiver lets any token in',
    file: 'client/receiver/server.ts',
    find: 'return timingSafeEqual(digest(given), digest(token.reveal()));',
    replace: 'return timingSafeEqual(digest(given), digest(given)) || token.reveal() === given;',
    caughtBy: { file: 'test/client/alert-receiver.test.ts', test: '%s: refused before the body is read' },
  },
];
